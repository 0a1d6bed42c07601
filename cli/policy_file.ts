/**
 * Policies from files.
 *
 * @module
 */
import { parsePolicy, type Policy } from "@certpin/certpin";
import { about } from "./failure.ts";
import { readText } from "./files.ts";
import type { Io } from "./io.ts";

/** Where to look up what a policy may say. */
export const POLICY_HINT =
  "certpin.schema.json says what a policy may hold: init writes it beside the policy";

/** Reads and checks a policy. */
export async function readPolicy(io: Io, source: string): Promise<Policy> {
  const text = await readText(io, source);
  return await about(
    source,
    () => parsePolicy(text),
    () => POLICY_HINT,
  );
}
