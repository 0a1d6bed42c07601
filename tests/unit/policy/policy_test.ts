import {
  assert,
  assertEquals,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import fc from "fast-check";
import { CertpinError, LimitError, PolicyError } from "../../../src/errors.ts";
import { canonicalHost } from "../../../src/host.ts";
import {
  MAX_IGNORED_DEPTH,
  MAX_POLICY_CERTIFICATES,
  MAX_POLICY_DEPTH,
  MAX_POLICY_HOSTS,
  MAX_POLICY_LENGTH,
  MAX_POLICY_PINS,
  MAX_POLICY_PROBLEMS,
} from "../../../src/limits.ts";
import type {
  PolicyDocument,
  PolicyInput,
} from "../../../src/policy/document.ts";
import {
  isPolicy,
  parsePolicy,
  type Policy,
  policyRecordOf,
} from "../../../src/policy/policy.ts";
import { readPolicy } from "../../../src/policy/read.ts";
import { findEntry } from "../../../src/policy/record.ts";
import {
  type Expected,
  HEX,
  hostDocument,
  makeDocuments,
  OTHER_PIN,
  PIN,
  pinDocument,
} from "../../conformance/core/policy_documents.ts";

const parse = (input: unknown) => parsePolicy(input as PolicyInput | string);

function problemsOf(input: unknown): Expected[] {
  const error = assertThrows(() => parse(input), PolicyError);
  assertEquals(error.code, "ERR_CERTPIN_POLICY_INVALID");
  return error.problems.map(({ pointer, code }) => [pointer, code]);
}

function limited(input: unknown): void {
  const error = assertThrows(() => parse(input), LimitError);
  assertEquals(error.code, "ERR_CERTPIN_LIMIT_POLICY_SIZE");
}

const { minted, good, bad } = await makeDocuments();
const PEM = minted.leaf.pem;

Deno.test("parsePolicy() refuses text that is no JSON, and keys said twice", () => {
  const invalid = "ERR_CERTPIN_POLICY_INVALID";
  assertEquals(problemsOf("./pins.json"), [["", invalid]]);
  assertEquals(problemsOf(""), [["", invalid]]);
  assertEquals(problemsOf('{"version":1,"hosts":{},}'), [["", invalid]]);
  const host = `{"pins":["${PIN}"],"pins":["${OTHER_PIN}"]}`;
  assertEquals(
    problemsOf(`{"version":1,"version":1,"hosts":{"a":${host},"a":1},"b":1}`),
    [
      ["/version", invalid],
      ["/hosts/a/pins", invalid],
      ["/hosts/a", invalid],
      ["/b", invalid],
      ["/hosts/a", invalid],
    ],
  );
  parse(`{"version":1,"hosts":{"a":{"pins":["${PIN}"]}}}`);
});

Deno.test("parsePolicy() refuses values that JSON does not have", () => {
  const cyclic: Record<string, unknown> = { version: 1 };
  cyclic.hosts = { a: { pins: [PIN] }, b: cyclic };
  for (
    const input of [
      undefined,
      () => {},
      Symbol(),
      1n,
      NaN,
      new Map(),
      new Date(),
      Promise.resolve(pinDocument(PIN)),
      new Proxy(() => {}, {}),
      { version: 1, hosts: new Map([["a", { pins: [PIN] }]]) },
      hostDocument({ pins: new Set([PIN]) }),
      hostDocument({ pins: [PIN], expiresAt: new Date() }),
      hostDocument({ pins: [PIN, undefined] }),
      hostDocument({ pins: [new String(PIN)] }),
      hostDocument({ pins: [PIN], toString() {} }),
      cyclic,
    ]
  ) assert(problemsOf(input).length > 0);
  parse({ ...pinDocument(PIN), unlisted: undefined, "x-f": () => {} });
  parse(Object.assign(Object.create(null), pinDocument(PIN)));
});

Deno.test("parsePolicy() reports what JSON does not have once, each at its place", () => {
  const invalid = "ERR_CERTPIN_POLICY_INVALID";
  const at = (...pointers: string[]) =>
    pointers.map((pointer) => [pointer, invalid] as const);
  const pins = "/hosts/api.example.com/pins";
  const hole = new Array(2);
  hole[0] = PIN;
  const cases: readonly [unknown, readonly Expected[]][] = [
    [pinDocument(undefined, PIN, NaN), at(`${pins}/0`, `${pins}/2`)],
    [pinDocument(...hole), at(`${pins}/1`)],
    [
      pinDocument({ pin: NaN, role: () => {} }),
      at(
        `${pins}/0/pin`,
        `${pins}/0/role`,
      ),
    ],
    [{ version: NaN, hosts: new Map() }, at("/version", "/hosts")],
    [
      hostDocument({ pins: [PIN], expiresAt: new Date() }),
      at("/hosts/api.example.com/expiresAt"),
    ],
  ];
  for (const [input, problems] of cases) {
    assertEquals(problemsOf(input), problems);
  }
});

Deno.test("parsePolicy() refuses a document whose getters throw, and keeps what they threw", () => {
  const thrown = new RangeError("hostile");
  const fail = () => {
    throw thrown;
  };
  const hostile = [
    Object.defineProperty(pinDocument(PIN), "unlisted", {
      get: fail,
      enumerable: true,
    }),
    new Proxy(pinDocument(PIN), { get: fail }),
    new Proxy(pinDocument(PIN), { ownKeys: fail }),
    new Proxy(pinDocument(PIN), { getPrototypeOf: fail }),
    pinDocument(new Proxy([], { get: fail })),
  ];
  for (const input of hostile) {
    const error = assertThrows(() => parse(input), PolicyError);
    assertEquals(error.code, "ERR_CERTPIN_POLICY_INVALID");
    assertStrictEquals(error.cause, thrown);
  }
  parse(new Proxy(pinDocument(PIN), {}));
});

Deno.test("parsePolicy() ignores deep nesting in extensions, in values and in text alike, and refuses it elsewhere", () => {
  const nested = (depth: number) => {
    let value: unknown = 1;
    for (let level = 1; level < depth; level++) value = [value];
    return value;
  };
  const deep = nested(MAX_POLICY_DEPTH + 1);
  const host = { pins: [PIN], "x-deep": deep };
  for (
    const document of [
      { ...pinDocument(PIN), "x-deep": deep },
      hostDocument(host),
      { ...pinDocument(PIN), "x-deep": { pins: deep } },
    ]
  ) {
    parse(document);
    parse(JSON.stringify(document));
  }
  const wrong = { ...pinDocument(PIN), deep };
  const hostname = { version: 1, hosts: { "x-a.example": deep } };
  for (const document of [wrong, hostname]) {
    for (const input of [document, JSON.stringify(document)]) {
      assert(problemsOf(input).length > 0);
    }
  }
  const text = (depth: number) =>
    `{"version":1,"hosts":{},"x-a":${"[".repeat(depth)}${"]".repeat(depth)}}`;
  parse(text(MAX_IGNORED_DEPTH - 1));
  assertEquals(problemsOf(text(MAX_IGNORED_DEPTH)).length, 1);
  const cyclic: Record<string, unknown> = pinDocument(PIN);
  cyclic["x-self"] = cyclic;
  parse(cyclic);
});

Deno.test("parsePolicy() sees that two hosts are one, even where one of them is no object", () => {
  const two = (one: unknown) => ({
    version: 1,
    hosts: { "a.example": one, "A.example.": { pins: [PIN] } },
  });
  const twice: Expected = ["/hosts/A.example.", "ERR_CERTPIN_HOST_INVALID"];
  assertEquals(problemsOf(two({ pins: [PIN] })), [twice]);
  assertEquals(problemsOf(two(null)), [
    ["/hosts/a.example", "ERR_CERTPIN_POLICY_INVALID"],
    twice,
  ]);
});

Deno.test("parsePolicy() stops at its bounds", () => {
  const hosts = (count: number) => ({
    version: 1,
    hosts: Object.fromEntries(
      Array.from({ length: count }, (_, at) => [`h${at}`, { pins: [PIN] }]),
    ),
  });
  const pins = (count: number) => pinDocument(...new Array(count).fill(PIN));
  const certificates = (count: number) => ({
    ...pinDocument(PIN),
    certificates: new Array(count).fill(PEM),
  });
  assertEquals(
    parse(hosts(MAX_POLICY_HOSTS)).hostnames.length,
    MAX_POLICY_HOSTS,
  );
  limited(hosts(MAX_POLICY_HOSTS + 1));
  parse(pins(MAX_POLICY_PINS));
  limited(pins(MAX_POLICY_PINS + 1));
  parse(certificates(MAX_POLICY_CERTIFICATES));
  limited(certificates(MAX_POLICY_CERTIFICATES + 1));
  const padded = JSON.stringify(pinDocument(PIN)).padEnd(MAX_POLICY_LENGTH);
  parse(padded);
  limited(`${padded} `);
  limited({ ...pinDocument(PIN), "x-a": "a".repeat(MAX_POLICY_LENGTH) });
  const wrong = Object.fromEntries(
    Array.from({ length: MAX_POLICY_PROBLEMS + 50 }, (_, at) => [`k${at}`, 1]),
  );
  const problems = problemsOf({ ...pinDocument(PIN), ...wrong });
  assertEquals(problems.length, MAX_POLICY_PROBLEMS);
  // Nesting that shares values: small in memory, endless when walked.
  let wide: unknown = PIN;
  for (let depth = 0; depth < 14; depth++) wide = new Array(100).fill(wide);
  limited({ ...pinDocument(PIN), "x-wide": wide });
});

Deno.test("a policy is frozen, ours, and a copy of what it was parsed from", () => {
  const document = pinDocument(PIN);
  const policy = parse(document);
  assertEquals(policy.version, 1);
  assertEquals(policy.hostnames, ["api.example.com"]);
  assert(Object.isFrozen(policy) && Object.isFrozen(policy.hostnames));
  (document.hosts as Record<string, unknown>)["evil.example"] = {};
  (document.hosts as { "api.example.com": { pins: string[] } })[
    "api.example.com"
  ].pins.push("sha256/");
  assertEquals(policy.toJSON(), pinDocument(PIN) as unknown as PolicyDocument);
  assert(Object.isFrozen(policy.toJSON().hosts["api.example.com"].pins));
  assert(isPolicy(policy));
  for (const foreign of [{ ...policy }, Object.create(policy), null, 1]) {
    assert(!isPolicy(foreign));
    const error = assertThrows(
      () => policyRecordOf(foreign as Policy),
      PolicyError,
    );
    assertEquals(error.code, "ERR_CERTPIN_POLICY_INVALID");
  }
});

Deno.test("a policy's record holds the defaults, roles, dates and certificates", () => {
  const record = policyRecordOf(parse({
    version: 1,
    certificates: [minted.pem],
    hosts: {
      "*.Example.com": { pins: [PIN, `3 1 1 ${HEX}`] },
      "[::1]": {
        expiresAt: "2027-06-01T02:00:00.5+02:00",
        pins: [{ certificate: PEM, role: "ca" }, {
          pin: `0 1 1 ${HEX}`,
          role: "root",
        }],
      },
    },
  }));
  assertEquals([record.unlisted, record.rootOnly], ["deny", "warn"]);
  assertEquals(record.certificates.length, 2);
  const [wildcard, address] = record.entries.values();
  assertEquals(
    [wildcard.pattern, wildcard.wildcard, wildcard.includeSubdomains],
    ["*.example.com", true, false],
  );
  assertEquals(
    [wildcard.mode, wildcard.require, wildcard.onExpiry, wildcard.expiresAt],
    ["enforce", "any", "block", undefined],
  );
  assertEquals(wildcard.rules.map(({ role }) => role), [undefined, "leaf"]);
  assertEquals(wildcard.rules[1].pointer, "/hosts/*.Example.com/pins/1");
  assertEquals(address.expiresAt, Date.UTC(2027, 5, 1, 0, 0, 0, 500));
  assertEquals(address.rules.map(({ role }) => role), ["ca", "root"]);
  assertEquals(address.rules[0].certificate?.der, minted.leaf.der);
  assertEquals([address.pattern, address.host.kind], ["::1", "ip"]);
});

Deno.test("readPolicy() names the finding that stands for a problem", () => {
  const { problems, record } = readPolicy(
    hostDocument({ require: "each-role", pins: [PIN] }),
  );
  assertEquals(record, undefined);
  assertEquals(problems.map(({ finding }) => finding), [
    "each-role-without-roles",
  ]);
});

Deno.test("findEntry() takes the exact entry, then the longest suffix, then *. before includeSubdomains", () => {
  const record = policyRecordOf(parse({
    version: 1,
    hosts: {
      "example.com": { includeSubdomains: true, pins: [PIN] },
      "*.example.com": { pins: [PIN] },
      "www.example.com": { pins: [PIN] },
      "b.a.example.com": { includeSubdomains: true, pins: [PIN] },
      "*.only.test": { pins: [PIN] },
      "exact.test": { pins: [PIN] },
      "10.0.0.1": { pins: [PIN] },
      "test": { pins: [PIN] },
    },
  }));
  const cases: readonly [hostname: string, pattern: string | undefined][] = [
    ["www.example.com", "www.example.com"],
    ["WWW.example.com.", "www.example.com"],
    ["example.com", "example.com"],
    ["api.example.com", "*.example.com"],
    ["x.api.example.com", "example.com"],
    ["x.y.z.example.com", "example.com"],
    ["x.www.example.com", "example.com"],
    ["a.example.com", "*.example.com"],
    ["b.a.example.com", "b.a.example.com"],
    ["c.b.a.example.com", "b.a.example.com"],
    ["d.c.b.a.example.com", "b.a.example.com"],
    ["cb.a.example.com", "example.com"],
    ["x.only.test", "*.only.test"],
    ["only.test", undefined],
    ["y.x.only.test", undefined],
    ["exact.test", "exact.test"],
    ["sub.exact.test", undefined],
    ["notexample.com", undefined],
    ["com", undefined],
    ["10.0.0.1", "10.0.0.1"],
    ["10.0.0.2", undefined],
    ["::1", undefined],
  ];
  for (const [hostname, pattern] of cases) {
    const entry = findEntry(record, canonicalHost(hostname));
    assertEquals(entry?.pattern, pattern, hostname);
  }
});

Deno.test("findEntry() finds what a plain search over all entries finds", () => {
  const label = fc.constantFrom("a", "b", "c");
  const name = fc.array(label, { minLength: 1, maxLength: 4 }).map((parts) =>
    parts.join(".")
  );
  const host = fc.tuple(name, fc.constantFrom("exact", "wildcard", "deep"));
  fc.assert(
    fc.property(fc.array(host, { maxLength: 8 }), name, (entries, hostname) => {
      const hosts: Record<
        string,
        { includeSubdomains?: boolean; pins: string[] }
      > = {};
      for (const [text, kind] of entries) {
        hosts[kind === "wildcard" ? `*.${text}` : text] = {
          pins: [PIN],
          ...kind === "deep" && { includeSubdomains: true },
        };
      }
      const record = policyRecordOf(parsePolicy({ version: 1, hosts }));
      const found = findEntry(record, canonicalHost(hostname));
      const depth = (suffix: string) =>
        hostname.endsWith(`.${suffix}`)
          ? hostname.slice(0, -suffix.length - 1).split(".").length
          : -1;
      const ranked = [...record.entries.values()].flatMap((entry) => {
        const suffix = entry.host.text;
        if (entry.pattern === hostname) return [{ entry, rank: Infinity }];
        if (entry.wildcard && depth(suffix) === 1) {
          return [{ entry, rank: suffix.length + 0.5 }];
        }
        return entry.includeSubdomains && depth(suffix) >= 1
          ? [{ entry, rank: suffix.length }]
          : [];
      }).sort((one, other) => other.rank - one.rank);
      assertStrictEquals(found, ranked[0]?.entry);
    }),
    { seed: 6, numRuns: 1_000 },
  );
});

Deno.test("parsePolicy() gives a policy or a CertpinError, whatever it is given", () => {
  const strange = fc.anything({
    withDate: true,
    withMap: true,
    withBigInt: true,
  });
  const near = fc.constantFrom(...good, ...bad).chain(([, document]) => {
    const text = JSON.stringify(document);
    return fc.tuple(fc.nat(text.length), fc.nat(5), fc.string({ maxLength: 3 }))
      .map(
        ([at, cut, insert]) =>
          text.slice(0, at) + insert + text.slice(at + cut),
      );
  });
  const inside = fc.tuple(
    strange,
    fc.constantFrom("version", "hosts", "unlisted", "certificates"),
  )
    .map(([value, key]) => ({ ...pinDocument(PIN), [key]: value }));
  fc.assert(
    fc.property(fc.oneof(strange, near, inside), (input) => {
      try {
        parse(input);
      } catch (error) {
        assert(error instanceof CertpinError, String(error));
      }
    }),
    { seed: 7, numRuns: 1_500 },
  );
});
