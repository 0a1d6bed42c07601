/** The lines of the decision, over minted chains. */
import { assert, assertEquals } from "@std/assert";
import { mintCertificate, mintChain } from "../../../src/testing/mod.ts";
import type { PolicyInput } from "../../../src/policy/document.ts";
import {
  anchors,
  ask,
  ders,
  HOST,
  minted,
  NOW,
  other,
  parsed,
  peerOf,
  pinnerOf,
  pins,
  policyOf,
} from "./scene.ts";

const PAST = "2026-12-31T00:00:00Z";
const { leaf, root } = minted;
const [intermediate] = minted.intermediates;

Deno.test("check() allows a verified path with a pin on it, and says where", async () => {
  const verdict = await pinnerOf(minted.policy).check(peerOf());
  assertEquals(verdict.decision, "allow");
  assertEquals(verdict.reason, "pinned");
  assertEquals(verdict.hostname, HOST);
  assertEquals(
    verdict.matched.map(({ pin, role }) => `${role} ${pin}`),
    [`leaf ${pins.leaf}`, `intermediate ${pins.intermediates[0]}`],
  );
  assertEquals(verdict.matched[0].certificate.der, leaf.der);
  assertEquals(
    verdict.path?.certificates.map(({ der }) => der),
    ders(leaf, intermediate, root),
  );
  assertEquals(verdict.path?.anchored, true);
  assertEquals([verdict.warnings, verdict.error], [[], undefined]);
});

Deno.test("check() refuses hostnames that cannot be canonicalised, and takes every spelling of those that can", async () => {
  for (const hostname of [`${HOST}:443`, "", "a b", "127.1", "[::1"]) {
    assertEquals(
      await ask(undefined, { hostname }),
      "block invalid-chain PATH_HOSTNAME",
    );
  }
  for (
    const hostname of ["API.example.com", `${HOST}.`, "api\u3002example.com"]
  ) {
    assertEquals(await ask(undefined, { hostname }), "allow pinned");
  }
});

Deno.test("check() refuses a peer without a chain before it looks whether the host is listed", async () => {
  for (const hostname of [HOST, "unlisted.example"]) {
    assertEquals(
      await ask(undefined, { hostname, chain: [] }),
      "block invalid-chain PATH_EMPTY_CHAIN",
    );
    assertEquals(
      await ask(undefined, { hostname, chain: [Uint8Array.of(1, 2, 3)] }),
      "block invalid-chain CERTIFICATE_DER",
    );
  }
  assertEquals(await ask(), "allow pinned");
});

Deno.test("check() refuses clocks that give no date", async () => {
  for (
    const now of [
      () => new Date(NaN),
      () => undefined,
      () => "now",
      () => NOW.getTime(),
    ]
  ) {
    assertEquals(
      await ask(undefined, undefined, { now: now as () => Date }),
      "block invalid-chain PATH_EXPIRED",
    );
  }
  assertEquals(
    await ask(undefined, undefined, {
      now() {
        throw new Error("no clock");
      },
    }),
    "block invalid-chain PATH_EXPIRED",
  );
});

Deno.test("check() ends at its limits", async () => {
  const chain = [...minted.chain, ...other.chain];
  const limit = (chainCertificates: number) =>
    ask(undefined, { chain }, { limits: { chainCertificates } });
  assertEquals(await limit(4), "allow pinned");
  assertEquals(await limit(3), "block invalid-chain LIMIT_CHAIN_LENGTH");
  const work = (signatures: number) =>
    ask(undefined, undefined, { limits: { signatures } });
  assertEquals(await work(2), "allow pinned");
  assertEquals(await work(1), "block invalid-chain LIMIT_PATH_WORK");
  assertEquals(
    await ask(undefined, { chain: [...minted.chain, new Uint8Array(65_537)] }),
    "block invalid-chain LIMIT_CERTIFICATE_SIZE",
  );
});

Deno.test("check() refuses unlisted hosts, or allows them on a valid path or a validated connection", async () => {
  const elsewhere = (unlisted: string): PolicyInput => ({
    version: 1,
    unlisted,
    hosts: { "other.example": { pins: [pins.leaf] } },
  });
  assertEquals(await ask(elsewhere("deny")), "block unlisted UNLISTED");
  assertEquals(
    await ask(elsewhere("deny"), { platformValidated: true }),
    "block unlisted UNLISTED",
  );
  assertEquals(
    await ask(elsewhere("allow")),
    "allow unlisted unlisted-allowed",
  );
  const { chain } = other;
  assertEquals(
    await ask(elsewhere("allow"), { chain }),
    "block invalid-chain PATH_SIGNATURE",
  );
  assertEquals(
    await ask(elsewhere("allow"), { chain, platformValidated: true }),
    "allow unlisted unlisted-allowed",
  );
});

Deno.test("check() needs a path to an anchor, valid now, for this host", async () => {
  assertEquals(
    await ask(undefined, { anchors: [] }),
    "block invalid-chain PATH_NO_ISSUER",
  );
  assertEquals(
    await ask(undefined, { anchors }, { anchors: [] }),
    "allow pinned",
  );
  assertEquals(
    await ask(undefined, undefined, { anchors: [] }),
    "block invalid-chain PATH_NO_ISSUER",
  );
  assertEquals(
    await ask(undefined, undefined, { anchors: undefined }),
    "block invalid-chain PATH_NO_ISSUER",
  );
  const at = (iso: string) =>
    ask(undefined, undefined, { now: () => new Date(iso) });
  assertEquals(
    await at("2037-01-01T00:00:00Z"),
    "block invalid-chain PATH_EXPIRED",
  );
  assertEquals(
    await at("2026-01-01T00:00:00Z"),
    "block invalid-chain PATH_NOT_YET_VALID",
  );
  const policy: PolicyInput = {
    version: 1,
    hosts: { "b.example": { pins: [pins.leaf] } },
  };
  assertEquals(
    await ask(policy, { hostname: "b.example" }),
    "block invalid-chain PATH_HOSTNAME",
  );
});

Deno.test("check() builds paths over the policy's certificates too, and trusts none of them", async () => {
  const chain = ders(leaf);
  const certificates = [intermediate.pem];
  assertEquals(
    await ask(undefined, { chain }),
    "block invalid-chain PATH_NO_ISSUER",
  );
  assertEquals(
    await ask(policyOf({}, { certificates }), { chain }),
    "allow pinned",
  );
  assertEquals(
    await ask(policyOf({}, { certificates: [intermediate.pem, root.pem] }), {
      anchors: [],
    }),
    "block invalid-chain PATH_NO_ISSUER",
  );
});

Deno.test("report-only never softens an invalid chain", async () => {
  const policy = policyOf({ mode: "report-only" });
  assertEquals(
    await ask(policy, { anchors: [] }),
    "block invalid-chain PATH_NO_ISSUER",
  );
  assertEquals(await ask(policy), "allow pinned");
});

Deno.test("a path may end early for a validated connection whose anchors cannot be listed, and for no other", async () => {
  const open = { anchors: undefined };
  const seen = { platformValidated: true };
  const role = (name: string, pin = pins.intermediates[0]) =>
    policyOf({ pins: [{ pin, role: name }] });
  assertEquals(await ask(undefined, seen, open), "allow pinned unanchored");
  assertEquals(
    await ask(undefined, {}, open),
    "block invalid-chain PATH_NO_ISSUER",
  );
  assertEquals(
    await ask(undefined, { ...seen, anchors: [] }, open),
    "block invalid-chain PATH_NO_ISSUER",
  );
  assertEquals(
    await ask(undefined, seen, { anchors: [] }),
    "block invalid-chain PATH_NO_ISSUER",
  );
  assertEquals(
    await ask(role("intermediate"), seen, open),
    "allow pinned unanchored",
  );
  assertEquals(await ask(role("ca"), seen, open), "allow pinned unanchored");
  assertEquals(
    await ask(role("leaf"), seen, open),
    "block mismatch MISMATCH unanchored",
  );
  const whole = { ...seen, chain: ders(leaf, intermediate, root) };
  assertEquals(
    await ask(role("root", pins.root), whole, open),
    "block mismatch MISMATCH unanchored",
  );
  assertEquals(
    await ask(role("root", pins.root), whole),
    "allow root-only root-only",
  );
  assertEquals(
    await ask(role("ca", pins.root), whole, open),
    "allow root-only unanchored root-only",
  );
  const deny = policyOf({ pins: [pins.intermediates[0]] }, {
    rootOnly: "deny",
  });
  assertEquals(
    await ask(deny, seen, open),
    "block root-only ROOT_ONLY unanchored",
  );
  assertEquals(await ask(deny, whole, open), "allow pinned unanchored");
  assertEquals(await ask(deny), "allow pinned");
});

Deno.test("an expired pin set blocks, is softened, or allows with empty hands", async () => {
  const expiresAt = PAST;
  assertEquals(await ask(policyOf({ expiresAt })), "block expired EXPIRED");
  assertEquals(
    await ask(policyOf({ expiresAt, mode: "report-only" })),
    "allow report-only EXPIRED report-only",
  );
  const allowing = policyOf({ expiresAt, onExpiry: "allow" });
  const verdict = await pinnerOf(allowing).check(peerOf());
  assertEquals([verdict.reason, verdict.matched, verdict.error], [
    "expired",
    [],
    undefined,
  ]);
  assertEquals(
    await ask(allowing, { anchors: [] }),
    "block invalid-chain PATH_NO_ISSUER",
  );
  assertEquals(
    await ask(policyOf({ expiresAt: "2028-01-01T00:00:00Z" })),
    "allow pinned",
  );
});

Deno.test("a mismatch blocks with all that was seen and wanted, and is softened by report-only", async () => {
  const wanted = { pins: [pins.backup] };
  const verdict = await pinnerOf(policyOf(wanted)).check(peerOf());
  assertEquals([verdict.decision, verdict.reason, verdict.matched], [
    "block",
    "mismatch",
    [],
  ]);
  const json = JSON.parse(JSON.stringify(verdict.error));
  assertEquals(json.configured, [pins.backup]);
  assertEquals(
    json.observed.map((
      one: { role: string; pins: string[] },
    ) => [one.role, one.pins[0]]),
    [
      ["leaf", pins.leaf],
      ["intermediate", pins.intermediates[0]],
      ["root", pins.root],
    ],
  );
  assert(
    json.message.includes(pins.leaf) && json.message.includes(pins.backup),
  );
  assertEquals(
    await ask(policyOf({ ...wanted, mode: "report-only" })),
    "allow report-only MISMATCH report-only",
  );
});

Deno.test("pins of every kind match what they are of", async () => {
  const pem = (certificate: string, of?: string) =>
    policyOf({ pins: [{ certificate, of }] });
  for (const one of [leaf, intermediate]) {
    assertEquals(await ask(pem(one.pem)), "allow pinned");
    assertEquals(await ask(pem(one.pem, "certificate")), "allow pinned");
  }
  assertEquals(await ask(pem(other.leaf.pem)), "block mismatch MISMATCH");
  // The same key in another certificate: its SPKI matches, the certificate does not.
  const twin = await mintCertificate({
    key: leaf.key,
    hostnames: [HOST],
    now: NOW,
  });
  assertEquals(await ask(pem(twin.pem)), "allow pinned");
  assertEquals(
    await ask(pem(twin.pem, "certificate")),
    "block mismatch MISMATCH",
  );
  const [certificate] = parsed(leaf);
  const digest = new Uint8Array(
    await crypto.subtle.digest("SHA-512", new Uint8Array(certificate.spki)),
  );
  const hex = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0"))
    .join("");
  assertEquals(
    await ask(policyOf({ pins: [`spki:sha512:${hex}`] })),
    "allow pinned",
  );
  assertEquals(await ask(policyOf({ pins: [`3 1 2 ${hex}`] })), "allow pinned");
  assertEquals(
    await ask(policyOf({ pins: [`2 1 2 ${hex}`] })),
    "block mismatch MISMATCH",
  );
  assertEquals(
    await ask(policyOf({ pins: [`certificate:sha512:${hex}`] })),
    "block mismatch MISMATCH",
  );
});

Deno.test("each-role needs a match for each role", async () => {
  const both = (leafPin: string, caPin: string) =>
    policyOf({
      require: "each-role",
      pins: [{ pin: leafPin, role: "leaf" }, { pin: caPin, role: "ca" }],
    });
  assertEquals(
    await ask(both(pins.leaf, pins.intermediates[0])),
    "allow pinned",
  );
  assertEquals(await ask(both(pins.leaf, pins.root)), "allow pinned");
  assertEquals(
    await ask(both(pins.leaf, pins.backup)),
    "block mismatch MISMATCH",
  );
  assertEquals(
    await ask(both(pins.backup, pins.intermediates[0])),
    "block mismatch MISMATCH",
  );
});

Deno.test("a match on roots alone warns or is denied, and its grade depends on whose root it is", async () => {
  const only = { pins: [pins.root, pins.backup] };
  const verdict = await pinnerOf(policyOf(only)).check(peerOf());
  assertEquals([verdict.decision, verdict.reason], ["allow", "root-only"]);
  assertEquals(verdict.matched.map(({ role }) => role), ["root"]);
  assertEquals(
    await ask(policyOf(only, { rootOnly: "deny" })),
    "block root-only ROOT_ONLY",
  );
  assertEquals(
    await ask(policyOf({ ...only, mode: "report-only" }, { rootOnly: "deny" })),
    "allow report-only ROOT_ONLY report-only",
  );
  assertEquals(
    await ask(policyOf({ pins: [pins.root, pins.leaf] }, { rootOnly: "deny" })),
    "allow pinned",
  );
  const severity = async (publicAnchors?: typeof anchors) => {
    const found = await pinnerOf(policyOf(only), { publicAnchors }).check(
      peerOf(),
    );
    return found.warnings.map((one) => `${one.severity} ${one.code}`).join();
  };
  assertEquals(await severity(), "warning root-only");
  assertEquals(await severity(anchors), "warning root-only");
  assertEquals(await severity(parsed(other.root)), "info root-only");
  const sameKey = await mintCertificate({
    key: root.key,
    ca: true,
    subject: "Another name",
    now: NOW,
  });
  assertEquals(await severity(parsed(sameKey)), "warning root-only");
});

Deno.test("a cross-signed root stays a root", async () => {
  const crossed = await mintCertificate({
    subject: "certpin test root",
    key: root.key,
    issuer: other.root,
    ca: true,
    now: NOW,
  });
  const chain = ders(leaf, intermediate, crossed);
  const policy = policyOf({ pins: [{ pin: pins.root, role: "root" }] });
  const trusted = parsed(other.root);
  assertEquals(
    await ask(policy, { chain, anchors: [...trusted, ...anchors] }),
    "allow root-only root-only",
  );
  // Where its own certificate is no anchor, and the platform has it or not.
  assertEquals(
    await ask(policy, { chain, anchors: trusted }),
    "block mismatch MISMATCH",
  );
  assertEquals(
    await ask(policy, { chain, anchors: trusted }, { publicAnchors: anchors }),
    "allow root-only root-only",
  );
  const intermediateRole = policyOf({
    pins: [{ pin: pins.root, role: "intermediate" }],
  });
  assertEquals(
    await ask(intermediateRole, { chain, anchors: trusted }),
    "allow pinned",
  );
  assertEquals(
    await ask(intermediateRole, { chain, anchors: trusted }, {
      publicAnchors: anchors,
    }),
    "block mismatch MISMATCH",
  );
});

Deno.test("one path that satisfies the policy is enough, wherever it is found", async () => {
  // Two roads up: over a second root that is pinned as well, and over the first.
  const second = await mintCertificate({
    subject: "Second root",
    ca: true,
    now: NOW,
  });
  const crossed = await mintCertificate({
    subject: "certpin test intermediate 1",
    key: intermediate.key,
    issuer: second,
    ca: true,
    now: NOW,
  });
  const trusted = parsed(minted.root, second);
  const [whole] = parsed(crossed);
  const policy = policyOf({
    pins: [{ certificate: crossed.pem, of: "certificate" }, pins.root],
  }, { rootOnly: "deny" });
  for (const middle of [[intermediate, crossed], [crossed, intermediate]]) {
    const chain = ders(leaf, ...middle);
    const verdict = await pinnerOf(policy, { anchors: trusted }).check(
      peerOf({ chain }),
    );
    assertEquals(verdict.reason, "pinned");
    assertEquals(verdict.path?.certificates[1].der, whole.der);
  }
  assertEquals(
    await ask(policy, {}, { anchors: trusted }),
    "block root-only ROOT_ONLY",
  );
});

Deno.test("a pinned certificate that signed nothing on the path never matches, wherever it is put", async () => {
  const policy = policyOf({
    pins: other.policy.hosts[HOST].pins.slice(0, 2) as never,
  });
  const strangers = [other.leaf, ...other.intermediates, other.root];
  for (const stranger of strangers) {
    for (let at = 1; at <= 2; at++) {
      const chain = [...minted.chain];
      chain.splice(at, 0, stranger.der);
      assertEquals(await ask(policy, { chain }), "block mismatch MISMATCH");
      assertEquals(await ask(undefined, { chain }), "allow pinned");
    }
  }
  const trusted = parsed(other.root);
  assertEquals(
    await ask(policy, { chain: other.chain, anchors: trusted }),
    "allow pinned",
  );
});

Deno.test("the most specific entry alone decides", async () => {
  const { chain, root: top, pins: deep } = await mintChain({
    hostnames: ["a.b.example.com"],
    now: NOW,
  });
  const policy = (near: string, far: string): PolicyInput => ({
    version: 1,
    hosts: {
      "*.b.example.com": { pins: [near] },
      "example.com": { includeSubdomains: true, pins: [far] },
    },
  });
  const peer = { hostname: "a.b.example.com", chain };
  const options = { anchors: parsed(top) };
  assertEquals(
    await ask(policy(deep.leaf, pins.backup), peer, options),
    "allow pinned",
  );
  assertEquals(
    await ask(policy(pins.backup, deep.leaf), peer, options),
    "block mismatch MISMATCH",
  );
});
