/**
 * A policy as decisions read it: checked, canonical, frozen.
 *
 * @module
 */
import type { CanonicalHost } from "../host.ts";
import type { Pin } from "../pins/value.ts";
import type { Certificate } from "../x509/certificate.ts";
import type { Profile } from "../path/rule_table.ts";
import type { Acceptance } from "./accept.ts";
import type { PinRole, PolicyDocument } from "./document.ts";

/** One pin of a pin set. */
export interface PinRule {
  /** The pin; without a digest until `certificate` is hashed. */
  readonly pin: Pin;
  /** Where it must match; anywhere where left out. */
  readonly role?: PinRole;
  /** The certificate that the pin was given as. */
  readonly certificate?: Certificate;
  /** JSON pointer to it. */
  readonly pointer: string;
}

/** One pin set. */
export interface HostEntry {
  /** The canonical hostname, with `*.` before it for a wildcard. */
  readonly pattern: string;
  /** The same without `*.`. */
  readonly host: CanonicalHost;
  /** Whether it holds for names exactly one label deeper, and for those alone. */
  readonly wildcard: boolean;
  /** Whether it holds for the name and for all names below. */
  readonly includeSubdomains: boolean;
  /** `report-only` softens. */
  readonly mode: "enforce" | "report-only";
  /** How many pins must match. */
  readonly require: "any" | "each-role";
  /** How strictly paths are held to the rules of public CAs. */
  readonly profile: Profile;
  /** When the set expires, in milliseconds since the epoch. */
  readonly expiresAt?: number;
  /** What happens then. */
  readonly onExpiry: "block" | "allow";
  /** At least one. */
  readonly rules: readonly PinRule[];
  /** JSON pointer to it. */
  readonly pointer: string;
}

/** A whole policy. */
export interface PolicyRecord {
  /** What happens to hosts without a pin set. */
  readonly unlisted: "deny" | "allow";
  /** What happens where root pins alone match. */
  readonly rootOnly: "warn" | "deny";
  /** Extra intermediates. */
  readonly certificates: readonly Certificate[];
  /** Findings that lint is to leave out. */
  readonly accept: readonly Acceptance[];
  /** Pin sets by pattern. */
  readonly entries: ReadonlyMap<string, HostEntry>;
  /** What it was read from, frozen. */
  readonly document: PolicyDocument;
}

/**
 * The pin set that holds for a host: the exact entry, else the one with the
 * longest suffix, at equal suffix `*.` before `includeSubdomains`.
 */
export function findEntry(
  record: PolicyRecord,
  host: CanonicalHost,
): HostEntry | undefined {
  const exact = record.entries.get(host.text);
  if (exact !== undefined || host.kind === "ip") return exact;
  // At most 127 labels: canonical names have at most 253 octets.
  let dot = host.text.indexOf(".");
  for (let deeper = 1; dot !== -1; deeper++) {
    const suffix = host.text.slice(dot + 1);
    const wildcard = deeper === 1
      ? record.entries.get(`*.${suffix}`)
      : undefined;
    if (wildcard !== undefined) return wildcard;
    const parent = record.entries.get(suffix);
    if (parent?.includeSubdomains) return parent;
    dot = host.text.indexOf(".", dot + 1);
  }
  return undefined;
}
