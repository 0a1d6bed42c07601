/**
 * Rules for every certificate on a path (RFC 5280).
 *
 * @module
 */
import { EXTENSION } from "../x509/extensions.ts";
import { rsaModulusBits } from "./algorithms.ts";
import { type Place, refuse, type Rule, waiveOrRefuse } from "./rule.ts";

/** Most bytes of a serial number (RFC 5280, section 4.1.2.2). */
const MAX_SERIAL_NUMBER_BYTES = 20;

// Extensions whose meaning the rules below take into account. Certificate
// policies count, since any policy is acceptable here (section 6.1.1, c to g)
// and what would make them bite, policyConstraints, is refused. Their
// qualifiers are for people to read.
const PROCESSED: ReadonlySet<string> = new Set([
  EXTENSION.basicConstraints,
  EXTENSION.keyUsage,
  EXTENSION.extendedKeyUsage,
  EXTENSION.subjectAltName,
  EXTENSION.nameConstraints,
  EXTENSION.certificatePolicies,
]);
const NEVER_CRITICAL: ReadonlySet<string> = new Set([
  EXTENSION.authorityKeyIdentifier,
  EXTENSION.subjectKeyIdentifier,
  EXTENSION.authorityInfoAccess,
]);

/** Baseline Requirements, section 6.1.5: an RSA modulus of whole octets. */
export const keySize: Rule = (place) => {
  const bits = rsaModulusBits(place.record.publicKey);
  if (bits === undefined || bits % 8 === 0 || place.isPlatformAnchor) return;
  const reason = `it has an RSA key of ${bits} bits, no multiple of 8`;
  waiveOrRefuse("rsa-key-size", place, reason);
};

/** Whether a certificate has a version that only an anchor of the caller's own may have. */
export function isVersionOneAnchor({ record, isAnchor }: Place): boolean {
  return record.version === 1 && isAnchor && record.selfIssued;
}

/** RFC 5280, section 4.1.2.1: extensions need version 3. */
export const version: Rule = (place) => {
  const { record } = place;
  if (record.version === 3) return;
  const reason = `X.509 version ${record.version}, not 3`;
  if (isVersionOneAnchor(place)) waiveOrRefuse("anchor-version", place, reason);
  else refuse("version", record, reason);
};

/** RFC 5280, section 4.1.2.2: positive, at most 20 octets. */
export const serialNumber: Rule = (place) => {
  const { record, isAnchor } = place;
  if (isAnchor) return;
  const { serialNumber: octets } = record;
  if (octets[0] & 0x80) {
    refuse("negative-serial-number", record, "its serial number is negative");
  }
  const significant = octets[0] === 0 ? octets.length - 1 : octets.length;
  if (significant === 0) {
    waiveOrRefuse("serial-number", place, "its serial number is zero");
  } else if (significant > MAX_SERIAL_NUMBER_BYTES) {
    const reason =
      `its serial number has ${significant} octets, at most 20 allowed`;
    waiveOrRefuse("serial-number", place, reason);
  }
};

/** RFC 5280, sections 4.1.2.4, 4.1.2.6, 4.2 and 4.2.1: names and extensions as they must be. */
export const extensions: Rule = (place) => {
  const { record, isAnchor, isPlatformAnchor, below } = place;
  const { defect, authorityKeyIdentifier: authority } = record.decoded;
  if (defect) refuse("malformed-extension", record, defect);
  if (record.issuer.rdns.length === 0) {
    refuse("empty-name", record, "its issuer is empty");
  }
  if (below.length > 0 && record.subject.rdns.length === 0) {
    refuse("empty-name", record, "it is an issuer with an empty subject");
  }
  // Section 4.2.1.1: may be left out only where a certificate is its own issuer.
  const mayLack = isAnchor || record.selfIssued;
  if (authority ? !authority.keyIdentifier && !isPlatformAnchor : !mayLack) {
    waiveOrRefuse(
      "authority-key-identifier",
      place,
      "it has no authorityKeyIdentifier with a key identifier",
    );
  }
  for (const { oid, critical } of record.extensions) {
    if (oid === EXTENSION.policyConstraints) {
      refuse(
        "policy-constraints",
        record,
        "it has policyConstraints, which are not supported",
      );
    }
    if (critical && NEVER_CRITICAL.has(oid)) {
      refuse(
        "critical-identifier",
        record,
        `extension ${oid} must not be critical`,
      );
    }
    if (
      oid === EXTENSION.basicConstraints && !critical && !isPlatformAnchor &&
      record.decoded.basicConstraints!.ca
    ) {
      waiveOrRefuse(
        "basic-constraints-critical",
        place,
        "its basicConstraints are not critical",
      );
    }
    if (
      oid === EXTENSION.subjectAltName && below.length === 0 && !critical &&
      record.subject.rdns.length === 0
    ) {
      waiveOrRefuse(
        "subject-alt-name-critical",
        place,
        "its subject is empty and its subjectAltName not critical",
      );
    }
    if (oid === EXTENSION.nameConstraints && below.length === 0) {
      refuse(
        "leaf-name-constraints",
        record,
        "it is no issuer and has nameConstraints",
      );
    }
  }
};

/** Qualifiers that need no processing: a place, and a text (RFC 5280, section 4.2.1.4). */
const PASSIVE_QUALIFIERS: ReadonlySet<string> = new Set([
  "1.3.6.1.5.5.7.2.1",
  "1.3.6.1.5.5.7.2.2",
]);

/** RFC 5280, sections 4.2 and 4.2.1.4: what is critical and not understood refuses. */
export const criticalExtensions: Rule = ({ record }) => {
  for (const { oid, critical } of record.extensions) {
    if (!critical) continue;
    if (!PROCESSED.has(oid)) {
      refuse(
        "critical-extension",
        record,
        `it has an unknown critical extension, ${oid}`,
      );
    }
    if (oid !== EXTENSION.certificatePolicies) continue;
    const unknown = record.decoded.certificatePolicies
      ?.flatMap(({ qualifiers }) => qualifiers)
      .find((qualifier) => !PASSIVE_QUALIFIERS.has(qualifier));
    if (unknown !== undefined) {
      refuse(
        "critical-extension",
        record,
        `its critical certificatePolicies have an unknown qualifier, ${unknown}`,
      );
    }
  }
};

/** RFC 5280, section 6.1.3 (a)(2): the second of notBefore is valid. */
export const notYetValid: Rule = ({ record, at }) => {
  if (at < record.notBefore) {
    const from = new Date(record.notBefore).toISOString();
    refuse(
      "not-yet-valid",
      record,
      `it is valid from ${from}`,
    );
  }
};

/** RFC 5280, section 6.1.3 (a)(2): the second of notAfter is valid. */
export const expired: Rule = ({ record, at }) => {
  if (at > record.notAfter) {
    const until = new Date(record.notAfter).toISOString();
    refuse("expired", record, `it was valid until ${until}`);
  }
};
