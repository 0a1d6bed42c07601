/**
 * The declaration files of a package: the public types, and no others.
 *
 * `deno pack` writes them. The rest of what it makes is not used: it keeps
 * JSR's packages as imports, and knows no conditions.
 *
 * @module
 */
import { deno, run } from "../suite/command.ts";
import { specifiersOf } from "../imports.ts";
import { inPublishableCopy, type WorkspacePackage } from "../workspace.ts";

function declarationPath(path: string): string {
  return path.replace(/\.[jt]s$/, ".d.ts");
}

async function read(url: URL): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(url);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/**
 * Makes the declaration files that some entry points of a package reach, by
 * their path from the project's top folder.
 */
export async function declarations(
  { folder }: WorkspacePackage,
  entries: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  return await inPublishableCopy(async (copy) => {
    const cwd = new URL(folder, copy);
    const packed = await deno([
      "pack",
      "--allow-dirty",
      "--no-source-maps",
      "--output=package.tgz",
    ], { cwd });
    if (!packed.success) throw new Error(`deno pack failed:\n${packed.output}`);
    const unpacked = await run("tar", ["-xzf", "package.tgz"], { cwd });
    if (!unpacked.success) throw new Error(`tar failed:\n${unpacked.output}`);
    const found = new Map<string, string>();
    const waiting = new Set(entries.map(declarationPath));
    for (const path of waiting) {
      const packedPath = `package/${path.slice(folder.length)}`;
      const text = await read(new URL(packedPath, cwd));
      if (text === undefined) throw new Error(`deno pack made no ${path}`);
      found.set(path, text);
      for (const specifier of specifiersOf(text)) {
        if (!specifier.startsWith(".")) continue;
        const { pathname } = new URL(specifier, `file:///${path}`);
        waiting.add(declarationPath(pathname.slice(1)));
      }
    }
    return found;
  });
}
