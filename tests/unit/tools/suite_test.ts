import { assertEquals, assertThrows } from "@std/assert";
import { relativePath } from "../../../tools/npm/emit.ts";
import { featureTable, readFeatures } from "../../../tools/suite/features.ts";
import { splitNpm } from "../../../tools/suite/graph.ts";
import {
  readCounts,
  readRemarks,
  sum,
  summaryLine,
} from "../../../tools/suite/outcome.ts";

Deno.test("readCounts() reads the last summary of deno test", () => {
  assertEquals(
    readCounts("ok | 3 passed (2 steps) | 0 failed | 1 ignored (12ms)\n", true),
    { passed: 3, failed: 0, skipped: 1 },
  );
  assertEquals(
    readCounts(
      "FAILED | 3 passed | 2 failed (1s)\n\nerror: Test failed",
      false,
    ),
    { passed: 3, failed: 2, skipped: 0 },
  );
});

Deno.test("readCounts() adds up plain summaries", () => {
  assertEquals(
    readCounts("ok a\n12 passed, 0 failed, 3 skipped\n", true),
    { passed: 12, failed: 0, skipped: 3 },
  );
  assertEquals(
    readCounts("12 passed, 0 failed\nok b\n1 passed, 1 failed\n", false),
    { passed: 13, failed: 1, skipped: 0 },
  );
});

Deno.test("readCounts() counts a failure where a tool failed without saying so", () => {
  const summary = "ok | 3 passed | 0 failed (12ms)\n";
  assertEquals(readCounts(summary, true).failed, 0);
  assertEquals(readCounts(summary, false).failed, 1);
});

Deno.test("readCounts() counts a failure where no test ran", () => {
  assertEquals(readCounts("", true).failed, 1);
  assertEquals(readCounts("0 passed, 0 failed\n", true).failed, 1);
  assertEquals(readCounts("0 passed, 0 failed, 1 skipped\n", true).failed, 0);
});

Deno.test("readRemarks() says each remark once", () => {
  const output = "SKIPPED a: no a\nok b\nSKIPPED a: no a\nMEASURED c: 1 byte\n";
  assertEquals(readRemarks(output), ["SKIPPED a: no a", "MEASURED c: 1 byte"]);
});

Deno.test("summaryLine() sums a run in one line", () => {
  const total = sum([
    { passed: 1, failed: 0, skipped: 0 },
    { passed: 2, failed: 1, skipped: 0 },
  ]);
  assertEquals(summaryLine(total), "3 passed, 1 failed");
  assertEquals(
    summaryLine({ ...total, skipped: 2 }),
    "3 passed, 1 failed, 2 skipped",
  );
});

Deno.test("featureTable() has a row a feature and a column a runtime", () => {
  const results = readFeatures([
    `FEATURE {"runtime":"node","version":"24.21.0","feature":"fetch","outcome":"works"}`,
    "ok fetches",
    `FEATURE {"runtime":"deno","version":"2.9.6","feature":"fetch","outcome":"works"}`,
    `FEATURE {"runtime":"deno","version":"2.9.6","feature":"fetch","outcome":"no sockets"}`,
    `FEATURE {"runtime":"node","version":"24.21.0","feature":"h2","outcome":"fails"}`,
  ].join("\n"));
  assertEquals(
    featureTable(results),
    [
      "|  | Deno 2.9 | Node 24 |",
      "| --- | --- | --- |",
      "| fetch | refused: no sockets | yes |",
      "| h2 | – | **fails** |",
    ].join("\n"),
  );
});

Deno.test("relativePath() leads from one file of the package to another", () => {
  assertEquals(relativePath("mod.js", "src/a.js"), "./src/a.js");
  assertEquals(relativePath("src/x/a.js", "src/y/b.js"), "../y/b.js");
  assertEquals(relativePath("src/x/a.js", "src/x/b.js"), "./b.js");
  assertEquals(relativePath("src/x/a.js", "deps/b.js"), "../../deps/b.js");
});

Deno.test("splitNpm() splits a specifier", () => {
  assertEquals(splitNpm("npm:undici@^8.1.0/index.js"), {
    name: "undici",
    range: "^8.1.0",
    rest: "/index.js",
  });
  assertEquals(splitNpm("npm:@a/b@2"), { name: "@a/b", range: "2", rest: "" });
  assertThrows(() => splitNpm("jsr:@std/assert"));
});
