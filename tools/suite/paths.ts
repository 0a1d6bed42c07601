/**
 * Where things are.
 *
 * @module
 */
import { fileURLToPath } from "node:url";

/** The project's top folder. */
export const ROOT = new URL("../../", import.meta.url);

/** The file path of a `file:` URL, or of a path within the project. */
export function filePath(place: URL | string): string {
  return fileURLToPath(
    typeof place === "string" ? new URL(place, ROOT) : place,
  );
}

/** Folders that are not the project's own. */
const FOREIGN = new Set([".git", "node_modules", "dist", "coverage"]);

/** The paths of all files under a folder of the project, sorted; `""` is all of it. */
export async function filesUnder(folder: string): Promise<string[]> {
  const paths: string[] = [];
  for await (const entry of Deno.readDir(new URL(folder, ROOT))) {
    if (entry.isFile) paths.push(folder + entry.name);
    if (entry.isDirectory && !FOREIGN.has(entry.name)) {
      paths.push(...await filesUnder(`${folder}${entry.name}/`));
    }
  }
  return paths.sort();
}
