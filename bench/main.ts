/**
 * `deno task bench`: measures, compares, prints a table.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { benchCheck } from "./check.ts";
import { benchConnect } from "./connect.ts";
import { benchFetch } from "./fetch.ts";
import { benchLimbo } from "./limbo.ts";
import type { Report } from "./measure.ts";
import { benchMesh } from "./mesh.ts";

const HELP = `Measures certpin against what it stands on, in one run.

Usage: deno task bench [--json] [--strict] [check|connect|fetch|limbo|mesh ...]

Options:
  --json    print one JSON document, the table on standard error
  --strict  exit with status 1 where a goal is missed or a benchmark skipped
  --help    print this

limbo reads the x509-limbo cases from the folder that CERTPIN_VECTORS names.
`;

const BENCHMARKS: Readonly<Record<string, () => Promise<Report>>> = {
  check: benchCheck,
  connect: benchConnect,
  fetch: benchFetch,
  limbo: () => benchLimbo(Deno.env.get("CERTPIN_VECTORS") || undefined),
  mesh: benchMesh,
};

function isMet({ measuredMs, limitMs }: Report["goals"][number]): boolean {
  return measuredMs <= limitMs;
}

function lines(report: Report): string[] {
  const table = [`${report.name}: ${report.title}`];
  if (report.skipped) table.push(`  SKIPPED ${report.name}: ${report.skipped}`);
  for (const { name, medianMs, ratio } of report.measurements) {
    table.push(
      `  ${name.padEnd(44)} ${medianMs.toFixed(3).padStart(10)} ms ${
        ratio.toFixed(2).padStart(8)
      } x`,
    );
  }
  for (const goal of report.goals) {
    table.push(
      `  ${goal.name.padEnd(44)} ${
        goal.measuredMs.toFixed(3).padStart(10)
      } ms  at most ${goal.limitMs} ms: ${isMet(goal) ? "met" : "MISSED"}`,
    );
  }
  return table;
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
      options: {
        json: { type: "boolean" },
        strict: { type: "boolean" },
        help: { type: "boolean" },
      },
    });
  } catch (error) {
    return usage((error as Error).message);
  }
}

async function main(): Promise<void> {
  const { values, positionals } = readArguments();
  if (values.help) return console.log(HELP);
  const unknown = positionals.find((name) => !Object.hasOwn(BENCHMARKS, name));
  if (unknown !== undefined) usage(`No such benchmark: ${unknown}`);
  const names = positionals.length > 0 ? positionals : Object.keys(BENCHMARKS);
  const print = values.json ? console.error : console.log;
  const reports: Report[] = [];
  for (const name of names) {
    const report = await BENCHMARKS[name]();
    reports.push(report);
    print(lines(report).join("\n") + "\n");
  }
  if (values.json) {
    const deno = Deno.version.deno;
    console.log(JSON.stringify({ deno, reports }, null, 2));
  }
  const short = reports.some((report) =>
    report.skipped !== undefined || !report.goals.every(isMet)
  );
  if (values.strict && short) Deno.exitCode = 1;
}

await main();
