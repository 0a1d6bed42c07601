/** What a pinner keeps, hands out and tells. */
import {
  assert,
  assertEquals,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import type { CryptoRoutine } from "../../../src/crypto/routine.ts";
import { answerWithWebCrypto } from "../../../src/crypto/webcrypto.ts";
import { CertpinError, type ErrorCode } from "../../../src/errors.ts";
import { MAX_REMEMBERED_WARNINGS } from "../../../src/limits.ts";
import { anchorStore } from "../../../src/path/anchors.ts";
import {
  anchorsOf,
  createPinner,
  evaluateRoutine,
  isPinner,
  type Peer,
  type Pinner,
  type PinnerOptions,
  validUntil,
  type Verdict,
} from "../../../src/pinner/pinner.ts";
import { parsePin } from "../../../src/pins/pin.ts";
import type { PolicyInput } from "../../../src/policy/document.ts";
import { parsePolicy } from "../../../src/policy/policy.ts";
import { mintChain } from "../../../src/testing/mod.ts";
import {
  anchors,
  HOST,
  minted,
  NOW,
  other,
  parsed,
  peerOf,
  pinnerOf,
  pins,
  policyOf,
  say,
} from "./scene.ts";

async function codeOf(call: () => unknown): Promise<ErrorCode> {
  const error = await assertRejects(async () => {
    await call();
  }, CertpinError);
  return error.code;
}

Deno.test("enforce() gives the verdict, or throws its error", async () => {
  const pinner = pinnerOf();
  assertEquals(say(await pinner.enforce(peerOf())), "allow pinned");
  assertEquals(
    await codeOf(() => pinner.enforce(peerOf({ chain: [] }))),
    "ERR_CERTPIN_PATH_EMPTY_CHAIN",
  );
  pinner.update(policyOf({ pins: [pins.backup] }));
  assertEquals(
    await codeOf(() => pinner.enforce(peerOf())),
    "ERR_CERTPIN_MISMATCH",
  );
  pinner.update(policyOf({ pins: [pins.backup], mode: "report-only" }));
  assertEquals((await pinner.enforce(peerOf())).reason, "report-only");
});

Deno.test("createPinner() takes a policy, a document or JSON text, and nothing else", async () => {
  const policy = policyOf();
  for (const input of [policy, JSON.stringify(policy), parsePolicy(policy)]) {
    const pinner = pinnerOf(input as PolicyInput);
    assertEquals(say(await pinner.check(peerOf())), "allow pinned");
  }
  for (
    const input of ["./pins.json", {}, undefined, Promise.resolve(policy), {
      anchors,
    }]
  ) {
    const code = await codeOf(() => createPinner(input as PolicyInput));
    assertEquals(code, "ERR_CERTPIN_POLICY_INVALID");
  }
  for (const name of ["anchors", "publicAnchors"]) {
    const code = await codeOf(() =>
      pinnerOf(policy, { [name]: [{ ...anchors[0] }] })
    );
    assertEquals(code, "ERR_CERTPIN_CERTIFICATE_FOREIGN");
  }
  for (
    const limits of [{ signatures: -1 }, { steps: 1 }, { candidates: NaN }]
  ) {
    assertThrows(() => pinnerOf(policy, { limits }), RangeError);
  }
});

Deno.test("a pinner is frozen, needs no this, and is told from other objects", async () => {
  const pinner = pinnerOf();
  assert(Object.isFrozen(pinner) && isPinner(pinner));
  const { check, enforce, pinsFor, update } = pinner;
  assertEquals(say(await check(peerOf())), "allow pinned");
  update(policyOf({ pins: [pins.backup] }));
  assertEquals(`${pinsFor(HOST)}`, pins.backup);
  assertEquals(await codeOf(() => enforce(peerOf())), "ERR_CERTPIN_MISMATCH");
  for (
    const foreign of [{ ...pinner }, Object.create(pinner), null, undefined, 1]
  ) {
    assert(!isPinner(foreign));
    assertThrows(
      () => evaluateRoutine(foreign as Pinner, peerOf() as never),
      TypeError,
    );
  }
});

Deno.test("the pin of a certificate can be written as JSON before it is hashed, and is no pin then", async () => {
  const certificate = minted.leaf.pem;
  const pinner = pinnerOf(policyOf({
    pins: [{ certificate, of: "certificate" }, { certificate }, pins.leaf],
  }));
  const written = () => JSON.parse(JSON.stringify(pinner.pinsFor(HOST)));
  const [whole, key, text] = written();
  for (const one of [whole, key]) assertThrows(() => parsePin(one));
  assertEquals(text, pins.leaf);
  await pinner.check(peerOf());
  assertEquals(parsePin(written()[0]).of, "certificate");
  assertEquals(written().slice(1), [pins.leaf, pins.leaf]);
});

Deno.test("createPinner() refuses options that it would pass over, and anchors that are no list of certificates", async () => {
  const make = (options: unknown) =>
    createPinner(policyOf(), options as PinnerOptions);
  const [anchor] = anchors;
  make({ anchors: [anchor], publicAnchors: undefined });
  make({ anchor: undefined });
  for (
    const options of [
      null,
      1,
      { anchor: [anchor] },
      { hasOwnProperty: 1 },
      { anchors: anchor },
    ]
  ) assertThrows(() => make(options), TypeError);
  const { pem, der } = minted.root;
  for (const name of ["anchors", "publicAnchors"]) {
    for (const value of [pem, [pem], der, [der], [anchor, {}], null, {}]) {
      assertEquals(
        await codeOf(() => make({ [name]: value })),
        "ERR_CERTPIN_CERTIFICATE_FOREIGN",
      );
    }
  }
});

Deno.test("changes to the options after createPinner() go nowhere", async () => {
  const list = [...anchors];
  const options: PinnerOptions = {
    anchors: list,
    now: () => NOW,
    onWarning: () => {},
  };
  const pinner = createPinner(policyOf(), options);
  list.length = 0;
  list.push(...parsed(other.root));
  options.now = () => new Date(0);
  options.anchors = [];
  assertEquals(say(await pinner.check(peerOf())), "allow pinned");
  assertEquals(anchorsOf(pinner)?.size, 1);
  assertEquals(anchorsOf(createPinner(policyOf())), undefined);
});

Deno.test("pinsFor() gives the pins of the entry that holds", async () => {
  const pinner = pinnerOf({
    version: 1,
    hosts: {
      [HOST]: { pins: [pins.leaf, pins.backup] },
      "*.example.com": { pins: [pins.root] },
    },
  });
  const texts = (hostname: string) => pinner.pinsFor(hostname).map(String);
  assertEquals(texts("API.example.com."), [pins.leaf, pins.backup]);
  assertEquals(texts("www.example.com"), [pins.root]);
  assertEquals(texts("example.com"), []);
  assert(Object.isFrozen(pinner.pinsFor(HOST)));
  assertEquals(
    await codeOf(() => pinner.pinsFor("a b")),
    "ERR_CERTPIN_HOST_INVALID",
  );
});

Deno.test("the pin of a certificate has no digest until it is hashed, which a check awaits", async () => {
  const pinner = pinnerOf(
    policyOf({ pins: [{ certificate: minted.leaf.pem }] }),
  );
  const [pin] = pinner.pinsFor(HOST);
  assertEquals([pin.of, pin.hash], ["spki", "sha256"]);
  assertEquals(await codeOf(() => pin.digest), "ERR_CERTPIN_PIN_FORMAT");
  await pinner.check(peerOf());
  assertEquals(`${pin}`, pins.leaf);
});

Deno.test("update() puts a policy in place whole or not at all", async () => {
  const pinner = pinnerOf();
  const before = pinner.policy;
  for (
    const bad of [
      "",
      "{}",
      policyOf({ pins: [] }),
      policyOf({ pins: ["sha1/AAAA"] }),
    ]
  ) {
    const code = await codeOf(() => pinner.update(bad));
    assertEquals(code, "ERR_CERTPIN_POLICY_INVALID");
    assertStrictEquals(pinner.policy, before);
    assertEquals(say(await pinner.check(peerOf())), "allow pinned");
  }
  const next = parsePolicy(policyOf({ pins: [pins.backup] }));
  pinner.update(next);
  assertStrictEquals(pinner.policy, next);
  assertEquals(say(await pinner.check(peerOf())), "block mismatch MISMATCH");
});

Deno.test("a evaluation under way ends by the policy that it began with", async () => {
  const pinner = pinnerOf();
  const before = pinner.check(peerOf());
  const steps = evaluateRoutine(pinner, {
    hostname: HOST,
    chain: minted.chain,
  });
  pinner.update(policyOf({ pins: [pins.backup] }));
  assertEquals(say(await before), "allow pinned");
  assertEquals(say((await drive(steps)).result), "allow pinned");
  assertEquals(say(await pinner.check(peerOf())), "block mismatch MISMATCH");
});

/** Runs steps over WebCrypto and counts what they ask for. */
async function drive<T>(
  steps: CryptoRoutine<T>,
): Promise<{ result: T; digests: number; signatures: number }> {
  let [digests, signatures] = [0, 0];
  let next = steps.next();
  while (!next.done) {
    if (next.value.kind === "digest") digests += next.value.data.length;
    else signatures++;
    next = steps.next(await answerWithWebCrypto(next.value));
  }
  return { result: next.value, digests, signatures };
}

const evaluate = (pinner: Pinner, change: Partial<Peer> = {}) =>
  drive(evaluateRoutine(pinner, {
    hostname: HOST,
    chain: change.chain ?? minted.chain,
    ...change.anchors && { anchors: anchorStore(change.anchors) },
  }));

Deno.test("a chain seen before costs its digests alone", async () => {
  const pinner = pinnerOf();
  const first = await evaluate(pinner);
  assertEquals(first.signatures, 2);
  const second = await evaluate(pinner);
  assertEquals([second.signatures, second.digests], [0, minted.chain.length]);
  assertEquals(say(second.result), say(first.result));
  // A longer chain costs what is new of it.
  const longer = await evaluate(pinner, {
    chain: [...minted.chain, ...other.chain],
  });
  assertEquals(longer.result.reason, "pinned");
  // A fresh pinner shares nothing.
  assertEquals((await evaluate(pinnerOf())).signatures, 2);
});

Deno.test("a warm cache gives the cold verdict under another time, hostname, anchor set or policy", async () => {
  let now = NOW;
  const warm = pinnerOf(policyOf(), { now: () => now });
  await warm.check(peerOf());
  const second: PolicyInput = {
    version: 1,
    unlisted: "allow",
    hosts: {
      "b.example": { pins: [pins.leaf] },
      [HOST]: { pins: [pins.root] },
    },
  };
  const changes: readonly [Date, Partial<Peer>, PolicyInput][] = [
    [new Date("2040-01-01"), {}, policyOf()],
    [new Date("2000-01-01"), {}, policyOf()],
    [NOW, { hostname: "b.example" }, second],
    [NOW, { hostname: "c.example" }, second],
    [NOW, { anchors: [] }, policyOf()],
    [NOW, { anchors: parsed(other.root) }, policyOf()],
    [NOW, {}, second],
    [NOW, {}, policyOf({ pins: [pins.backup] })],
    [NOW, { chain: minted.chain.slice(0, 1) }, policyOf()],
    [NOW, {}, policyOf()],
  ];
  const seen = new Set<string>();
  for (const [at, peer, policy] of changes) {
    now = at;
    warm.update(policy);
    const cold = pinnerOf(policy, { now: () => at });
    const said = say(await warm.check(peerOf(peer)));
    assertEquals(said, say(await cold.check(peerOf(peer))));
    seen.add(said);
  }
  assert(seen.size >= 7);
  assertEquals(say(await warm.check(peerOf())), "allow pinned");
});

Deno.test("validUntil() is the earliest end of the path, and of the pin set where that blocks", async () => {
  const leafEnd = minted.leaf.notAfter.getTime();
  const until = async (policy: PolicyInput, peer: Partial<Peer> = {}) =>
    validUntil(await pinnerOf(policy).check(peerOf(peer)));
  const early = "2027-01-05T00:00:00Z";
  const late = "2037-01-05T00:00:00Z";
  assertEquals(await until(policyOf()), leafEnd);
  assertEquals(await until(policyOf({ expiresAt: early })), Date.parse(early));
  assertEquals(await until(policyOf({ expiresAt: late })), leafEnd);
  assertEquals(
    await until(policyOf({ expiresAt: early, onExpiry: "allow" })),
    leafEnd,
  );
  assertEquals(
    await until(policyOf({ expiresAt: early, mode: "report-only" })),
    leafEnd,
  );
  assertEquals(await until(policyOf({ pins: [pins.backup] })), 0);
  assertEquals(
    await until({ version: 1, unlisted: "allow", hosts: {} }),
    leafEnd,
  );
  assertEquals(
    await until({ version: 1, unlisted: "allow", hosts: {} }, {
      platformValidated: true,
    }),
    leafEnd,
  );
  assertEquals(validUntil({} as Verdict), 0);
});

/** What `console.warn` was given while `body` ran. */
async function warned(body: () => Promise<unknown>): Promise<string[]> {
  const { warn } = console;
  const lines: string[] = [];
  console.warn = (line: string) => lines.push(line);
  try {
    await body();
  } finally {
    console.warn = warn;
  }
  return lines;
}

Deno.test("warnings go to console.warn once for each hostname and code", async () => {
  const soon = "2027-01-05T00:00:00Z";
  const policy: PolicyInput = {
    version: 1,
    unlisted: "allow",
    hosts: { [HOST]: { pins: [pins.root], expiresAt: soon } },
  };
  const pinner = pinnerOf(policy, { onWarning: undefined });
  const lines = await warned(async () => {
    for (let round = 0; round < 3; round++) await pinner.check(peerOf());
  });
  assertEquals(lines.length, 2);
  assert(lines[0].includes("expires-soon") && lines[1].includes("root-only"));
  assert(lines.every((line) => line.includes(HOST)));
  assertEquals((await warned(() => pinner.check(peerOf()))).length, 0);
  pinner.update(policy);
  assertEquals((await warned(() => pinner.check(peerOf()))).length, 2);
});

Deno.test("the memory of warnings is bounded", async () => {
  const pinner = pinnerOf(
    { version: 1, unlisted: "allow", hosts: {} },
    { onWarning: undefined, anchors: undefined },
  );
  const hostnames = Array.from(
    { length: MAX_REMEMBERED_WARNINGS + 1 },
    (_, at) => `h${at}.example`,
  );
  const all = (names: readonly string[]) =>
    warned(async () => {
      for (const hostname of names) {
        await pinner.check(peerOf({ hostname, platformValidated: true }));
      }
    });
  assertEquals((await all(hostnames)).length, hostnames.length);
  assertEquals((await all(hostnames.slice(-10))).length, 0);
  // The first was forgotten for the last.
  assertEquals((await all(hostnames.slice(0, 1))).length, 1);
});

Deno.test("onWarning is given every finding of every verdict, with the hostname", async () => {
  const heard: string[] = [];
  const pinner = pinnerOf(policyOf({ pins: [pins.root] }), {
    onWarning: ({ hostname, code, severity, pointer }) => {
      heard.push(`${hostname} ${code} ${severity} ${pointer}`);
    },
  });
  const expected = `${HOST} root-only warning /hosts/${HOST}/pins/0`;
  assertEquals(
    await warned(async () => {
      await pinner.check(peerOf());
      await pinner.check(peerOf({ hostname: `${HOST}.` }));
    }),
    [],
  );
  assertEquals(heard, [expected, expected]);
});

Deno.test("a verdict in JSON says what was decided, and why", async () => {
  const json = async (policy: PolicyInput) =>
    JSON.parse(JSON.stringify(await pinnerOf(policy).check(peerOf())));
  const allowed = await json(policyOf());
  assertEquals(
    [allowed.decision, allowed.reason, allowed.hostname, allowed.matched],
    ["allow", "pinned", HOST, [{ pin: pins.leaf, role: "leaf" }]],
  );
  assertEquals(allowed.path.certificates.length, 3);
  assertEquals([allowed.path.anchored, "error" in allowed], [true, false]);
  const blocked = await json(policyOf({ pins: [pins.backup] }));
  assertEquals(blocked.error.code, "ERR_CERTPIN_MISMATCH");
  assertEquals(blocked.matched, []);
});

Deno.test("a verdict's type tells by its decision whether there is an error", async () => {
  const verdict = await pinnerOf().check(peerOf());
  if (verdict.decision === "block") {
    const error: CertpinError = verdict.error;
    throw error;
  }
  const reason:
    | "pinned"
    | "unlisted"
    | "report-only"
    | "expired"
    | "root-only" = verdict.reason;
  assertEquals(reason, "pinned");
});

Deno.test("checks of many peers at once do not meet", async () => {
  const chains = await Promise.all(
    Array.from(
      { length: 4 },
      (_, at) => mintChain({ hostnames: [`h${at}.example`], now: NOW }),
    ),
  );
  const pinner = pinnerOf({
    version: 1,
    hosts: Object.fromEntries(
      chains.map((one, at) => [`h${at}.example`, { pins: [one.pins.leaf] }]),
    ),
  });
  const wanted: string[] = [];
  const checks = chains.flatMap((one, at) =>
    chains.map((shown, index) => {
      wanted.push(at === index ? "allow" : "block");
      return pinner.check({
        hostname: `h${at}.example`,
        chain: shown.chain,
        anchors: parsed(one.root, shown.root),
      });
    })
  );
  assertEquals(
    (await Promise.all(checks)).map(({ decision }) => decision),
    wanted as "allow"[],
  );
});
