/**
 * The packages of this workspace, as their `deno.json` files describe them.
 *
 * @module
 */
import { pathToFileURL } from "node:url";
import { deno, type Ran } from "./suite/command.ts";
import { filePath, filesUnder, ROOT } from "./suite/paths.ts";

interface Configuration {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  /** Its entry points by name; paths from the project's top folder. */
  readonly exports: Readonly<Record<string, string>>;
  readonly imports: Readonly<Record<string, string>>;
  readonly publish: { readonly include: readonly string[] };
  links?: readonly string[];
  lock?: unknown;
}

/** One package of the workspace. */
export interface WorkspacePackage extends Configuration {
  /** Its folder; `""` is the project's top folder. */
  readonly folder: string;
}

async function configurationOf(folder: string): Promise<Configuration> {
  return JSON.parse(
    await Deno.readTextFile(new URL(`${folder}deno.json`, ROOT)),
  );
}

async function readPackage(folder: string): Promise<WorkspacePackage> {
  const configuration = await configurationOf(folder);
  return {
    ...configuration,
    folder,
    exports: Object.fromEntries(
      Object.entries(configuration.exports).map(([name, path]) =>
        [name, path.replace("./", folder)] as const
      ),
    ),
  };
}

/** `@certpin/certpin`, the library. */
export const LIBRARY: WorkspacePackage = await readPackage("");

/** `@certpin/cli`, the command. */
export const COMMAND: WorkspacePackage = await readPackage("cli/");

/** All packages, in the order in which they are published. */
export const PACKAGES: readonly WorkspacePackage[] = [LIBRARY, COMMAND];

/** Whether an entry point is for `@certpin/cli` alone, and no part of the API. */
export function isInternal(name: string): boolean {
  return /^\.\/internal(\/|$)/.test(name);
}

/** The TypeScript files of the entry points that are part of the API. */
export function entryPoints(): string[] {
  return PACKAGES.flatMap(({ exports }) =>
    Object.entries(exports)
      .filter(([name, path]) => path.endsWith(".ts") && !isInternal(name))
      .map(([, path]) => path)
  );
}

/** The paths that `publish.include` names: files, and `folder/**` with an ending. */
async function publishable(
  { folder, publish }: WorkspacePackage,
): Promise<string[]> {
  const paths: string[] = [];
  for (const pattern of publish.include) {
    const [within, ending] = `${folder}${pattern}`.split("**/*");
    if (ending === undefined) paths.push(within);
    else {
      const found = await filesUnder(within);
      paths.push(...found.filter((path) => path.endsWith(ending)));
    }
  }
  return paths;
}

async function copyPublishable(copy: URL): Promise<void> {
  for (const one of PACKAGES) {
    for (const path of await publishable(one)) {
      const target = new URL(path, copy);
      await Deno.mkdir(new URL("./", target), { recursive: true });
      await Deno.copyFile(new URL(path, ROOT), target);
    }
  }
  const configuration = await configurationOf("");
  configuration.links = configuration.links?.map(filePath);
  delete configuration.lock;
  await Deno.writeTextFile(
    new URL("deno.json", copy),
    JSON.stringify(configuration, null, 2),
  );
}

/**
 * Does something in a temporary copy of what would be published.
 *
 * The packages that `links` names must not lie within a published folder, so
 * the links of the copy point back at this checkout.
 */
export async function inPublishableCopy<T>(
  use: (copy: URL) => Promise<T>,
): Promise<T> {
  const folder = await Deno.makeTempDir({ prefix: "certpin-publish-" });
  try {
    const copy = pathToFileURL(folder + "/");
    await copyPublishable(copy);
    return await use(copy);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/**
 * Rehearses publishing every package: slow types and unresolved imports fail
 * it.
 */
export async function rehearsePublishing(verbose = false): Promise<Ran> {
  return await inPublishableCopy(async (copy) => {
    let rehearsed: Ran = { success: true, output: "", stdout: "" };
    for (const { folder } of PACKAGES) {
      const { success, output, stdout } = await deno(
        ["publish", "--dry-run", "--allow-dirty"],
        { cwd: new URL(folder, copy), verbose },
      );
      rehearsed = {
        success: rehearsed.success && success,
        output: rehearsed.output + output,
        stdout: rehearsed.stdout + stdout,
      };
    }
    return rehearsed;
  });
}
