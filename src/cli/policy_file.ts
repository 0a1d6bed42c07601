/**
 * Policies from files.
 *
 * @module
 */
import { parsePolicy, type Policy } from "../policy/policy.ts";
import { about } from "./failure.ts";
import { readText } from "./files.ts";
import type { Io } from "./io.ts";

/** Reads and checks a policy. */
export async function readPolicy(io: Io, source: string): Promise<Policy> {
  const text = await readText(io, source);
  return await about(
    source,
    () => parsePolicy(text),
    () => "the reference of policy files is docs/policy-reference.md",
  );
}
