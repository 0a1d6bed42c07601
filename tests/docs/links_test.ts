/**
 * Links in the documents lead somewhere.
 */
import { assert, assertEquals } from "@std/assert";
import { ROOT } from "../../tools/suite/paths.ts";
import { documents } from "./documents.ts";
import { anchorsOf, linksOf } from "./markdown.ts";

/** Why a link leads nowhere; `undefined` where it leads somewhere. */
async function flaw(from: string, target: string): Promise<string | undefined> {
  if (/^(https:|mailto:)/.test(target)) return undefined;
  if (/^[a-z]+:/i.test(target)) return "not https:";
  const url = new URL(target, new URL(from, ROOT));
  if (!url.href.startsWith(ROOT.href)) return "leaves the project";
  const file = new URL(url);
  file.hash = "";
  const found = await Deno.stat(file).catch(() => undefined);
  if (found === undefined) return "no such file";
  if (url.hash === "") return undefined;
  if (!found.isFile || !file.pathname.endsWith(".md")) return "no anchors";
  const anchors = anchorsOf(await Deno.readTextFile(file));
  return anchors.has(decodeURIComponent(url.hash.slice(1)))
    ? undefined
    : "no such anchor";
}

Deno.test("every link in the documents leads to a file and an anchor that exist", async () => {
  const broken: string[] = [];
  let count = 0;
  for (const { path, text } of await documents()) {
    for (const { line, target } of linksOf(path, text)) {
      count++;
      const why = await flaw(path, target);
      if (why) broken.push(`${path}:${line}: ${target}: ${why}`);
    }
  }
  assert(count > 0);
  assertEquals(broken, []);
});

Deno.test("the link check tells a broken link from a good one", async () => {
  assertEquals(await flaw("README.md", "LICENSE"), undefined);
  assertEquals(await flaw("README.md", "#start"), undefined);
  assertEquals(await flaw("README.md", "#no-such-heading"), "no such anchor");
  assertEquals(await flaw("README.md", "docs/no-such.md"), "no such file");
  assertEquals(await flaw("README.md", "../elsewhere"), "leaves the project");
  assertEquals(await flaw("README.md", "http://example.com/"), "not https:");
});

Deno.test("no document is out of reach of the README", async () => {
  const all = await documents();
  const reached = new Set(["README.md"]);
  for (const path of reached) {
    const text = all.find((document) => document.path === path)?.text;
    for (const { target } of text ? linksOf(path, text) : []) {
      const url = new URL(target, new URL(path, ROOT));
      url.hash = "";
      if (!url.href.startsWith(ROOT.href)) continue;
      reached.add(url.href.slice(ROOT.href.length));
    }
  }
  const lost = all.map(({ path }) => path).filter((path) =>
    /^(docs\/|[A-Z]+\.md$)/.test(path) && !reached.has(path)
  );
  assertEquals(lost, []);
});
