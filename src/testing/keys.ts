/**
 * Throw-away keys.
 *
 * @module
 */
import { encodeBase64 } from "@std/encoding/base64";
import type { Bytes } from "../crypto/steps.ts";
import {
  bitString,
  childrenOf,
  concatBytes,
  explicit,
  integer,
  nullValue,
  objectIdentifier,
  octetString,
  sequence,
  unsignedInteger,
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

/** A hash under a signature; `sha1` is there to be refused. */
export type SignatureHash = "sha1" | "sha256" | "sha384" | "sha512";

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

/** How a signature is made. */
export interface SignatureOptions {
  /** Default: SHA-256, with P-384 SHA-384, with P-521 SHA-512; Ed25519 ignores it. */
  readonly hash?: SignatureHash;
  /** Sign with PSS though the key is a plain RSA one. Default false. */
  readonly pss?: boolean;
}

const RSA_ENCRYPTION = "1.2.840.113549.1.1.1";
const RSASSA_PSS = "1.2.840.113549.1.1.10";
const MGF1 = "1.2.840.113549.1.1.8";

const HASHES: Readonly<
  Record<
    SignatureHash,
    {
      name: string;
      bytes: number;
      oid: string;
      rsaOid: string;
      ecdsaOid: string;
    }
  >
> = {
  sha1: {
    name: "SHA-1",
    bytes: 20,
    oid: "1.3.14.3.2.26",
    rsaOid: "1.2.840.113549.1.1.5",
    ecdsaOid: "1.2.840.10045.4.1",
  },
  sha256: {
    name: "SHA-256",
    bytes: 32,
    oid: "2.16.840.1.101.3.4.2.1",
    rsaOid: "1.2.840.113549.1.1.11",
    ecdsaOid: "1.2.840.10045.4.3.2",
  },
  sha384: {
    name: "SHA-384",
    bytes: 48,
    oid: "2.16.840.1.101.3.4.2.2",
    rsaOid: "1.2.840.113549.1.1.12",
    ecdsaOid: "1.2.840.10045.4.3.3",
  },
  sha512: {
    name: "SHA-512",
    bytes: 64,
    oid: "2.16.840.1.101.3.4.2.3",
    rsaOid: "1.2.840.113549.1.1.13",
    ecdsaOid: "1.2.840.10045.4.3.4",
  },
};

const PEM_LINE_CHARACTERS = 64;

/** PEM (RFC 7468) with lines of 64 characters and a final newline. */
export function toPem(label: string, der: Uint8Array): string {
  const base64 = encodeBase64(der);
  const lines: string[] = [];
  for (let at = 0; at < base64.length; at += PEM_LINE_CHARACTERS) {
    lines.push(base64.slice(at, at + PEM_LINE_CHARACTERS));
  }
  return `-----BEGIN ${label}-----\n${
    lines.join("\n")
  }\n-----END ${label}-----\n`;
}

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
    pem: toPem("PRIVATE KEY", pkcs8),
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

/** The hash that goes with a key where nobody says which. */
function defaultHash(type: KeyType): SignatureHash {
  if (type === "P-384") return "sha384";
  return type === "P-521" ? "sha512" : "sha256";
}

function hashIdentifier(hash: SignatureHash): Bytes {
  return sequence(objectIdentifier(HASHES[hash].oid), nullValue());
}

/** The DER AlgorithmIdentifier of a signature by this key. */
export function signatureAlgorithm(
  key: MintedKey,
  options: SignatureOptions = {},
): Bytes {
  const hash = options.hash ?? defaultHash(key.type);
  if (key.type === "Ed25519") return sequence(objectIdentifier("1.3.101.112"));
  if (key.type.startsWith("P-")) {
    return sequence(objectIdentifier(HASHES[hash].ecdsaOid));
  }
  if (options.pss || key.type.startsWith("RSA-PSS")) {
    return sequence(
      objectIdentifier(RSASSA_PSS),
      sequence(
        explicit(0, hashIdentifier(hash)),
        explicit(1, sequence(objectIdentifier(MGF1), hashIdentifier(hash))),
        explicit(2, integer(HASHES[hash].bytes)),
      ),
    );
  }
  return sequence(objectIdentifier(HASHES[hash].rsaOid), nullValue());
}

/** PKCS#8 as WebCrypto imports it. */
function importablePkcs8(key: MintedKey): Bytes {
  if (!key.type.startsWith("RSA-PSS")) return key.pkcs8;
  return sequence(
    integer(0),
    sequence(objectIdentifier(RSA_ENCRYPTION), nullValue()),
    octetString(childrenOf(key.pkcs8)[2].content),
  );
}

/** Signs bytes as a certificate's signature is: ECDSA as a DER sequence of r and s. */
export async function signBytes(
  key: MintedKey,
  data: Bytes,
  options: SignatureOptions = {},
): Promise<Bytes> {
  const hash = HASHES[options.hash ?? defaultHash(key.type)];
  const pkcs8 = importablePkcs8(key);
  if (key.type === "Ed25519") {
    const imported = await crypto.subtle.importKey(
      "pkcs8",
      pkcs8,
      { name: "Ed25519" },
      false,
      ["sign"],
    );
    return new Uint8Array(await crypto.subtle.sign("Ed25519", imported, data));
  }
  if (key.type.startsWith("P-")) {
    const imported = await crypto.subtle.importKey(
      "pkcs8",
      pkcs8,
      { name: "ECDSA", namedCurve: key.type },
      false,
      ["sign"],
    );
    const raw = new Uint8Array(
      await crypto.subtle.sign(
        { name: "ECDSA", hash: hash.name },
        imported,
        data,
      ),
    );
    const half = raw.length / 2;
    return sequence(
      unsignedInteger(raw.subarray(0, half)),
      unsignedInteger(raw.subarray(half)),
    );
  }
  const pss = options.pss || key.type.startsWith("RSA-PSS");
  const name = pss ? "RSA-PSS" : "RSASSA-PKCS1-v1_5";
  const imported = await crypto.subtle.importKey(
    "pkcs8",
    pkcs8,
    { name, hash: hash.name },
    false,
    ["sign"],
  );
  return new Uint8Array(
    await crypto.subtle.sign({ name, saltLength: hash.bytes }, imported, data),
  );
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
  return sequence(algorithm, bitString(concatBytes(bits)));
}
