/**
 * How a stage of the suite ended, and how that is read off a tool's output.
 *
 * @module
 */

/** Counts of one stage, or of the whole run. */
export interface Outcome {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** The sum of several outcomes. */
export function sum(outcomes: readonly Outcome[]): Outcome {
  const total = { passed: 0, failed: 0, skipped: 0 };
  for (const { passed, failed, skipped } of outcomes) {
    total.passed += passed;
    total.failed += failed;
    total.skipped += skipped;
  }
  return total;
}

/** The one line that closes a run. */
export function summaryLine({ passed, failed, skipped }: Outcome): string {
  const tail = skipped > 0 ? `, ${skipped} skipped` : "";
  return `${passed} passed, ${failed} failed${tail}`;
}

// "ok | 3 passed (2 steps) | 0 failed | 1 ignored (12ms)"
const DENO_SUMMARY = /^(?:ok|FAILED) \| (\d+) passed.*? \| (\d+) failed(.*)$/gm;
// "3 passed, 0 failed, 1 skipped"
const PLAIN_SUMMARY = /^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$/gm;

/**
 * Reads the counts that a test tool printed: the summary of `deno test`, or
 * else the sum of all plain summary lines.
 *
 * A tool that failed without saying so, or ran no test at all, counts as one
 * failure: a suite that cannot fail is none.
 *
 * @param output Standard output and standard error, without colours.
 * @param success Whether the tool's exit status was 0.
 */
export function readCounts(output: string, success: boolean): Outcome {
  const deno = [...output.matchAll(DENO_SUMMARY)].at(-1);
  const { passed, failed, skipped } = deno
    ? {
      passed: Number(deno[1]),
      failed: Number(deno[2]),
      skipped: Number(/(\d+) ignored/.exec(deno[3])?.[1] ?? 0),
    }
    : sum([...output.matchAll(PLAIN_SUMMARY)].map((plain) => ({
      passed: Number(plain[1]),
      failed: Number(plain[2]),
      skipped: Number(plain[3] ?? 0),
    })));
  const unsaid = failed === 0 && (!success || passed + skipped === 0);
  return { passed, failed: failed + (unsaid ? 1 : 0), skipped };
}

/**
 * The lines of an output that people want to see though all went well, each
 * once: `SKIPPED name: reason` and `MEASURED name: value`.
 */
export function readRemarks(output: string): readonly string[] {
  return [...new Set(output.match(/^(?:SKIPPED|MEASURED) .+$/gm) ?? [])];
}
