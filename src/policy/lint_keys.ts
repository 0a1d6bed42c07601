/**
 * Fingerprints as keys of maps and sets, for lint: what equals what.
 *
 * @module
 */
import type { CryptoRoutine, HashName } from "../crypto/routine.ts";
import { fingerprintsRoutine } from "../pins/fingerprint.ts";
import type { Pin } from "../pins/value.ts";
import type { Certificate } from "../x509/certificate.ts";
import type { HostEntry, PinRule, PolicyRecord } from "./record.ts";
import { hashCertificatePins } from "./hash_certificate_pins.ts";

/** One of the pins of a policy, with its digest as a key. */
export interface KeyedRule extends PinRule {
  /** `of:hash:` and the digest; equal for equal pins. */
  readonly key: string;
}

/** One pin set with its keys. */
export interface LintedEntry {
  /** The pin set. */
  readonly entry: HostEntry;
  /** Its pins. */
  readonly rules: readonly KeyedRule[];
}

/** Fingerprints of certificates, as keys of the kinds that the pins have. */
export type Keys = ReadonlySet<string>;

function keyOf(of: Pin["of"], hash: HashName, digest: Uint8Array): string {
  return `${of}:${hash}:${digest.join(".")}`;
}

/** Hashes the pins of a policy. */
export function* settle(
  record: PolicyRecord,
): CryptoRoutine<readonly LintedEntry[]> {
  const entries: LintedEntry[] = [];
  for (const entry of record.entries.values()) {
    yield* hashCertificatePins(entry.rules);
    const rules = entry.rules.map((rule) => {
      const { of, hash, digest } = rule.pin;
      return { ...rule, key: keyOf(of, hash, digest) };
    });
    entries.push({ entry, rules });
  }
  return entries;
}

/** The keys of certificates, of the kinds that the pins have. */
export function* keysOf(
  certificates: readonly Certificate[] | undefined,
  entries: readonly LintedEntry[],
): CryptoRoutine<Keys> {
  const keys = new Set<string>();
  if (certificates === undefined) return keys;
  const pins = entries.flatMap(({ rules }) => rules.map(({ pin }) => pin));
  const kinds = new Map(pins.map((pin) => [`${pin.of}:${pin.hash}`, pin]));
  for (const { of, hash } of kinds.values()) {
    for (const digest of yield* fingerprintsRoutine(certificates, of, hash)) {
      keys.add(keyOf(of, hash, digest));
    }
  }
  return keys;
}

/** Certificates, each with its keys of the kinds that the pins have. */
export function* keysByCertificate(
  certificates: readonly Certificate[],
  entries: readonly LintedEntry[],
): CryptoRoutine<ReadonlyMap<Certificate, Keys>> {
  const found = new Map<Certificate, Keys>();
  for (const certificate of new Set(certificates)) {
    found.set(certificate, yield* keysOf([certificate], entries));
  }
  return found;
}

/** Keys of fingerprints, each with the public key that it is of. */
export type Owners = ReadonlyMap<string, string>;

/** Whose fingerprints the keys are, as far as certificates are at hand. */
export function* ownersOf(
  certificates: readonly Certificate[],
  entries: readonly LintedEntry[],
): CryptoRoutine<Owners> {
  const owners = new Map<string, string>();
  for (const certificate of new Set(certificates)) {
    const [owner] = yield* fingerprintsRoutine([certificate], "spki", "sha256");
    for (const key of yield* keysOf([certificate], entries)) {
      owners.set(key, owner.join("."));
    }
  }
  return owners;
}
