/** What `./updates` and `./reports` need of a runtime when they are loaded. */
import { assert, assertEquals } from "@std/assert";
import { importGraph, reach } from "../../../tools/imports.ts";
import { filesUnder, ROOT } from "../../../tools/suite/paths.ts";

const sources = (await filesUnder("src/")).filter((path) =>
  path.endsWith(".ts")
);
const graph = await importGraph(sources);

/** Modules of the runtime that a text imports when it is loaded. */
function loaded(source: string): string[] {
  return [...source.matchAll(/^(?:import|export|\}).* "(node:[^"]+)";$/gm)]
    .map(([, name]) => name);
}

for (const entry of ["src/updates/mod.ts", "src/reports/mod.ts"]) {
  Deno.test(`${entry} loads no module of a runtime`, async () => {
    const reached = [...reach(graph, entry)].filter((path) => graph.has(path));
    assert(reached.length > 5);
    for (const path of reached) {
      const source = await Deno.readTextFile(new URL(path, ROOT));
      assertEquals(loaded(source), [], path);
    }
  });
}

Deno.test("loaded() tells imports from what is imported later", () => {
  assertEquals(
    loaded(
      `import a from "node:a";\nimport {\n  b,\n} from "node:b";\n` +
        `const c = await import("node:c");\nexport * from "node:d";\n`,
    ),
    ["node:a", "node:b", "node:d"],
  );
});
