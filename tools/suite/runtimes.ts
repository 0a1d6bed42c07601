/**
 * Runs the runtime-neutral bodies on other runtimes, all brought by npm.
 *
 * @module
 */
import { bundle, type BundleOptions } from "./bundle.ts";
import { type Ran, run } from "./command.ts";
import { resolveModules, splitNpm } from "./graph.ts";
import { npm, programPath } from "./npx.ts";
import { ROOT } from "./paths.ts";
import { vectorsScript } from "./vectors.ts";

/** A runtime with a `process`, that runs one bundle. */
export interface ProcessRuntime {
  readonly name: string;
  readonly npmPackage: string;
  readonly program: string;
  /** Prints the path of the program. */
  readonly whereami: readonly string[];
  /** What stands before the bundle's name. */
  readonly args: readonly string[];
}

function node(version: string): ProcessRuntime {
  return {
    name: `node${version.split(".")[0]}`,
    npmPackage: `node@${version}`,
    program: "node",
    whereami: ["-p", "process.execPath"],
    args: ["--enable-source-maps"],
  };
}

/** The Node that the short run uses too. */
export const NODE_24: ProcessRuntime = node("24");

/** The others: the oldest that are supported, and the newest. */
export const OTHER_RUNTIMES: readonly ProcessRuntime[] = [
  node("22.19.0"),
  node("26"),
  {
    name: "bun1.4",
    npmPackage: "bun@1.4",
    program: "bun",
    whereami: ["-p", "process.execPath"],
    args: ["run"],
  },
  {
    name: "deno2.8",
    npmPackage: "deno@2.8.0",
    program: "deno",
    whereami: ["eval", "console.log(Deno.execPath())"],
    args: ["run", "-A"],
  },
];

/** The npm packages that files of ours reach, as the lock file has them. */
async function packagesOf(entries: readonly string[]): Promise<string[]> {
  const names = new Set<string>();
  for (const { targets } of (await resolveModules(entries)).values()) {
    for (const target of targets.values()) {
      if (target.startsWith("npm:")) names.add(splitNpm(target).name);
    }
  }
  const { specifiers } = JSON.parse(
    await Deno.readTextFile(new URL("deno.lock", ROOT)),
  );
  return [...names].map((name) => {
    const found = Object.entries<string>(specifiers)
      .find(([specifier]) => specifier.startsWith(`npm:${name}@`));
    if (!found) throw new Error(`deno.lock does not hold ${name}`);
    // What follows the version names the peers that it was resolved with.
    return `${name}@${found[1].split("_")[0]}`;
  });
}

/**
 * A temporary folder with the packages in it that some files reach; the
 * caller removes it.
 */
export async function packagesFolder(
  entries: readonly string[],
): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "certpin-runtimes-" });
  await Deno.writeTextFile(`${folder}/package.json`, `{"type":"module"}`);
  const { success, output } = await npm(
    ["install", ...await packagesOf(entries)],
    folder,
  );
  if (success) return folder;
  await Deno.remove(folder, { recursive: true });
  throw new Error(`npm install failed:\n${output}`);
}

/** How the bodies are run. */
export interface BodyOptions {
  /** With every vector instead of a sample. */
  readonly all: boolean;
  /** Shows the output while it comes. */
  readonly verbose: boolean;
}

/**
 * Bundles a launcher into the folder with the vectors before it, and returns
 * its file name.
 */
export async function bundleLauncher(
  folder: string,
  launcher: string,
  platform: BundleOptions["platform"],
  all: boolean,
): Promise<string> {
  const text = await bundle(`tests/conformance/launchers/${launcher}.ts`, {
    platform,
    packagesFolder: folder,
  });
  await Deno.writeTextFile(`${folder}/vectors.js`, await vectorsScript(all));
  const file = `${folder}/${launcher}.js`;
  await Deno.writeTextFile(file, `import "./vectors.js";\n${text}`);
  return file;
}

/** Runs the bodies on a runtime; `undefined` where npm does not bring it. */
export async function runOn(
  { npmPackage, program, whereami, args }: ProcessRuntime,
  { all, verbose }: BodyOptions,
): Promise<Ran | undefined> {
  const path = await programPath(npmPackage, program, whereami);
  if (path === undefined) return undefined;
  const folder = await packagesFolder([
    "tests/conformance/launchers/process.ts",
  ]);
  try {
    const file = await bundleLauncher(folder, "process", "node", all);
    return await run(path, [...args, file], { cwd: folder, verbose });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
