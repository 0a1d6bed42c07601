/**
 * Simulates the year and writes `docs/year.md` and its chart: `deno task year`.
 *
 * @module
 */
import { formatted } from "../docs/main.ts";
import { ROOT } from "../suite/paths.ts";
import { yearChart, yearPage } from "./page.ts";
import { mintYear, runYear, STRATEGIES, type YearResult } from "./simulate.ts";

/** The files of the simulated year, by path. */
export async function yearFiles(
  results: readonly YearResult[],
): Promise<ReadonlyMap<string, string>> {
  return new Map([
    ["docs/year.md", await formatted(yearPage(results))],
    ["docs/year.svg", yearChart(results)],
  ]);
}

/** Runs every strategy, one after another; says how far it is. */
export async function runAll(
  say: (line: string) => void,
): Promise<YearResult[]> {
  const world = await mintYear();
  const results: YearResult[] = [];
  for (const strategy of STRATEGIES) {
    const result = await runYear(strategy, world);
    say(`${result.title}: ${result.evaluations} evaluations`);
    results.push(result);
  }
  return results;
}

if (import.meta.main) {
  const results = await runAll(console.error);
  for (const [path, text] of await yearFiles(results)) {
    await Deno.writeTextFile(new URL(path, ROOT), text);
    console.log(path);
  }
}
