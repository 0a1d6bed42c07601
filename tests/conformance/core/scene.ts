/** What the tests of the pinner share: one minted chain, and how to ask. */
import {
  createPinner,
  type Peer,
  type Pinner,
  type PinnerOptions,
  type Verdict,
} from "../../../src/pinner/pinner.ts";
import type { HostInput, PolicyInput } from "../../../src/policy/document.ts";
import {
  mintChain,
  type MintedCertificate,
  type MintedChain,
  type MintedPins,
} from "../../../src/testing/mod.ts";
import {
  type Certificate,
  parseCertificates,
} from "../../../src/x509/certificate.ts";

/** The host. */
export const HOST = "api.example.com";
/** The time. */
export const NOW: Date = new Date("2027-01-01T00:00:00Z");

/** Parses minted certificates. */
export function parsed(...list: readonly MintedCertificate[]): Certificate[] {
  return parseCertificates(list.map(({ der }) => der));
}

/** Their DER. */
export function ders(
  ...list: readonly MintedCertificate[]
): Uint8Array<ArrayBuffer>[] {
  return list.map(({ der }) => der);
}

/** Decision, reason, code of the error, codes of the warnings. */
export function say(verdict: Verdict): string {
  return [
    `${verdict.decision} ${verdict.reason}`,
    ...verdict.error === undefined
      ? []
      : [verdict.error.code.replace("ERR_CERTPIN_", "")],
    ...verdict.warnings.map(({ code }) => code),
  ].join(" ");
}

/** Two chains for the host at the time, and how to ask about the first. */
export interface Scene {
  /** The chain that is presented and trusted. */
  readonly minted: MintedChain;
  /** Another with the same names. */
  readonly other: MintedChain;
  /** The pins of the first. */
  readonly pins: MintedPins;
  /** Its root. */
  readonly anchors: readonly Certificate[];
  /** A policy for the one host. */
  policyOf(
    host?: Partial<HostInput>,
    policy?: Partial<PolicyInput>,
  ): PolicyInput;
  /** A pinner at that time that trusts the first root and stays silent. */
  pinnerOf(policy?: PolicyInput, options?: PinnerOptions): Pinner;
  /** The peer that presents the first chain. */
  peerOf(change?: Partial<Peer>): Peer;
  /** {@linkcode say} of a check. */
  ask(
    policy?: PolicyInput,
    peer?: Partial<Peer>,
    options?: PinnerOptions,
  ): Promise<string>;
}

/** Sets the scene. */
export async function makeScene(): Promise<Scene> {
  const minted = await mintChain({ hostnames: [HOST], now: NOW });
  const other = await mintChain({ hostnames: [HOST], now: NOW });
  const { pins } = minted;
  const anchors = parsed(minted.root);
  const policyOf: Scene["policyOf"] = (host, policy) => ({
    version: 1,
    hosts: { [HOST]: { pins: [pins.leaf], ...host } },
    ...policy,
  });
  const pinnerOf: Scene["pinnerOf"] = (policy = policyOf(), options) =>
    createPinner(policy, {
      anchors,
      now: () => NOW,
      onWarning: () => {},
      ...options,
    });
  const peerOf: Scene["peerOf"] = (change) => ({
    hostname: HOST,
    chain: minted.chain,
    ...change,
  });
  const ask: Scene["ask"] = async (policy, peer, options) =>
    say(await pinnerOf(policy, options).check(peerOf(peer)));
  return { minted, other, pins, anchors, policyOf, pinnerOf, peerOf, ask };
}
