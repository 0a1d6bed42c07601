/**
 * Verdicts: what a check hands back.
 *
 * @module
 */
import type { CertpinError, CertpinErrorJson } from "../errors.ts";
import type { Role } from "../path/search.ts";
import type { Path } from "../path/verify.ts";
import type { Pin } from "../pins/value.ts";
import type { Finding } from "../policy/findings.ts";
import type { Certificate, CertificateJson } from "../x509/certificate.ts";

/** A pin that matches a certificate on the verified path. */
export interface PinMatch {
  /** The pin. */
  readonly pin: Pin;
  /** The certificate. */
  readonly certificate: Certificate;
  /** Its role on the path. */
  readonly role: Role;
}

/** What `JSON.stringify` makes of a {@linkcode Verdict}. */
export interface VerdictJson {
  /** Whether the connection may be used. */
  decision: "allow" | "block";
  /** Why. */
  reason: (AllowVerdict | BlockVerdict)["reason"];
  /** The canonical hostname. */
  hostname: string;
  /** The pins that match, as text, and the role of what they match. */
  matched: { pin: string; role: Role }[];
  /** The verified path, leaf first. */
  path?: { anchored: boolean; certificates: CertificateJson[] };
  /** What to warn about. */
  warnings: readonly Finding[];
  /** Set on every block and every softened hit. */
  error?: CertpinErrorJson;
}

/** What every verdict has. */
export interface VerdictBase {
  /** The canonical hostname; as given, if it is not a hostname. */
  readonly hostname: string;
  /** The pins that match; empty unless the reason is `pinned` or rests on roots. */
  readonly matched: readonly PinMatch[];
  /** The verified path behind the decision; absent if no path was needed or found. */
  readonly path?: Path;
  /** What to warn about. */
  readonly warnings: readonly Finding[];
  /** Texts instead of objects, without bytes. */
  toJSON(): VerdictJson;
}

/** The connection may be used. */
export interface AllowVerdict extends VerdictBase {
  /** `allow`. */
  readonly decision: "allow";
  /** Why; of these `pinned` alone means that pinning held without reserve. */
  readonly reason:
    | "pinned"
    | "unlisted"
    | "report-only"
    | "expired"
    | "root-only";
  /** What `report-only` softened. */
  readonly error?: CertpinError;
}

/** The connection must not be used. */
export interface BlockVerdict extends VerdictBase {
  /** `block`. */
  readonly decision: "block";
  /** Why. */
  readonly reason:
    | "unlisted"
    | "expired"
    | "mismatch"
    | "invalid-chain"
    | "root-only";
  /** Why, in full. */
  readonly error: CertpinError;
}

/** What a check hands back; frozen. Discriminated by `decision`. */
export type Verdict = AllowVerdict | BlockVerdict;

/** The fields of a verdict. */
export interface VerdictFields {
  /** See {@linkcode Verdict}. */
  readonly decision: Verdict["decision"];
  /** See {@linkcode Verdict}. */
  readonly reason: Verdict["reason"];
  /** See {@linkcode Verdict}. */
  readonly hostname: string;
  /** See {@linkcode Verdict}. */
  readonly matched: readonly PinMatch[];
  /** See {@linkcode Verdict}. */
  readonly path?: Path;
  /** See {@linkcode Verdict}. */
  readonly warnings: readonly Finding[];
  /** See {@linkcode Verdict}. */
  readonly error?: CertpinError;
}

const ends = new WeakMap<object, number>();

class VerdictValue {
  declare readonly decision: Verdict["decision"];
  declare readonly reason: Verdict["reason"];
  declare readonly hostname: string;
  declare readonly matched: readonly PinMatch[];
  declare readonly path?: Path;
  declare readonly warnings: readonly Finding[];
  declare readonly error?: CertpinError;

  constructor(fields: VerdictFields) {
    Object.assign(this, fields);
    Object.freeze(this.matched);
    Object.freeze(this.warnings);
    Object.freeze(this);
  }

  toJSON(): VerdictJson {
    const { decision, reason, hostname, warnings, path, error } = this;
    return {
      decision,
      reason,
      hostname,
      matched: this.matched.map(({ pin, role }) => ({ pin: `${pin}`, role })),
      ...path && {
        path: {
          anchored: path.anchored,
          certificates: path.certificates.map((one) => one.toJSON()),
        },
      },
      warnings,
      ...error && { error: error.toJSON() },
    };
  }
}

/** Makes a verdict, good until the given time in milliseconds since the epoch. */
export function makeVerdict(fields: VerdictFields, until: number): Verdict {
  const verdict = new VerdictValue(fields) as Verdict;
  ends.set(verdict, until);
  return verdict;
}

/**
 * Until when a verdict may be relied on, in milliseconds since the epoch: the
 * earliest `notAfter` of its path and the pin set's expiry, where that blocks.
 * `Infinity` where nothing ends it, 0 for a block and for foreign objects.
 */
export function validUntil(verdict: Verdict): number {
  return ends.get(verdict) ?? 0;
}
