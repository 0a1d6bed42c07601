import { assertEquals, assertRejects } from "@std/assert";
import { inParallel } from "../../../cli/render/progress.ts";

Deno.test("inParallel() keeps the order, and never has more under way than it may", async () => {
  for (const [width, wanted] of [[1, 1], [3, 3], [100, 20]]) {
    let running = 0;
    let peak = 0;
    const items = Array.from({ length: 20 }, (_, i) => i);
    const results = await inParallel(items, width, async (item) => {
      peak = Math.max(peak, ++running);
      // Later ones end earlier.
      for (let i = 0; i < 40 - item; i++) await Promise.resolve();
      running--;
      return item * 2;
    });
    assertEquals(results, items.map((item) => item * 2));
    assertEquals([peak, running], [wanted, 0]);
  }
});

Deno.test("inParallel() rejects with what its work throws", async () => {
  await assertRejects(
    () => inParallel([1], 2, () => Promise.reject(new RangeError("no"))),
    RangeError,
  );
  assertEquals(await inParallel([], 2, () => Promise.resolve(1)), []);
});
