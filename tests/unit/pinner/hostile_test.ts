/** Peers, clocks and callbacks that misbehave. */
import { assert, assertEquals } from "@std/assert";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { CertpinError, PinMismatchError } from "../../../src/errors.ts";
import { anchorStore } from "../../../src/path/anchors.ts";
import {
  createPinner,
  evaluateRoutine,
  type Peer,
  type Report,
  type Verdict,
} from "../../../src/pinner/pinner.ts";
import {
  mintAttacks,
  mintCertificate,
  mintChain,
  mintKey,
} from "../../../src/testing/mod.ts";
import { MAX_CHAIN_BYTES } from "../../../src/limits.ts";
import { parseCertificates } from "../../../src/x509/certificate.ts";
import { runWithNodeCrypto } from "../../../src/tls/node_crypto.ts";
import {
  anchors,
  ask,
  HOST,
  minted,
  NOW,
  other,
  peerOf,
  pinnerOf,
  pins,
  policyOf,
  say,
} from "./scene.ts";

const check = (peer: unknown): Promise<Verdict> =>
  pinnerOf().check(peer as Peer);

function throwing(): never {
  throw new RangeError("hostile");
}

Deno.test("check() blocks peers that are no peers, and throws at none", async () => {
  const [leaf] = minted.chain;
  const hostile: unknown[] = [
    ...[undefined, null, 1, "peer", [], {}, () => {}],
    { hostname: HOST },
    { chain: minted.chain },
    ...[undefined, null, 1, {}, Symbol(), [HOST]].map((hostname) =>
      peerOf({ hostname: hostname as string })
    ),
    ...[
      null,
      "chain",
      {},
      leaf,
      new Set(minted.chain),
      { length: 1, 0: leaf },
      [undefined],
      [null],
      [[...leaf]],
      [leaf.buffer],
      [new DataView(leaf.buffer)],
      [new Uint16Array(4)],
      ["MII"],
      [leaf, {}],
      [new Uint8Array()],
      new Array(101).fill(leaf),
      new Array(2 ** 32 - 1),
      new Proxy([leaf], { get: throwing }),
      Object.defineProperty([leaf], "0", { get: throwing }),
    ].map((chain) => peerOf({ chain: chain as Uint8Array[] })),
    Object.defineProperty(peerOf(), "hostname", { get: throwing }),
    Object.defineProperty(peerOf(), "chain", { get: throwing }),
    Object.defineProperty(peerOf(), "anchors", { get: throwing }),
    Object.defineProperty(peerOf(), "platformValidated", { get: throwing }),
    new Proxy(peerOf(), { get: throwing }),
    ...[
      null,
      {},
      [{}],
      [undefined],
      ["-----BEGIN"],
      new Proxy([], { get: throwing }),
    ].map((one) => peerOf({ anchors: one as unknown as Peer["anchors"] })),
  ];
  for (const [index, peer] of hostile.entries()) {
    const verdict = await check(peer);
    assertEquals(
      [verdict.decision, verdict.reason],
      ["block", "invalid-chain"],
      `${index}`,
    );
    const name = verdict.error!.name;
    assert(
      ["PathError", "CertificateError", "LimitError"].includes(name),
      name,
    );
    assert(Object.isFrozen(verdict));
    JSON.stringify(verdict);
  }
  assertEquals(say(await check(peerOf())), "allow pinned");
});

Deno.test("a chain whose length is none gives no empty copy, even where nothing else is looked at", async () => {
  const policy = policyOf({}, { unlisted: "allow" });
  const peer = { hostname: "unlisted.example", platformValidated: true };
  const withLength = (length: unknown) =>
    new Proxy([...minted.chain], {
      get: (target, key) =>
        key === "length" ? length : Reflect.get(target, key),
    });
  for (const length of [0, 0.5, -1, NaN, "2", 2 ** 53, Infinity]) {
    assertEquals(
      await ask(policy, { ...peer, chain: withLength(length) }),
      "block invalid-chain PATH_EMPTY_CHAIN",
      `${length}`,
    );
  }
  assertEquals(
    await ask(policy, { ...peer, chain: withLength(2) }),
    "allow unlisted unlisted-allowed",
  );
});

Deno.test("bytes of another realm are bytes, and what merely says so is none", async () => {
  const elsewhere = minted.chain.map((der) => {
    const bytes: Uint8Array = runInNewContext("new Uint8Array(length)", {
      length: der.length,
    });
    bytes.set(der);
    return bytes;
  });
  assert(!(elsewhere[0] instanceof Uint8Array));
  assertEquals(await ask(undefined, { chain: elsewhere }), "allow pinned");
  assertEquals(parseCertificates(elsewhere).length, minted.chain.length);
  const [leaf, ...rest] = minted.chain;
  for (const one of [[...leaf], new DataView(leaf.buffer)]) {
    Object.defineProperty(one, Symbol.toStringTag, { value: "Uint8Array" });
    assertEquals(
      await ask(undefined, { chain: [one as unknown as Uint8Array, ...rest] }),
      "block invalid-chain CERTIFICATE_DER",
    );
  }
});

Deno.test("platformValidated counts only where it is true itself", async () => {
  for (const platformValidated of [1, "true", {}] as unknown as boolean[]) {
    const open = { anchors: undefined };
    assertEquals(
      await ask(undefined, { platformValidated }, open),
      "block invalid-chain PATH_NO_ISSUER",
    );
  }
});

Deno.test("a peer cannot bring the platform's store along", async () => {
  const policy = policyOf({ pins: [pins.root] });
  const store = anchorStore(anchors);
  const severities: string[] = [];
  const pinner = pinnerOf(policy, {
    publicAnchors: parseCertificates(other.ca),
    onWarning: ({ severity }) => severities.push(severity),
  });
  await pinner.check(peerOf());
  await pinner.check({ ...peerOf(), publicAnchors: store } as Peer);
  assertEquals(severities, ["info", "info"]);
});

Deno.test("what exceeds a limit is not even copied or hashed", async () => {
  let read = 0;
  const chain = new Proxy(new Array<Uint8Array>(101).fill(minted.chain[0]), {
    get(target, key, receiver) {
      if (key === "0") read++;
      return Reflect.get(target, key, receiver);
    },
  });
  const long = await pinnerOf().check(peerOf({ chain }));
  assertEquals([long.error?.code, read], ["ERR_CERTPIN_LIMIT_CHAIN_LENGTH", 0]);
  const steps = evaluateRoutine(pinnerOf(), {
    hostname: HOST,
    chain: [minted.chain[0], new Uint8Array(65_537)],
  });
  const first = steps.next();
  assert(first.done);
  assertEquals(first.value.error?.code, "ERR_CERTPIN_LIMIT_CERTIFICATE_SIZE");
  assert(
    !evaluateRoutine(pinnerOf(), { hostname: HOST, chain: minted.chain }).next()
      .done,
  );
});

Deno.test("a chain has as many bytes as are allowed, and not one more", async () => {
  // Signatures of Ed25519 are all of one length.
  const key = await mintKey("Ed25519");
  const padded = async (length: number) => {
    const value = new Uint8Array(length);
    const extraExtensions = [{ oid: "1.2.3.4", value }];
    const serialNumber = Uint8Array.of(1);
    return (await mintCertificate({ key, serialNumber, extraExtensions })).der;
  };
  const large = await padded(50_000);
  const chain = [...minted.chain, ...new Array(4).fill(large)];
  const rest = MAX_CHAIN_BYTES -
    chain.reduce((sum, { length }) => sum + length, 0);
  const head = (await padded(40_000)).length - 40_000;
  const most = [...chain, await padded(rest - head)];
  assertEquals(await ask(undefined, { chain: most }), "allow pinned");
  const more = [...chain, await padded(rest - head + 1)];
  assertEquals(
    await ask(undefined, { chain: more }),
    "block invalid-chain LIMIT_CHAIN_LENGTH",
  );
});

Deno.test("bytes that change after the call do not change the verdict", async () => {
  const chain = minted.chain.map((der) => der.slice());
  const peer = { hostname: HOST, chain };
  const pinner = pinnerOf();
  const good = pinner.check(peer);
  const evil = other.chain.map((der) => der.slice());
  for (const [index, der] of chain.entries()) {
    der.set(evil[index].subarray(0, der.length));
  }
  chain.length = 0;
  peer.hostname = "evil.example";
  assertEquals(say(await good), "allow pinned");
  assertEquals((await good).hostname, HOST);

  const bad = pinner.check({ hostname: HOST, chain: evil });
  evil.splice(0, evil.length, ...minted.chain.map((der) => der.slice()));
  assertEquals((await bad).decision, "block");
});

Deno.test("what a verdict hands out cannot be used to change it", async () => {
  const verdict = await pinnerOf(minted.policy).check(peerOf());
  for (
    const one of [
      verdict,
      verdict.matched,
      verdict.matched[0],
      verdict.matched[0].pin,
      verdict.warnings,
      verdict.path!,
      verdict.path!.certificates,
    ]
  ) assert(Object.isFrozen(one));
  verdict.matched[0].pin.digest.fill(0);
  verdict.matched[0].certificate.der.fill(0);
  assertEquals(`${verdict.matched[0].pin}`, pins.leaf);
  assertEquals(
    say(await pinnerOf(minted.policy).check(peerOf())),
    "allow pinned",
  );
});

Deno.test("callbacks that throw or reject change no verdict", async () => {
  const told: string[] = [];
  const callbacks = [
    () => throwing(),
    () => Promise.reject(new Error("later")),
    () => ({
      get then() {
        return throwing();
      },
    }),
    () => null,
  ];
  const softened = policyOf({ pins: [pins.root], mode: "report-only" }, {
    rootOnly: "deny",
  });
  const denied = policyOf({ pins: [pins.root] }, { rootOnly: "deny" });
  for (const callback of callbacks) {
    const options = {
      onWarning: () => {
        told.push("warning");
        return callback();
      },
      onReport: () => {
        told.push("report");
        return callback();
      },
    };
    assertEquals(
      await ask(softened, {}, options),
      "allow report-only ROOT_ONLY root-only report-only",
    );
    assertEquals(await ask(denied, {}, options), "block root-only ROOT_ONLY");
  }
  const each = ["warning", "warning", "report", "report"];
  assertEquals(told, callbacks.flatMap(() => each));
  // Unhandled rejections would fail the run.
  await new Promise((resolve) => setTimeout(resolve, 0));
});

Deno.test("callbacks are given frozen things, and their changes go nowhere", async () => {
  const frozen: boolean[] = [];
  const note = (value: object) => {
    frozen.push(Object.isFrozen(value));
    try {
      Object.assign(value, { severity: "info", decision: "allow" });
    } catch {
      // As it should be.
    }
  };
  const policy = policyOf({
    pins: [pins.root],
    expiresAt: "2027-01-02T00:00:00Z",
  });
  await ask(policy, {}, { onWarning: note });
  await ask(policyOf({ pins: [pins.backup] }), {}, {
    onReport: (report: Report) => {
      note(report);
      note(report.verdict);
    },
  });
  assertEquals(frozen, [true, true, true, true]);
});

Deno.test("a crypto engine that fails blocks", async () => {
  const { digest } = crypto.subtle;
  const pinner = pinnerOf();
  assertEquals(say(await pinner.check(peerOf())), "allow pinned");
  try {
    crypto.subtle.digest = () => Promise.reject(new Error("no engine"));
    assertEquals(
      say(await pinner.check(peerOf())),
      "block invalid-chain PATH_NO_ISSUER",
    );
  } finally {
    crypto.subtle.digest = digest;
  }
  assertEquals(say(await pinner.check(peerOf())), "allow pinned");
});

Deno.test("text from a certificate is shown escaped in every error", async () => {
  const evil = "a\u001b[31m\u202e\n<script>|\"'";
  const chain = await mintChain({
    hostnames: [HOST],
    now: NOW,
    leaf: { subject: evil },
    name: evil,
  });
  const peer = peerOf({ chain: chain.chain });
  const trusted = parseCertificates(chain.ca);
  const errors = [
    (await pinnerOf().check({ ...peer, anchors: trusted })).error!,
    (await pinnerOf().check(peer)).error!,
    (await pinnerOf().check({ ...peer, hostname: `${HOST}\u001b[31m` })).error!,
  ];
  for (const error of errors) {
    const isSafe = [...error.message].every((one) =>
      one === "\n" || (one >= " " && one !== "\u202e")
    );
    assert(isSafe, error.code);
  }
  assert(errors[0].message.includes("script"));
  assert(errors[0] instanceof PinMismatchError);
  for (const { subject } of errors[0].observed) {
    assert(/^[ -~]+$/.test(subject) && subject.includes("script"), subject);
  }
});

Deno.test("mutated chains give a verdict, and an allow only with the right leaf", async () => {
  const pinner = pinnerOf(undefined, { anchors });
  const mutation = fc.record({
    certificate: fc.nat(1),
    at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    byte: fc.nat(255),
    cut: fc.nat(3),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(mutation, { minLength: 1, maxLength: 3 }),
      async (mutations) => {
        const chain = minted.chain.map((der) => der.slice());
        for (const { certificate, at, byte, cut } of mutations) {
          const der = chain[certificate];
          der[Math.floor(at * der.length)] = byte;
          if (cut > 0) chain[certificate] = der.slice(0, der.length - cut + 1);
        }
        const verdict = await pinner.check({ hostname: HOST, chain });
        if (verdict.decision === "block") {
          assert(verdict.error instanceof CertpinError);
          return;
        }
        assertEquals(verdict.path!.certificates[0].der, minted.leaf.der);
      },
    ),
    { seed: 9, numRuns: 300 },
  );
});

Deno.test("every attack of the catalogue is refused by its code and its control allowed, over both drivers", async () => {
  const wrong: string[] = [];
  for (
    const { name, codes, attack, control } of await mintAttacks({ now: NOW })
  ) {
    for (
      const [side, isAttack] of [[attack, true], [control, false]] as const
    ) {
      const pinner = createPinner(side.policy, {
        anchors: parseCertificates(side.anchors),
        now: () => NOW,
        onWarning: () => {},
      });
      const peer = { hostname: side.hostname, chain: side.chain };
      const verdict = await pinner.check(peer);
      const again = runWithNodeCrypto(evaluateRoutine(pinner, peer));
      if (say(verdict) !== say(again)) wrong.push(`${name}: drivers differ`);
      const isRight = isAttack
        ? verdict.decision === "block" && codes.includes(verdict.error.code)
        : verdict.decision === "allow";
      if (!isRight) wrong.push(`${name} ${isAttack}: ${say(verdict)}`);
    }
  }
  assertEquals(wrong, []);
});

Deno.test("the order of the presented certificates never changes a verdict, nor do strangers turn a block into an allow", async () => {
  const long = await mintChain({
    hostnames: [HOST],
    now: NOW,
    intermediates: 4,
  });
  const trusted = parseCertificates(long.ca);
  const strangers = [
    ...other.chain,
    ...minted.chain,
    ...minted.intermediates.map(({ der }) => der),
  ];
  const policies = [
    policyOf({ pins: [long.pins.intermediates[2]] }),
    policyOf({ pins: [pins.leaf, other.pins.leaf] }),
    policyOf({ pins: [long.pins.root] }, { rootOnly: "deny" }),
  ];
  const pinners = policies.map((policy) =>
    pinnerOf(policy, { anchors: trusted })
  );
  const rest = long.chain.slice(1);
  const cases = fc.record({
    order: fc.shuffledSubarray(rest, { minLength: rest.length }),
    extra: fc.shuffledSubarray(strangers),
    at: fc.nat(4),
    drop: fc.boolean(),
  });
  const expected = [
    "allow pinned",
    "block mismatch MISMATCH",
    "block root-only ROOT_ONLY",
  ];
  await fc.assert(
    fc.asyncProperty(cases, async ({ order, extra, at, drop }) => {
      const kept = drop ? order.filter((der) => der !== rest[1]) : order;
      const chain = [long.leaf.der, ...kept];
      chain.splice(1 + at, 0, ...extra);
      for (const [index, pinner] of pinners.entries()) {
        const said = say(await pinner.check({ hostname: HOST, chain }));
        if (!drop) assertEquals(said, expected[index]);
        else assertEquals(said, "block invalid-chain PATH_NO_ISSUER");
      }
    }),
    { seed: 10, numRuns: 60 },
  );
});
