import { assert, assertEquals } from "@std/assert";
import ts from "typescript";
import { floorOf, FLOORS, mayImport } from "../../tools/floors.ts";
import {
  findRing,
  type ImportGraph,
  importGraph,
  reach,
  specifiersOf,
} from "../../tools/imports.ts";
import { filesUnder, ROOT } from "../../tools/suite/paths.ts";

const sources = [
  "mod.ts",
  ...(await filesUnder("src/")).filter((path) => path.endsWith(".ts")),
  ...(await filesUnder("cli/")).filter((path) => path.endsWith(".ts")),
];
const graph = await importGraph(sources);

async function read(path: string): Promise<string> {
  return await Deno.readTextFile(new URL(path, ROOT));
}

/** Identifiers in a source text: comments and strings are not looked at. */
function identifiers(source: string): Set<string> {
  const found = new Set<string>();
  const visit = (node: ts.Node) => {
    if (ts.isIdentifier(node)) found.add(node.text);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile("x.ts", source, ts.ScriptTarget.Latest));
  return found;
}

Deno.test("every source file stands on a floor", () => {
  assertEquals(sources.filter((path) => floorOf(path) === undefined), []);
  for (const { places } of FLOORS) {
    for (const place of places) {
      assert(
        sources.some((path) => path.startsWith(place)),
        `Nothing stands at ${place}`,
      );
    }
  }
});

Deno.test("imports point downward, or stay in their folder", () => {
  const upward = [...graph].flatMap(([from, targets]) =>
    targets
      .filter((to) => /^(src|cli)\//.test(to) || to === "mod.ts")
      .filter((to) => !to.endsWith(".json") && !mayImport(from, to))
      .map((to) => `${from} -> ${to}`)
  );
  assertEquals(upward, []);
});

Deno.test("the floors tell an upward import from a downward one", () => {
  assert(mayImport("src/path/search.ts", "src/x509/certificate.ts"));
  assert(!mayImport("src/x509/certificate.ts", "src/path/search.ts"));
  assert(mayImport("src/path/search.ts", "src/path/rules.ts"));
  assert(!mayImport("src/path/search.ts", "src/pins/pin.ts"));
  assert(mayImport("src/errors.ts", "src/text.ts"));
  assert(!mayImport("src/pins/pin.ts", "src/pinner/pinner.ts"));
});

Deno.test("imports are read whole: static, dynamic, types and re-exports", () => {
  assertEquals(
    specifiersOf(`
      import a from "./a.ts"; import type { B } from "./b.ts";
      export * from "./c.ts"; export type D = import("./d.ts").D;
      const e = await import("./e.ts"); import "./f.ts"; // "./g.ts"
    `).sort(),
    ["./a.ts", "./b.ts", "./c.ts", "./d.ts", "./e.ts", "./f.ts"],
  );
});

Deno.test("the command imports the library by its entry points, never by a path", async () => {
  const commands = sources.filter((path) => path.startsWith("cli/"));
  let imported = 0;
  for (const path of commands) {
    const specifiers = specifiersOf(await read(path));
    const outside = specifiers.filter((to) =>
      to.startsWith(".") &&
      !new URL(to, `file:///${path}`).pathname.startsWith("/cli/")
    );
    assertEquals(outside, [], path);
    imported += specifiers.filter((to) => to.startsWith("@certpin/")).length;
  }
  assert(imported > 10);
});

Deno.test("the library imports nothing of the command, and tells nobody of its internals", () => {
  const internals = new Set(["src/internal.ts", "src/tls/internal.ts"]);
  const wrong = [...graph].filter(([from, targets]) =>
    !from.startsWith("cli/") &&
    targets.some((to) => to.startsWith("cli/") || internals.has(to))
  );
  assertEquals(wrong, []);
});

Deno.test("no import leads back to where it came from", () => {
  assertEquals(findRing(graph), undefined);
  assertEquals(
    findRing(new Map([["a", ["b"]], ["b", ["c"]], ["c", ["b"]]])),
    ["b", "c", "b"],
  );
});

/** The one module of the library that knows pkijs, and holds it to account. */
const READER = "src/x509/pkijs.ts";

/** The modules of a graph that import pkijs or asn1js. */
function readers(imports: ImportGraph): string[] {
  return [...imports]
    .filter(([, targets]) =>
      targets.some((to) => /^(npm:)?(pkijs|asn1js)(?![\w-])/.test(to))
    )
    .map(([path]) => path);
}

Deno.test("one module of the library imports pkijs and asn1js, and it imports both", () => {
  assertEquals(
    readers(graph).filter((path) => !path.startsWith("cli/keys/")),
    [READER],
  );
  const imported = graph.get(READER)!;
  assert(imported.includes("pkijs"));
  assert(imported.includes("asn1js"));
});

Deno.test("an import of pkijs is seen in whatever form it is written", () => {
  const importing = (specifier: string) =>
    readers(new Map([["src/path/search.ts", [specifier]]])).length;
  for (
    const specifier of [
      "pkijs",
      "asn1js",
      "npm:pkijs@^4.0.0",
      "pkijs/build/index.js",
    ]
  ) assertEquals(importing(specifier), 1, specifier);
  for (const specifier of ["./pkijs.ts", "pkijs-like", "../x509/pkijs.ts"]) {
    assertEquals(importing(specifier), 0, specifier);
  }
});

Deno.test("certificates are read by that module", () => {
  for (const path of ["src/x509/certificate.ts", "src/x509/extensions.ts"]) {
    assert(graph.get(path)!.includes(READER), path);
  }
});

Deno.test("mod.ts reaches its own files, @std/encoding, pkijs and asn1js, nothing else", () => {
  const foreign = [...reach(graph, "mod.ts")].filter((to) =>
    !graph.has(to) && !/^@std\/encoding(\/|$)/.test(to) &&
    to !== "pkijs" && to !== "asn1js"
  );
  assertEquals(foreign, []);
});

Deno.test("the edge's TLS and HTTP are loaded by ./edge and ./workers alone", () => {
  const ofTheEdge = (start: string) =>
    [...reach(graph, start)].filter((to) => /^src\/(tls13|http1)\//.test(to));
  assert(ofTheEdge("src/adapters/edge.ts").length > 0);
  assert(ofTheEdge("src/adapters/workers.ts").length > 0);
  for (
    const start of ["mod.ts", "src/adapters/deno.ts", "src/adapters/node.ts"]
  ) {
    assertEquals(ofTheEdge(start), [], start);
  }
});

Deno.test("parsePin's file reaches no pkijs", () => {
  const reached = reach(graph, "src/pins/pin.ts");
  assert(reached.has("src/errors.ts"));
  assertEquals([...reached].filter((to) => /pkijs|asn1js/.test(to)), []);
});

Deno.test("what mod.ts reaches names no runtime", async () => {
  const runtimes = ["Deno", "Bun", "process", "Buffer"];
  assert(identifiers("globalThis.Deno; // Bun").has("Deno"));
  assert(!identifiers("globalThis.Deno; // Bun").has("Bun"));
  for (const path of reach(graph, "mod.ts")) {
    if (!graph.has(path)) continue;
    const used = identifiers(await read(path));
    assertEquals(runtimes.filter((name) => used.has(name)), [], path);
  }
});

Deno.test("the page reaches nothing of Node", async () => {
  const pages = (await filesUnder("site/")).filter((path) =>
    path.endsWith(".ts")
  );
  const whole = await importGraph([...sources, ...pages]);
  assert(reach(whole, "site/main.ts").has("cli/formats/registry.ts"));
  assertEquals(
    [...reach(whole, "site/main.ts")].filter((to) => to.startsWith("node:")),
    [],
  );
});

Deno.test("no file names a machine's own folders", async () => {
  const folders = new RegExp(
    ["/work/", "/farm/", "/root/", "/home/"].join("|"),
  );
  const own = "tests/unit/structure_test.ts";
  const telling: string[] = [];
  for (const path of await filesUnder("")) {
    if (
      path === own || !/\.(ts|js|cjs|mjs|md|json|ya?ml|sh)$|run$/.test(path)
    ) continue;
    if (folders.test(await read(path))) telling.push(path);
  }
  assertEquals(telling, []);
});
