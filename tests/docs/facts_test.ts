/**
 * What the documents name exists, under that name.
 */
import { assert, assertEquals } from "@std/assert";
import { ERROR_CODES } from "../../mod.ts";
import { ROOT } from "../../tools/suite/paths.ts";
import { documents } from "./documents.ts";
import { blocksOf } from "./markdown.ts";

const all = await documents();
const configuration = JSON.parse(
  await Deno.readTextFile(new URL("deno.json", ROOT)),
);

/** Every match of a pattern's first group in the documents, with its place. */
function mentions(pattern: RegExp): [name: string, path: string][] {
  return all.flatMap(({ path, text }) =>
    [...text.matchAll(pattern)].map(([, name]): [string, string] => [
      name,
      path,
    ])
  );
}

Deno.test("every error code in the documents is one", () => {
  const found = mentions(/\b(ERR_CERTPIN_[A-Z_]*[A-Z])\b/g);
  assert(found.length > ERROR_CODES.length);
  // Codes of `ERR_CERTPIN_LIMIT_…` and the command's own for wrong usage.
  const others = ["ERR_CERTPIN_CLI", "ERR_CERTPIN_LIMIT"];
  const known = new Set<string>([...ERROR_CODES, ...others]);
  assertEquals(found.filter(([code]) => !known.has(code)), []);
});

Deno.test("every task in the documents is one", () => {
  const found = mentions(/\bdeno(?:@[\d.]+)? task ([a-z:]+)/g);
  assert(found.length > 0);
  assertEquals(
    found.filter(([task]) => !Object.hasOwn(configuration.tasks, task)),
    [],
  );
});

Deno.test("every entry point in the documents is one", () => {
  const found = mentions(/"@certpin\/certpin(\/[a-z./]+)?"/g)
    .map(([name, path]): [string, string] => [`.${name ?? ""}`, path]);
  assert(found.length > 0);
  assertEquals(
    found.filter(([name]) => !Object.hasOwn(configuration.exports, name)),
    [],
  );
});

Deno.test("the README begins with an example for Deno and one for Node, of at most ten lines", () => {
  const { text } = all.find(({ path }) => path === "README.md")!;
  const [deno, node] = blocksOf("README.md", text);
  assert(deno.words.includes("deno") && deno.text.includes("/deno"));
  assert(node.words.includes("node") && node.text.includes("/node"));
  for (const block of [deno, node]) {
    assert(block.text.trimEnd().split("\n").length <= 10);
    assert(block.line < 30);
  }
});

Deno.test("the changelog has a section for this version", () => {
  const { text } = all.find(({ path }) => path === "CHANGELOG.md")!;
  assert(text.includes(`\n## [${configuration.version}] - `));
});
