/**
 * Possible issuers: what they could have signed, and in which order they are
 * tried. Key identifiers are hints:
 * they move a candidate, and never admit or refuse one (RFC 4158, section 3.2).
 *
 * @module
 */
import type { Bytes, SignatureScheme } from "../crypto/routine.ts";
import { type Certificate, recordOf } from "../x509/certificate.ts";
import type { CertificateRecord } from "../x509/record.ts";
import { bytesEqual } from "../x509/der.ts";
import { EXTENSION } from "../x509/extensions.ts";
import { classifyKey, schemeFor } from "./algorithms.ts";

/** A possible issuer. */
export interface Candidate {
  readonly certificate: Certificate;
  readonly isAnchor: boolean;
}

/** Longest key identifier taken as a hint, in bytes; they come from a hash. */
const MAX_KEY_IDENTIFIER_BYTES = 64;

/**
 * Orders candidates by key identifier (equal, unknown, different), then
 * anchors first, then by the later end of validity; otherwise it leaves them
 * as they are, the pooled ones as {@linkcode certificatePool} sorted them.
 */
export function candidateOrder(
  issued: Certificate,
  anchors: readonly Certificate[],
  pooled: readonly Certificate[],
): readonly Candidate[] {
  const candidates = [
    ...anchors.map((certificate) => ({ certificate, isAnchor: true })),
    ...pooled.map((certificate) => ({ certificate, isAnchor: false })),
  ];
  if (candidates.length < 2) return candidates;
  return candidates
    .map((candidate) => ({ candidate, hint: hint(issued, candidate) }))
    .sort((a, b) =>
      a.hint - b.hint ||
      Number(b.candidate.isAnchor) - Number(a.candidate.isAnchor) ||
      recordOf(b.candidate.certificate).notAfter -
        recordOf(a.candidate.certificate).notAfter
    )
    .map(({ candidate }) => candidate);
}

function hint(issued: Certificate, { certificate }: Candidate): number {
  const wanted = recordOf(issued).decoded.authorityKeyIdentifier?.keyIdentifier;
  const offered = recordOf(certificate).decoded.subjectKeyIdentifier;
  if (!wanted || !offered) return 1;
  if (wanted.length > MAX_KEY_IDENTIFIER_BYTES) return 1;
  return bytesEqual(wanted, offered) ? 0 : 2;
}

/** The scheme of the signature, or why none may be used. */
export function signatureScheme(
  issued: CertificateRecord,
  issuer: CertificateRecord,
): SignatureScheme | string {
  // RFC 5280, section 4.1.1.2: the same algorithm inside and outside.
  if (!bytesEqual(issued.innerAlgorithm.raw, issued.outerAlgorithm.raw)) {
    return "it names two different signature algorithms";
  }
  const key = classifyKey(issuer.publicKey);
  return typeof key === "string"
    ? `its issuer has an ${key}`
    : schemeFor(issued.outerAlgorithm, key);
}

/**
 * Whether a path would come back to the same name, alternative names and key:
 * a circle (RFC 4158, section 2.4.1).
 */
export function isSameEntity(a: Certificate, b: Certificate): boolean {
  const first = recordOf(a);
  const second = recordOf(b);
  return bytesEqual(first.spki, second.spki) &&
    first.subjectKey === second.subjectKey &&
    bytesEqual(alternativeNames(first), alternativeNames(second));
}

const NO_NAMES = new Uint8Array();

function alternativeNames({ extensions }: CertificateRecord): Bytes {
  return extensions.find(({ oid }) => oid === EXTENSION.subjectAltName)
    ?.value ?? NO_NAMES;
}
