/** The measuring itself; no figure of this machine is asserted here. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { asRate, asTime, isMet } from "../../../bench/bench.ts";
import { compare, median, quantile } from "../../../bench/measure.ts";
import { section, withSection } from "../../../bench/results.ts";
import { ROOT } from "../../../tools/suite/paths.ts";

Deno.test("median() takes the value in the middle", () => {
  assertEquals(median([3]), 3);
  assertEquals(median([9, 1, 5]), 5);
  assertEquals(median([4, 1, 3, 2]), 2.5);
  assertEquals(quantile([1, 2, 3, 4, 5], 0.25), 2);
});

Deno.test("compare() lets both take turns, each pair in the other order", async () => {
  const order: string[] = [];
  const subject = (name: string) => ({
    name,
    run: (count: number) => Promise.resolve(order.push(name + count)),
  });
  const { pairs } = await compare(subject("a"), subject("b"), {
    pairs: 3,
    count: 2,
    warmUps: 1,
  });
  assertEquals(pairs, 3);
  assertEquals(order, ["b2", "a2", "a2", "b2", "b2", "a2", "a2", "b2"]);
});

Deno.test("compare() takes the median of the pairs' ratios", async () => {
  const saying = (name: string, ...times: number[]) => ({
    name,
    run: () => Promise.resolve(),
    measure: () => times.shift()!,
  });
  const { median, milliseconds } = await compare(
    saying("a", 20, 90, 10),
    saying("b", 10, 30, 10),
    { pairs: 3, count: 1, warmUps: 0 },
  );
  assertEquals(median, 2);
  assertEquals(milliseconds, [20, 10]);
});

const RATIO = {
  median: 0.5,
  spread: [0.25, 1],
  pairs: 3,
  milliseconds: [1, 2],
} as const;

Deno.test("a rate is met from its goal upwards, a time from its goal downwards", () => {
  const rate = asRate("a", "b", RATIO, 2);
  assertEquals([rate.value, rate.spread], [2, [1, 4]]);
  assert(isMet(rate));
  assert(!isMet({ ...rate, goal: 2.01 }));
  const time = asTime("a", "b", RATIO, 0.5);
  assert(isMet(time));
  assert(!isMet({ ...time, goal: 0.49 }));
});

Deno.test("the results say what is missed and what limits it, and keep the other runtimes'", () => {
  const row = { bench: "fetch", ...asRate("a", "b", RATIO, 3) };
  const text = section("deno", "Deno 2", "2026-01-02", "2 cores", [row]);
  assertStringIncludes(text, "| a | b | 2.00 | 1.00 to 4.00 | at least 3.00 |");
  assertStringIncludes(text, "**missed**");
  assertStringIncludes(text, "- a: ");
  const page = withSection(undefined, "deno", text);
  const both = withSection(page, "bun", "of Bun");
  assertStringIncludes(both, "Deno 2, 2026-01-02");
  assertStringIncludes(both, "of Bun");
});

async function bench(
  ...args: string[]
): Promise<{ code: number; stdout: string; stderr: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "bench/main.ts", ...args],
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
  const { code, stdout, stderr } = await bench("--json", "limbo");
  assertEquals(code, 0, stderr);
  const { rows, skipped } = JSON.parse(stdout);
  assertEquals([rows, skipped], [[], ["limbo"]]);
  assertStringIncludes(stderr, "SKIPPED limbo");
  const strict = await bench("--strict", "limbo");
  assertEquals(strict.code, 1);
});

Deno.test("deno task bench refuses what it does not know", async () => {
  for (
    const wrong of [["no-such-benchmark"], ["--no-such-option"], [
      "--runtime",
      "other",
    ]]
  ) {
    const { code, stdout } = await bench(...wrong);
    assertEquals([code, stdout], [2, ""]);
  }
});
