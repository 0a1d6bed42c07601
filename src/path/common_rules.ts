/**
 * Rules for every certificate on a path (RFC 5280).
 *
 * @module
 */
import { EXTENSION } from "../x509/extensions.ts";
import { refuse, type Rule } from "./rule.ts";

/** Most bytes of a serial number (RFC 5280, section 4.1.2.2). */
const MAX_SERIAL_NUMBER_BYTES = 20;

// Extensions whose meaning the rules below take into account. Certificate
// policies count, since any policy is acceptable here (section 6.1.1, c to g)
// and what would make them bite, policyConstraints, is refused.
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

/** RFC 5280, section 4.1.2.1: extensions need version 3. */
export const version: Rule = ({ record }) => {
  if (record.version !== 3) {
    refuse(
      "ERR_CERTPIN_PATH_VERSION",
      record,
      `X.509 version ${record.version}, not 3`,
    );
  }
};

/** RFC 5280, section 4.1.2.2: positive, at most 20 octets. */
export const serialNumber: Rule = ({ record, isAnchor }) => {
  if (isAnchor) return;
  const { serialNumber: octets } = record;
  const significant = octets[0] === 0 ? octets.length - 1 : octets.length;
  if (
    octets[0] & 0x80 || significant === 0 ||
    significant > MAX_SERIAL_NUMBER_BYTES
  ) {
    refuse(
      "ERR_CERTPIN_PATH_SERIAL",
      record,
      "its serial number is not positive and of at most 20 octets",
    );
  }
};

/** RFC 5280, sections 4.1.2.4, 4.1.2.6, 4.2 and 4.2.1: names and extensions as they must be. */
export const extensions: Rule = ({ record, isAnchor, below }) => {
  const code = "ERR_CERTPIN_PATH_EXTENSION";
  const { defect, authorityKeyIdentifier: authority } = record.decoded;
  if (defect) refuse(code, record, defect);
  if (record.issuer.rdns.length === 0) {
    refuse(code, record, "its issuer is empty");
  }
  if (below.length > 0 && record.subject.rdns.length === 0) {
    refuse(code, record, "it is an issuer with an empty subject");
  }
  // Section 4.2.1.1: may be left out only where a certificate is its own issuer.
  const mayLack = isAnchor || record.selfIssued;
  if (authority ? !authority.keyIdentifier : !mayLack) {
    refuse(
      code,
      record,
      "it has no authorityKeyIdentifier with a key identifier; issue it with " +
        '"authorityKeyIdentifier = keyid:always"',
    );
  }
  for (const { oid, critical } of record.extensions) {
    if (oid === EXTENSION.policyConstraints) {
      refuse(code, record, "it has policyConstraints, which are not supported");
    }
    if (critical && NEVER_CRITICAL.has(oid)) {
      refuse(code, record, `extension ${oid} must not be critical`);
    }
    if (
      oid === EXTENSION.basicConstraints && !critical &&
      record.decoded.basicConstraints!.ca
    ) {
      refuse(code, record, "its basicConstraints are not critical");
    }
    const hasSubject = record.subject.rdns.length > 0;
    if (
      oid === EXTENSION.subjectAltName && below.length === 0 &&
      critical === hasSubject
    ) {
      // Section 4.2.1.6: critical exactly where the subject is empty.
      refuse(
        code,
        record,
        hasSubject
          ? "its subjectAltName is critical beside a subject"
          : "its subject is empty and its subjectAltName not critical",
      );
    }
    if (oid === EXTENSION.nameConstraints && below.length === 0) {
      refuse(code, record, "it is no issuer and has nameConstraints");
    }
  }
};

/** RFC 5280, section 4.2: what is critical and not understood refuses. */
export const criticalExtensions: Rule = ({ record }) => {
  for (const { oid, critical } of record.extensions) {
    if (critical && !PROCESSED.has(oid)) {
      refuse(
        "ERR_CERTPIN_PATH_CRITICAL_EXTENSION",
        record,
        `it has an unknown critical extension, ${oid}`,
      );
    }
  }
};

/** RFC 5280, section 6.1.3 (a)(2): the second of notBefore is valid. */
export const notYetValid: Rule = ({ record, at }) => {
  if (at < record.notBefore) {
    const from = new Date(record.notBefore).toISOString();
    refuse(
      "ERR_CERTPIN_PATH_NOT_YET_VALID",
      record,
      `it is valid from ${from}`,
    );
  }
};

/** RFC 5280, section 6.1.3 (a)(2): the second of notAfter is valid. */
export const expired: Rule = ({ record, at }) => {
  if (at > record.notAfter) {
    const until = new Date(record.notAfter).toISOString();
    refuse("ERR_CERTPIN_PATH_EXPIRED", record, `it was valid until ${until}`);
  }
};
