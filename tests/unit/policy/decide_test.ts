import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  decide,
  type Decision,
  demandOf,
  EXPIRES_SOON_MS,
  matchPins,
  type PathMatch,
  type PlaceMatch,
} from "../../../src/policy/decide.ts";
import type { HostInput, PolicyInput } from "../../../src/policy/document.ts";
import { FINDINGS } from "../../../src/policy/findings.ts";
import { parsePolicy, policyRecordOf } from "../../../src/policy/policy.ts";
import type { PinRole } from "../../../src/policy/document.ts";
import { PIN } from "../../conformance/core/policy_documents.ts";

const NOW = Date.parse("2027-01-01T00:00:00Z");
const LATER = "2028-01-01T00:00:00Z";
const PAST = "2026-12-31T23:59:59Z";

type Role = PlaceMatch["role"];

/** A path of these roles; `equal` gives the rules that each place equals. */
function path(
  roles: readonly Role[],
  equal: readonly (readonly number[])[],
  change: { anchored?: boolean; isPublic?: boolean } = {},
): PathMatch {
  return {
    anchored: change.anchored ?? true,
    places: roles.map((role, place) => ({
      role,
      equal: equal[place] ?? [],
      isPublic: change.isPublic,
    })),
  };
}

const CHAIN: readonly Role[] = ["leaf", "intermediate", "root"];

interface Change {
  host?: Partial<HostInput>;
  policy?: Partial<PolicyInput>;
  roles?: readonly (PinRole | undefined)[];
  listed?: boolean;
  at?: number;
  platformValidated?: boolean;
}

/** Decides for a host with one pin for each of `roles`. */
function evaluate(found: PathMatch | undefined, change: Change = {}): Decision {
  const pins = (change.roles ?? [undefined]).map((role) =>
    role === undefined ? PIN : { pin: PIN, role }
  );
  const record = policyRecordOf(parsePolicy({
    version: 1,
    ...change.policy,
    hosts: { "a.example": { pins, ...change.host } },
  }));
  const situation = {
    record,
    entry: change.listed === false
      ? undefined
      : record.entries.get("a.example"),
    at: change.at ?? NOW,
    platformValidated: change.platformValidated ?? false,
  };
  const matched = situation.entry && found &&
    matchPins(situation.entry, record.rootOnly, found);
  return decide(situation, found, matched);
}

/** Decision, reason, refusal code, number of matches, finding codes. */
function outcome(found: PathMatch | undefined, change?: Change): string {
  const { decision, reason, code, matches, findings } = evaluate(found, change);
  return [
    `${decision} ${reason}`,
    ...code === undefined ? [] : [code.replace("ERR_CERTPIN_", "")],
    ...matches.length === 0 ? [] : [`${matches.length}`],
    ...findings.map((one) => one.code),
  ].join(" ");
}

const LEAF = path(CHAIN, [[0]]);
const MIDDLE = path(CHAIN, [[], [0]]);
const TOP = path(CHAIN, [[], [], [0]]);
const NONE = path(CHAIN, []);

Deno.test("a host without an entry is refused, or allowed with a valid path or a validated connection", () => {
  const listed = false;
  const policy = { unlisted: "allow" };
  assertEquals(outcome(LEAF, { listed }), "block unlisted UNLISTED");
  assertEquals(
    outcome(undefined, { listed, platformValidated: true }),
    "block unlisted UNLISTED",
  );
  const allowed = "allow unlisted unlisted-allowed";
  assertEquals(outcome(NONE, { listed, policy }), allowed);
  assertEquals(outcome(undefined, { listed, policy }), "block invalid-chain");
  assertEquals(
    outcome(undefined, { listed, policy, platformValidated: true }),
    allowed,
  );
});

Deno.test("a listed host needs a valid path, whatever the platform says and the mode", () => {
  for (
    const host of [
      {},
      { mode: "report-only" },
      { expiresAt: PAST, onExpiry: "allow" },
    ]
  ) {
    assertEquals(
      outcome(undefined, { host, platformValidated: true }),
      "block invalid-chain",
    );
  }
  assertEquals(outcome(LEAF), "allow pinned 1");
});

Deno.test("an expired pin set blocks, or allows without a match and with a warning", () => {
  const expiresAt = PAST;
  assertEquals(outcome(LEAF, { host: { expiresAt } }), "block expired EXPIRED");
  assertEquals(
    outcome(LEAF, { host: { expiresAt, onExpiry: "allow" } }),
    "allow expired expired",
  );
  assertEquals(
    outcome(NONE, { host: { expiresAt, onExpiry: "allow" } }),
    "allow expired expired",
  );
  assertEquals(outcome(LEAF, { host: { expiresAt: LATER } }), "allow pinned 1");
});

Deno.test("a pin set expires at its very moment, and warns for the 30 days before", () => {
  const host = { expiresAt: new Date(NOW).toISOString() };
  assertEquals(outcome(LEAF, { host, at: NOW }), "block expired EXPIRED");
  assertEquals(
    outcome(LEAF, { host, at: NOW - 1 }),
    "allow pinned 1 expires-soon",
  );
  assertEquals(
    outcome(LEAF, { host, at: NOW - EXPIRES_SOON_MS }),
    "allow pinned 1 expires-soon",
  );
  assertEquals(
    outcome(LEAF, { host, at: NOW - EXPIRES_SOON_MS - 1 }),
    "allow pinned 1",
  );
});

Deno.test("a pin without a role matches anywhere, a leaf pin the leaf, and a CA pin any CA", () => {
  const places = [LEAF, MIDDLE, TOP];
  const matching: readonly [PinRole | undefined, ...string[]][] = [
    [undefined, "pinned", "pinned", "root-only"],
    ["leaf", "pinned", "mismatch", "mismatch"],
    ["intermediate", "mismatch", "pinned", "root-only"],
    ["root", "mismatch", "pinned", "root-only"],
    ["ca", "mismatch", "pinned", "root-only"],
  ];
  for (const [role, ...reasons] of matching) {
    assertEquals(
      places.map((one) => evaluate(one, { roles: [role] }).reason),
      reasons as Decision["reason"][],
      role,
    );
  }
});

Deno.test("a match in another role than the pin names is a finding, and changes nothing else", () => {
  const role = (role: PinRole) => ({ roles: [role] });
  assertEquals(outcome(MIDDLE, role("root")), "allow pinned 1 role-differs");
  assertEquals(
    outcome(TOP, role("intermediate")),
    "allow root-only 1 role-differs root-only",
  );
  const deny = { policy: { rootOnly: "deny" } };
  assertEquals(
    outcome(TOP, { ...role("intermediate"), ...deny }),
    "block root-only ROOT_ONLY 1 role-differs",
  );
  assertEquals(
    outcome(MIDDLE, { ...role("root"), ...deny }),
    "allow pinned 1 role-differs",
  );
  for (const one of [MIDDLE, TOP]) {
    assert(!outcome(one, role("ca")).includes("role-differs"));
    assert(!outcome(one).includes("role-differs"));
  }
  assertEquals(outcome(MIDDLE, role("intermediate")), "allow pinned 1");
  assertEquals(outcome(TOP, role("root")), "allow root-only 1 root-only");
  const [found] = evaluate(MIDDLE, role("root")).findings;
  assertEquals([found.severity, found.pointer], [
    "info",
    "/hosts/a.example/pins/0",
  ]);
});

Deno.test("no match blocks, and is let pass with its error under report-only", () => {
  const host = { mode: "report-only" };
  assertEquals(outcome(NONE), "block mismatch MISMATCH");
  assertEquals(
    outcome(NONE, { host }),
    "allow report-only MISMATCH report-only",
  );
  assertEquals(outcome(LEAF, { host }), "allow pinned 1");
});

Deno.test("report-only softens expiry and denied roots too", () => {
  const mode = "report-only";
  assertEquals(
    outcome(LEAF, { host: { mode, expiresAt: PAST } }),
    "allow report-only EXPIRED expired report-only",
  );
  assertEquals(
    outcome(TOP, { host: { mode }, policy: { rootOnly: "deny" } }),
    "allow report-only ROOT_ONLY 1 root-only report-only",
  );
  assertEquals(
    outcome(LEAF, { host: { mode, expiresAt: PAST, onExpiry: "allow" } }),
    "allow expired expired",
  );
});

Deno.test("each-role needs a match for every role that a pin names", () => {
  const host = { require: "each-role" };
  const roles = ["leaf", "ca", undefined] as const;
  const both = path(CHAIN, [[0], [1]]);
  assertEquals(outcome(both, { host, roles }), "allow pinned 2");
  for (const part of [path(CHAIN, [[0]]), path(CHAIN, [[], [1]])]) {
    assertEquals(outcome(part, { host, roles }), "block mismatch MISMATCH");
    assertEquals(outcome(part, { roles }), "allow pinned 1");
  }
  // A pin without a role does not stand in for one.
  assertEquals(
    outcome(path(CHAIN, [[2], [2]]), { host, roles }),
    "block mismatch MISMATCH",
  );
  // Pins of one role are alternatives, and all roles of a CA are one.
  assertEquals(
    outcome(path(CHAIN, [[1]]), { host, roles: ["leaf", "leaf"] }),
    "allow pinned 1",
  );
  const cas = ["root", "ca", "intermediate"] as const;
  for (const rule of cas.keys()) {
    assertEquals(
      evaluate(path(CHAIN, [[], [rule]]), { host, roles: cas }).reason,
      "pinned",
    );
  }
  assertEquals(
    outcome(path(CHAIN, [[0]]), { host, roles: cas }),
    "block mismatch MISMATCH",
  );
});

Deno.test("in every mode at least one pin must match", () => {
  const rules = [{ pointer: "" }];
  for (const require of ["any", "each-role"] as const) {
    const entry = { require, pointer: "", rules };
    assertEquals(matchPins(entry, "warn", NONE).grade, "none");
    assertEquals(matchPins(entry, "warn", LEAF).grade, "full");
  }
});

Deno.test("a match on roots alone warns, or is denied; beside another match it does neither", () => {
  const deny = { policy: { rootOnly: "deny" } };
  assertEquals(outcome(TOP), "allow root-only 1 root-only");
  assertEquals(outcome(TOP, deny), "block root-only ROOT_ONLY 1");
  for (const one of [path(CHAIN, [[0], [], [0]]), MIDDLE]) {
    assertEquals(evaluate(one).reason, "pinned");
    assertEquals(evaluate(one, deny).reason, "pinned");
  }
  // A cross-signed root is a root wherever it stands.
  const crossed = path(["leaf", "root", "root"], [[], [0]]);
  assertEquals(outcome(crossed), "allow root-only 1 root-only");
  assertEquals(outcome(crossed, deny), "block root-only ROOT_ONLY 1");
  // A leaf is a leaf, even where it is the anchor.
  assertEquals(outcome(path(["leaf"], [[0]]), deny), "allow pinned 1");
});

Deno.test("the root-only finding is a warning unless the root is known to be the caller's own", () => {
  const severity = (isPublic: boolean | undefined, anchored = true) =>
    evaluate(path(CHAIN, [[], [], [0]], { isPublic, anchored })).findings
      .find(({ code }) => code === "root-only")?.severity;
  assertEquals(severity(true), "warning");
  assertEquals(severity(undefined), "warning");
  assertEquals(severity(false), "info");
  assertEquals(severity(false, false), "warning");
});

Deno.test("the end of an unanchored path matches by its place: a leaf, or a CA of whatever role", () => {
  const anchored = false;
  const ends: readonly [readonly Role[], ...(PinRole | undefined)[]][] = [
    [["leaf"], undefined, "leaf"],
    [["leaf", "intermediate"], undefined, "intermediate", "root", "ca"],
    [["leaf", "root"], undefined, "intermediate", "root", "ca"],
  ];
  const all = [undefined, "leaf", "intermediate", "root", "ca"] as const;
  for (const [roles, ...matching] of ends) {
    const equal = [...new Array(roles.length - 1).fill([]), [0]];
    for (const role of all) {
      const isAllowed = matching.includes(role);
      const found = evaluate(path(roles, equal, { anchored }), {
        roles: [role],
      });
      assertEquals(
        found.decision,
        isAllowed ? "allow" : "block",
        `${roles} ${role}`,
      );
      assertEquals(found.findings[0].code, "unanchored");
    }
  }
});

Deno.test("a match above the leaf of an unanchored path alone is refused where roots are denied", () => {
  const anchored = false;
  const deny = { policy: { rootOnly: "deny" } };
  const end = path(["leaf", "intermediate"], [[], [0]], { anchored });
  assertEquals(outcome(end), "allow pinned 1 unanchored");
  assertEquals(outcome(end, deny), "block root-only ROOT_ONLY 1 unanchored");
  // Below the end too: anybody can put a certificate above a root's key.
  const below = path(
    ["leaf", "intermediate", "intermediate"],
    [[], [0]],
    { anchored },
  );
  assertEquals(outcome(below, deny), "block root-only ROOT_ONLY 1 unanchored");
  assertEquals(outcome(below), "allow pinned 1 unanchored");
  const both = path(["leaf", "intermediate"], [[0], [0]], { anchored });
  assertEquals(outcome(both, deny), "allow pinned 2 unanchored");
  // A path of one ends in a leaf, and that is no root.
  const alone = path(["leaf"], [[0]], { anchored });
  assertEquals(outcome(alone, deny), "allow pinned 1 unanchored");
  // With an anchor above, an intermediate is an intermediate.
  const known = path(["leaf", "intermediate", "root"], [[], [0]]);
  assertEquals(outcome(known, deny), "allow pinned 1");
});

Deno.test("the pin of a whole certificate warns where it matches the leaf, and there alone", () => {
  const whole = (role?: PinRole) => ({
    host: { pins: [{ pin: `certificate:${PIN}`, role }] },
  });
  const warned = "allow pinned 1 leaf-certificate-pin";
  assertEquals(outcome(LEAF, whole()), warned);
  assertEquals(outcome(LEAF, whole("leaf")), warned);
  assertEquals(outcome(MIDDLE, whole()), "allow pinned 1");
  assertEquals(outcome(LEAF), "allow pinned 1");
});

Deno.test("demandOf() asks for no more than decide() reads", () => {
  const demand = (change: Change & { entry?: Partial<HostInput> }) => {
    const record = policyRecordOf(parsePolicy({
      version: 1,
      ...change.policy,
      hosts: { "a.example": { pins: [PIN], ...change.host } },
    }));
    const entry = change.listed === false
      ? undefined
      : record.entries.get("a.example");
    const { platformValidated = false } = change;
    return demandOf({ record, entry, at: NOW, platformValidated });
  };
  const policy = { unlisted: "allow" };
  assertEquals(demand({}), "pinned");
  assertEquals(demand({ platformValidated: true }), "pinned");
  assertEquals(demand({ host: { expiresAt: PAST } }), "valid");
  assertEquals(demand({ listed: false }), "nothing");
  assertEquals(demand({ listed: false, policy }), "valid");
  assertEquals(
    demand({ listed: false, policy, platformValidated: true }),
    "nothing",
  );
});

Deno.test("findings carry the pointer of what they are about", () => {
  const pointers = (found: PathMatch, change: Change) =>
    evaluate(found, change).findings.map(({ pointer }) => pointer);
  const host = "/hosts/a.example";
  assertEquals(
    pointers(path(CHAIN, [[], [], [1]]), { roles: ["leaf", "root"] }),
    [
      `${host}/pins/1`,
    ],
  );
  assertEquals(
    pointers(LEAF, { host: { expiresAt: PAST, onExpiry: "allow" } }),
    [
      `${host}/expiresAt`,
    ],
  );
  assertEquals(pointers(NONE, { host: { mode: "report-only" } }), [
    `${host}/mode`,
  ]);
  assertEquals(
    pointers(NONE, { listed: false, policy: { unlisted: "allow" } }),
    [
      "/unlisted",
    ],
  );
});

Deno.test("more matches never turn an allow into a block, nor fewer a block into an allow", () => {
  const role = fc.constantFrom<PinRole | undefined>(
    ...["leaf", "intermediate", "root", "ca", undefined] as const,
  );
  const arbitrary = fc.record({
    roles: fc.array(role, { minLength: 1, maxLength: 4 }),
    require: fc.constantFrom("any", "each-role"),
    rootOnly: fc.constantFrom("warn", "deny"),
    anchored: fc.boolean(),
    places: fc.array(fc.constantFrom<Role>("intermediate", "root"), {
      maxLength: 3,
    }),
    equal: fc.array(fc.subarray([0, 1, 2, 3]), { minLength: 4, maxLength: 4 }),
    extra: fc.tuple(fc.nat(3), fc.nat(3)),
  });
  fc.assert(
    fc.property(arbitrary, (given) => {
      const { roles, rootOnly, anchored } = given;
      const require = roles.some((one) => one !== undefined)
        ? given.require
        : "any";
      const count = (rules: readonly number[]) =>
        rules.filter((rule) => rule < roles.length);
      const match = (equal: readonly (readonly number[])[]) =>
        path(["leaf", ...given.places], equal.map(count), { anchored });
      const change = { roles, host: { require }, policy: { rootOnly } };
      const before = evaluate(match(given.equal), change);
      const [place, rule] = given.extra;
      const more = given.equal.map((rules, at) =>
        at === place ? [...new Set([...rules, rule])] : rules
      );
      const after = evaluate(match(more), change);
      assert(before.decision === "block" || after.decision === "allow");
      const bare = evaluate(match([]), change);
      assertEquals(bare.reason, "mismatch");
    }),
    { seed: 8, numRuns: 1_000 },
  );
});

Deno.test("every finding of the table says what to do", () => {
  for (const [code, { message, hint }] of Object.entries(FINDINGS)) {
    assert(/^[a-z-]+$/.test(code) && message !== "" && hint !== "", code);
  }
});
