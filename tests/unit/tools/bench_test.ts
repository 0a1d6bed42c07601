/** The measuring itself; no figure is asserted here. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { compare, median } from "../../../bench/measure.ts";
import { ROOT } from "../../../tools/suite/paths.ts";

Deno.test("median() takes the value in the middle", () => {
  assertEquals(median([3]), 3);
  assertEquals(median([9, 1, 5]), 5);
  assertEquals(median([4, 1, 3, 2]), 2.5);
  assertEquals(median([]), NaN);
});

Deno.test("compare() lets subjects take turns, and measures each as often", async () => {
  const order: string[] = [];
  const subject = (name: string) => ({
    name,
    run: () => Promise.resolve(order.push(name)),
  });
  const measured = await compare([subject("a"), subject("b"), subject("c")], {
    rounds: 4,
    runs: 2,
  });
  assertEquals(measured.map(({ name }) => name), ["a", "b", "c"]);
  assertEquals(measured[0].ratio, 1);
  // Two rounds to warm up and four that count, two runs in each.
  assertEquals(order.length, 3 * 2 * 6);
  assertEquals(order.filter((name) => name === "b").length, 12);
  const firsts = Array.from({ length: 6 }, (_, round) => order[round * 6]);
  assertEquals(firsts, ["a", "b", "c", "a", "b", "c"]);
});

async function bench(
  ...args: string[]
): Promise<{ code: number; stdout: string; stderr: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "bench/main.ts", ...args],
    cwd: ROOT,
    env: { CERTPIN_VECTORS: "" },
  }).output();
  const decoder = new TextDecoder();
  return {
    code,
    stdout: decoder.decode(stdout),
    stderr: decoder.decode(stderr),
  };
}

Deno.test("deno task bench gives one JSON document, and says what it skips", async () => {
  const { code, stdout, stderr } = await bench("--json", "limbo", "check");
  assertEquals(code, 0, stderr);
  const { reports } = JSON.parse(stdout);
  const [limbo, check] = reports;
  assertEquals([limbo.name, check.name], ["limbo", "check"]);
  assertStringIncludes(stderr, `SKIPPED limbo: ${limbo.skipped}`);
  assertEquals(check.measurements.length, 3);
  for (const { medianMs, ratio } of check.measurements) {
    assert(medianMs > 0 && ratio > 0);
  }
  const strict = await bench("--strict", "limbo");
  assertEquals(strict.code, 1);
});

Deno.test("deno task bench refuses a name and an option that it does not know", async () => {
  for (const wrong of ["no-such-benchmark", "--no-such-option"]) {
    const { code, stdout } = await bench(wrong);
    assertEquals([code, stdout], [2, ""]);
  }
});
