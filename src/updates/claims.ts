/**
 * The claims of a signed policy (RFC 7519): who it is for, which one it is,
 * when it was issued, until when it may be accepted, and the policy itself.
 *
 * @module
 */
import { CertpinError, UpdateError } from "../errors.ts";
import { MAX_CLAIMS_DEPTH } from "../limits.ts";
import type { PolicyDocument, PolicyInput } from "../policy/document.ts";
import { scanJson } from "../policy/json.ts";
import { parsePolicy, type Policy } from "../policy/policy.ts";

/** The claims as they stand in the payload. */
export interface Claims {
  /** The audience (RFC 7519, section 4.1.3). */
  readonly aud: string;
  /** When it was issued, in seconds since the epoch (section 4.1.6). */
  readonly iat: number;
  /** When it expires, in seconds since the epoch (section 4.1.4). */
  readonly exp: number;
  /** Rises with each policy of an audience. */
  readonly sequence: number;
  /** The policy. */
  readonly policy: PolicyDocument;
}

/** What verified claims say. */
export interface ReadClaims {
  /** All audiences. */
  readonly audiences: readonly unknown[];
  readonly policy: Policy;
  readonly sequence: number;
  readonly issuedAt: Date;
  /** Not accepted before; the issuer seldom says it (RFC 7519, section 4.1.5). */
  readonly notBefore?: Date;
  readonly expiresAt: Date;
}

/** A signed policy cannot be read. */
export function malformed(why: string, cause?: unknown): UpdateError {
  return new UpdateError(
    "ERR_CERTPIN_UPDATE_MALFORMED",
    `Cannot read the signed policy: ${why}`,
    { cause },
  );
}

/** Whether a value may be the sequence of a policy. */
export function isSequence(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function dateOf(value: unknown, name: string): Date {
  const date = new Date(typeof value === "number" ? value * 1000 : NaN);
  if (Number.isNaN(date.getTime())) {
    throw malformed(`its claim "${name}" is not a date in seconds`);
  }
  // Seconds may have a fraction: a millisecond survives the way there and back.
  return new Date(Math.round((value as number) * 1000));
}

function parseClaims(text: string): Record<string, unknown> {
  // JSON.parse takes the last of repeated keys, another parser the first.
  const [problem] = scanJson(text, MAX_CLAIMS_DEPTH, 1);
  if (problem !== undefined) throw malformed(problem.message);
  const claims: unknown = JSON.parse(text);
  if (typeof claims !== "object" || claims === null || Array.isArray(claims)) {
    throw malformed("its claims are not an object");
  }
  return claims as Record<string, unknown>;
}

/**
 * Reads the claims of a payload whose signature was verified, the policy whole.
 *
 * @throws {UpdateError} `ERR_CERTPIN_UPDATE_MALFORMED`
 */
export function readClaims(payload: Uint8Array): ReadClaims {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(
      payload,
    );
  } catch (cause) {
    throw malformed("its claims are not UTF-8", cause);
  }
  const { aud, iat, nbf, exp, sequence, policy } = parseClaims(text);
  if (!isSequence(sequence)) {
    throw malformed('its claim "sequence" is not a whole number');
  }
  const issuedAt = dateOf(iat, "iat");
  const expiresAt = dateOf(exp, "exp");
  if (expiresAt <= issuedAt) throw malformed("it expires before it is issued");
  if (typeof policy !== "object") throw malformed("it holds no policy");
  try {
    return {
      audiences: Array.isArray(aud) ? aud : [aud],
      policy: parsePolicy(policy as PolicyInput),
      sequence,
      issuedAt,
      ...nbf !== undefined && { notBefore: dateOf(nbf, "nbf") },
      expiresAt,
    };
  } catch (cause) {
    if (!(cause instanceof CertpinError) || cause instanceof UpdateError) {
      throw cause;
    }
    throw malformed(`its policy is refused: ${cause.message}`, cause);
  }
}
