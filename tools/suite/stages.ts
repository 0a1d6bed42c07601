/**
 * What the suite runs, in order: the cheap checks first. A stage is one row of
 * {@linkcode STAGES}.
 *
 * @module
 */
import { requireAll } from "../../tests/conformance/skip.ts";
import { bundle } from "../bundle.ts";
import { entryPoints, rehearsePublishing } from "../workspace.ts";
import { deno, type Ran, run } from "./command.ts";
import { compareFeatures } from "./features.ts";
import { programPath } from "./npx.ts";
import { type Outcome, outcomeOf } from "./outcome.ts";
import { ROOT } from "./paths.ts";
import { vectorsScript } from "./vectors.ts";

/** How much is run; each level includes the ones before. */
export type Level = "short" | "all" | "nightly";

/** How the suite was asked to run. */
export interface Settings {
  readonly level: Level;
  /** Shows what the tools print while they run. */
  readonly verbose: boolean;
  /** Refuses to change the lock file. */
  readonly frozen: boolean;
  /** Writes the README's table of features instead of comparing it. */
  readonly writeFeatures: boolean;
  /** A temporary folder for what stages leave to each other. */
  readonly folder: string;
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
  /** The smallest run that it belongs to. */
  readonly level: Level;
  run(settings: Settings): Promise<StageResult>;
}

/** The file to which launchers append what they find out about features. */
function featuresFile({ folder }: Settings): string {
  return `${folder}/features.ndjson`;
}

function environment(settings: Settings): Record<string, string> {
  return {
    CERTPIN_TEST: settings.level,
    CERTPIN_FEATURES: featuresFile(settings),
  };
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(file);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** A stage that passes or fails as a whole. */
function check(
  name: string,
  title: string,
  command: (settings: Settings) => Promise<Ran>,
  level: Level = "short",
): Stage {
  return {
    name,
    title,
    level,
    run: async (settings) => {
      const { success, output } = await command(settings);
      const outcome = { passed: +success, failed: +!success, skipped: 0 };
      return { outcome, output };
    },
  };
}

/** A stage that is one call of Deno. */
function denoCheck(name: string, args: readonly string[]): Stage {
  return check(
    name,
    `deno ${args[0]}`,
    ({ verbose }) => deno(args, { cwd: ROOT, verbose }),
  );
}

/** A stage of tests, whose runner writes a JUnit file where it is told to. */
function tests(
  name: string,
  title: string,
  runner: (
    settings: Settings,
    junit: string,
    env: Record<string, string>,
  ) => Promise<Ran | undefined>,
  level: Level = "short",
): Stage {
  return {
    name,
    title,
    level,
    run: async (settings) => {
      const junit = `${settings.folder}/${name}.xml`;
      const ran = await runner(settings, junit, environment(settings));
      if (ran === undefined) {
        const failed = +requireAll();
        const outcome = { passed: 0, failed, skipped: 1 - failed };
        return { outcome, output: `SKIPPED ${name}: npx does not bring it` };
      }
      const outcome = outcomeOf(await readIfThere(junit), ran.success);
      return { outcome, output: ran.output };
    },
  };
}

/** A stage that is `deno test`; types have been checked before. */
function denoTests(
  name: string,
  title: string,
  args: readonly string[],
  level: Level = "short",
): Stage {
  return tests(name, title, async (settings, junit, env) => {
    const lock = settings.frozen ? ["--frozen"] : [];
    return await deno(
      ["test", "-A", "--no-check", `--junit-path=${junit}`, ...lock, ...args],
      { cwd: ROOT, verbose: settings.verbose, env },
    );
  }, level);
}

/** The conformance tests as a bundle, made once a run; the vectors lie beside it. */
async function conformanceBundle({ folder, level }: Settings): Promise<string> {
  const file = `${folder}/conformance.test.mjs`;
  if (await readIfThere(file) === undefined) {
    const script = await bundle("tests/conformance/launchers/node.ts", "node");
    await Deno.writeTextFile(
      `${folder}/vectors.js`,
      await vectorsScript(level !== "short"),
    );
    await Deno.writeTextFile(file, `import "./vectors.js";\n${script}`);
  }
  return file;
}

/**
 * What a stage is told that runs the seeded samples whatever the level: the
 * sweeps run whole on Deno and Node 24, and every runtime has all behaviours.
 */
function sampled(env: Record<string, string>): Record<string, string> {
  return { ...env, CERTPIN_TEST: "short" };
}

/** A stage on another runtime, which npm brings. */
function onRuntime(
  name: string,
  npmPackage: string,
  args: (file: string, junit: string) => readonly string[],
  level: Level,
): Stage {
  const [program] = npmPackage.split("@");
  return tests(name, `conformance on ${npmPackage}`, async (
    settings,
    junit,
    env,
  ) => {
    const path = await programPath(npmPackage, program, [
      "-p",
      "process.execPath",
    ]);
    if (path === undefined) return undefined;
    const file = await conformanceBundle(settings);
    const { folder, verbose } = settings;
    return await run(path, args(file, junit), {
      cwd: folder,
      env: level === "short" ? env : sampled(env),
      verbose,
    });
  }, level);
}

function onNode(version: string, level: Level): Stage {
  const [major] = version.split(".");
  return onRuntime(`node${major}`, `node@${version}`, (file, junit) => [
    "--test",
    "--test-reporter=junit",
    `--test-reporter-destination=${junit}`,
    "--test-reporter=spec",
    "--test-reporter-destination=stdout",
    file,
  ], level);
}

/** Longest that one test may take in Bun, in milliseconds; each guards itself. */
const BUN_TIMEOUT_MS = 600_000;

function onBun(version: string, level: Level): Stage {
  return onRuntime(`bun${version}`, `bun@${version}`, (file, junit) => [
    "test",
    `--timeout=${BUN_TIMEOUT_MS}`,
    "--reporter=junit",
    `--reporter-outfile=${junit}`,
    file,
  ], level);
}

function onDeno(version: string, level: Level): Stage {
  const name = `deno${version.split(".").slice(0, 2).join(".")}`;
  return tests(name, `conformance on deno@${version}`, async (
    { verbose },
    junit,
    env,
  ) => {
    const path = await programPath(`deno@${version}`, "deno", [
      "eval",
      "console.log(Deno.execPath())",
    ]);
    if (path === undefined) return undefined;
    return await run(path, [
      ...["test", "-A", "--no-check", "--no-lock", `--junit-path=${junit}`],
      "tests/conformance/launchers/deno_test.ts",
    ], { cwd: ROOT, env: sampled(env), verbose });
  }, level);
}

/** All stages. */
export const STAGES: readonly Stage[] = [
  check(
    "types",
    "deno check, lock file included",
    ({ frozen, verbose }) =>
      deno(["check", ...frozen ? ["--frozen"] : [], "."], {
        cwd: ROOT,
        verbose,
      }),
  ),
  denoCheck("fmt", ["fmt", "--check"]),
  denoCheck("lint", ["lint"]),
  denoCheck("doc", ["doc", "--lint", ...entryPoints()]),
  check(
    "publish",
    "deno publish --dry-run",
    ({ verbose }) => rehearsePublishing(verbose),
  ),
  denoTests("unit", "tests that run several files at a time", [
    "--parallel",
    // The folders of the stages below; deno test ignores only below one path.
    "--ignore=tests/bogo,tests/conformance,tests/docs/examples,tests/package",
    "tests/",
  ]),
  // These change the environment of the process, or load the machine.
  denoTests("conformance", "conformance on this Deno, and in sandboxes", [
    "tests/conformance/",
  ]),
  denoTests("examples", "examples, and the snippets of the documentation", [
    "tests/docs/examples/",
  ]),
  denoTests("bogo", "BoringSSL's runner against the TLS 1.3 client", [
    "tests/bogo/",
  ], "all"),
  denoTests("package", "the npm packages, built and used", ["tests/package/"]),
  denoTests("docs", "examples in doc comments, README and docs", [
    ...["--doc", "mod.ts", "src/", "cli/", "README.md", "docs/"],
  ]),
  onNode("24", "short"),
  onNode("22.19.0", "all"),
  onNode("26", "all"),
  onBun("1.4", "all"),
  onDeno("2.8.0", "all"),
  check("features", "the README's table of features by runtime", async (
    settings,
  ) =>
    await compareFeatures(
      await readIfThere(featuresFile(settings)) ?? "",
      settings.writeFeatures,
    ), "all"),
  check(
    "soak",
    "ten minutes of requests to servers of every temper",
    ({ verbose }) =>
      deno(["run", "-A", "tools/soak.ts"], { cwd: ROOT, verbose }),
    "nightly",
  ),
];
