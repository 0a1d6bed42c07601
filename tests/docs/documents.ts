/**
 * The documents that the tests hold to their word.
 *
 * @module
 */
import { filesUnder, ROOT } from "../../tools/suite/paths.ts";

/** A Markdown file of the project. */
export interface Document {
  readonly path: string;
  readonly text: string;
}

/** Every Markdown file that users read: all but what tests keep as samples. */
export async function documents(): Promise<Document[]> {
  const paths = (await filesUnder("")).filter((path) =>
    path.endsWith(".md") && !/^(fixtures|tests)\//.test(path)
  );
  return await Promise.all(paths.map(async (path) => ({
    path,
    text: await Deno.readTextFile(new URL(path, ROOT)),
  })));
}
