/**
 * How tests ended, as the JUnit files tell that their runners write.
 *
 * @module
 */
import { DOMParser, type Element } from "@xmldom/xmldom";

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

/** Counts the test cases of a JUnit file. */
export function readJUnit(xml: string): Outcome {
  const document = new DOMParser().parseFromString(xml, "text/xml");
  const cases: Element[] = [...document.getElementsByTagName("testcase")];
  const having = (...names: string[]) =>
    cases.filter((one) =>
      names.some((name) => one.getElementsByTagName(name).length > 0)
    ).length;
  const failed = having("failure", "error");
  const skipped = having("skipped");
  return { passed: cases.length - failed - skipped, failed, skipped };
}

/**
 * The outcome of a runner that wrote a JUnit file, or none.
 *
 * A runner that failed without saying so, or ran no test at all, counts as one
 * failure: a suite that cannot fail is none.
 */
export function outcomeOf(xml: string | undefined, success: boolean): Outcome {
  const { passed, failed, skipped } = xml === undefined
    ? { passed: 0, failed: 0, skipped: 0 }
    : readJUnit(xml);
  const unsaid = failed === 0 && (!success || passed + skipped === 0);
  return { passed, failed: failed + (unsaid ? 1 : 0), skipped };
}
