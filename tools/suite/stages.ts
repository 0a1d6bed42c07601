/**
 * What the suite runs, in order: the cheap checks first.
 *
 * @module
 */
import { type CommandOptions, deno, type Ran } from "./command.ts";
import { type Outcome, readCounts } from "./outcome.ts";
import { ROOT } from "./paths.ts";
import { rehearsePublishing } from "./publish.ts";

/** How the suite was asked to run. */
export interface Settings {
  /** Every runtime and every vector, instead of one Node and samples. */
  readonly all: boolean;
  /** Shows what the tools print while they run. */
  readonly verbose: boolean;
  /** Refuses to change the lock file. */
  readonly frozen: boolean;
}

/** A stage's counts, and what it printed. */
export interface StageResult {
  readonly outcome: Outcome;
  readonly output: string;
}

/** One stage. */
export interface Stage {
  /** A word, to pick the stage by. */
  readonly name: string;
  /** What it shows, for people. */
  readonly title: string;
  /** Whether only the whole suite has it. */
  readonly allOnly?: boolean;
  run(settings: Settings): Promise<StageResult>;
}

function asCheck({ success, output }: Ran): StageResult {
  const outcome = { passed: +success, failed: +!success, skipped: 0 };
  return { outcome, output };
}

function asTests({ success, output }: Ran): StageResult {
  return { outcome: readCounts(output, success), output };
}

function options(settings: Settings): CommandOptions {
  return {
    cwd: ROOT,
    verbose: settings.verbose,
    env: settings.all ? { CERTPIN_TEST: "all" } : {},
  };
}

function lock(settings: Settings): string[] {
  return settings.frozen ? ["--frozen"] : [];
}

/** The TypeScript entry points that `deno.json` exports. */
async function entryPoints(): Promise<string[]> {
  const { exports } = JSON.parse(
    await Deno.readTextFile(new URL("deno.json", ROOT)),
  );
  return Object.values<string>(exports).filter((path) => path.endsWith(".ts"));
}

/** All stages. */
export const STAGES: readonly Stage[] = [
  {
    name: "types",
    title: "deno check, lock file included",
    run: async (settings) =>
      asCheck(await deno(["check", ...lock(settings), "."], options(settings))),
  },
  {
    name: "fmt",
    title: "deno fmt --check",
    run: async (settings) =>
      asCheck(await deno(["fmt", "--check"], options(settings))),
  },
  {
    name: "lint",
    title: "deno lint",
    run: async (settings) => asCheck(await deno(["lint"], options(settings))),
  },
  {
    name: "doc",
    title: "deno doc --lint on every export",
    run: async (settings) =>
      asCheck(
        await deno(
          ["doc", "--lint", ...await entryPoints()],
          options(settings),
        ),
      ),
  },
  {
    name: "publish",
    title: "deno publish --dry-run",
    run: async (settings) =>
      asCheck(await rehearsePublishing(settings.verbose)),
  },
  {
    name: "deno",
    title: "deno test",
    run: async (settings) =>
      asTests(
        await deno(
          ["test", "-A", "--no-check", ...lock(settings), "tests/"],
          options(settings),
        ),
      ),
  },
  {
    name: "examples",
    title: "deno test --doc: examples in doc comments, README and docs",
    run: async (settings) =>
      asTests(
        await deno(
          [
            "test",
            "-A",
            "--doc",
            ...lock(settings),
            "mod.ts",
            "src/",
            "README.md",
            "docs/",
          ],
          options(settings),
        ),
      ),
  },
];
