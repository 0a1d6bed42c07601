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

/** A policy, and the text that it was read from. */
export interface PolicyFile {
  readonly policy: Policy;
  readonly text: string;
}

/** Reads and checks a policy, and keeps its text. */
export async function readPolicyFile(
  io: Io,
  source: string,
): Promise<PolicyFile> {
  const text = await readText(io, source);
  const policy = await about(
    source,
    () => parsePolicy(text),
    () => POLICY_HINT,
  );
  return { policy, text };
}
