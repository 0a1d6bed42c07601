/**
 * Throw-away certificates for tests: right ones, and wrong ones in every way
 * that a pinned connection has to refuse.
 *
 * Everything is made in memory with WebCrypto, on Deno, Node, Bun and wherever
 * else WebCrypto is, and nothing is written. Never trust one of these
 * certificates outside a test: their private keys are plain objects.
 *
 * @example
 * ```ts
 * import { mintChain } from "@certpin/certpin/testing";
 *
 * const { pem, keyPem, ca, policy } = await mintChain();
 * // server: { cert: pem, key: keyPem }, client: { ca }, pins: policy
 * console.log(pem, keyPem, ca, policy);
 * ```
 *
 * @module
 */
export {
  type Attack,
  ATTACK_NAMES,
  type AttackSide,
  mintAttacks,
  type MintAttacksOptions,
} from "./attacks.ts";
export { mintCertificate } from "./certificate.ts";
export type {
  MintCertificateOptions,
  MintedCertificate,
  Surgery,
  TbsFields,
} from "./certificate_options.ts";
export {
  type ChainCertificateOptions,
  mintChain,
  type MintChainOptions,
  type MintedChain,
  type MintedHost,
  type MintedPins,
  type MintedPolicy,
  renewLeaf,
} from "./chain.ts";
export {
  authorityKeyIdentifier,
  basicConstraints,
  extendedKeyUsage,
  type Extension,
  KEY_USAGES,
  keyUsage,
  type KeyUsageName,
  type NameConstraints,
  nameConstraints,
  subjectAltName,
  subjectKeyIdentifier,
} from "./extensions.ts";
export {
  KEY_TYPES,
  type KeyType,
  type MintedKey,
  mintKey,
  sharedKey,
} from "./keys.ts";
export type { SignatureHash, SignatureOptions } from "./signing.ts";
export type {
  DistinguishedName,
  GeneralName,
  NameAttribute,
  StringEncoding,
} from "./names.ts";
export type { Bytes } from "../crypto/routine.ts";
export type { ErrorCode } from "../errors.ts";
