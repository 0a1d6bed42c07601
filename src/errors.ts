/**
 * The errors of certpin: one base class, a closed list of codes.
 *
 * Branch on `code`, never on `message`.
 *
 * @module
 */
import { escapeText } from "./text.ts";

/** Codes of {@linkcode CertificateError}. */
export const CERTIFICATE_ERROR_CODES = [
  "ERR_CERTPIN_CERTIFICATE_PEM",
  "ERR_CERTPIN_CERTIFICATE_DER",
  "ERR_CERTPIN_CERTIFICATE_VERSION",
  "ERR_CERTPIN_CERTIFICATE_FOREIGN",
  "ERR_CERTPIN_KEY_FORMAT",
  "ERR_CERTPIN_KEY_ALGORITHM",
  "ERR_CERTPIN_KEY_ENCRYPTION",
  "ERR_CERTPIN_KEY_PASSPHRASE",
] as const;

/** Codes of {@linkcode PolicyError}. */
export const POLICY_ERROR_CODES = [
  "ERR_CERTPIN_POLICY_INVALID",
  "ERR_CERTPIN_PIN_INVALID",
  "ERR_CERTPIN_PIN_HASH",
  "ERR_CERTPIN_PIN_FORMAT",
  "ERR_CERTPIN_HOST_INVALID",
  "ERR_CERTPIN_UNLISTED",
  "ERR_CERTPIN_EXPIRED",
  "ERR_CERTPIN_DOCUMENT_SYNTAX",
  "ERR_CERTPIN_DOCUMENT_ENTITY",
] as const;

/**
 * Codes of {@linkcode PathError}, in the order of the rules. If two candidates
 * are equally deep, the one that failed the later rule is reported.
 */
export const PATH_ERROR_CODES = [
  "ERR_CERTPIN_PATH_EMPTY_CHAIN",
  "ERR_CERTPIN_PATH_NO_ISSUER",
  "ERR_CERTPIN_PATH_ALGORITHM",
  "ERR_CERTPIN_PATH_SIGNATURE",
  "ERR_CERTPIN_PATH_VERSION",
  "ERR_CERTPIN_PATH_SERIAL",
  "ERR_CERTPIN_PATH_EXTENSION",
  "ERR_CERTPIN_PATH_CRITICAL_EXTENSION",
  "ERR_CERTPIN_PATH_NOT_YET_VALID",
  "ERR_CERTPIN_PATH_EXPIRED",
  "ERR_CERTPIN_PATH_NOT_CA",
  "ERR_CERTPIN_PATH_LENGTH",
  "ERR_CERTPIN_PATH_KEY_USAGE",
  "ERR_CERTPIN_PATH_EXTENDED_KEY_USAGE",
  "ERR_CERTPIN_PATH_NAME_CONSTRAINTS",
  "ERR_CERTPIN_PATH_HOSTNAME",
  "ERR_CERTPIN_PATH_LEAF_IS_CA",
] as const;

/** Codes of {@linkcode PinMismatchError}. */
export const PIN_MISMATCH_ERROR_CODES = [
  "ERR_CERTPIN_MISMATCH",
  "ERR_CERTPIN_ROOT_ONLY",
] as const;

/** Codes of {@linkcode LimitError}. */
export const LIMIT_ERROR_CODES = [
  "ERR_CERTPIN_LIMIT_CERTIFICATE_SIZE",
  "ERR_CERTPIN_LIMIT_CHAIN_LENGTH",
  "ERR_CERTPIN_LIMIT_PATH_WORK",
  "ERR_CERTPIN_LIMIT_POLICY_SIZE",
] as const;

/** Codes of {@linkcode ConnectionError}. */
export const CONNECTION_ERROR_CODES = [
  "ERR_CERTPIN_RUNTIME",
  "ERR_CERTPIN_OPTION",
  "ERR_CERTPIN_PROTOCOL",
  "ERR_CERTPIN_NO_CHAIN",
  "ERR_CERTPIN_HANDSHAKE",
  "ERR_CERTPIN_PROXY",
  "ERR_CERTPIN_TLS_VERSION",
  "ERR_CERTPIN_TLS_ALERT",
  "ERR_CERTPIN_TLS_PROTOCOL",
  "ERR_CERTPIN_TLS_TRUNCATED",
  "ERR_CERTPIN_HTTP_PROTOCOL",
] as const;

/** Codes of {@linkcode UpdateError}. */
export const UPDATE_ERROR_CODES = [
  "ERR_CERTPIN_UPDATE_SIGNATURE",
  "ERR_CERTPIN_UPDATE_ROLLBACK",
  "ERR_CERTPIN_UPDATE_EXPIRED",
  "ERR_CERTPIN_UPDATE_NOT_YET_VALID",
  "ERR_CERTPIN_UPDATE_AUDIENCE",
  "ERR_CERTPIN_UPDATE_MALFORMED",
  "ERR_CERTPIN_UPDATE_SIZE",
  "ERR_CERTPIN_UPDATE_FETCH",
  "ERR_CERTPIN_UPDATE_STORE",
  "ERR_CERTPIN_UPDATE_MAX_AGE",
] as const;

/** Every code that certpin throws. */
export const ERROR_CODES: readonly [
  ...typeof CERTIFICATE_ERROR_CODES,
  ...typeof POLICY_ERROR_CODES,
  ...typeof PATH_ERROR_CODES,
  ...typeof PIN_MISMATCH_ERROR_CODES,
  ...typeof LIMIT_ERROR_CODES,
  ...typeof CONNECTION_ERROR_CODES,
  ...typeof UPDATE_ERROR_CODES,
] = [
  ...CERTIFICATE_ERROR_CODES,
  ...POLICY_ERROR_CODES,
  ...PATH_ERROR_CODES,
  ...PIN_MISMATCH_ERROR_CODES,
  ...LIMIT_ERROR_CODES,
  ...CONNECTION_ERROR_CODES,
  ...UPDATE_ERROR_CODES,
];

/** A code of {@linkcode CertificateError}. */
export type CertificateErrorCode = typeof CERTIFICATE_ERROR_CODES[number];
/** A code of {@linkcode PolicyError}, and of each of its problems. */
export type PolicyErrorCode = typeof POLICY_ERROR_CODES[number];
/** A code of {@linkcode PathError}. */
export type PathErrorCode = typeof PATH_ERROR_CODES[number];
/** A code of {@linkcode PinMismatchError}. */
export type PinMismatchErrorCode = typeof PIN_MISMATCH_ERROR_CODES[number];
/** A code of {@linkcode LimitError}. */
export type LimitErrorCode = typeof LIMIT_ERROR_CODES[number];
/** A code of {@linkcode ConnectionError}. */
export type ConnectionErrorCode = typeof CONNECTION_ERROR_CODES[number];
/** A code of {@linkcode UpdateError}. */
export type UpdateErrorCode = typeof UPDATE_ERROR_CODES[number];
/** Any code of certpin. */
export type ErrorCode = typeof ERROR_CODES[number];

/** The JSON form of a {@linkcode CertpinError}. */
export interface CertpinErrorJson {
  /** The class. */
  name: string;
  /** The code. */
  code: ErrorCode;
  /** The message, without the stack. */
  message: string;
  /** Further properties of the class. */
  [key: string]: unknown;
}

/** The base class of every error that certpin throws on purpose. */
export class CertpinError extends Error {
  /** What went wrong; stable across minor versions. */
  readonly code: ErrorCode;

  /** Makes an error with a code, and optionally a cause. */
  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "CertpinError";
    this.code = code;
  }

  /** Name, code and message; never the stack, never the cause's data. */
  toJSON(): CertpinErrorJson {
    return { name: this.name, code: this.code, message: this.message };
  }
}

/** A certificate (or key) cannot be read. */
export class CertificateError extends CertpinError {
  /** What went wrong. */
  declare readonly code: CertificateErrorCode;

  /** Makes the error. */
  constructor(
    code: CertificateErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(code, message, options);
    this.name = "CertificateError";
  }
}

/** One error in a policy. */
export interface PolicyProblem {
  /** A JSON pointer (RFC 6901) into the document; "" is the whole document. */
  readonly pointer: string;
  /** What went wrong, for programs. */
  readonly code: PolicyErrorCode;
  /** What went wrong, for people. */
  readonly message: string;
}

/** A policy, a pin or a hostname is invalid, or the policy refuses the host. */
export class PolicyError extends CertpinError {
  /** What went wrong. */
  declare readonly code: PolicyErrorCode;
  /** Every problem that was found, at least one. */
  readonly problems: readonly PolicyProblem[];

  /**
   * Makes the error.
   *
   * @param problems All problems. Default: one problem with the error's own
   * code and message, at the pointer "".
   */
  constructor(
    code: PolicyErrorCode,
    message: string,
    options?: ErrorOptions & { problems?: readonly PolicyProblem[] },
  ) {
    super(code, message, options);
    this.name = "PolicyError";
    this.problems = Object.freeze(
      (options?.problems ?? [{ pointer: "", code, message }]).map((problem) =>
        Object.freeze({ ...problem })
      ),
    );
  }

  /** Adds the problems. */
  override toJSON(): CertpinErrorJson {
    return { ...super.toJSON(), problems: this.problems };
  }
}

/** No valid path leads from the leaf to an anchor (RFC 5280, section 6). */
export class PathError extends CertpinError {
  /** What went wrong. */
  declare readonly code: PathErrorCode;

  /**
   * The name of the rule that a certificate breaks, as SECURITY.md lists them;
   * absent if no certificate was checked.
   */
  readonly rule?: string;

  /** Makes the error. */
  constructor(
    code: PathErrorCode,
    message: string,
    options?: ErrorOptions & { rule?: string },
  ) {
    super(code, message, options);
    this.name = "PathError";
    if (options?.rule !== undefined) this.rule = options.rule;
  }

  /** Adds the rule. */
  override toJSON(): CertpinErrorJson {
    return {
      ...super.toJSON(),
      ...this.rule !== undefined && { rule: this.rule },
    };
  }
}

/** One certificate of the verified path in a {@linkcode PinMismatchError}. */
export interface ObservedCertificate {
  /** Its role on the path. */
  readonly role: "leaf" | "intermediate" | "root";
  /** Its subject (RFC 4514), escaped for display. */
  readonly subject: string;
  /** Canonical pins of its key and of the whole certificate. */
  readonly pins: readonly string[];
}

/** The path is valid, but no pin matches it, or only root pins match and the policy denies that. */
export class PinMismatchError extends CertpinError {
  /** What went wrong. */
  declare readonly code: PinMismatchErrorCode;
  /** The canonical hostname. */
  readonly hostname: string;
  /** The verified path, leaf first. */
  readonly observed: readonly ObservedCertificate[];
  /** The pins that the policy requires, in canonical form. */
  readonly configured: readonly string[];

  /** Makes the error; `reason` is the first line of the message. */
  constructor(code: PinMismatchErrorCode, reason: string, details: {
    hostname: string;
    observed: readonly ObservedCertificate[];
    configured: readonly string[];
  }) {
    const observed = details.observed.map((seen) =>
      Object.freeze({ ...seen, subject: escapeText(seen.subject) })
    );
    const lines = [reason, "  Verified path:"];
    for (const { role, subject, pins } of observed) {
      lines.push(`    ${role}: ${subject}`);
      for (const pin of pins) lines.push(`      ${pin}`);
    }
    lines.push(`  Pins configured for ${escapeText(details.hostname)}:`);
    for (const pin of details.configured) lines.push(`    ${pin}`);
    super(code, lines.join("\n"));
    this.name = "PinMismatchError";
    this.hostname = details.hostname;
    this.observed = Object.freeze(observed);
    this.configured = Object.freeze([...details.configured]);
  }

  /** Adds the hostname, the observed path and the configured pins. */
  override toJSON(): CertpinErrorJson {
    return {
      ...super.toJSON(),
      hostname: this.hostname,
      observed: this.observed,
      configured: this.configured,
    };
  }
}

/** The input or the search exceeds a named limit. */
export class LimitError extends CertpinError {
  /** What went wrong. */
  declare readonly code: LimitErrorCode;

  /** Makes the error. */
  constructor(code: LimitErrorCode, message: string, options?: ErrorOptions) {
    super(code, message, options);
    this.name = "LimitError";
  }
}

/** A connection cannot be opened or evaluated safely. */
export class ConnectionError extends CertpinError {
  /** What went wrong. */
  declare readonly code: ConnectionErrorCode;

  /** Makes the error. */
  constructor(
    code: ConnectionErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(code, message, options);
    this.name = "ConnectionError";
  }
}

/** A signed policy is refused, or the policy in force is too old. */
export class UpdateError extends CertpinError {
  /** What went wrong. */
  declare readonly code: UpdateErrorCode;

  /** Makes the error. */
  constructor(
    code: UpdateErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(code, message, options);
    this.name = "UpdateError";
  }
}
