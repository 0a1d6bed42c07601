/**
 * What a rule of a path is: a look at one certificate in its place.
 *
 * @module
 */
import { PathError, type PathErrorCode } from "../errors.ts";
import type { CanonicalHost } from "../host.ts";
import { escapeText } from "../text.ts";
import type { CertificateRecord } from "../x509/record.ts";
import type { Budget } from "./budget.ts";

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

/** Throws a `PathError` that names the certificate. */
export function refuse(
  code: PathErrorCode,
  record: CertificateRecord,
  reason: string,
): never {
  const subject = escapeText(record.subjectText) || "(empty subject)";
  throw new PathError(
    code,
    `Cannot trust the certificate "${subject}": ${reason}`,
  );
}
