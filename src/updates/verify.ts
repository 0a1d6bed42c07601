/**
 * Verifies signed policies: the size, the form, the signature, then the claims.
 *
 * @module
 */
import { compactVerify, decodeProtectedHeader, errors } from "jose";
import { UpdateError } from "../errors.ts";
import {
  MAX_ISSUED_AHEAD_MS,
  MAX_JWS_HEADER_LENGTH,
  MAX_SIGNED_POLICY_BYTES,
} from "../limits.ts";
import { checkOptionNames } from "../option_names.ts";
import type { Policy } from "../policy/policy.ts";
import {
  isSequence,
  malformed,
  type ReadClaims,
  readClaims,
} from "./claims.ts";
import { type JwsAlgorithm, type JwsKey, readVerifyingKeys } from "./keys.ts";
import { SIGNED_POLICY_TYPE } from "./sign.ts";

/** Options of {@linkcode verifySignedPolicy}. */
export interface VerifySignedPolicyOptions {
  /**
   * The public keys, any of which may have signed: each a `CryptoKey` that may
   * verify, or SPKI in PEM; Ed25519 or P-256. At most 16.
   */
  keys: readonly (CryptoKey | string)[];
  /** Which clients it must be for. */
  audience: string;
  /** The time to check it at. Default: now. */
  at?: Date;
  /** The lowest sequence to accept. Default: 0. */
  minimumSequence?: number;
}

const OPTION_NAMES: readonly (keyof VerifySignedPolicyOptions)[] = [
  "keys",
  "audience",
  "at",
  "minimumSequence",
];

/** What a verified signature vouches for. */
export interface SignedPolicy {
  /** The policy, checked whole. */
  readonly policy: Policy;
  /** Which one of its audience it is. */
  readonly sequence: number;
  /** From then on its age counts. */
  readonly issuedAt: Date;
  /** From then on it is not accepted. */
  readonly expiresAt: Date;
  /** The key's name, if the header has one. */
  readonly keyId: string | undefined;
}

/** Names of the same algorithm: RFC 9864 replaces the one of RFC 8037. */
const NAMES: Readonly<Record<JwsAlgorithm, readonly string[]>> = {
  Ed25519: ["Ed25519", "EdDSA"],
  ES256: ["ES256"],
};

/** Three parts of base64url; the last one may be empty, as with "none". */
function isCompact(text: string): boolean {
  const [header, payload, signature, ...rest] = text.split(".", 4);
  return !/[^\w.-]/.test(text) && header !== "" && Boolean(payload) &&
    header.length <= MAX_JWS_HEADER_LENGTH && signature !== undefined &&
    rest.length === 0;
}

function signatureError(why: string, cause?: unknown): UpdateError {
  return new UpdateError(
    "ERR_CERTPIN_UPDATE_SIGNATURE",
    `Refusing the signed policy: ${why}`,
    { cause },
  );
}

interface Header {
  readonly alg: string;
  readonly kid?: string;
}

/** Reads the header, which nothing vouches for yet. */
function readHeader(text: string): Header {
  if (text.length > MAX_SIGNED_POLICY_BYTES) {
    throw new UpdateError(
      "ERR_CERTPIN_UPDATE_SIZE",
      `Refusing the signed policy: ${text.length} bytes, at most ${MAX_SIGNED_POLICY_BYTES} allowed`,
    );
  }
  if (!isCompact(text)) {
    throw malformed("it is not a JWS in compact serialization");
  }
  let header: Record<string, unknown>;
  try {
    header = decodeProtectedHeader(text) as Record<string, unknown>;
  } catch (cause) {
    throw malformed("its header is not JSON", cause);
  }
  const { typ, alg, kid, crit } = header;
  if (typ !== SIGNED_POLICY_TYPE) {
    throw malformed(`its type is not "${SIGNED_POLICY_TYPE}"`);
  }
  if (typeof alg !== "string") throw malformed("its header has no algorithm");
  if (crit !== undefined) {
    throw malformed("its header demands an extension (RFC 7515, 4.1.11)");
  }
  if (kid !== undefined && typeof kid !== "string") {
    throw malformed("its key's name is not a text");
  }
  return { alg, ...kid !== undefined && { kid } };
}

/** The payload, if one of the keys has signed it. */
async function verifiedPayload(
  text: string,
  { alg }: Header,
  keys: readonly JwsKey[],
): Promise<Uint8Array> {
  const fitting = keys.filter(({ algorithm }) =>
    NAMES[algorithm].includes(alg)
  );
  if (fitting.length === 0) {
    throw signatureError("no key is of the algorithm that its header names");
  }
  let cause: unknown;
  for (const { key, algorithm } of fitting) {
    try {
      const algorithms = [...NAMES[algorithm]];
      return (await compactVerify(text, key, { algorithms })).payload;
    } catch (error) {
      if (error instanceof errors.JWSInvalid) {
        throw malformed("it is not a JWS in compact serialization", error);
      }
      cause = error;
    }
  }
  throw signatureError("no known key signed it", cause);
}

/** What a verified signed policy is compared with. */
export interface Expected {
  readonly audience: string;
  /**
   * Milliseconds since the epoch; undefined for what was accepted before: the
   * clock may have been wrong then, or be wrong now.
   */
  readonly at: number | undefined;
  readonly minimumSequence: number;
}

function checkTime(claims: ReadClaims, at: number): void {
  const { issuedAt, notBefore, expiresAt } = claims;
  // A clock that gives no date accepts nothing.
  if (!(at < expiresAt.getTime())) {
    throw new UpdateError(
      "ERR_CERTPIN_UPDATE_EXPIRED",
      `Refusing the signed policy: it expired at ${expiresAt.toISOString()}`,
    );
  }
  const from = Math.max(issuedAt.getTime(), notBefore?.getTime() ?? -Infinity);
  if (from > at + MAX_ISSUED_AHEAD_MS) {
    throw new UpdateError(
      "ERR_CERTPIN_UPDATE_NOT_YET_VALID",
      `Refusing the signed policy: it is not valid before ${
        new Date(from).toISOString()
      }; is the clock right?`,
    );
  }
}

/** Verifies with keys that have been read. White space around the text is ignored. */
export async function verifyWith(
  text: string,
  keys: readonly JwsKey[],
  { audience, at, minimumSequence }: Expected,
): Promise<SignedPolicy> {
  const trimmed = text.trim();
  const header = readHeader(trimmed);
  const claims = readClaims(await verifiedPayload(trimmed, header, keys));
  const { policy, sequence, issuedAt, expiresAt, audiences } = claims;
  if (!audiences.includes(audience)) {
    throw new UpdateError(
      "ERR_CERTPIN_UPDATE_AUDIENCE",
      "Refusing the signed policy: it is for another audience",
    );
  }
  if (at !== undefined) checkTime(claims, at);
  if (sequence < minimumSequence) {
    throw new UpdateError(
      "ERR_CERTPIN_UPDATE_ROLLBACK",
      `Refusing the signed policy: its sequence is ${sequence}, and ${minimumSequence} is the lowest to accept`,
    );
  }
  return Object.freeze({
    policy,
    sequence,
    issuedAt,
    expiresAt,
    keyId: header.kid,
  });
}

/**
 * Verifies a signed policy, and reads it whole.
 *
 * The key decides the algorithm: a header that names another one is refused.
 * Whoever keeps the newest sequence passes it as `minimumSequence`, as
 * `createUpdater` does; alone this function cannot tell an old policy from
 * the newest one.
 *
 * @param text The compact JWS; white space around it is ignored.
 * @param options The keys, and what the claims must say.
 * @returns The policy, and what was said of it.
 * @throws {UpdateError} `ERR_CERTPIN_UPDATE_SIZE` above 4 MiB,
 * `ERR_CERTPIN_UPDATE_MALFORMED`, `ERR_CERTPIN_UPDATE_SIGNATURE`,
 * `ERR_CERTPIN_UPDATE_AUDIENCE`, `ERR_CERTPIN_UPDATE_EXPIRED`,
 * `ERR_CERTPIN_UPDATE_NOT_YET_VALID` where it was issued more than 5 minutes
 * ahead of the clock, `ERR_CERTPIN_UPDATE_ROLLBACK`.
 * @throws {CertificateError} `ERR_CERTPIN_KEY_FORMAT`, `ERR_CERTPIN_KEY_ALGORITHM`.
 * @throws {TypeError} For an option of the wrong type.
 */
export async function verifySignedPolicy(
  text: string,
  options: VerifySignedPolicyOptions,
): Promise<SignedPolicy> {
  checkOptionNames("verify a policy", options, OPTION_NAMES);
  const { audience, at = new Date(), minimumSequence = 0 } = options;
  if (typeof text !== "string") {
    throw new TypeError("Cannot verify a policy: it must be a string");
  }
  if (typeof audience !== "string" || audience === "") {
    throw new TypeError("Cannot verify a policy: audience must be a string");
  }
  if (!(at instanceof Date)) {
    throw new TypeError("Cannot verify a policy: at must be a Date");
  }
  if (!isSequence(minimumSequence)) {
    throw new RangeError(
      "Cannot verify a policy: minimumSequence must be a non-negative integer",
    );
  }
  const keys = await readVerifyingKeys(options.keys);
  return await verifyWith(text, keys, {
    audience,
    at: at.getTime(),
    minimumSequence,
  });
}
