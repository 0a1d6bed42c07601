/**
 * Certificates as commands show them.
 *
 * @module
 */
import { type Certificate, fingerprint, type Role } from "@certpin/certpin";
import {
  classifyKey,
  importableSpki,
  recordOf,
} from "@certpin/certpin/internal";

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

/**
 * The key of a certificate in a few words: `RSA 2048`, `EC P-256`, `Ed25519`;
 * why no path may hold it, if that is so. Pure WebCrypto, so that a page in a
 * browser can show it too.
 */
export async function keyWords(certificate: Certificate): Promise<string> {
  const { publicKey } = recordOf(certificate);
  const kind = classifyKey(publicKey);
  if (typeof kind === "string") return kind;
  switch (kind.kind) {
    case "ec":
      return `EC ${kind.curve}`;
    case "ed25519":
      return "Ed25519";
    default: {
      const name = kind.kind === "rsa" ? "RSA" : "RSA-PSS";
      const imported = crypto.subtle.importKey(
        "spki",
        importableSpki(publicKey),
        { name: "RSA-PSS", hash: "SHA-256" },
        true,
        ["verify"],
      );
      // A runtime may refuse a size that a path may hold.
      const key = await imported.catch(() => undefined);
      if (key === undefined) return name;
      const { modulusLength } = key.algorithm as RsaKeyAlgorithm;
      return `${name} ${modulusLength}`;
    }
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
