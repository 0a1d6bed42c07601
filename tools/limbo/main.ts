/**
 * `deno task limbo FILE`: runs x509-limbo, prints a table, fails on anything
 * that `tests/unit/path/limbo_exceptions.json` does not explain.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { runWithWebCrypto } from "../../src/crypto/webcrypto.ts";
import { disagreements, readExceptions } from "./exceptions.ts";
import {
  evaluate,
  type LimboResult,
  type Outcome,
  readLimbo,
} from "./suite.ts";

const HELP = `Runs the x509-limbo suite against verifyPath.

Usage: deno task limbo [--json] FILE

FILE holds one case a line (NDJSON), compressed where it ends in .gz;
docs/limbo.md says where the suite comes from and how to convert it.

Options:
  --json   print results as one JSON document, the table on standard error
  --help   print this

Exit status: 0 all as expected, 1 unexplained results, 2 wrong usage.
`;

const OUTCOMES: readonly Outcome[] = [
  "right",
  "false accept",
  "false reject",
  "over budget",
];

function table(results: readonly LimboResult[]): string {
  const rows = new Map<string, Record<Outcome, number>>();
  const count = (row: string, outcome: Outcome) => {
    const counts = rows.get(row) ??
      { "right": 0, "false accept": 0, "false reject": 0, "over budget": 0 };
    counts[outcome]++;
    rows.set(row, counts);
  };
  for (const { stratum, namespace, outcome } of results) {
    count(stratum, outcome);
    count(`${stratum} / ${namespace}`, outcome);
  }
  const width = Math.max(...Array.from(rows.keys(), (row) => row.length));
  const line = (name: string, cells: readonly unknown[]) =>
    [name.padEnd(width), ...cells.map((cell) => String(cell).padStart(12))]
      .join("  ");
  return [
    line("", OUTCOMES),
    ...[...rows].sort(([a], [b]) => a < b ? -1 : 1).map(([row, counts]) =>
      line(row, OUTCOMES.map((outcome) => counts[outcome]))
    ),
  ].join("\n");
}

function usage(message: string): never {
  console.error(`${message}\n\n${HELP}`);
  Deno.exit(2);
}

function readArguments() {
  try {
    return parseArgs({
      args: Deno.args,
      allowPositionals: true,
      options: { json: { type: "boolean" }, help: { type: "boolean" } },
    });
  } catch (error) {
    return usage((error as Error).message);
  }
}

async function main(): Promise<void> {
  const { values, positionals } = readArguments();
  if (values.help) return console.log(HELP);
  if (positionals.length !== 1) usage("Give one FILE");
  const results: LimboResult[] = [];
  const progress = Deno.stderr.isTerminal();
  try {
    for await (const limbo of readLimbo(positionals[0])) {
      if (limbo.validation_kind !== "SERVER") continue;
      results.push(await evaluate(limbo, runWithWebCrypto));
      if (progress && results.length % 50 === 0) {
        Deno.stderr.writeSync(
          new TextEncoder().encode(`\r${results.length} cases`),
        );
      }
    }
  } catch (error) {
    usage(`Cannot read "${positionals[0]}": ${(error as Error).message}`);
  }
  if (progress) console.error("\r");
  if (results.length === 0) usage(`"${positionals[0]}" holds no server case`);
  const problems = disagreements(results, await readExceptions());
  const print = values.json ? console.error : console.log;
  print(table(results));
  const times = results.map(({ milliseconds }) => milliseconds).sort((a, b) =>
    a - b
  );
  print(
    `\n${results.length} cases, median ${
      times[times.length >> 1].toFixed(2)
    } ms, slowest ${times[times.length - 1].toFixed(1)} ms`,
  );
  for (const problem of problems) print(`UNEXPLAINED ${problem}`);
  if (values.json) console.log(JSON.stringify({ results, problems }, null, 2));
  if (problems.length > 0) Deno.exit(1);
}

await main();
