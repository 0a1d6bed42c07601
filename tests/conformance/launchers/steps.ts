/**
 * The results of a sandbox as steps of a test in Deno.
 */
import { assert } from "@std/assert";
import type { SandboxResult } from "./sandbox.ts";

/** Registers each result as a step; fails where there is none. */
export async function reportSteps(
  t: Deno.TestContext,
  results: readonly SandboxResult[],
): Promise<void> {
  assert(results.length > 0, "No test ran");
  for (const { name, error } of results) {
    await t.step(name, () => {
      if (error !== undefined) throw new Error(error);
    });
  }
}
