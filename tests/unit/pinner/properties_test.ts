/** What holds of verdicts for every chain and policy, over a world of cross-signs, twins and defects. */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { createPinner, type Pinner } from "../../../src/pinner/pinner.ts";
import { fingerprint } from "../../../src/pins/fingerprint.ts";
import type { PolicyDocument } from "../../../src/policy/document.ts";
import type { Certificate } from "../../../src/x509/certificate.ts";
import { HOSTNAME } from "../path/support.ts";
import { createWorld } from "../path/world.ts";

const world = await createWorld();
const RUNS = { numRuns: 300, seed: 7469 };

/** Pins of everything there is, strangers included, by key and by certificate. */
const PINS: readonly string[] = [
  ...new Set(
    (await Promise.all(
      [
        ...world.leaves,
        ...world.helpers,
        ...world.strangers,
        ...world.anchors,
      ].map(async (certificate) => [
        `${await fingerprint(certificate)}`,
        `${await fingerprint(certificate, { of: "certificate" })}`,
      ]),
    )).flat(),
  ),
];

/** What a pinner is told, and what it is asked. */
interface Question {
  readonly policy: PolicyDocument;
  readonly anchors: readonly Certificate[];
  readonly now: Date;
  readonly hostname: string;
  readonly leaf: Certificate;
  readonly helpers: readonly Certificate[];
  readonly strangers: readonly Certificate[];
}

type HostDocument = PolicyDocument["hosts"][string];

const hosts: fc.Arbitrary<HostDocument> = fc.record({
  mode: fc.constantFrom("enforce", "enforce", "report-only"),
  pins: fc.array(
    fc.record({
      pin: fc.constantFrom(...PINS),
      role: fc.constantFrom(
        undefined,
        undefined,
        "leaf",
        "intermediate",
        "root",
        "ca",
      ),
    }).map(({ pin, role }) => role === undefined ? pin : { pin, role }),
    { minLength: 1, maxLength: 6 },
  ),
});

const questions: fc.Arbitrary<Question> = fc.record({
  policy: fc.record({
    version: fc.constant(1),
    unlisted: fc.constantFrom("deny", "allow"),
    rootOnly: fc.constantFrom("warn", "deny"),
    hosts: hosts.map((host) => ({ [HOSTNAME]: host })),
  }) as fc.Arbitrary<PolicyDocument>,
  anchors: fc.shuffledSubarray([...world.anchors], { minLength: 1 }),
  now: fc.constantFrom(world.times[0], world.times[0], ...world.times),
  hostname: fc.constantFrom(HOSTNAME, HOSTNAME, ...world.hostnames),
  leaf: fc.constantFrom(world.leaves[0], ...world.leaves),
  helpers: fc.shuffledSubarray([...world.helpers], { minLength: 3 }),
  strangers: fc.shuffledSubarray([...world.strangers]),
});

/** A pinner whose time is what is said last. */
function pinnerOf(policy: PolicyDocument): {
  pinner: Pinner;
  setTime(now: Date): void;
} {
  let time = new Date(0);
  const pinner = createPinner(policy, {
    now: () => time,
    onWarning: () => {},
  });
  return { pinner, setTime: (now) => time = now };
}

/** Everything that a verdict says, in a form that can be compared. */
async function verdictOf(
  { pinner, setTime }: ReturnType<typeof pinnerOf>,
  { anchors, now, hostname, leaf }: Question,
  rest: readonly Certificate[],
): Promise<{ decision: string; said: string; code?: string }> {
  setTime(now);
  const verdict = await pinner.check({
    hostname,
    chain: [leaf, ...rest].map(({ der }) => der),
    anchors,
  });
  return {
    decision: verdict.decision,
    said: JSON.stringify(verdict),
    ...verdict.error && { code: verdict.error.code },
  };
}

async function ask(question: Question, rest: readonly Certificate[]) {
  return await verdictOf(pinnerOf(question.policy), question, rest);
}

/** Counts decisions and codes, so that a property never put to the test is noticed. */
function tally() {
  const seen = new Map<string, number>();
  return {
    add({ decision, code }: { decision: string; code?: string }) {
      const what = `${decision} ${code ?? ""}`;
      seen.set(what, (seen.get(what) ?? 0) + 1);
    },
    assertVaried() {
      const allowed = [...seen].filter(([what]) => what.startsWith("allow"))
        .reduce((sum, [, count]) => sum + count, 0);
      assert(allowed > 20, `${allowed}`);
      assert(seen.has("block ERR_CERTPIN_MISMATCH"));
      assert(seen.size >= 6, [...seen.keys()].join());
    },
  };
}

Deno.test("the order of the presented certificates never changes a verdict, whatever is pinned", async () => {
  const seen = tally();
  await fc.assert(
    fc.asyncProperty(questions, async (question) => {
      const { helpers, strangers } = question;
      const verdict = await ask(question, [...helpers, ...strangers]);
      seen.add(verdict);
      assertEquals(
        await ask(question, [
          ...strangers.toReversed(),
          ...helpers.toReversed(),
        ]),
        verdict,
      );
    }),
    RUNS,
  );
  seen.assertVaried();
});

Deno.test("certificates that signed nothing never turn a block into an allow, nor an allow into a block, even where they are pinned", async () => {
  const seen = tally();
  await fc.assert(
    fc.asyncProperty(questions, async (question) => {
      const { helpers, strangers } = question;
      const without = await ask(question, helpers);
      seen.add(without);
      const { decision, said, code } = await ask(
        question,
        [...strangers, ...helpers],
      );
      if (code?.startsWith("ERR_CERTPIN_LIMIT")) return;
      assertEquals(decision, without.decision);
      // A block may have another reason: a twin's signature instead of a gap.
      if (decision === "allow") assertEquals(said, without.said);
    }),
    RUNS,
  );
  seen.assertVaried();
});

Deno.test("a warm pinner gives the cold verdict under every other time, host, anchor set and policy", async () => {
  const seen = tally();
  const warm = pinnerOf({ version: 1, hosts: {} });
  await fc.assert(
    fc.asyncProperty(questions, async (question) => {
      const rest = [...question.helpers, ...question.strangers];
      const cold = await ask(question, rest);
      seen.add(cold);
      warm.pinner.update(question.policy);
      assertEquals(await verdictOf(warm, question, rest), cold);
    }),
    RUNS,
  );
  seen.assertVaried();
});
