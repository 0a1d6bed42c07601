/** What holds for every presented chain. */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { DEFAULT_LIMITS } from "../../../src/limits.ts";
import { SignatureCache } from "../../../src/path/signature.ts";
import type { VerifyPathOptions } from "../../../src/path/verify.ts";
import { type Certificate, recordOf } from "../../../src/x509/certificate.ts";
import { type Result, resultOf } from "./support.ts";
import { createWorld } from "./world.ts";

const world = await createWorld();
/** The same examples on every run. */
const RUNS = { numRuns: 300, seed: 5280 };

/** A question: who presents what to whom, and when. */
interface Question {
  readonly chain: readonly Certificate[];
  readonly options: VerifyPathOptions;
}

const questions: fc.Arbitrary<Question> = fc.record({
  leaf: fc.constantFrom(...world.leaves),
  helpers: fc.shuffledSubarray([...world.helpers], { minLength: 1 }),
  strangers: fc.shuffledSubarray([...world.strangers]),
  hostname: fc.constantFrom(
    world.hostnames[0],
    world.hostnames[0],
    ...world.hostnames,
  ),
  anchors: fc.shuffledSubarray([...world.anchors]),
  at: fc.constantFrom(world.times[0], world.times[0], ...world.times),
}).map(({ leaf, helpers, strangers, ...options }) => ({
  chain: [leaf, ...helpers, ...strangers],
  options,
}));

async function holds(property: fc.IAsyncProperty<unknown>): Promise<void> {
  await fc.assert(property, RUNS);
}

/** Counts results, so that a property that was never put to the test is noticed. */
class Tally {
  readonly #counts = new Map<string, number>();

  add(result: Result): void {
    const what = "path" in result ? "path" : result.code;
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + 1);
  }

  assertVaried(): void {
    const paths = this.#counts.get("path") ?? 0;
    assert(paths > 20, `${paths} paths`);
    assert(this.#counts.size >= 5, `${[...this.#counts.keys()]}`);
  }
}

Deno.test("the order of the presented certificates changes neither the path nor the code", async () => {
  const tally = new Tally();
  await holds(fc.asyncProperty(
    questions,
    fc.infiniteStream(fc.nat()),
    async ({ chain, options }, ranks) => {
      const [leaf, ...rest] = chain;
      const shuffled = rest
        .map((certificate) => ({ certificate, rank: ranks.next().value }))
        .sort((a, b) => a.rank - b.rank)
        .map(({ certificate }) => certificate);
      const result = await resultOf(chain, options);
      assertEquals(await resultOf([leaf, ...shuffled], options), result);
      // Nor does it matter that some are presented twice.
      assertEquals(
        await resultOf([leaf, ...rest, leaf, ...shuffled], options),
        result,
      );
      tally.add(result);
    },
  ));
  tally.assertVaried();
});

Deno.test("certificates that signed nothing never make a path, and end one by a named limit alone", async () => {
  const tally = new Tally();
  let limited = 0;
  await holds(fc.asyncProperty(
    questions,
    fc.shuffledSubarray([...world.strangers], { minLength: 1 }),
    fc.integer({ min: 1, max: 40 }),
    async ({ chain, options }, strangers, most) => {
      const helpful = chain.filter((one) => !world.strangers.includes(one));
      const crowded = [...helpful, ...strangers];
      const before = await resultOf(helpful, options);
      const after = await resultOf(crowded, options);
      tally.add(after);
      if ("path" in before) assertEquals(after, before);
      else assert("code" in after, JSON.stringify(after));
      const tight = {
        ...options,
        limits: { signatures: most, candidates: 3 * most },
      };
      const within = await resultOf(crowded, tight);
      if ("path" in within || !within.code.startsWith("ERR_CERTPIN_LIMIT")) {
        assertEquals(within, after);
      } else limited++;
    },
  ));
  tally.assertVaried();
  assert(limited > 10, `${limited}`);
});

/** Every way from the leaf to an anchor by names alone, however wrong. */
function waysOf(
  way: readonly Certificate[],
  pool: readonly Certificate[],
  anchors: readonly Certificate[],
): Certificate[][] {
  const wanted = recordOf(way[way.length - 1]).issuerKey;
  const fits = (one: Certificate) => recordOf(one).subjectKey === wanted;
  return [
    ...anchors.filter(fits).map((anchor) => [...way, anchor]),
    ...pool.filter((one) => fits(one) && !way.includes(one)).flatMap((one) =>
      waysOf([...way, one], pool, anchors)
    ),
  ];
}

Deno.test("a path is found exactly where one of all ways is one", async () => {
  const tally = new Tally();
  await fc.assert(
    fc.asyncProperty(questions, async ({ chain, options }) => {
      const [leaf, ...rest] = chain;
      // All ways are many: six certificates are enough to get lost among.
      const pool = rest.slice(0, 6);
      const found = await resultOf([leaf, ...pool], options);
      const cache = new SignatureCache();
      let paths = 0;
      for (const way of waysOf([leaf], pool, options.anchors)) {
        const alone = { ...options, anchors: [way[way.length - 1]] };
        if ("path" in await resultOf(way.slice(0, -1), alone, cache)) paths++;
      }
      assertEquals("path" in found, paths > 0);
      tally.add(found);
    }),
    RUNS,
  );
  tally.assertVaried();
});

Deno.test("a warm cache gives the cold result for every other time, host and anchor, and verifies nothing twice", async () => {
  const tally = new Tally();
  const warm = new SignatureCache();
  await holds(fc.asyncProperty(questions, async ({ chain, options }) => {
    const cold = await resultOf(chain, options);
    assertEquals(await resultOf(chain, options, warm), cold);
    const { verified } = warm;
    assertEquals(await resultOf(chain, options, warm), cold);
    assertEquals(warm.verified, verified);
    tally.add(cold);
  }));
  tally.assertVaried();
  // The whole world has so many pairs of a certificate and a possible issuer.
  const all = world.leaves.length + world.helpers.length +
    world.strangers.length;
  assert(warm.verified < all * all);
});

Deno.test("a cache of a few verdicts gives the cold result too, and stays small", async () => {
  const small = new SignatureCache(3);
  await holds(fc.asyncProperty(questions, async ({ chain, options }) => {
    assertEquals(
      await resultOf(chain, options, small),
      await resultOf(chain, options),
    );
    assert(small.size <= 3);
  }));
  assertEquals(small.size, 3);
  assert(small.verified > DEFAULT_LIMITS.signatures);
});
