/**
 * Every rule of a path by name: its error code, where it comes from, what to
 * do about it, and whether the profile `private` waives it.
 *
 * @module
 */
import type { PathErrorCode } from "../errors.ts";

/**
 * How strictly paths are held to the rules: `web` as a public CA must issue,
 * `private` without the rules that bind public CAs alone.
 */
export type Profile = "web" | "private";

/** Whether a value is a profile. */
export function isProfile(value: unknown): value is Profile {
  return value === "web" || value === "private";
}

/** One rule. */
export interface PathRule {
  /** The code of its refusal. */
  readonly code: PathErrorCode;
  /** Where it comes from. */
  readonly source: string;
  /** What the owner of the certificate can do, beginning with a verb. */
  readonly remedy: string;
  /**
   * Whether `private` reports what breaks it and lets it pass: rules of shape,
   * which say how a public CA has to issue and decide nothing about trust.
   */
  readonly isWaivable?: true;
}

/** The rules, in the order of the codes. */
export const PATH_RULES = {
  "no-issuer": {
    code: "ERR_CERTPIN_PATH_NO_ISSUER",
    source: "RFC 5280, section 6.1.3 (a)(4)",
    remedy:
      "configure the server's full chain, or trust its root with ca or anchors",
  },
  "algorithm": {
    code: "ERR_CERTPIN_PATH_ALGORITHM",
    source: "Baseline Requirements, sections 6.1.5 and 7.1.3",
    remedy:
      "reissue it with RSA of at least 2,048 bits, P-256, P-384, P-521 or Ed25519, and with SHA-256 or better",
  },
  "rsa-key-size": {
    code: "ERR_CERTPIN_PATH_ALGORITHM",
    source: "Baseline Requirements, section 6.1.5",
    remedy: "make the key again with 2,048, 3,072 or 4,096 bits",
    isWaivable: true,
  },
  "signature": {
    code: "ERR_CERTPIN_PATH_SIGNATURE",
    source: "RFC 5280, section 6.1.3 (a)(1)",
    remedy: "look for another certificate of this issuer's name",
  },
  "version": {
    code: "ERR_CERTPIN_PATH_VERSION",
    source: "RFC 5280, section 4.1.2.1",
    remedy: "reissue it with extensions, as version 3",
  },
  "anchor-version": {
    code: "ERR_CERTPIN_PATH_VERSION",
    source: "RFC 5280, section 4.1.2.1",
    remedy: "reissue the root with extensions, as version 3",
    isWaivable: true,
  },
  "serial-number": {
    code: "ERR_CERTPIN_PATH_SERIAL",
    source: "RFC 5280, section 4.1.2.2",
    remedy: "reissue it with a positive serial number of at most 20 octets",
    isWaivable: true,
  },
  "negative-serial-number": {
    code: "ERR_CERTPIN_PATH_SERIAL",
    source: "RFC 5280, section 4.1.2.2",
    remedy: "reissue it with a positive serial number of at most 20 octets",
  },
  "malformed-extension": {
    code: "ERR_CERTPIN_PATH_EXTENSION",
    source: "RFC 5280, section 4.2",
    remedy: "reissue it",
  },
  "empty-name": {
    code: "ERR_CERTPIN_PATH_EXTENSION",
    source: "RFC 5280, sections 4.1.2.4 and 4.1.2.6",
    remedy: "reissue it, and give each CA a subject",
  },
  "authority-key-identifier": {
    code: "ERR_CERTPIN_PATH_EXTENSION",
    source: "RFC 5280, section 4.2.1.1",
    remedy:
      'reissue it with "authorityKeyIdentifier = keyid:always"; its issuer needs a subjectKeyIdentifier for that',
    isWaivable: true,
  },
  "critical-identifier": {
    code: "ERR_CERTPIN_PATH_EXTENSION",
    source: "RFC 5280, sections 4.2.1.1, 4.2.1.2 and 4.2.2.1",
    remedy: "reissue it with this extension not critical",
  },
  "basic-constraints-critical": {
    code: "ERR_CERTPIN_PATH_EXTENSION",
    source: "RFC 5280, section 4.2.1.9",
    remedy: 'reissue it with "basicConstraints = critical, CA:TRUE"',
    isWaivable: true,
  },
  "subject-alt-name-critical": {
    code: "ERR_CERTPIN_PATH_EXTENSION",
    source: "RFC 5280, section 4.2.1.6",
    remedy:
      "reissue it with a subject, or with subjectAltName marked as critical",
    isWaivable: true,
  },
  "policy-constraints": {
    code: "ERR_CERTPIN_PATH_EXTENSION",
    source: "RFC 5280, section 4.2.1.11",
    remedy: "use a CA without policyConstraints",
  },
  "leaf-name-constraints": {
    code: "ERR_CERTPIN_PATH_EXTENSION",
    source: "RFC 5280, section 4.2.1.10",
    remedy: "reissue it without nameConstraints, which are for CAs",
  },
  "critical-extension": {
    code: "ERR_CERTPIN_PATH_CRITICAL_EXTENSION",
    source: "RFC 5280, section 4.2",
    remedy: "reissue it without this extension, or with it not critical",
  },
  "not-yet-valid": {
    code: "ERR_CERTPIN_PATH_NOT_YET_VALID",
    source: "RFC 5280, section 6.1.3 (a)(2)",
    remedy: "set the clock, or wait",
  },
  "expired": {
    code: "ERR_CERTPIN_PATH_EXPIRED",
    source: "RFC 5280, section 6.1.3 (a)(2)",
    remedy: "renew it, or set the clock",
  },
  "ca-bit": {
    code: "ERR_CERTPIN_PATH_NOT_CA",
    source: "RFC 5280, section 6.1.4 (k)",
    remedy: "issue from a certificate that is a CA",
  },
  "path-length": {
    code: "ERR_CERTPIN_PATH_LENGTH",
    source: "RFC 5280, section 6.1.4 (l) and (m)",
    remedy: "issue from a CA that allows so many intermediates",
  },
  "issuer-key-usage": {
    code: "ERR_CERTPIN_PATH_KEY_USAGE",
    source: "RFC 5280, section 6.1.4 (n)",
    remedy: "reissue the CA with keyCertSign in its keyUsage",
  },
  "leaf-key-usage": {
    code: "ERR_CERTPIN_PATH_KEY_USAGE",
    source: "RFC 5280, section 4.2.1.3",
    remedy:
      "reissue it with digitalSignature, and keyEncipherment for RSA, in its keyUsage",
  },
  "leaf-key-cert-sign": {
    code: "ERR_CERTPIN_PATH_KEY_USAGE",
    source: "RFC 5280, section 4.2.1.9",
    remedy: "reissue it without keyCertSign in its keyUsage",
  },
  "issuer-extended-key-usage": {
    code: "ERR_CERTPIN_PATH_EXTENDED_KEY_USAGE",
    source: "Baseline Requirements, section 7.1.2.10.6",
    remedy:
      "issue from a CA whose extKeyUsage has serverAuth, or that has none",
  },
  "leaf-extended-key-usage": {
    code: "ERR_CERTPIN_PATH_EXTENDED_KEY_USAGE",
    source: "RFC 5280, section 4.2.1.12; Baseline Requirements, 7.1.2.7.10",
    remedy: "reissue it with serverAuth in its extKeyUsage",
  },
  "name-constraints": {
    code: "ERR_CERTPIN_PATH_NAME_CONSTRAINTS",
    source: "RFC 5280, section 4.2.1.10",
    remedy: "issue it from a CA that may issue for this name",
  },
  "hostname": {
    code: "ERR_CERTPIN_PATH_HOSTNAME",
    source: "RFC 9525, section 6",
    remedy: "reissue it with this name in its subjectAltName",
  },
  "common-name": {
    code: "ERR_CERTPIN_PATH_HOSTNAME",
    source: "Baseline Requirements, section 7.1.4.3",
    remedy: "reissue it with a common name spelled as in subjectAltName",
    isWaivable: true,
  },
  "leaf-is-ca": {
    code: "ERR_CERTPIN_PATH_LEAF_IS_CA",
    source: "Baseline Requirements, section 7.1.2.7",
    remedy: "issue a certificate of its own for the server",
  },
} as const satisfies Readonly<Record<string, PathRule>>;

/** The name of a rule. */
export type PathRuleName = keyof typeof PATH_RULES;

/** The name of a rule that the profile `private` waives. */
export type WaivableRuleName = {
  [Name in PathRuleName]: typeof PATH_RULES[Name] extends
    { readonly isWaivable: true } ? Name : never;
}[PathRuleName];
