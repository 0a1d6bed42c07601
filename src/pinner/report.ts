/**
 * Reports: what `onReport` is given, in the shape of RFC 7469, section 3.
 *
 * @module
 */
import type { CertpinError, ErrorCode } from "../errors.ts";
import { formatPin } from "../pins/format.ts";
import { digestOf, type Pin } from "../pins/value.ts";
import type { HostEntry } from "../policy/record.ts";
import { VERSION } from "../version.ts";
import { recordOf } from "../x509/certificate.ts";
import { writePem } from "../x509/pem.ts";
import type { Verdict } from "./verdict.ts";

/**
 * What `JSON.stringify` makes of a {@linkcode Report}: the members of RFC 7469,
 * section 3, and what certpin knows beside them.
 */
export interface ReportJson {
  /** When the peer was evaluated, ISO 8601; absent where the clock failed. */
  readonly "date-time"?: string;
  /** The canonical hostname; as given, if it is not valid. */
  readonly hostname: string;
  /** The port, if the caller named one. */
  readonly port?: number;
  /** When the pin set expires, ISO 8601; absent where it does not. */
  readonly "effective-expiration-date"?: string;
  /** Whether the pin set holds for all names below; absent for a host without one. */
  readonly "include-subdomains"?: boolean;
  /** The host as the policy lists it; absent for a host without a pin set. */
  readonly "noted-hostname"?: string;
  /** The chain as presented, in PEM: unverified, the peer's own words. */
  readonly "served-certificate-chain": readonly string[];
  /** The verified path, leaf first, in PEM; empty without a valid path. */
  readonly "validated-certificate-chain": readonly string[];
  /**
   * The pins of the host that have been hashed: `pin-sha256="…"`, or the
   * canonical form for pins that RFC 7469 has no form for.
   */
  readonly "known-pins": readonly string[];
  /** Of the pin set; absent for a host without one. */
  readonly mode?: "enforce" | "report-only";
  /** Why, in a word. */
  readonly reason: Verdict["reason"];
  /** Why, as an error code. */
  readonly code: ErrorCode;
  /** Of the policy in force, if an updater knows it. */
  readonly "policy-sequence"?: number;
  /** Of certpin. */
  readonly "library-version": string;
}

/** What `onReport` is given: a block, or what `report-only` let pass. */
export interface Report extends ReportJson {
  /** The verdict. */
  readonly verdict: Verdict;
  /** Its error. */
  readonly error: CertpinError;
  /** The report without the objects: fit to be sent somewhere. */
  toJSON(): ReportJson;
}

/** What a report is made of. */
export interface ReportFields {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** The port, if the caller named one. */
  readonly port?: number;
  /** The pin set. */
  readonly entry?: HostEntry;
  /** Of the policy. */
  readonly sequence?: number;
  /** With an error. */
  readonly verdict: Verdict;
  /** As presented. */
  readonly chain: readonly Uint8Array[];
}

/** DER as PEM. */
function pem(der: Uint8Array): string {
  return writePem("CERTIFICATE", der);
}

/** RFC 7469, section 2.1 has a form for SHA-256 of keys alone. */
function knownPin(pin: Pin): string {
  return pin.of === "spki" && pin.hash === "sha256"
    ? formatPin(pin, "hpkp")
    : `${pin}`;
}

function ofEntry(
  { pattern, expiresAt, includeSubdomains, rules }: HostEntry,
): Partial<ReportJson> & Pick<ReportJson, "known-pins"> {
  return {
    ...expiresAt !== undefined && {
      "effective-expiration-date": new Date(expiresAt).toISOString(),
    },
    "include-subdomains": includeSubdomains,
    "noted-hostname": pattern,
    // The pin of a certificate has no text before it was hashed.
    "known-pins": Object.freeze(
      rules.filter(({ pin }) => digestOf(pin) !== undefined)
        .map(({ pin }) => knownPin(pin)),
    ),
  };
}

/** Makes a report; `error` is the verdict's. */
export function makeReport(fields: ReportFields, error: CertpinError): Report {
  const { at, port, entry, sequence, verdict, chain } = fields;
  const path = verdict.path?.certificates ?? [];
  const json: ReportJson = {
    ...Number.isFinite(at) && { "date-time": new Date(at).toISOString() },
    hostname: verdict.hostname,
    ...port !== undefined && { port },
    "served-certificate-chain": Object.freeze(chain.map(pem)),
    "validated-certificate-chain": Object.freeze(
      path.map((certificate) => pem(recordOf(certificate).der)),
    ),
    "known-pins": [],
    ...entry && { ...ofEntry(entry), mode: entry.mode },
    reason: verdict.reason,
    code: error.code,
    ...sequence !== undefined && { "policy-sequence": sequence },
    "library-version": VERSION,
  };
  return Object.freeze({
    ...json,
    verdict,
    error,
    toJSON: () => ({ ...json }),
  });
}
