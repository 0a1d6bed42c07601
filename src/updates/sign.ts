/**
 * Signs policies.
 *
 * @module
 */
import { CompactSign } from "jose";
import { UpdateError } from "../errors.ts";
import { MAX_SIGNED_POLICY_BYTES } from "../limits.ts";
import { checkOptionNames } from "../option_names.ts";
import type { PolicyInput } from "../policy/document.ts";
import { isPolicy, parsePolicy, type Policy } from "../policy/policy.ts";
import { type Claims, isSequence } from "./claims.ts";
import { readSigningKey } from "./keys.ts";

/** The type in the header of a signed policy (RFC 8725, section 3.11). */
export const SIGNED_POLICY_TYPE = "certpin-policy+jws";

/** Options of {@linkcode signPolicy}. */
export interface SignPolicyOptions {
  /** The private key: a `CryptoKey` that may sign, or PKCS#8 in PEM; Ed25519 or P-256. */
  key: CryptoKey | string;
  /** Which clients it is for: an application's name, or a stage of it. */
  audience: string;
  /** Rises with each policy of an audience; clients refuse a lower one. */
  sequence: number;
  /** After it no client accepts the signed policy. */
  expiresAt: Date;
  /** From then on its age counts. Default: now. */
  issuedAt?: Date;
  /** Names the key in the header, for people: verification tries all keys. */
  keyId?: string;
}

const OPTION_NAMES: readonly (keyof SignPolicyOptions)[] = [
  "key",
  "audience",
  "sequence",
  "expiresAt",
  "issuedAt",
  "keyId",
];

function secondsOf(date: unknown, name: string): number {
  const time = date instanceof Date ? date.getTime() : NaN;
  if (Number.isNaN(time)) {
    throw new TypeError(`Cannot sign a policy: ${name} must be a valid Date`);
  }
  return time / 1000;
}

function claimsOf(policy: Policy, options: SignPolicyOptions): Claims {
  const { audience, sequence, expiresAt, issuedAt = new Date() } = options;
  if (typeof audience !== "string" || audience === "") {
    throw new TypeError("Cannot sign a policy: audience must be a string");
  }
  if (!isSequence(sequence)) {
    throw new RangeError(
      "Cannot sign a policy: sequence must be a non-negative integer",
    );
  }
  const iat = secondsOf(issuedAt, "issuedAt");
  const exp = secondsOf(expiresAt, "expiresAt");
  if (exp <= iat) {
    throw new RangeError(
      "Cannot sign a policy: expiresAt must be later than issuedAt",
    );
  }
  return { aud: audience, iat, exp, sequence, policy: policy.toJSON() };
}

/**
 * Signs a policy as a compact JWS (RFC 7515) with the claims `aud`, `iat`,
 * `exp` (RFC 7519), `sequence` and `policy`.
 *
 * The policy is checked whole first. What is signed is public: it holds pins,
 * hostnames and comments.
 *
 * @example
 * ```ts
 * import { signPolicy, verifySignedPolicy } from "@certpin/certpin/updates";
 * import { mintChain } from "@certpin/certpin/testing";
 *
 * const { policy } = await mintChain({ hostnames: ["api.example.com"] });
 * const { privateKey, publicKey } = await crypto.subtle.generateKey(
 *   "Ed25519",
 *   false,
 *   ["sign", "verify"],
 * ) as CryptoKeyPair;
 * const signed = await signPolicy(policy, {
 *   key: privateKey,
 *   audience: "shop-app",
 *   sequence: 1,
 *   expiresAt: new Date(Date.now() + 30 * 86_400_000),
 * });
 * const { sequence } = await verifySignedPolicy(signed, {
 *   keys: [publicKey],
 *   audience: "shop-app",
 * });
 * console.log(sequence); // 1
 * ```
 * @param policy A policy, a document, or JSON text; never a path.
 * @param options The key, and what the clients compare.
 * @returns The signed policy: ASCII text, ready to be put on any static host.
 * @throws {PolicyError} `ERR_CERTPIN_POLICY_INVALID` with every problem.
 * @throws {CertificateError} `ERR_CERTPIN_KEY_FORMAT`, `ERR_CERTPIN_KEY_ALGORITHM`.
 * @throws {UpdateError} `ERR_CERTPIN_UPDATE_SIZE` above 4 MiB.
 * @throws {TypeError} For an option of the wrong type.
 * @throws {RangeError} For a sequence or a date out of range.
 */
export async function signPolicy(
  policy: Policy | PolicyInput | string,
  options: SignPolicyOptions,
): Promise<string> {
  checkOptionNames("sign a policy", options, OPTION_NAMES);
  const parsed = isPolicy(policy) ? policy : parsePolicy(policy);
  const claims = claimsOf(parsed, options);
  const { keyId } = options;
  if (keyId !== undefined && typeof keyId !== "string") {
    throw new TypeError("Cannot sign a policy: keyId must be a string");
  }
  const { key, algorithm } = await readSigningKey(options.key);
  const signed = await new CompactSign(
    new TextEncoder().encode(JSON.stringify(claims)),
  ).setProtectedHeader({
    alg: algorithm,
    typ: SIGNED_POLICY_TYPE,
    ...keyId !== undefined && { kid: keyId },
  }).sign(key);
  if (signed.length > MAX_SIGNED_POLICY_BYTES) {
    throw new UpdateError(
      "ERR_CERTPIN_UPDATE_SIZE",
      `Cannot sign the policy: the result has ${signed.length} bytes, at most ${MAX_SIGNED_POLICY_BYTES} are allowed`,
    );
  }
  return signed;
}
