/**
 * Throw-away keys.
 *
 * @module
 */
import { encodeBase64 } from "@std/encoding/base64";
import type { Bytes } from "../crypto/routine.ts";
import { writePem } from "../x509/pem.ts";
import {
  bitString,
  childrenOf,
  integer,
  objectIdentifier,
  sequence,
} from "./der_writer.ts";

/** Every kind of key that the mint can make. */
export const KEY_TYPES = [
  "P-256",
  "P-384",
  "P-521",
  "Ed25519",
  "RSA-1024",
  "RSA-2048",
  "RSA-3072",
  "RSA-4096",
  "RSA-PSS-2048",
  "RSA-PSS-3072",
  "RSA-PSS-4096",
] as const;

/**
 * A kind of key. `RSA-…` keys carry the algorithm `rsaEncryption` and sign by
 * PKCS#1 v1.5 unless told otherwise; `RSA-PSS-…` keys carry `id-RSASSA-PSS`
 * without parameters and sign by PSS alone (RFC 4055). `RSA-1024` is there to
 * be refused.
 */
export type KeyType = typeof KEY_TYPES[number];

/** A key pair made by {@linkcode mintKey}. */
export interface MintedKey {
  /** What kind of key it is. */
  readonly type: KeyType;
  /** The public key: DER SubjectPublicKeyInfo, the bytes that an SPKI pin hashes. */
  readonly spki: Bytes;
  /** The private key: DER PKCS#8, not encrypted. */
  readonly pkcs8: Bytes;
  /** The private key as PEM, what TLS servers take as `key`. */
  readonly pem: string;
}

/** Object identifier of PSS keys and signatures (RFC 4055). */
export const RSASSA_PSS = "1.2.840.113549.1.1.10";

function generate(type: KeyType): Promise<CryptoKeyPair> {
  const usages: KeyUsage[] = ["sign", "verify"];
  if (type === "Ed25519") {
    return crypto.subtle.generateKey(
      { name: type },
      true,
      usages,
    ) as Promise<CryptoKeyPair>;
  }
  if (type === "P-256" || type === "P-384" || type === "P-521") {
    return crypto.subtle.generateKey(
      { name: "ECDSA", namedCurve: type },
      true,
      usages,
    );
  }
  return crypto.subtle.generateKey(
    {
      name: "RSASSA-PKCS1-v1_5",
      modulusLength: Number(type.slice(type.lastIndexOf("-") + 1)),
      publicExponent: Uint8Array.of(1, 0, 1),
      hash: "SHA-256",
    },
    true,
    usages,
  );
}

/**
 * Makes a fresh key.
 *
 * P-256 takes well under a millisecond, RSA of 4,096 bits can take several
 * seconds; {@linkcode sharedKey} makes each key once a process.
 *
 * @example
 * ```ts
 * import { mintKey } from "@certpin/certpin/testing";
 *
 * const key = await mintKey("P-384");
 * console.log(key.pem); // -----BEGIN PRIVATE KEY----- …
 * ```
 * @param type Default `P-256`.
 */
export async function mintKey(type: KeyType = "P-256"): Promise<MintedKey> {
  const { privateKey, publicKey } = await generate(type);
  let pkcs8: Bytes = new Uint8Array(
    await crypto.subtle.exportKey("pkcs8", privateKey),
  );
  let spki: Bytes = new Uint8Array(
    await crypto.subtle.exportKey("spki", publicKey),
  );
  if (type.startsWith("RSA-PSS")) {
    // WebCrypto writes rsaEncryption for PSS keys too.
    const algorithm = sequence(objectIdentifier(RSASSA_PSS));
    spki = sequence(algorithm, childrenOf(spki)[1].der);
    pkcs8 = sequence(integer(0), algorithm, childrenOf(pkcs8)[2].der);
  }
  return Object.freeze({
    type,
    spki,
    pkcs8,
    pem: writePem("PRIVATE KEY", pkcs8),
  });
}

const shared = new Map<string, Promise<MintedKey>>();

/**
 * A key that is made once and then shared by this whole process: the same
 * `type` and `name` give the same key. For tests that mint many chains with
 * RSA keys.
 *
 * Two certificates with the same shared key have the same SPKI pin, so give
 * every role a name of its own.
 *
 * @example
 * ```ts
 * import { mintChain, sharedKey } from "@certpin/certpin/testing";
 *
 * const { pem } = await mintChain({
 *   root: { key: await sharedKey("RSA-4096", "root") },
 * });
 * console.log(pem);
 * ```
 */
export function sharedKey(
  type: KeyType = "P-256",
  name = "",
): Promise<MintedKey> {
  const label = `${type} ${name}`;
  let key = shared.get(label);
  if (key === undefined) {
    key = mintKey(type);
    shared.set(label, key);
  }
  return key;
}

/**
 * The usual key identifier: the first 20 bytes of the SHA-256 of the public
 * key's bits (RFC 7093, section 2, method 1).
 */
export async function keyIdentifierOf(spki: Bytes): Promise<Bytes> {
  const bits = childrenOf(spki)[1].content.slice(1);
  const digest = await crypto.subtle.digest("SHA-256", bits);
  return new Uint8Array(digest).slice(0, 20);
}

/** The canonical pin of some bytes: `sha256/` and base64. */
export async function pinOf(bytes: Bytes): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  return `sha256/${encodeBase64(new Uint8Array(digest))}`;
}

/** A public key with its bit string wrapped again: for surgery on SPKIs. */
export function rewrapSpki(spki: Bytes, algorithm: Bytes): Bytes {
  const bits = childrenOf(spki)[1].content.slice(1);
  return sequence(algorithm, bitString(bits));
}
