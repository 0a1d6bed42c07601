/**
 * The rules of a path, one a function (RFC 5280, section 6; RFC 9525).
 *
 * Each looks at one certificate in its place and either returns or throws a
 * `PathError` with its own code. None of them verifies a signature.
 *
 * @module
 */
import { PathError, type PathErrorCode } from "../errors.ts";
import type { CanonicalHost } from "../host.ts";
import { escapeText } from "../text.ts";
import type { CertificateRecord } from "../x509/certificate.ts";
import { EXTENSION, KEY_USAGE } from "../x509/extensions.ts";
import { attributeText, COMMON_NAME, nameText } from "../x509/names.ts";
import { classifyKey } from "./algorithms.ts";
import type { Budget } from "./budget.ts";
import { dnsPattern, namesMatchHost } from "./hostname.ts";
import { checkNameConstraints } from "./name_constraints.ts";

/** A certificate in its place. */
export interface Place {
  readonly record: CertificateRecord;
  /** The certificates below it, leaf first; none for the leaf. */
  readonly below: readonly CertificateRecord[];
  /** Trusted by itself: what it says of its own serial number and issuer is moot. */
  readonly isAnchor: boolean;
  /** Milliseconds since 1970, at the start of a second. */
  readonly at: number;
  readonly host: CanonicalHost | undefined;
  readonly budget: Budget;
}

/** A rule: returns, or throws a `PathError`. */
export type Rule = (place: Place) => void;

/** Most bytes of a serial number (RFC 5280, section 4.1.2.2). */
const MAX_SERIAL_NUMBER_BYTES = 20;

const SERVER_AUTH = "1.3.6.1.5.5.7.3.1";
const ANY_PURPOSE = "2.5.29.37.0";

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

/** Throws a `PathError` that names the certificate. */
export function refuse(
  code: PathErrorCode,
  record: CertificateRecord,
  reason: string,
): never {
  const subject = escapeText(nameText(record.subject)) || "(empty subject)";
  throw new PathError(
    code,
    `Cannot trust the certificate "${subject}": ${reason}`,
  );
}

/** RFC 5280, section 4.1.2.1: extensions need version 3. */
const version: Rule = ({ record }) => {
  if (record.version !== 3) {
    refuse(
      "ERR_CERTPIN_PATH_VERSION",
      record,
      `X.509 version ${record.version}, not 3`,
    );
  }
};

/** RFC 5280, section 4.1.2.2: positive, at most 20 octets. */
const serialNumber: Rule = ({ record, isAnchor }) => {
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
const extensions: Rule = ({ record, isAnchor, below }) => {
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
const criticalExtensions: Rule = ({ record }) => {
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

/** RFC 3279, 5480, 8410 and the Baseline Requirements, section 6.1.5: the key. */
const keyAlgorithm: Rule = ({ record }) => {
  const key = classifyKey(record.publicKey);
  if (typeof key === "string") {
    refuse("ERR_CERTPIN_PATH_ALGORITHM", record, key);
  }
};

/** RFC 5280, section 6.1.3 (a)(2): the second of notBefore is valid. */
const notYetValid: Rule = ({ record, at }) => {
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
const expired: Rule = ({ record, at }) => {
  if (at > record.notAfter) {
    const until = new Date(record.notAfter).toISOString();
    refuse("ERR_CERTPIN_PATH_EXPIRED", record, `it was valid until ${until}`);
  }
};

/** RFC 5280, section 6.1.4 (k): an issuer has the CA bit. */
const isCa: Rule = ({ record }) => {
  if (!record.decoded.basicConstraints?.ca) {
    refuse(
      "ERR_CERTPIN_PATH_NOT_CA",
      record,
      "it signed another certificate, but basicConstraints do not make it a CA",
    );
  }
};

/** RFC 5280, sections 4.2.1.9 and 6.1.4 (l): self-issued ones do not count. */
const pathLength: Rule = ({ record, below }) => {
  const limit = record.decoded.basicConstraints?.pathLength;
  const count = below.slice(1).filter(({ selfIssued }) => !selfIssued).length;
  if (limit !== undefined && count > limit) {
    refuse(
      "ERR_CERTPIN_PATH_LENGTH",
      record,
      `${count} intermediates below it, where pathLenConstraint allows ${limit}`,
    );
  }
};

/** RFC 5280, section 6.1.4 (n): an issuer's key may sign certificates. */
const issuerKeyUsage: Rule = ({ record }) => {
  const { keyUsage } = record.decoded;
  if (keyUsage !== undefined && !(keyUsage & KEY_USAGE.keyCertSign)) {
    refuse(
      "ERR_CERTPIN_PATH_KEY_USAGE",
      record,
      "its keyUsage lacks keyCertSign",
    );
  }
};

/** RFC 5280, sections 4.2.1.3 and 4.2.1.9: a server's key serves TLS and signs no certificates. */
const leafKeyUsage: Rule = ({ record }) => {
  const { keyUsage, basicConstraints } = record.decoded;
  if (keyUsage === undefined) return;
  if (keyUsage & KEY_USAGE.keyCertSign && !basicConstraints?.ca) {
    refuse(
      "ERR_CERTPIN_PATH_KEY_USAGE",
      record,
      "keyCertSign without the CA bit",
    );
  }
  const { digitalSignature, keyEncipherment, keyAgreement } = KEY_USAGE;
  if (!(keyUsage & (digitalSignature | keyEncipherment | keyAgreement))) {
    refuse(
      "ERR_CERTPIN_PATH_KEY_USAGE",
      record,
      "its keyUsage does not serve TLS",
    );
  }
};

/** RFC 5280, section 4.2.1.12: an issuer's purposes limit those below it, as deployed verifiers agree. */
const issuerExtendedKeyUsage: Rule = ({ record }) => {
  const purposes = record.decoded.extendedKeyUsage;
  if (
    purposes && !purposes.includes(SERVER_AUTH) &&
    !purposes.includes(ANY_PURPOSE)
  ) {
    refuse(
      "ERR_CERTPIN_PATH_EXTENDED_KEY_USAGE",
      record,
      "it may not issue for TLS servers",
    );
  }
};

/** RFC 5280, section 4.2.1.12; anyExtendedKeyUsage is not enough on a server (Baseline Requirements, 7.1.2.7.10). */
const leafExtendedKeyUsage: Rule = ({ record }) => {
  const purposes = record.decoded.extendedKeyUsage;
  if (purposes && !purposes.includes(SERVER_AUTH)) {
    refuse(
      "ERR_CERTPIN_PATH_EXTENDED_KEY_USAGE",
      record,
      "its extKeyUsage lacks serverAuth",
    );
  }
};

/** RFC 5280, section 6.1.3 (b) and (c), read from the constraining side. */
const nameConstraints: Rule = ({ record, below, budget }) => {
  const constraints = record.decoded.nameConstraints;
  const defect = constraints &&
    checkNameConstraints(constraints, below, budget);
  if (defect) {
    refuse(
      "ERR_CERTPIN_PATH_NAME_CONSTRAINTS",
      record,
      `below its name constraints stands ${defect}`,
    );
  }
};

/** RFC 9525, section 6: subjectAltName alone, no fallback to the common name. */
const hostname: Rule = ({ record, host }) => {
  const names = record.decoded.subjectAltName ?? [];
  if (host && !namesMatchHost(names, host)) {
    refuse(
      "ERR_CERTPIN_PATH_HOSTNAME",
      record,
      `its subjectAltName does not name "${host.text}"`,
    );
  }
};

/** Baseline Requirements, section 7.1.4.3: a common name that reads as a host is one of the names. */
const commonName: Rule = ({ record }) => {
  const names = record.decoded.subjectAltName ?? [];
  for (const { type, value } of record.subject.rdns.flat()) {
    if (type !== COMMON_NAME) continue;
    const text = attributeText(value) ?? "";
    if (!readsAsHost(text)) continue;
    const listed = names.some((name) =>
      name.kind === "dns" && name.text.toLowerCase() === text.toLowerCase()
    );
    if (!listed) {
      refuse(
        "ERR_CERTPIN_PATH_HOSTNAME",
        record,
        "its common name is a host that subjectAltName does not list",
      );
    }
  }
};

function readsAsHost(text: string): boolean {
  const pattern = dnsPattern(text);
  return pattern !== undefined && pattern.labels.length > 1;
}

/** What holds for the leaf, in order. */
export const LEAF_RULES: readonly Rule[] = [
  keyAlgorithm,
  version,
  serialNumber,
  extensions,
  criticalExtensions,
  notYetValid,
  expired,
  leafKeyUsage,
  leafExtendedKeyUsage,
  hostname,
  commonName,
];

/** What holds for every issuer once its key is known to have signed, in order. */
export const ISSUER_RULES: readonly Rule[] = [
  version,
  serialNumber,
  extensions,
  criticalExtensions,
  notYetValid,
  expired,
  isCa,
  pathLength,
  issuerKeyUsage,
  issuerExtendedKeyUsage,
  nameConstraints,
];
