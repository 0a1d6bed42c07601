/**
 * The declaration files of the package: the public types, and no others.
 *
 * `deno pack` writes them. The rest of what it makes is not used: it keeps
 * JSR's packages as imports, and knows no conditions.
 *
 * @module
 */
import { run } from "../suite/command.ts";
import { inPublishableCopy } from "../suite/publish.ts";
import { specifiersOf } from "../imports.ts";

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
 * Makes the declaration files that some entry points reach, by their path in
 * the package.
 */
export async function declarations(
  entries: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  return await inPublishableCopy(async (copy, deno) => {
    const packed = await deno([
      "pack",
      "--allow-dirty",
      "--no-source-maps",
      "--output=package.tgz",
    ]);
    if (!packed.success) throw new Error(`deno pack failed:\n${packed.output}`);
    const unpacked = await run("tar", ["-xzf", "package.tgz"], { cwd: copy });
    if (!unpacked.success) throw new Error(`tar failed:\n${unpacked.output}`);
    const found = new Map<string, string>();
    const waiting = new Set(entries.map(declarationPath));
    for (const path of waiting) {
      const text = await read(new URL(`package/${path}`, copy));
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
