/**
 * Runs the suite: `deno task test`, or `deno task test:all` for all of it.
 *
 * @module
 */
import { readRemarks, sum, summaryLine } from "./suite/outcome.ts";
import type { Outcome } from "./suite/outcome.ts";
import type { Settings, Stage, StageResult } from "./suite/stages.ts";
import { STAGES } from "./suite/stages.ts";

const HELP = `Runs certpin's checks and tests, stage by stage.

Usage: deno task test [options] [stage…]      one Node, samples
       deno task test:all [options] [stage…]  every runtime, every vector

Options:
  --bail      stop at the first stage that fails
  --list      print the stages
  --verbose   show what the tools print while they run
  --help      print this
  --write-features  write the README's table of features

Environment:
  CI               lock file frozen
  REQUIRE_ALL=1    a missing tool or data set fails instead of being skipped
  CERTPIN_VECTORS  folder of the shared vectors
`;

const OPTIONS = [
  "--all",
  "--bail",
  "--list",
  "--verbose",
  "--write-features",
  "--help",
];

function fail(message: string): never {
  console.error(`${message}\n\n${HELP}`);
  Deno.exit(2);
}

function pick(names: readonly string[], all: boolean): readonly Stage[] {
  for (const name of names) {
    if (!STAGES.some((stage) => stage.name === name)) {
      fail(`There is no stage "${name}"`);
    }
  }
  return STAGES.filter((stage) =>
    names.length > 0 ? names.includes(stage.name) : all || !stage.allOnly
  );
}

// A stage that breaks down has failed; the others still tell what they find.
function asFailure(error: unknown): StageResult {
  const output = error instanceof Error ? error.stack ?? error.message : "";
  return { outcome: { passed: 0, failed: 1, skipped: 0 }, output };
}

/** What of an output is about tests that failed, where that can be told. */
function troubles(output: string): string {
  const errors = output.indexOf("\n ERRORS \n");
  return output.slice(Math.max(errors, 0)).split("\n")
    .filter((line) =>
      !/^ok (?!\|)| \.\.\. ok \(|^(?:Check|Download) /.test(line)
    )
    .join("\n").trimEnd();
}

async function runStage(
  stage: Stage,
  settings: Settings,
  outputs: string[],
): Promise<Outcome> {
  console.log(`\n${stage.name}: ${stage.title}`);
  const start = performance.now();
  const { outcome, output } = await stage.run(settings, outputs)
    .catch(asFailure);
  outputs.push(output);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  if (outcome.failed > 0 && !settings.verbose) console.log(troubles(output));
  else for (const remark of readRemarks(output)) console.log(`  ${remark}`);
  const word = outcome.failed > 0 ? "FAILED" : "ok";
  console.log(`  ${word}: ${summaryLine(outcome)} (${seconds} s)`);
  return outcome;
}

async function main(args: readonly string[]): Promise<number> {
  const options = args.filter((arg) => arg.startsWith("-"));
  const names = args.filter((arg) => !arg.startsWith("-"));
  const unknown = options.find((option) => !OPTIONS.includes(option));
  if (unknown) fail(`There is no option "${unknown}"`);
  const has = (option: string) => options.includes(option);
  if (has("--help")) {
    console.log(HELP);
    return 0;
  }
  const all = has("--all");
  const stages = pick(names, all);
  if (has("--list")) {
    for (const { name, title } of stages) console.log(`${name}: ${title}`);
    return 0;
  }
  const settings = {
    all,
    verbose: has("--verbose"),
    frozen: Boolean(Deno.env.get("CI")),
    writeFeatures: has("--write-features"),
  };
  const outcomes: Outcome[] = [];
  const outputs: string[] = [];
  const failed: string[] = [];
  for (const stage of stages) {
    const outcome = await runStage(stage, settings, outputs);
    outcomes.push(outcome);
    if (outcome.failed > 0) failed.push(stage.name);
    if (outcome.failed > 0 && has("--bail")) break;
  }
  const total = sum(outcomes);
  if (failed.length > 0) console.log(`\nFailed: ${failed.join(", ")}`);
  console.log(`\n${summaryLine(total)}`);
  return failed.length > 0 ? 1 : 0;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
