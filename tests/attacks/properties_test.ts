/** What holds for every chain, whatever is presented and in whatever order. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import fc from "fast-check";
import { runWithWebCrypto } from "../../src/crypto/webcrypto.ts";
import { CertpinError } from "../../src/errors.ts";
import type { Limits } from "../../src/limits.ts";
import { SignatureCache } from "../../src/path/signature.ts";
import { verifyPathRoutine } from "../../src/path/verify.ts";
import { mintChain } from "../../src/testing/mod.ts";
import {
  type Certificate,
  parseCertificates,
} from "../../src/x509/certificate.ts";
import { random } from "../conformance/random.ts";
import { randomChain } from "./random_chains.ts";

const SEEDS = 60;
const DAY_MS = 86_400_000;

interface Scene {
  readonly label: string;
  readonly leaf: Certificate;
  readonly rest: readonly Certificate[];
  readonly anchors: readonly Certificate[];
  readonly hostname: string;
  readonly at: Date;
}

/** Sound chains, and chains with one defect of every kind. */
const scenes: readonly Scene[] = await Promise.all(
  Array.from({ length: SEEDS }, async (_, seed) => {
    const { defect, minted, presented, hostname, at } = await randomChain(
      random(1_000 + seed),
    );
    return {
      label: `seed ${seed}, ${defect}`,
      leaf: parseCertificates(minted.leaf.der)[0],
      rest: parseCertificates(presented.map(({ der }) => der)),
      anchors: parseCertificates(minted.root.der),
      hostname,
      at,
    };
  }),
);

interface Question {
  readonly rest?: readonly Certificate[];
  readonly anchors?: readonly Certificate[];
  readonly hostname?: string;
  readonly at?: Date;
  readonly limits?: Partial<Limits>;
  readonly cache?: SignatureCache;
}

/** `accepted`, or the code of the refusal. */
async function verdict(scene: Scene, question: Question = {}): Promise<string> {
  const { cache = new SignatureCache(), rest = scene.rest, at = scene.at } =
    question;
  const steps = verifyPathRoutine([scene.leaf, ...rest], {
    hostname: question.hostname ?? scene.hostname,
    anchors: question.anchors ?? scene.anchors,
    at,
    limits: question.limits,
  }, cache);
  try {
    await runWithWebCrypto(steps);
    return "accepted";
  } catch (error) {
    if (error instanceof CertpinError) return error.code;
    throw error;
  }
}

const verdicts = await Promise.all(scenes.map((scene) => verdict(scene)));

const aScene = fc.integer({ min: 0, max: SEEDS - 1 });

Deno.test("the scenes have both ends, and refusals of many kinds", () => {
  const accepted = verdicts.filter((code) => code === "accepted").length;
  assert(accepted > SEEDS / 5 && accepted < SEEDS * 4 / 5, `${accepted}`);
  assert(new Set(verdicts).size > 8, String(new Set(verdicts)));
});

Deno.test("the order of the presented certificates never changes a verdict", async () => {
  const shuffles = fc.tuple(aScene, fc.infiniteStream(fc.nat()));
  await fc.assert(
    fc.asyncProperty(shuffles, async ([at, ranks]) => {
      const { rest, label } = scenes[at];
      const ranked = rest.map((one) => ({ one, rank: ranks.next().value! }));
      ranked.sort((a, b) => a.rank - b.rank);
      const shuffled = ranked.map(({ one }) => one);
      assertEquals(
        await verdict(scenes[at], { rest: shuffled }),
        verdicts[at],
        label,
      );
    }),
    { numRuns: 100, seed: 1 },
  );
});

Deno.test("what has nothing to do with a chain never gets it accepted, and refuses it only by a limit", async () => {
  const strangers = (await Promise.all(
    Array.from({ length: 4 }, () => mintChain({ intermediates: 2 })),
  )).flatMap(({ certificates }) =>
    parseCertificates(certificates.map(({ der }) => der))
  );
  const others = scenes.flatMap(({ leaf, rest }) => [leaf, ...rest]);
  const additions = fc.array(fc.constantFrom(...strangers, ...others), {
    maxLength: 12,
  });
  await fc.assert(
    fc.asyncProperty(
      aScene,
      additions,
      fc.boolean(),
      fc.option(fc.integer({ min: 1, max: 6 })),
      async (at, added, before, signatures) => {
        const scene = scenes[at];
        const rest = before
          ? [...added, ...scene.rest]
          : [...scene.rest, ...added];
        const limits = signatures === null ? undefined : { signatures };
        const now = await verdict(scene, { rest, limits });
        if (verdicts[at] !== "accepted") {
          assert(now !== "accepted", scene.label);
        } else if (now !== "accepted") {
          assertMatch(now, /^ERR_CERTPIN_LIMIT_/, scene.label);
          assert(limits !== undefined, "twelve strangers fit the defaults");
        }
      },
    ),
    { numRuns: 200, seed: 2 },
  );
});

Deno.test("a warm cache gives the cold verdict, whatever else is asked", async () => {
  const [other] = parseCertificates((await mintChain()).ca);
  const cache = new SignatureCache();
  const questions: readonly ((scene: Scene) => Question)[] = [
    () => ({}),
    ({ at }) => ({ at: new Date(at.getTime() + 40_000 * DAY_MS) }),
    ({ at }) => ({ at: new Date(at.getTime() - 40_000 * DAY_MS) }),
    () => ({ hostname: "elsewhere.example" }),
    () => ({ anchors: [other] }),
    () => ({ anchors: [] }),
    ({ rest }) => ({ rest: rest.slice(1) }),
  ];
  for (const scene of scenes) {
    for (const question of questions) {
      const asked = question(scene);
      const cold = await verdict(scene, asked);
      assertEquals(await verdict(scene, { ...asked, cache }), cold);
      const { verified } = cache;
      assertEquals(await verdict(scene, { ...asked, cache }), cold);
      assertEquals(cache.verified, verified, "no signature is verified again");
    }
  }
});
