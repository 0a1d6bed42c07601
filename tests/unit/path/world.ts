/**
 * A small world of certificates that overlap: cross-signs, twins, defects and
 * strangers, for properties that hold whatever of it is presented.
 */
import {
  mintCertificate,
  type MintCertificateOptions,
  type MintedCertificate,
  mintKey,
} from "../../../src/testing/mod.ts";
import type { Certificate } from "../../../src/x509/certificate.ts";
import { HOSTNAME, parsed } from "./support.ts";

/** What is evaluated, and when. */
export interface World {
  /** Leaves to choose from: good ones and bad ones. */
  readonly leaves: readonly Certificate[];
  /** What may help the leaves: intermediates, good ones and bad ones. */
  readonly helpers: readonly Certificate[];
  /** What cannot help: other hierarchies, and twins that signed nothing. */
  readonly strangers: readonly Certificate[];
  /** What may be trusted. */
  readonly anchors: readonly Certificate[];
  /** Times at which something else is valid. */
  readonly times: readonly Date[];
  /** Names to ask for. */
  readonly hostnames: readonly string[];
}

const NOW = new Date("2026-06-01T00:00:00Z");
const day = (count: number) => new Date(NOW.getTime() + count * 86_400_000);

async function mint(
  options: MintCertificateOptions,
): Promise<MintedCertificate> {
  return await mintCertificate({
    now: NOW,
    notBefore: day(-30),
    notAfter: day(90),
    ...options,
  });
}

/** A CA of this name; with the issuer's key identifier, its own unless said. */
async function authority(
  subject: string,
  options: MintCertificateOptions = {},
): Promise<MintedCertificate> {
  return await mint({ subject, ca: true, ...options });
}

/** Makes the world. */
export async function createWorld(): Promise<World> {
  const [rootKey, otherKey, upperKey, lowerKey, twinKey] = await Promise.all(
    Array.from({ length: 5 }, () => mintKey()),
  );
  const root = await authority("root", { key: rootKey });
  const other = await authority("other", { key: otherKey });
  // The same key certified again and again, each time with something else.
  const upper = { key: upperKey };
  const lower = { key: lowerKey };
  const upperByRoot = await authority("upper", { ...upper, issuer: root });
  const helpers = [
    upperByRoot,
    await authority("upper", { ...upper, issuer: other }),
    await authority("upper", { ...upper, issuer: root, notAfter: day(-1) }),
    await authority("upper", { ...upper, issuer: root, pathLength: 0 }),
    await authority("root", { key: rootKey, issuer: other }),
    await authority("other", { key: otherKey, issuer: root, notAfter: day(5) }),
    await authority("lower", { ...lower, issuer: upperByRoot }),
    await authority("lower", {
      ...lower,
      issuer: upperByRoot,
      subjectKeyIdentifier: Uint8Array.of(1),
    }),
    await authority("lower", {
      ...lower,
      issuer: upperByRoot,
      nameConstraints: { permitted: [{ dns: "example.org" }] },
    }),
    await authority("lower", {
      ...lower,
      issuer: upperByRoot,
      basicConstraints: { ca: false },
    }),
    await authority("lower", {
      ...lower,
      issuer: other,
      notBefore: day(2),
    }),
    // A circle of the two.
    await authority("upper", {
      ...upper,
      issuer: await authority("lower", lower),
    }),
  ];
  const issuer = await authority("lower", lower);
  const leaves = [
    await mint({ issuer, hostnames: [HOSTNAME, "www.example.org"] }),
    await mint({ issuer, hostnames: [HOSTNAME], notAfter: day(1) }),
    await mint({ issuer: upperByRoot, hostnames: [HOSTNAME] }),
    await mint({ issuer, hostnames: [HOSTNAME], signingKey: twinKey }),
    await mint({ issuer, hostnames: [HOSTNAME], keyUsage: ["cRLSign"] }),
  ];
  const foreignRoot = await authority("foreign root");
  const foreign = await authority("foreign", { issuer: foreignRoot });
  const strangers = [
    foreignRoot,
    foreign,
    await mint({ issuer: foreign, hostnames: [HOSTNAME] }),
    // Names of the good ones, keys of nobody: with and without their identifier.
    await authority("lower", { issuer: root }),
    await authority("lower", {
      issuer: upperByRoot,
      subjectKeyIdentifier: issuer.keyIdentifier,
    }),
    await authority("upper", {
      issuer: other,
      subjectKeyIdentifier: upperByRoot.keyIdentifier,
    }),
    await authority("root", { subjectKeyIdentifier: root.keyIdentifier }),
    await authority("other"),
  ];
  return {
    leaves: parsed(leaves),
    helpers: parsed(helpers),
    strangers: parsed(strangers),
    anchors: parsed([root, other]),
    times: [NOW, day(1.5), day(3), day(10), day(-100), day(100)],
    hostnames: [HOSTNAME, "www.example.org", "other.example"],
  };
}
