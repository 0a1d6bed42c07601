/**
 * Runs benchmarks within the runtime that they measure; one line of JSON a row.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import process from "node:process";
import type { Bench, Context } from "./bench.ts";
import { benchBulk } from "./bulk.ts";
import { benchCheck } from "./check.ts";
import { benchColdStart } from "./cold_start.ts";
import { benchConnect } from "./connect.ts";
import { benchFetch } from "./fetch.ts";
import { benchHosts } from "./hosts.ts";
import { benchMemory } from "./memory.ts";

const BENCHES: readonly Bench[] = [
  benchFetch,
  benchConnect,
  benchCheck,
  benchBulk,
  benchColdStart,
  benchHosts,
  benchMemory,
];

const [file, ...names] = process.argv.slice(2);
const context: Context = JSON.parse(readFileSync(file, "utf8"));
for (const { name, runtimes, run } of BENCHES) {
  if (names.length > 0 && !names.includes(name)) continue;
  if (runtimes?.includes(context.runtime) === false) continue;
  for await (const row of run(context)) {
    console.log(JSON.stringify({ bench: name, ...row }));
  }
}
// Connections that are kept alive would keep the process.
process.exit(0);
