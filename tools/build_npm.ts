/**
 * Builds the packages for Node and Bun: `deno task build:npm`.
 *
 * Empties `dist/npm/` and leaves two folders there that are ready to publish,
 * `certpin/` and `cli/`, and their tarballs. Each module stays a file of its
 * own, so that bundlers can leave out what is not used; `@std/encoding`, which
 * only JSR has, is copied in. The command carries the modules of the library
 * that it uses, because some of them are not part of the library's API.
 *
 * @module
 */
import { npm } from "./suite/npx.ts";
import { filePath, ROOT } from "./suite/paths.ts";
import { emit, javascriptPath } from "./npm/emit.ts";
import {
  manifest,
  npmExports,
  type Presentation,
  STUB_PATH,
} from "./npm/manifest.ts";
import { type PackageModule, reachedBy } from "./npm/modules.ts";
import { absoluteLinks } from "./npm/readme.ts";
import { type Repository, repositoryOf } from "./npm/repository.ts";
import { stub } from "./npm/stub.ts";
import { declarations } from "./npm/types.ts";
import { COMMAND, LIBRARY, type WorkspacePackage } from "./workspace.ts";

const TARGET = new URL("dist/npm/", ROOT);
const TEXTS = ["LICENSE", "CHANGELOG.md"];
const BIN_PATH = "bin/certpin.js";

const BIN = `#!/usr/bin/env node
import { main } from "../cli/main.js";

process.exitCode = await main(process.argv.slice(2));
`;

const LIBRARY_PRESENTATION: Presentation = {
  description:
    "Certificate pinning over verified paths, for Deno, Node, Bun and edge runtimes",
  keywords: ["certificate", "pinning", "tls", "x509", "security"],
  sideEffects: false,
};

const COMMAND_PRESENTATION: Presentation = {
  description:
    "The certpin command: makes, checks, lints and converts certificate pins",
  keywords: ["certificate", "pinning", "tls", "x509", "cli"],
  bin: { certpin: BIN_PATH },
  sideEffects: [`./${BIN_PATH}`, "./cli/main.js"],
};

/** The tarballs that a build leaves. */
export interface Built {
  readonly library: string;
  readonly command: string;
}

async function write(url: URL, text: string): Promise<void> {
  await Deno.mkdir(new URL("./", url), { recursive: true });
  await Deno.writeTextFile(url, text);
}

async function writeModule(
  folder: URL,
  module: PackageModule,
): Promise<void> {
  const source = await Deno.readTextFile(module.source);
  if (module.path.endsWith(".json")) {
    return await write(new URL(module.path, folder), source);
  }
  const { javascript, map } = emit(module, source);
  const path = javascriptPath(module.path);
  await write(new URL(path, folder), javascript);
  await write(new URL(`${path}.map`, folder), map);
}

async function readme(
  { folder, version }: WorkspacePackage,
  repository: Repository | undefined,
): Promise<string> {
  const path = `${folder}README.md`;
  // JSR has the documents of the library, and needs no repository.
  const onJsr = (file: string) =>
    /^(docs\/.+|[A-Z]+)\.md$|^LICENSE$/.test(file)
      ? `https://jsr.io/${LIBRARY.name}/${version}/${file}`
      : undefined;
  return absoluteLinks(
    await Deno.readTextFile(new URL(path, ROOT)),
    path,
    repository?.file ?? onJsr,
  );
}

async function buildPackage(
  one: WorkspacePackage,
  name: string,
  presentation: Presentation,
  repository: Repository | undefined,
): Promise<string> {
  const folder = new URL(`${name}/`, TARGET);
  const paths = npmExports(one).map(([, path]) => path);
  const entries = paths.filter((path) => path.endsWith(".ts"));
  const { modules, packages } = await reachedBy(entries);
  for (const module of modules) await writeModule(folder, module);
  for (const [path, text] of await declarations(one, entries)) {
    await write(new URL(path, folder), text);
  }
  for (const path of paths.filter((path) => path.endsWith(".json"))) {
    await write(
      new URL(path, folder),
      await Deno.readTextFile(new URL(path, ROOT)),
    );
  }
  const node = one.exports["./node"];
  if (node) {
    await write(new URL(STUB_PATH, folder), await stub(new URL(node, ROOT)));
  }
  if (presentation.bin) await write(new URL(BIN_PATH, folder), BIN);
  await write(
    new URL("package.json", folder),
    manifest(one, presentation, packages, repository),
  );
  await write(new URL("README.md", folder), await readme(one, repository));
  for (const text of TEXTS) {
    await Deno.copyFile(new URL(text, ROOT), new URL(text, folder));
  }
  return await pack(folder);
}

async function pack(folder: URL): Promise<string> {
  const { success, stdout, output } = await npm([
    "pack",
    "--json",
    "--pack-destination=..",
  ], folder);
  if (!success) throw new Error(`npm pack failed:\n${output}`);
  const [{ filename }] = JSON.parse(stdout);
  return filePath(new URL(filename, TARGET));
}

/** Builds both packages. */
export async function buildNpm(): Promise<Built> {
  await Deno.remove(TARGET, { recursive: true }).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
  const repository = repositoryOf(Deno.env.get, LIBRARY.version);
  const build = (
    one: WorkspacePackage,
    name: string,
    presentation: Presentation,
  ) => buildPackage(one, name, presentation, repository);
  return {
    library: await build(LIBRARY, "certpin", LIBRARY_PRESENTATION),
    command: await build(COMMAND, "cli", COMMAND_PRESENTATION),
  };
}

if (import.meta.main) {
  const { library, command } = await buildNpm();
  if (!Deno.env.get("GITHUB_REPOSITORY")) {
    console.error(
      "GITHUB_REPOSITORY is not set: package.json names no repository, homepage and bugs, and npm refuses to publish with provenance",
    );
  }
  console.log(`${library}\n${command}`);
}
