/**
 * Rules for the issuers (RFC 5280, section 6.1.4). That an issuer's key may be
 * used and did sign is found before.
 *
 * @module
 */
import { KEY_USAGE } from "../x509/extensions.ts";
import * as common from "./common_rules.ts";
import { ANY_PURPOSE, SERVER_AUTH } from "./purposes.ts";
import { refuse, type Rule } from "./rule.ts";

/** RFC 5280, section 6.1.4 (k): an issuer has the CA bit. */
const isCa: Rule = (place) => {
  const { record } = place;
  // Trusted as a CA by the caller, and without a way to say so itself.
  if (common.isVersionOneAnchor(place)) return;
  if (!record.decoded.basicConstraints?.ca) {
    refuse(
      "ca-bit",
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
      "path-length",
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
      "issuer-key-usage",
      record,
      "its keyUsage lacks keyCertSign",
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
      "issuer-extended-key-usage",
      record,
      "it may not issue for TLS servers",
    );
  }
};

/** RFC 5280, section 6.1.3 (b) and (c), read from the constraining side. */
const nameConstraints: Rule = ({ record, below, names }) => {
  const constraints = record.decoded.nameConstraints;
  const defect = constraints && names.check(constraints, below);
  if (defect) {
    refuse(
      "name-constraints",
      record,
      `below its name constraints stands ${defect}`,
    );
  }
};

/** What holds for every issuer once its key is known to have signed, in order. */
export const ISSUER_RULES: readonly Rule[] = [
  common.keySize,
  common.version,
  common.serialNumber,
  common.extensions,
  common.criticalExtensions,
  common.notYetValid,
  common.expired,
  isCa,
  pathLength,
  issuerKeyUsage,
  issuerExtendedKeyUsage,
  nameConstraints,
];
