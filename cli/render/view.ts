/**
 * Certificates as commands show them.
 *
 * @module
 */
import { createPublicKey } from "node:crypto";
import { fingerprint } from "../../src/pins/fingerprint.ts";
import type { Role } from "../../src/path/search.ts";
import type { Certificate } from "../../src/x509/certificate.ts";

/** A certificate in `--json`, as the contract of the command has it. */
export interface CertificateView {
  readonly role?: Role;
  readonly subject: string;
  readonly issuer: string;
  readonly serialNumber: string;
  readonly notBefore: string;
  readonly notAfter: string;
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
  readonly pins: { readonly spki: string; readonly certificate: string };
}

/** Takes a certificate apart for showing. */
export async function viewOf(
  certificate: Certificate,
  role?: Role,
): Promise<CertificateView> {
  const { subject, issuer, serialNumber, dnsNames, ipAddresses } = certificate;
  return {
    ...(role === undefined ? {} : { role }),
    subject,
    issuer,
    serialNumber,
    notBefore: certificate.notBefore.toISOString(),
    notAfter: certificate.notAfter.toISOString(),
    dnsNames,
    ipAddresses,
    pins: {
      spki: `${await fingerprint(certificate)}`,
      certificate: `${await fingerprint(certificate, { of: "certificate" })}`,
    },
  };
}

const CURVES: Readonly<Record<string, string>> = {
  prime256v1: "P-256",
  secp384r1: "P-384",
  secp521r1: "P-521",
};

/** The key of a certificate in a few words: `RSA 2048`, `EC P-256`, `Ed25519`. */
export function keyWords(certificate: Certificate): string {
  try {
    const key = createPublicKey({
      key: Buffer.from(certificate.spki),
      format: "der",
      type: "spki",
    });
    const { modulusLength, namedCurve } = key.asymmetricKeyDetails ?? {};
    switch (key.asymmetricKeyType) {
      case "rsa":
        return `RSA ${modulusLength}`;
      case "rsa-pss":
        return `RSA-PSS ${modulusLength}`;
      case "ec":
        return `EC ${CURVES[namedCurve ?? ""] ?? namedCurve}`;
      case "ed25519":
        return "Ed25519";
      case "ed448":
        return "Ed448";
      default:
        return key.asymmetricKeyType ?? "unknown kind";
    }
  } catch {
    return "of a kind that this runtime does not know";
  }
}

const DAY_MILLISECONDS = 86_400_000;

/** How a certificate stands at a moment. */
export interface Standing {
  readonly state: "valid" | "soon" | "expired" | "future";
  readonly words: string;
}

/** Days left of a certificate's validity; `soon` within 30. */
export function standingOf(certificate: Certificate, at: Date): Standing {
  const left = certificate.notAfter.getTime() - at.getTime();
  const days = Math.floor(Math.abs(left) / DAY_MILLISECONDS);
  const number = `${days} day${days === 1 ? "" : "s"}`;
  if (left < 0) return { state: "expired", words: `expired ${number} ago` };
  if (at < certificate.notBefore) {
    return { state: "future", words: "not valid yet" };
  }
  return {
    state: left < 30 * DAY_MILLISECONDS ? "soon" : "valid",
    words: `${number} left`,
  };
}

/** `2026-11-23`. */
export function dayOf(date: Date): string {
  return date.toISOString().slice(0, 10);
}
