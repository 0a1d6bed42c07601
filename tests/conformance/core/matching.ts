/**
 * What pins match on verified paths: kinds, roles, roots.
 */
import { assertEquals } from "@std/assert";
import { encodeBase64 } from "@std/encoding/base64";
import type { PolicyInput } from "../../../src/policy/document.ts";
import { mintCertificate, mintChain } from "../../../src/testing/mod.ts";
import type { Body } from "../harness.ts";
import { ders, HOST, makeScene, NOW, parsed, type Scene } from "./scene.ts";

async function pinOf(spki: Uint8Array<ArrayBuffer>): Promise<string> {
  return `sha256/${encodeBase64(await crypto.subtle.digest("SHA-256", spki))}`;
}

/** Registers the tests. */
export const matching: Body = (t) => {
  let made: Promise<Scene> | undefined;
  // Not at the top level: some runtimes have no randomness there.
  const scene = () => made ??= makeScene();

  t.test("pins of every kind match what they are of", async () => {
    const { minted, other, policyOf, ask } = await scene();
    const { leaf } = minted;
    const [intermediate] = minted.intermediates;
    const pem = (certificate: string, of?: string) =>
      policyOf({ pins: [{ certificate, of }] });
    for (const one of [leaf, intermediate]) {
      assertEquals(await ask(pem(one.pem)), "allow pinned");
      const warned = one === leaf ? " leaf-certificate-pin" : "";
      assertEquals(
        await ask(pem(one.pem, "certificate")),
        `allow pinned${warned}`,
      );
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
    assertEquals(
      await ask(policyOf({ pins: [`3 1 2 ${hex}`] })),
      "allow pinned",
    );
    assertEquals(
      await ask(policyOf({ pins: [`2 1 2 ${hex}`] })),
      "block mismatch MISMATCH",
    );
    assertEquals(
      await ask(policyOf({ pins: [`certificate:sha512:${hex}`] })),
      "block mismatch MISMATCH",
    );
  });

  t.test("each-role needs a match for each role", async () => {
    const { pins, policyOf, ask } = await scene();
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

  t.test("a match on roots alone warns or is denied, and its grade depends on whose root it is", async () => {
    const { minted, other, pins, anchors, policyOf, pinnerOf, peerOf, ask } =
      await scene();
    const { root } = minted;
    const only = { pins: [pins.root, pins.backup] };
    const verdict = await pinnerOf(policyOf(only)).check(peerOf());
    assertEquals([verdict.decision, verdict.reason], ["allow", "root-only"]);
    assertEquals(verdict.matched.map(({ role }) => role), ["root"]);
    assertEquals(
      await ask(policyOf(only, { rootOnly: "deny" })),
      "block root-only ROOT_ONLY",
    );
    assertEquals(
      await ask(
        policyOf({ ...only, mode: "report-only" }, { rootOnly: "deny" }),
      ),
      "allow report-only ROOT_ONLY root-only report-only",
    );
    assertEquals(
      await ask(
        policyOf({ pins: [pins.root, pins.leaf] }, { rootOnly: "deny" }),
      ),
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

  t.test("a cross-signed root stays a root, and its pin holds whatever role it names", async () => {
    const { minted, other, pins, anchors, policyOf, ask } = await scene();
    const { leaf, root } = minted;
    const [intermediate] = minted.intermediates;
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
      "allow pinned role-differs",
    );
    assertEquals(
      await ask(policy, { chain, anchors: trusted }, {
        publicAnchors: anchors,
      }),
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
      "allow root-only role-differs root-only",
    );
  });

  t.test("one path that satisfies the policy is enough, wherever it is found", async () => {
    const { minted, pins, policyOf, pinnerOf, peerOf, ask } = await scene();
    const { leaf } = minted;
    const [intermediate] = minted.intermediates;
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

  t.test("a match on roots is found behind a path without one, in any order", async () => {
    const { minted, policyOf, ask } = await scene();
    const second = await mintCertificate({
      subject: "Second root",
      ca: true,
      now: NOW,
    });
    const [intermediate] = minted.intermediates;
    const crossed = await mintCertificate({
      subject: "certpin test intermediate 1",
      key: intermediate.key,
      issuer: second,
      ca: true,
      now: NOW,
    });
    const anchors = parsed(minted.root, second);
    for (const { spki } of [minted.root, second]) {
      const pin = await pinOf(spki);
      for (
        const middle of [[intermediate, crossed], [crossed, intermediate]]
      ) {
        assertEquals(
          await ask(policyOf({ pins: [pin] }), {
            chain: ders(minted.leaf, ...middle),
            anchors,
          }),
          "allow root-only root-only",
        );
      }
    }
  });

  t.test("a leaf is a leaf, even where its key is an anchor's", async () => {
    const { policyOf, ask } = await scene();
    const alone = await mintCertificate({ hostnames: [HOST], now: NOW });
    const [anchor] = parsed(alone);
    const policy = policyOf({
      pins: [{ certificate: alone.pem, role: "leaf" }],
    }, { rootOnly: "deny" });
    const peer = { chain: [alone.der], anchors: [anchor] };
    assertEquals(await ask(policy, peer), "allow pinned");
    const options = { publicAnchors: [anchor] };
    assertEquals(await ask(policy, peer, options), "allow pinned");
    const asRoot = policyOf({
      pins: [{ certificate: alone.pem, role: "root" }],
    });
    assertEquals(await ask(asRoot, peer, options), "block mismatch MISMATCH");
  });

  t.test("a pinned certificate that signed nothing on the path never matches, wherever it is put", async () => {
    const { minted, other, policyOf, ask } = await scene();
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

  t.test("the most specific entry alone decides", async () => {
    const { pins, ask } = await scene();
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
};
