/** What the tests of the pinner share: one minted chain, and how to ask. */
import type { CertpinError } from "../../../src/errors.ts";
import {
  createPinner,
  type Peer,
  type Pinner,
  type PinnerOptions,
  type Verdict,
} from "../../../src/pinner.ts";
import type { HostInput, PolicyInput } from "../../../src/policy/document.ts";
import { mintChain, type MintedCertificate } from "../../../src/testing/mod.ts";
import {
  type Certificate,
  parseCertificates,
} from "../../../src/x509/certificate.ts";

export const HOST = "api.example.com";
export const NOW: Date = new Date("2027-01-01T00:00:00Z");
export const minted = await mintChain({ hostnames: [HOST], now: NOW });
export const other = await mintChain({ hostnames: [HOST], now: NOW });
export const { pins } = minted;

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

export const anchors = parsed(minted.root);

/** A policy for the one host. */
export function policyOf(
  host: Partial<HostInput> = {},
  policy: Partial<PolicyInput> = {},
): PolicyInput {
  return {
    version: 1,
    hosts: { [HOST]: { pins: [pins.leaf], ...host } },
    ...policy,
  };
}

/** A pinner at {@linkcode NOW} that trusts the minted root and stays silent. */
export function pinnerOf(
  policy: PolicyInput = policyOf(),
  options: PinnerOptions = {},
): Pinner {
  return createPinner(policy, {
    anchors,
    now: () => NOW,
    onWarning: () => {},
    ...options,
  });
}

/** The peer that presents the minted chain. */
export function peerOf(change: Partial<Peer> = {}): Peer {
  return { hostname: HOST, chain: minted.chain, ...change };
}

/** Decision, reason, code of the error, codes of the warnings. */
export function say(verdict: Verdict): string {
  const error: CertpinError | undefined = verdict.error;
  return [
    `${verdict.decision} ${verdict.reason}`,
    ...error === undefined ? [] : [error.code.replace("ERR_CERTPIN_", "")],
    ...verdict.warnings.map(({ code }) => code),
  ].join(" ");
}

/** {@linkcode say} of a check. */
export async function ask(
  policy?: PolicyInput,
  peer?: Partial<Peer>,
  options?: PinnerOptions,
): Promise<string> {
  return say(await pinnerOf(policy, options).check(peerOf(peer)));
}
