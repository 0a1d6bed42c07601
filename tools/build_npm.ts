/**
 * Builds the package for Node and Bun: `deno task build:npm`.
 *
 * Leaves a folder that is ready to publish in `dist/npm/`, and its tarball
 * there. Each module stays a file of its own, so that bundlers can leave out
 * what is not used; `@std/encoding`, which only JSR has, is copied in.
 *
 * @module
 */
import { run } from "./suite/command.ts";
import { filePath, ROOT } from "./suite/paths.ts";
import { emit, javascriptPath } from "./npm/emit.ts";
import {
  BIN_PATH,
  type Configuration,
  manifest,
  PACKAGE_EXPORTS,
  STUB_PATH,
} from "./npm/manifest.ts";
import { type PackageModule, reachedBy } from "./npm/modules.ts";
import { declarations } from "./npm/types.ts";
import { stub } from "./npm/stub.ts";

const TARGET = new URL("dist/npm/", ROOT);
const TEXTS = ["README.md", "LICENSE", "CHANGELOG.md"];

const BIN = `#!/usr/bin/env node
import { main } from "../cli/main.js";

process.exitCode = await main(process.argv.slice(2));
`;

async function write(path: string, text: string): Promise<void> {
  const url = new URL(path, TARGET);
  await Deno.mkdir(new URL("./", url), { recursive: true });
  await Deno.writeTextFile(url, text);
}

/** Writes what a module becomes. */
async function build(module: PackageModule): Promise<void> {
  const source = await Deno.readTextFile(module.source);
  if (module.path.endsWith(".json")) return await write(module.path, source);
  const { javascript, map } = emit(module, source);
  const path = javascriptPath(module.path);
  await write(path, javascript);
  await write(`${path}.map`, map);
}

/** Builds the package; returns the tarball's path. */
export async function buildNpm(): Promise<string> {
  await Deno.remove(TARGET, { recursive: true }).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
  const configuration: Configuration = JSON.parse(
    await Deno.readTextFile(new URL("deno.json", ROOT)),
  );
  const file = (name: string) => configuration.exports[name].replace("./", "");
  const entries = PACKAGE_EXPORTS.map(file).filter((path) =>
    path.endsWith(".ts")
  );
  const { modules, packages } = await reachedBy([...entries, file("./cli")]);
  for (const module of modules) await build(module);
  for (const [path, text] of await declarations(entries)) {
    await write(path, text);
  }
  const schema = file("./schema.json");
  await write(schema, await Deno.readTextFile(new URL(schema, ROOT)));
  await write(STUB_PATH, await stub(new URL(file("./node"), ROOT)));
  await write(BIN_PATH, BIN);
  await write("package.json", manifest(configuration, packages));
  for (const text of TEXTS) {
    await Deno.copyFile(new URL(text, ROOT), new URL(text, TARGET));
  }
  return await pack();
}

async function pack(): Promise<string> {
  const npm = Deno.build.os === "windows" ? "npm.cmd" : "npm";
  const { success, stdout, output } = await run(npm, ["pack", "--json"], {
    cwd: TARGET,
  });
  if (!success) throw new Error(`npm pack failed:\n${output}`);
  const [{ filename }] = JSON.parse(stdout);
  return filePath(new URL(filename, TARGET));
}

if (import.meta.main) console.log(await buildNpm());
