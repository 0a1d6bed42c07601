/**
 * Runs the suite: `deno task test`, `test:all` and `test:nightly`.
 *
 * @module
 */
import { type Outcome, sum } from "./suite/outcome.ts";
import {
  type Level,
  type Settings,
  type Stage,
  STAGES,
} from "./suite/stages.ts";

const HELP = `Runs certpin's checks and tests, stage by stage.

Usage: deno task test [options] [stage…]          one Node, samples
       deno task test:all [options] [stage…]      every runtime, every vector
       deno task test:nightly [options] [stage…]  what takes longer than an hour too

Options:
  --bail            stop at the first stage that fails
  --list            print the stages
  --verbose         show what the tools print while they run
  --write-features  write the README's table of features
  --help            print this

Environment:
  CI               lock file frozen
  REQUIRE_ALL=1    a missing tool or data set fails instead of being skipped
  CERTPIN_VECTORS  folder of the shared vectors
`;

const LEVELS: readonly Level[] = ["short", "all", "nightly"];
const OPTIONS = ["bail", "list", "verbose", "write-features", "help"].concat(
  LEVELS,
).map((name) => `--${name}`);

/** Longest line of an output that is shown, in UTF-16 code units. */
const MAX_LINE_LENGTH = 1_000;

function fail(message: string): never {
  console.error(`${message}\n\n${HELP}`);
  Deno.exit(2);
}

/** The lines of an output that are worth reading though all went well. */
function remarks(output: string): Set<string> {
  return new Set(output.match(/^(?:SKIPPED|MEASURED) .+$/gm));
}

/** The part of an output that is about tests that failed. */
function troubles(output: string): string {
  const errors = output.indexOf("\n ERRORS \n");
  return output.slice(Math.max(errors, 0)).split("\n")
    .filter((line) =>
      !/ \.\.\. ok \(|^ *✔ |^\(pass\) |^(?:Check|Download) /.test(line)
    )
    .map((line) => line.slice(0, MAX_LINE_LENGTH))
    .join("\n").trimEnd();
}

function counts({ passed, failed }: Outcome): string {
  return `${passed} passed, ${failed} failed`;
}

async function runStage(
  { name, title, run }: Stage,
  settings: Settings,
): Promise<Outcome> {
  console.log(`\n${name}: ${title}`);
  const start = performance.now();
  // A stage that breaks down has failed; the others still tell what they find.
  const { outcome, output } = await run(settings).catch((error) => ({
    outcome: { passed: 0, failed: 1, skipped: 0 },
    output: String(error?.stack ?? error),
  }));
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  if (outcome.failed > 0 && !settings.verbose) console.log(troubles(output));
  else for (const remark of remarks(output)) console.log(`  ${remark}`);
  const word = outcome.failed > 0 ? "FAILED" : "ok";
  const skipped = outcome.skipped > 0 ? `, ${outcome.skipped} skipped` : "";
  console.log(`  ${word}: ${counts(outcome)}${skipped} (${seconds} s)`);
  return outcome;
}

async function hasLock(): Promise<boolean> {
  const lock = new URL("../deno.lock", import.meta.url);
  return await Deno.stat(lock).then(() => true, () => false);
}

async function main(args: readonly string[]): Promise<number> {
  const has = (name: string) => args.includes(`--${name}`);
  const names = args.filter((arg) => !arg.startsWith("-"));
  const unknown = args.find((arg) =>
    arg.startsWith("-")
      ? !OPTIONS.includes(arg)
      : !STAGES.some(({ name }) => name === arg)
  );
  if (unknown) fail(`There is no option or stage "${unknown}"`);
  if (has("help")) {
    console.log(HELP);
    return 0;
  }
  const level = LEVELS.find(has) ?? "short";
  const stages = STAGES.filter((stage) =>
    names.length > 0
      ? names.includes(stage.name)
      : LEVELS.indexOf(stage.level) <= LEVELS.indexOf(level)
  );
  if (has("list")) {
    for (const { name, title } of stages) console.log(`${name}: ${title}`);
    return 0;
  }
  const folder = await Deno.makeTempDir({ prefix: "certpin-suite-" });
  const settings: Settings = {
    level,
    folder,
    verbose: has("verbose"),
    // A copy without the links has no lock file to freeze.
    frozen: Boolean(Deno.env.get("CI")) && await hasLock(),
    writeFeatures: has("write-features"),
  };
  const outcomes = new Map<string, Outcome>();
  try {
    for (const stage of stages) {
      const outcome = await runStage(stage, settings);
      outcomes.set(stage.name, outcome);
      if (outcome.failed > 0 && has("bail")) break;
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  const total = sum([...outcomes.values()]);
  const failed = [...outcomes].filter(([, outcome]) => outcome.failed > 0);
  console.log("");
  if (failed.length > 0) {
    console.log(`Failed: ${failed.map(([name]) => name).join(", ")}`);
  }
  if (total.skipped > 0) console.log(`Skipped: ${total.skipped}`);
  console.log(counts(total));
  return total.failed > 0 ? 1 : 0;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
