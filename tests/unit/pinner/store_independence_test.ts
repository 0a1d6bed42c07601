/** One chain and one policy get one decision under every trust store that knows the pinned keys. */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { createPinner, type Pinner } from "../../../src/pinner/pinner.ts";
import type { PinRole, PolicyInput } from "../../../src/policy/document.ts";
import {
  mintCertificate,
  type MintedCertificate,
  type MintedKey,
  mintKey,
} from "../../../src/testing/mod.ts";
import { pinOf } from "../../../src/testing/keys.ts";
import { HOST, NOW, parsed, say } from "../../conformance/core/scene.ts";

const CA_ROLES = ["intermediate", "root", "ca"] as const;
type NamedRole = PinRole | undefined;
const ROLES: readonly NamedRole[] = [undefined, "leaf", ...CA_ROLES];

function policyOf(
  pins: readonly { pin: string; role: NamedRole }[],
  host: { require?: string } = {},
): PolicyInput {
  return {
    version: 1,
    hosts: {
      [HOST]: {
        pins: pins.map(({ pin, role }) => role ? { pin, role } : pin),
        ...host,
      },
    },
  };
}

function pinnerOf(policy: PolicyInput): Pinner {
  return createPinner(policy, {
    now: () => NOW,
    onWarning: () => {},
    // The worlds below are small, and the budget is not what they are about.
    limits: { signatures: 10_000 },
  });
}

Deno.test("leaf <- YR1 <- YR, cross-signed by X1, is decided alike under {X1}, {X1, YR} and {YR}, in every role", async () => {
  const now = NOW;
  const x1 = await mintCertificate({ subject: "X1", ca: true, now });
  const yr = await mintCertificate({ subject: "YR", ca: true, now });
  const { key } = yr;
  const crossed = await mintCertificate({
    subject: "YR",
    ca: true,
    key,
    issuer: x1,
    now,
  });
  const yr1 = await mintCertificate({
    subject: "YR1",
    ca: true,
    issuer: yr,
    now,
  });
  const leaf = await mintCertificate({ hostnames: [HOST], issuer: yr1, now });
  const chain = [leaf, yr1, crossed].map(({ der }) => der);
  const stores = {
    "{X1}": parsed(x1),
    "{X1, YR}": parsed(x1, yr),
    "{YR}": parsed(yr),
  };
  const told = async (pinned: MintedCertificate, role: NamedRole) => {
    const pin = await pinOf(pinned.spki);
    const pinner = pinnerOf(policyOf([{ pin, role }]));
    const verdicts: Record<string, string> = {};
    for (const [name, anchors] of Object.entries(stores)) {
      verdicts[name] = say(
        await pinner.check({ hostname: HOST, chain, anchors }),
      );
    }
    return verdicts;
  };
  const everywhere = (verdict: string) => ({
    "{X1}": verdict,
    "{X1, YR}": verdict,
    "{YR}": verdict,
  });
  const mismatch = everywhere("block mismatch MISMATCH");

  // YR is an intermediate where X1 alone is trusted, and a root elsewhere.
  const root = "allow root-only root-only";
  const differs = "allow root-only role-differs root-only";
  const ofYr: Record<string, Record<string, string>> = {
    none: { "{X1}": "allow pinned", "{X1, YR}": root, "{YR}": root },
    leaf: mismatch,
    intermediate: {
      "{X1}": "allow pinned",
      "{X1, YR}": differs,
      "{YR}": differs,
    },
    root: {
      "{X1}": "allow pinned role-differs",
      "{X1, YR}": root,
      "{YR}": root,
    },
    ca: { "{X1}": "allow pinned", "{X1, YR}": root, "{YR}": root },
  };
  const ofYr1: Record<string, Record<string, string>> = {
    none: everywhere("allow pinned"),
    leaf: mismatch,
    intermediate: everywhere("allow pinned"),
    root: everywhere("allow pinned role-differs"),
    ca: everywhere("allow pinned"),
  };
  const ofLeaf: Record<string, Record<string, string>> = {
    none: everywhere("allow pinned"),
    leaf: everywhere("allow pinned"),
    intermediate: mismatch,
    root: mismatch,
    ca: mismatch,
  };
  for (const role of ROLES) {
    const name = role ?? "none";
    assertEquals(await told(yr, role), ofYr[name], `YR as ${name}`);
    assertEquals(await told(yr1, role), ofYr1[name], `YR1 as ${name}`);
    assertEquals(await told(leaf, role), ofLeaf[name], `leaf as ${name}`);
    // A store without X1 holds no path through its key, and cannot know it.
    const { "{YR}": without, ...held } = await told(x1, role);
    assertEquals(without, "block mismatch MISMATCH");
    const decisions = Object.values(held).map((one) => one.split(" ")[0]);
    const expected = role === "leaf" ? "block" : "allow";
    assertEquals(decisions, [expected, expected], `X1 as ${name}`);
  }
});

Deno.test("a root that signed its own successor is found behind it, where both are trusted", async () => {
  const now = NOW;
  const older = await mintCertificate({ subject: "R", ca: true, now });
  const newer = await mintCertificate({
    subject: "R",
    ca: true,
    issuer: older,
    now,
  });
  const leaf = await mintCertificate({ hostnames: [HOST], issuer: newer, now });
  const chain = [leaf.der, newer.der];
  const policy = policyOf([{ pin: await pinOf(older.spki), role: "ca" }]);
  for (const anchors of [parsed(older), parsed(older, newer)]) {
    const { decision } = await pinnerOf(policy).check({
      hostname: HOST,
      chain,
      anchors,
    });
    assertEquals(decision, "allow");
  }
});

const ENTITIES = 5;
const LEAF = ENTITIES;
const keys: readonly MintedKey[] = await Promise.all(
  Array.from({ length: ENTITIES + 1 }, () => mintKey()),
);
const pins: readonly string[] = await Promise.all(
  keys.map(({ spki }) => pinOf(spki)),
);
const day = (count: number) => new Date(NOW.getTime() + count * 86_400_000);

/** A certificate of a world: who it is of, and who signed it. */
interface Cell {
  readonly subject: number;
  readonly issuer: number;
  readonly isExpired: boolean;
  readonly minted: MintedCertificate;
}

/** Which authority certifies which, whose leaf it is, what is pinned. */
interface Plan {
  /** For each authority its issuers; itself makes a root. */
  readonly issuers: readonly (readonly number[])[];
  readonly expired: readonly number[];
  readonly leafIssuer: number;
  readonly showsRoots: boolean;
  readonly pins: readonly { key: number; role: NamedRole }[];
  readonly eachRole: boolean;
}

const authorities = Array.from({ length: ENTITIES }, (_, i) => i);
const plans: fc.Arbitrary<Plan> = fc.record({
  issuers: fc.tuple(
    ...authorities.map((self) =>
      fc.subarray(authorities, {
        minLength: self < 3 ? 0 : 1,
        maxLength: 2,
      }).map((others) => // Lower numbers stand higher, and most of them are roots too.
      [...new Set([...others, ...self < 3 ? [self] : []])])
    ),
  ),
  expired: fc.subarray(authorities, { maxLength: 1 }),
  leafIssuer: fc.integer({ min: 2, max: ENTITIES - 1 }),
  showsRoots: fc.boolean(),
  pins: fc.array(
    fc.record({ key: fc.nat(LEAF), role: fc.constantFrom(...ROLES) }),
    { minLength: 1, maxLength: 2 },
  ),
  eachRole: fc.boolean(),
});

async function mintWorld(plan: Plan): Promise<{
  leaf: MintedCertificate;
  cells: readonly Cell[];
}> {
  // Of an issuer its name, key and key identifier count alone.
  const heads = await Promise.all(authorities.map((one) =>
    mintCertificate({
      subject: `authority ${one}`,
      key: keys[one],
      ca: true,
      now: NOW,
    })
  ));
  const cells: Cell[] = [];
  for (const [subject, issuers] of plan.issuers.entries()) {
    for (const issuer of issuers) {
      const isExpired = plan.expired.includes(subject) && subject !== issuer;
      const minted = await mintCertificate({
        subject: `authority ${subject}`,
        key: keys[subject],
        ca: true,
        issuer: issuer === subject ? undefined : heads[issuer],
        notBefore: day(-400),
        notAfter: day(isExpired ? -1 : 400),
      });
      cells.push({ subject, issuer, isExpired, minted });
    }
  }
  const leaf = await mintCertificate({
    hostnames: [HOST],
    key: keys[LEAF],
    issuer: heads[plan.leafIssuer],
    now: NOW,
  });
  return { leaf, cells };
}

/** The authorities on each valid path, found by brute force. */
function pathsOf(
  plan: Plan,
  usable: readonly Cell[],
  store: ReadonlySet<Cell>,
): readonly ReadonlySet<number>[] {
  const found: ReadonlySet<number>[] = [];
  const climb = (wanted: number, below: readonly number[]) => {
    if (below.includes(wanted)) return;
    for (const cell of usable) {
      if (cell.subject !== wanted || cell.isExpired) continue;
      const path = [...below, wanted];
      if (store.has(cell)) found.push(new Set(path));
      if (cell.issuer !== wanted) climb(cell.issuer, path);
    }
  };
  climb(plan.leafIssuer, []);
  return found;
}

/** What the policy says of the authorities of one path. */
function satisfies(plan: Plan, path: ReadonlySet<number>): boolean {
  const holds = ({ key, role }: Plan["pins"][number]) =>
    role === "leaf"
      ? key === LEAF
      : role === undefined
      ? key === LEAF || path.has(key)
      : path.has(key);
  const matched = plan.pins.filter(holds);
  if (!isEachRole(plan)) return matched.length > 0;
  const demands = (isLeaf: boolean) => ({ role }: Plan["pins"][number]) =>
    role !== undefined && (role === "leaf") === isLeaf;
  return matched.length > 0 &&
    [true, false].every((isLeaf) =>
      !plan.pins.some(demands(isLeaf)) || matched.some(demands(isLeaf))
    );
}

/** It needs a pin with a role. */
function isEachRole({ eachRole, pins }: Plan): boolean {
  return eachRole && pins.some(({ role }) => role !== undefined);
}

Deno.test("the decision is the same under every store that holds a path through every pinned key", async () => {
  let worlds = 0;
  let compared = 0;
  let withOtherFindings = 0;
  const seen = { allow: 0, block: 0 };
  await fc.assert(
    fc.asyncProperty(plans, async (plan) => {
      const { leaf, cells } = await mintWorld(plan);
      const trustable = cells.toSorted((a, b) =>
        Number(b.subject === b.issuer) - Number(a.subject === a.issuer)
      ).slice(0, 4);
      const shown = cells.filter(({ subject, issuer }) =>
        plan.showsRoots || subject !== issuer
      );
      const chain = [leaf, ...shown.map(({ minted }) => minted)]
        .map(({ der }) => der);
      const pinner = pinnerOf(policyOf(
        plan.pins.map(({ key, role }) => ({ pin: pins[key], role })),
        isEachRole(plan) ? { require: "each-role" } : {},
      ));
      const pinned = plan.pins.map(({ key }) => key)
        .filter((key) => key !== LEAF);
      const complete = new Set<string>();
      const told = new Set<string>();
      for (let subset = 1; subset < 1 << trustable.length; subset++) {
        const store = new Set(trustable.filter((_, i) => subset & 1 << i));
        const anchors = parsed(...[...store].map(({ minted }) => minted));
        const verdict = await pinner.check({ hostname: HOST, chain, anchors });
        const paths = pathsOf(plan, [...new Set([...shown, ...store])], store);
        const { decision } = verdict;
        if (paths.length === 0) {
          assertEquals(verdict.reason, "invalid-chain");
          continue;
        }
        const isAllowed = paths.some((path) => satisfies(plan, path));
        assertEquals(decision, isAllowed ? "allow" : "block", say(verdict));
        seen[decision]++;
        const holdsAll = pinned.every((key) =>
          paths.some((path) => path.has(key))
        );
        if (!holdsAll) continue;
        complete.add(decision);
        told.add(say(verdict));
        compared++;
      }
      assert(complete.size < 2, "two stores, two decisions");
      if (told.size > 1) withOtherFindings++;
      worlds++;
    }),
    { numRuns: 400, seed: 1226 },
  );
  assert(worlds >= 300, `${worlds}`);
  assert(compared > 500, `${compared}`);
  assert(seen.allow > 200 && seen.block > 200, JSON.stringify(seen));
  // Where roles differ between stores, the findings do, and nothing else.
  assert(withOtherFindings > 20, `${withOtherFindings}`);
});
