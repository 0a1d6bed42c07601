/**
 * What a rule of a path is: a look at one certificate in its place.
 *
 * @module
 */
import { PathError } from "../errors.ts";
import type { CanonicalHost } from "../host.ts";
import { escapeText } from "../text.ts";
import type { CertificateRecord } from "../x509/record.ts";
import type { NameChecker } from "./name_constraints.ts";
import {
  PATH_RULES,
  type PathRule,
  type PathRuleName,
  type WaivableRuleName,
} from "./rule_table.ts";

/** A certificate in its place. */
export interface Place {
  readonly record: CertificateRecord;
  /** The certificates below it, leaf first; none for the leaf. */
  readonly below: readonly CertificateRecord[];
  /** Trusted by itself: what it says of its own serial number and issuer is moot. */
  readonly isAnchor: boolean;
  /** An anchor of the platform's own store, which is trusted as it stands. */
  readonly isPlatformAnchor: boolean;
  /** Milliseconds since 1970, at the start of a second. */
  readonly at: number;
  readonly host: CanonicalHost | undefined;
  /** What is known of names and constraints in this search. */
  readonly names: NameChecker;
  /** Where waived rules are noted; undefined under the profile `web`. */
  readonly waivers: Waiver[] | undefined;
}

/** A rule: returns, or throws a `PathError`. */
export type Rule = (place: Place) => void;

/** A rule of shape that a certificate breaks, and that `private` waives. */
export interface Waiver {
  readonly record: CertificateRecord;
  readonly rule: WaivableRuleName;
  readonly reason: string;
}

/** The certificate of a message, escaped for display. */
function shownName(record: CertificateRecord): string {
  return escapeText(record.subjectText) || "(empty subject)";
}

/**
 * The error of a certificate that breaks a rule: which rule, and what to do.
 *
 * @param more What else can be done.
 */
export function refusal(
  rule: PathRuleName,
  record: CertificateRecord,
  reason: string,
  more = "",
): PathError {
  const { code, source, remedy }: PathRule = PATH_RULES[rule];
  return new PathError(
    code,
    `Cannot trust the certificate "${
      shownName(record)
    }": ${reason} (rule ${rule}, ${source}); ${remedy}${more}`,
    { rule },
  );
}

/** Throws a `PathError` that names the certificate and the rule. */
export function refuse(
  rule: PathRuleName,
  record: CertificateRecord,
  reason: string,
): never {
  throw refusal(rule, record, reason);
}

/** What a refusal says where the other profile would not refuse. */
const PRIVATE_HELPS =
  '; or, where the CA is your own, set "profile": "private" for the host';

/** Notes a broken rule of shape under `private`, and refuses it under `web`. */
export function waiveOrRefuse(
  rule: WaivableRuleName,
  { record, waivers, isPlatformAnchor }: Place,
  reason: string,
): void {
  if (waivers !== undefined) {
    waivers.push({ record, rule, reason });
    return;
  }
  throw refusal(rule, record, reason, isPlatformAnchor ? "" : PRIVATE_HELPS);
}

/** A waived rule as a person reads it. */
export function waiverText({ record, rule, reason }: Waiver): string {
  return `"${shownName(record)}": ${reason} (rule ${rule})`;
}
