/**
 * Everything that certpin warns about: one table of codes.
 *
 * @module
 */

/** How much a finding matters. */
export type Severity = "error" | "warning" | "info";

/** What a finding code means, wherever it is found. */
export interface FindingKind {
  /** How much it matters, unless the place says otherwise. */
  readonly severity: Severity;
  /** What is so. */
  readonly message: string;
  /** What to do about it. */
  readonly hint: string;
}

/** A finding code of the table. */
export type FindingCode =
  | "root-only"
  | "unanchored"
  | "expired"
  | "expires-soon"
  | "report-only"
  | "unlisted-allowed"
  | "no-backup-pin"
  | "no-true-backup"
  | "leaf-certificate-pin"
  | "role-differs"
  | "private-profile"
  | "duplicate-pin"
  | "public-root"
  | "ca-set-incomplete"
  | "public-intermediate-pin"
  | "shared-pin"
  | "subdomain-gap"
  | "each-role-without-roles"
  | "public-suffix"
  | "backup-gap"
  | "unused-accept"
  | "no-hosts";
/** All finding codes: those of verdicts, then those of `lintPolicy` and the command alone. */
export const FINDINGS: Readonly<Record<FindingCode, FindingKind>> = Object
  .freeze({
    "root-only": {
      severity: "warning",
      message:
        "Root pins alone match: everything that this CA ever signs is accepted",
      hint:
        "Pin the leaf's key and a backup; or all roots of the CA, with CAA records that name your account",
    },
    "unanchored": {
      severity: "info",
      message:
        "The path ends before an anchor, because the platform's store cannot be listed",
      hint:
        "Let the program list the platform's anchors, or pass the anchors that it trusts",
    },
    "expired": {
      severity: "warning",
      message: "The pin set has expired",
      hint: "Renew the pins and set a later expiresAt",
    },
    "expires-soon": {
      severity: "warning",
      message: "The pin set expires within 30 days",
      hint: "Renew the pins and set a later expiresAt",
    },
    "report-only": {
      severity: "warning",
      message: "Violations are reported and not refused",
      hint: 'Set the mode to "enforce" once no reports come in',
    },
    "unlisted-allowed": {
      severity: "warning",
      message: "Hosts without a pin set are allowed",
      hint: 'Give each host a pin set and set unlisted to "deny"',
    },
    "no-backup-pin": {
      severity: "warning",
      message:
        "There is no backup pin: losing this one key locks all clients out",
      hint: "Add the pin of a key that is kept offline (`certpin pin`)",
    },
    "no-true-backup": {
      severity: "warning",
      message:
        "All pins are on one path: a change of this path locks all clients out",
      hint: "Add the pin of a key that is not on the path",
    },
    "leaf-certificate-pin": {
      severity: "warning",
      message:
        "The pin of a whole leaf certificate breaks at every renewal, even with the same key",
      hint: "Pin its key: sha256/… of the SPKI",
    },
    "role-differs": {
      severity: "info",
      message:
        "A pin matches a certificate in another role than the one that it names",
      hint:
        'The role depends on the client\'s trust store; "role": "ca" says that either will do',
    },
    "private-profile": {
      severity: "info",
      message: "The profile private let pass what a public CA must not issue",
      hint:
        "Reissue what is named here by the rules of public CAs, or leave it if the CA is your own",
    },
    "duplicate-pin": {
      severity: "warning",
      message: "The pin is in the set already",
      hint: "Remove it; if it should be a backup, pin another key",
    },
    "public-root": {
      severity: "warning",
      message: "The pin is that of a root in the platform's store",
      hint:
        "Pin the leaf's key and a backup; or all roots of the CA, with CAA records that name your account",
    },
    "ca-set-incomplete": {
      severity: "warning",
      message:
        "Roots of a public CA are pinned, and others of the same CA are not",
      hint: "Pin all its roots: the CA moves hosts between them without notice",
    },
    "public-intermediate-pin": {
      severity: "warning",
      message:
        "The pin is that of an intermediate of a public CA, which changes without notice",
      hint:
        "Pin the leaf's key and a backup; or all roots of the CA, with CAA records that name your account",
    },
    "shared-pin": {
      severity: "warning",
      message: "The same pin stands under hosts that are not related",
      hint: "Give each service a key of its own",
    },
    "subdomain-gap": {
      severity: "info",
      message: "A name and the names below it are not covered alike",
      hint:
        'Add the missing entry, or use one entry with "includeSubdomains": true',
    },
    "each-role-without-roles": {
      severity: "error",
      message: '"each-role" needs a pin with a role',
      hint: 'Give the pins roles, or set require to "any"',
    },
    "public-suffix": {
      severity: "error",
      message: "The entry covers names of many owners",
      hint: "Name a host that you run",
    },
    "backup-gap": {
      severity: "error",
      message: "The backup pin that init left a place for is still missing",
      hint:
        "Add the pin of a key that is kept offline (`certpin pin`), then remove this member",
    },
    "unused-accept": {
      severity: "info",
      message: "What is accepted here was not found",
      hint: "Remove it, so that it hides nothing later",
    },
    "no-hosts": {
      severity: "warning",
      message: "The policy pins no host",
      hint: "Add at least one host",
    },
  });

/** Something that a verdict or `lintPolicy` warns about. */
export interface Finding {
  /** What kind: a {@linkcode FindingCode}; more may be added. */
  readonly code: string;
  /** How much it matters here. */
  readonly severity: Severity;
  /** JSON pointer into the policy (RFC 6901). */
  readonly pointer: string;
  /** What is so, for people. */
  readonly message: string;
  /** What to do about it, for people. */
  readonly hint?: string;
}

/** Makes a finding from the table. */
export function finding(
  code: FindingCode,
  pointer: string,
  change: { severity?: Severity; detail?: string } = {},
): Finding {
  const { severity, message, hint } = FINDINGS[code];
  return Object.freeze({
    code,
    severity: change.severity ?? severity,
    pointer,
    message: change.detail === undefined
      ? message
      : `${message}: ${change.detail}`,
    hint,
  });
}
