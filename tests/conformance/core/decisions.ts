/**
 * The lines of the decision, over minted chains.
 */
import { assert, assertEquals } from "@std/assert";
import { mintCertificate } from "../../../src/testing/mod.ts";
import type { PolicyInput } from "../../../src/policy/document.ts";
import type { Body } from "../harness.ts";
import { ders, HOST, makeScene, NOW, type Scene } from "./scene.ts";

const PAST = "2026-12-31T00:00:00Z";

/** Registers the tests. */
export const decisions: Body = (t) => {
  let made: Promise<Scene> | undefined;
  // Not at the top level: some runtimes have no randomness there.
  const scene = () => made ??= makeScene();

  t.test("check() allows a verified path with a pin on it, and says where", async () => {
    const { minted, pins, pinnerOf, peerOf } = await scene();
    const { leaf, root } = minted;
    const [intermediate] = minted.intermediates;
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

  t.test("check() refuses hostnames that cannot be canonicalised, and takes every spelling of those that can", async () => {
    const { ask } = await scene();
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

  t.test("check() refuses a peer without a chain before it looks whether the host is listed", async () => {
    const { ask } = await scene();
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

  t.test("check() refuses clocks that give no date", async () => {
    const { ask } = await scene();
    for (
      const now of [
        () => new Date(NaN),
        () => undefined,
        () => "now",
        () => NOW.getTime(),
        () => ({ getTime: () => 8.64e15 + 1 }),
        () => ({ getTime: () => `${NOW.getTime()}` }),
      ]
    ) {
      assertEquals(
        await ask(undefined, undefined, {
          now: now as () => Date,
          onReport: () => {},
        }),
        "block invalid-chain PATH_EXPIRED",
      );
    }
    const now = () => ({ getTime: () => NOW.getTime() } as Date);
    assertEquals(await ask(undefined, undefined, { now }), "allow pinned");
    assertEquals(
      await ask(undefined, undefined, {
        now() {
          throw new Error("no clock");
        },
      }),
      "block invalid-chain PATH_EXPIRED",
    );
  });

  t.test("check() ends at its limits", async () => {
    const { other, minted, ask } = await scene();
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
      await ask(undefined, {
        chain: [...minted.chain, new Uint8Array(65_537)],
      }),
      "block invalid-chain LIMIT_CERTIFICATE_SIZE",
    );
  });

  t.test("a path that satisfies the policy is enough where a limit ends the search for a better one", async () => {
    const { minted, pins, policyOf, ask } = await scene();
    const twin = await mintCertificate({
      subject: "certpin test intermediate 1",
      ca: true,
      now: NOW,
      key: minted.intermediates[0].key,
      issuer: minted.root,
    });
    const chain = [...minted.chain, twin.der];
    const evaluate = (pin: string, rootOnly: string, signatures: number) =>
      ask(policyOf({ pins: [pin] }, { rootOnly }), { chain }, {
        limits: { signatures },
      });
    const limit = "block invalid-chain LIMIT_PATH_WORK";
    assertEquals(
      await evaluate(pins.root, "warn", 2),
      "allow root-only root-only",
    );
    assertEquals(await evaluate(pins.root, "warn", 1), limit);
    assertEquals(await evaluate(pins.root, "deny", 2), limit);
    assertEquals(
      await evaluate(pins.root, "deny", 8),
      "block root-only ROOT_ONLY",
    );
    assertEquals(await evaluate(pins.backup, "warn", 2), limit);
    assertEquals(
      await evaluate(pins.backup, "warn", 8),
      "block mismatch MISMATCH",
    );
  });

  t.test("check() reads no more than the leaf of a host that is refused whatever it shows", async () => {
    const { minted, policyOf, ask } = await scene();
    // More values than a chain may have, if all of it is read.
    const extension = { oid: "1.2.3.4", value: Uint8Array.of(5, 0) };
    const { der } = await mintCertificate({
      ca: true,
      extraExtensions: new Array(100).fill(extension),
    });
    const chain = [...minted.chain, ...new Array(60).fill(der)];
    const hostname = "unlisted.example";
    assertEquals(
      await ask(undefined, { hostname, chain }),
      "block unlisted UNLISTED",
    );
    for (
      const [policy, peer] of [
        [policyOf(), { chain }],
        [policyOf({}, { unlisted: "allow" }), { hostname, chain }],
      ] as const
    ) {
      assertEquals(
        await ask(policy, { ...peer, platformValidated: true }),
        "block invalid-chain LIMIT_CHAIN_LENGTH",
      );
    }
  });

  t.test("a presented certificate that cannot be read blocks nothing, unless the path needs it", async () => {
    const { minted, ask } = await scene();
    const odd = Uint8Array.of(1, 2, 3);
    const [leaf, ...rest] = minted.chain;
    assertEquals(
      await ask(undefined, { chain: [leaf, odd, ...rest] }),
      "allow pinned",
    );
    assertEquals(
      await ask(undefined, { chain: [leaf, odd] }),
      "block invalid-chain PATH_NO_ISSUER",
    );
    assertEquals(
      await ask(undefined, { chain: [odd, ...rest] }),
      "block invalid-chain CERTIFICATE_DER",
    );
  });

  t.test("check() refuses unlisted hosts, or allows them on a valid path or a validated connection", async () => {
    const { other, pins, ask } = await scene();
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

  t.test("check() needs a path to an anchor, valid now, for this host", async () => {
    const { pins, anchors, ask } = await scene();
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

  t.test("check() builds paths over the policy's certificates too, and trusts none of them", async () => {
    const { minted, policyOf, ask } = await scene();
    const { leaf, root } = minted;
    const [intermediate] = minted.intermediates;
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

  t.test("report-only never softens an invalid chain", async () => {
    const { policyOf, ask } = await scene();
    const policy = policyOf({ mode: "report-only" });
    assertEquals(
      await ask(policy, { anchors: [] }),
      "block invalid-chain PATH_NO_ISSUER",
    );
    assertEquals(await ask(policy), "allow pinned");
  });

  t.test("a path may end early for a validated connection whose anchors cannot be listed, and for no other", async () => {
    const { minted, pins, policyOf, ask } = await scene();
    const { leaf, root } = minted;
    const [intermediate] = minted.intermediates;
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
      "allow root-only unanchored root-only",
    );
    assertEquals(
      await ask(role("leaf", pins.root), whole, open),
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
    assertEquals(
      await ask(deny, whole, open),
      "block root-only ROOT_ONLY unanchored",
    );
    assertEquals(await ask(deny), "allow pinned");
    const leafToo = policyOf({ pins: [pins.leaf] }, { rootOnly: "deny" });
    assertEquals(await ask(leafToo, whole, open), "allow pinned unanchored");
  });

  t.test("a root's key in a certificate of the peer's making does not pass for an intermediate where roots are denied", async () => {
    const { minted, pins, policyOf, ask } = await scene();
    const { root } = minted;
    const common = { ca: true, now: NOW };
    // A customer of the same CA has a leaf for the name, and signs at will above.
    const sibling = await mintCertificate({ ...common, issuer: root });
    const leaf = await mintCertificate({
      hostnames: [HOST],
      now: NOW,
      issuer: sibling,
    });
    const own = await mintCertificate({ ...common, subject: "own" });
    const wrapped = await mintCertificate({
      ...common,
      subject: "certpin test root",
      key: root.key,
      issuer: own,
      subjectKeyIdentifier: root.keyIdentifier,
    });
    const open = { anchors: undefined };
    const chain = ders(leaf, sibling, wrapped, own);
    const peer = { chain, platformValidated: true };
    for (const role of [undefined, "ca", "intermediate"]) {
      const pin = { pin: pins.root, ...role && { role } };
      const deny = policyOf({ pins: [pin] }, { rootOnly: "deny" });
      assertEquals(
        await ask(deny, peer, open),
        "block root-only ROOT_ONLY unanchored",
      );
      assertEquals(
        await ask(policyOf({ pins: [pin] }), peer, open),
        "allow pinned unanchored",
      );
    }
  });

  t.test("an expired pin set blocks, is softened, or allows with empty hands", async () => {
    const { policyOf, pinnerOf, peerOf, ask } = await scene();
    const expiresAt = PAST;
    assertEquals(await ask(policyOf({ expiresAt })), "block expired EXPIRED");
    assertEquals(
      await ask(policyOf({ expiresAt, mode: "report-only" })),
      "allow report-only EXPIRED expired report-only",
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

  t.test("a mismatch blocks with all that was seen and wanted, and is softened by report-only", async () => {
    const { pins, policyOf, pinnerOf, peerOf, ask } = await scene();
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
};
