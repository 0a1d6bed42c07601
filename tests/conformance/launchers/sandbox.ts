/**
 * A runner for runtimes that bring none: runs the bodies and tells what it
 * found.
 */
import { type Body, createHarness, type RuntimeName } from "../harness.ts";

/** How one test ended. */
export interface SandboxResult {
  readonly name: string;
  /** Why it failed; left out where it passed. */
  readonly error?: string;
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined
    ? ""
    : `\ncause: ${describe(error.cause)}`;
  // Not every engine begins the stack with the message.
  return `${error.name}: ${error.message}\n${
    (error.stack ?? "").split("\n").filter((line) => /^\s+at /.test(line))
      .join("\n")
  }${cause}`;
}

/** Registers the bodies, and runs what they registered. */
export async function runBodies(
  runtime: RuntimeName,
  bodies: readonly Body[],
): Promise<SandboxResult[]> {
  const tests: { name: string; body: () => Promise<void> }[] = [];
  const harness = createHarness({
    runtime,
    version: navigator.userAgent,
    register: (name, body) => void tests.push({ name, body }),
  });
  for (const body of bodies) body(harness);
  const results: SandboxResult[] = [];
  for (const { name, body } of tests) {
    try {
      await body();
      results.push({ name });
    } catch (error) {
      results.push({ name, error: describe(error) });
    }
  }
  return results;
}
