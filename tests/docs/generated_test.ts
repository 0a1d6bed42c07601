/**
 * The generated parts of the documents are what their sources make of them.
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { current, formatted, GENERATED } from "../../tools/docs/main.ts";
import { between } from "../../tools/docs/between.ts";

for (const { path, make } of GENERATED) {
  Deno.test(`${path} is what "deno task docs" writes`, async () => {
    const now = await current(path);
    assert(now.length > 0);
    assertEquals(now, await formatted(await make(now)));
  });
}

Deno.test("between() replaces what stands between its markers, and nothing else", () => {
  const document = "a\n<!-- x:begin -->\nold\n<!-- x:end -->\nb\n";
  assertEquals(
    between("x", document, "new"),
    "a\n<!-- x:begin -->\n\nnew\n\n<!-- x:end -->\nb\n",
  );
  assertThrows(() => between("y", document, "new"));
});
