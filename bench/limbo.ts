/**
 * From DER to verdict over the cases of x509-limbo.
 *
 * @module
 */
import { runWithWebCrypto } from "../src/crypto/webcrypto.ts";
import { evaluate, type LimboCase, readLimbo } from "../tools/limbo/suite.ts";
import type { Row } from "./bench.ts";
import { median } from "./measure.ts";

const MEDIAN_LIMIT_MS = 5;
const WORST_LIMIT_MS = 250;
const WARM_UP_CASES = 100;

/** Runs the benchmark; `folder` holds the vectors. */
export async function benchLimbo(folder: string): Promise<Row[]> {
  const cases: LimboCase[] = [];
  for await (const limbo of readLimbo(`${folder}/limbo/limbo.ndjson.gz`)) {
    cases.push(limbo);
  }
  for (const limbo of cases.slice(0, WARM_UP_CASES)) {
    await evaluate(limbo, runWithWebCrypto);
  }
  // The better of two: what else the machine did is not the case's cost.
  const times = new Array<number>(cases.length).fill(Infinity);
  for (let pass = 0; pass < 2; pass++) {
    for (const [at, limbo] of cases.entries()) {
      const { milliseconds } = await evaluate(limbo, runWithWebCrypto);
      times[at] = Math.min(times[at], milliseconds);
    }
  }
  const rest = { against: "a limit", unit: "ms", better: "less" } as const;
  return [
    {
      what: `x509-limbo, from DER to verdict, median of ${cases.length} cases`,
      value: median(times),
      goal: MEDIAN_LIMIT_MS,
      ...rest,
    },
    {
      what: "x509-limbo, from DER to verdict, the slowest case",
      value: Math.max(...times),
      goal: WORST_LIMIT_MS,
      ...rest,
    },
  ];
}
