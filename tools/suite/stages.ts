/**
 * What the suite runs, in order: the cheap checks first.
 *
 * @module
 */
import { requireAll } from "../../tests/conformance/skip.ts";
import { type CommandOptions, deno, type Ran } from "./command.ts";
import { featuresInReadme, readFeatures } from "./features.ts";
import { type Outcome, readCounts } from "./outcome.ts";
import { ROOT } from "./paths.ts";
import { entryPoints, rehearsePublishing } from "../workspace.ts";
import {
  NODE_24,
  OTHER_RUNTIMES,
  type ProcessRuntime,
  runOn,
} from "./runtimes.ts";
import { runInBrowser, runInWorkerd } from "./sandboxes.ts";

/** How the suite was asked to run. */
export interface Settings {
  /** Every runtime and every vector, instead of one Node and samples. */
  readonly all: boolean;
  /** Shows what the tools print while they run. */
  readonly verbose: boolean;
  /** Refuses to change the lock file. */
  readonly frozen: boolean;
  /** Writes the README's table of features instead of comparing it. */
  readonly writeFeatures: boolean;
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
  /** Runs it; `before` is what earlier stages printed. */
  run(settings: Settings, before: readonly string[]): Promise<StageResult>;
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

/** A copy without the links has no lock file to freeze. */
async function lock(settings: Settings): Promise<string[]> {
  if (!settings.frozen) return [];
  const found = await Deno.stat(new URL("deno.lock", ROOT)).catch(() => null);
  return found ? ["--frozen"] : [];
}

/** Runs `deno test`; types have been checked before. */
async function tests(
  settings: Settings,
  args: readonly string[],
): Promise<StageResult> {
  const frozen = await lock(settings);
  return asTests(
    await deno(
      ["test", "-A", "--no-check", ...frozen, ...args],
      options(settings),
    ),
  );
}

/** Counts what ran, or says what is missing: a failure where all is required. */
function asTestsOf(name: string, reason: string, ran?: Ran): StageResult {
  if (ran) return asTests(ran);
  const failed = +requireAll();
  const outcome = { passed: 0, failed, skipped: 1 - failed };
  return { outcome, output: `SKIPPED ${name}: ${reason}` };
}

function onRuntime(runtime: ProcessRuntime, allOnly: boolean): Stage {
  const { name, npmPackage } = runtime;
  return {
    name,
    title: `shared tests on ${npmPackage}`,
    allOnly,
    run: async (settings) =>
      asTestsOf(
        name,
        `npx does not bring ${npmPackage}`,
        await runOn(runtime, settings),
      ),
  };
}

/** All stages. */
export const STAGES: readonly Stage[] = [
  {
    name: "types",
    title: "deno check, lock file included",
    run: async (settings) =>
      asCheck(
        await deno(["check", ...await lock(settings), "."], options(settings)),
      ),
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
    title: "deno doc --lint on every entry point",
    run: async (settings) =>
      asCheck(
        await deno(
          ["doc", "--lint", ...entryPoints()],
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
    name: "unit",
    title: "deno test, several files at a time",
    run: async (settings) =>
      await tests(settings, [
        "--parallel",
        "--ignore=tests/package,tests/conformance,tests/docs/examples",
        "tests/",
      ]),
  },
  {
    name: "deno",
    // These change the environment of the process, or load the machine.
    title: "deno test, one file at a time: shared tests, examples",
    run: async (settings) =>
      await tests(settings, [
        "tests/conformance/launchers/",
        "tests/docs/examples/",
      ]),
  },
  {
    name: "package",
    title: "the package for Node and Bun, built and used",
    run: async (settings) => await tests(settings, ["tests/package/"]),
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
            ...await lock(settings),
            "mod.ts",
            "src/",
            "cli/",
            "README.md",
            "docs/",
          ],
          options(settings),
        ),
      ),
  },
  onRuntime(NODE_24, false),
  ...OTHER_RUNTIMES.map((runtime) => onRuntime(runtime, true)),
  {
    name: "workerd",
    title: "shared tests of the core in workerd",
    allOnly: true,
    run: async (settings) =>
      asTestsOf(
        "workerd",
        "npx does not bring workerd",
        await runInWorkerd(settings),
      ),
  },
  {
    name: "browser",
    title: "shared tests of the core in Chromium",
    allOnly: true,
    run: async (settings) =>
      asTestsOf(
        "browser",
        "no Chromium is installed",
        await runInBrowser(settings),
      ),
  },
  {
    name: "features",
    title: "the README's table of features by runtime",
    allOnly: true,
    run: async ({ writeFeatures }, before) => {
      const { success, output } = await featuresInReadme(
        readFeatures(before.join("\n")),
        writeFeatures,
      );
      return asCheck({ success, output, stdout: "" });
    },
  },
];
