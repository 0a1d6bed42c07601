/**
 * A test runner of a few lines, for runtimes that are given one bundle.
 *
 * One test after another; one line a test, `FEATURE {…}` for each cell of the
 * table, and `N passed, N failed` at the end.
 */
import {
  type Body,
  createHarness,
  type FeatureResult,
  type RuntimeName,
} from "../harness.ts";

/** How a run ended. */
export interface MiniResult {
  readonly failed: number;
  /** Everything that was to be said. */
  readonly lines: readonly string[];
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
  version: string,
  bodies: readonly Body[],
  say: (line: string) => void = () => {},
): Promise<MiniResult> {
  const tests: { name: string; body: () => Promise<void> }[] = [];
  const lines: string[] = [];
  const log = (line: string) => {
    lines.push(line);
    say(line);
  };
  const onFeature = (result: FeatureResult) =>
    log(`FEATURE ${JSON.stringify(result)}`);
  const harness = createHarness({
    runtime,
    version,
    register: (name, body) => void tests.push({ name, body }),
  }, onFeature);
  for (const body of bodies) body(harness);
  let failed = 0;
  for (const { name, body } of tests) {
    try {
      await body();
      log(`ok ${name}`);
    } catch (error) {
      failed++;
      log(`FAILED ${name}\n${describe(error)}`);
    }
  }
  log(`${tests.length - failed} passed, ${failed} failed`);
  return { failed, lines };
}
