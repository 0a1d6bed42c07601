import { assertEquals, assertThrows } from "@std/assert";
import { relativePath } from "../../../tools/npm/emit.ts";
import { splitNpm } from "../../../tools/npm/graph.ts";
import { deno } from "../../../tools/suite/command.ts";
import { featureTable, readFeatures } from "../../../tools/suite/features.ts";
import { outcomeOf, readJUnit, sum } from "../../../tools/suite/outcome.ts";
import { ROOT } from "../../../tools/suite/paths.ts";

const PASSED = `<testcase name="a"/>`;
const FAILED =
  `<testcase name="b"><failure message="x">\u001b[31mx</failure></testcase>`;
const BROKEN = `<testcase name="c"><error message="x"/></testcase>`;
const SKIPPED = `<testcase name="d"><skipped/></testcase>`;

/** A JUnit file as the runners write them: with suites, or without. */
function junit(...cases: string[]): string {
  const [first = "", ...rest] = cases;
  return `<?xml version="1.0" encoding="UTF-8"?>
<testsuites>${first}<testsuite name="s">${
    rest.join("")
  }</testsuite></testsuites>`;
}

Deno.test("readJUnit() counts test cases, in suites or beside them", () => {
  assertEquals(readJUnit(junit(PASSED, PASSED, FAILED, BROKEN, SKIPPED)), {
    passed: 2,
    failed: 2,
    skipped: 1,
  });
});

Deno.test("outcomeOf() counts a failure where a runner failed without saying so", () => {
  assertEquals(outcomeOf(junit(PASSED), true).failed, 0);
  assertEquals(outcomeOf(junit(PASSED), false).failed, 1);
  assertEquals(outcomeOf(junit(PASSED, FAILED), false).failed, 1);
});

Deno.test("outcomeOf() counts a failure where no test ran", () => {
  assertEquals(outcomeOf(undefined, true).failed, 1);
  assertEquals(outcomeOf(junit(), true).failed, 1);
  assertEquals(outcomeOf(junit(SKIPPED), true).failed, 0);
});

Deno.test("sum() adds outcomes up", () => {
  assertEquals(
    sum([
      { passed: 1, failed: 0, skipped: 0 },
      { passed: 2, failed: 1, skipped: 4 },
    ]),
    { passed: 3, failed: 1, skipped: 4 },
  );
});

async function suite(
  ...args: string[]
): Promise<{ success: boolean; stdout: string }> {
  const command = ["run", "-A", "--no-lock", "tools/test.ts", ...args];
  return await deno(command, { cwd: ROOT, env: { CI: "" } });
}

Deno.test("the suite ends with one line for all stages, and says how long each took", async () => {
  // Whether the tree is as it should be is not the question here.
  const { success, stdout } = await suite("lint", "fmt");
  const stages = [
    ...stdout.matchAll(/: (\d) passed, (\d) failed \(\d+\.\d s\)$/gm),
  ];
  assertEquals(stages.length, 2, stdout);
  const total = (at: number) =>
    stages.reduce((sum, counts) => sum + Number(counts[at]), 0);
  assertEquals(total(1) + total(2), 2);
  assertEquals(success, total(2) === 0);
  assertEquals(
    stdout.trimEnd().split("\n").at(-1),
    `${total(1)} passed, ${total(2)} failed`,
  );
});

Deno.test("the suite refuses stages and options that it does not know", async () => {
  for (const wrong of ["no-such-stage", "--no-such-option"]) {
    assertEquals((await suite(wrong)).success, false);
  }
});

Deno.test("each run of the suite includes the shorter ones", async () => {
  const stages = async (...args: string[]) =>
    (await suite("--list", ...args)).stdout.trim().split("\n");
  const [short, all, nightly] = [
    await stages(),
    await stages("--all"),
    await stages("--nightly"),
  ];
  assertEquals(short.filter((stage) => !all.includes(stage)), []);
  assertEquals(all.filter((stage) => !nightly.includes(stage)), []);
  assertEquals(all.length > short.length, true);
});

Deno.test("featureTable() has a row a feature and a column a runtime", () => {
  const results = readFeatures([
    `{"runtime":"node","version":"24.21.0","feature":"fetch","outcome":"works"}`,
    `{"runtime":"deno","version":"2.9.6","feature":"fetch","outcome":"works"}`,
    `{"runtime":"deno","version":"2.9.6","feature":"fetch","outcome":"no sockets"}`,
    `{"runtime":"node","version":"24.21.0","feature":"h2","outcome":"fails"}`,
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
