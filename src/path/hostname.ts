/**
 * Whether a certificate speaks for a host (RFC 9525, section 6).
 *
 * @module
 */
import type { CanonicalHost } from "../host.ts";
import { bytesEqual } from "../x509/der.ts";
import type { GeneralName } from "../x509/general_names.ts";

const LABEL = /^(?!-)[a-z0-9_-]{1,63}(?<!-)$/;

/** The labels of a DNS name in lower case; undefined for other text. */
export function dnsLabels(name: string): readonly string[] | undefined {
  if (name.length > 253) return undefined;
  const labels = name.toLowerCase().split(".");
  return labels.every((label) => LABEL.test(label)) ? labels : undefined;
}

/** A name of a certificate, whose first label may be a whole `*`. */
export interface DnsPattern {
  readonly wildcard: boolean;
  /** The labels after the wildcard, or all of them. */
  readonly labels: readonly string[];
}

/**
 * Reads a presented DNS name. A wildcard stands alone in the leftmost label,
 * and at least two labels follow it, as OpenSSL demands too.
 */
export function dnsPattern(name: string): DnsPattern | undefined {
  const wildcard = name.startsWith("*.");
  const labels = dnsLabels(wildcard ? name.slice(2) : name);
  if (!labels || (wildcard && labels.length < 2)) return undefined;
  // A name whose last label is a number is an address in disguise (RFC 1123).
  if (/^[0-9]+$/.test(labels[labels.length - 1])) return undefined;
  return { wildcard, labels };
}

/** Whether one of the names is the host's. Addresses match iPAddress only. */
export function namesMatchHost(
  names: readonly GeneralName[],
  host: CanonicalHost,
): boolean {
  return names.some((name) => {
    if (host.kind === "ip") {
      return name.kind === "ip" && bytesEqual(name.bytes, host.address!);
    }
    return name.kind === "dns" && dnsNameMatches(name.text, host.text);
  });
}

/** Whether a presented DNS name matches a host's canonical name. */
export function dnsNameMatches(presented: string, host: string): boolean {
  const pattern = dnsPattern(presented);
  if (!pattern) return false;
  const labels = host.split(".");
  const compared = pattern.wildcard ? labels.slice(1) : labels;
  return compared.length === pattern.labels.length &&
    compared.every((label, i) => label === pattern.labels[i]);
}
