/**
 * Signatures of minted certificates.
 *
 * @module
 */
import type { Bytes } from "../crypto/routine.ts";
import {
  childrenOf,
  explicit,
  integer,
  nullValue,
  objectIdentifier,
  octetString,
  sequence,
  unsignedInteger,
} from "./der_writer.ts";
import { type KeyType, type MintedKey, RSASSA_PSS } from "./keys.ts";

/** A hash under a signature; `sha1` is there to be refused. */
export type SignatureHash = "sha1" | "sha256" | "sha384" | "sha512";

/** How a signature is made. */
export interface SignatureOptions {
  /** Default: SHA-256, with P-384 SHA-384, with P-521 SHA-512; Ed25519 ignores it. */
  readonly hash?: SignatureHash;
  /** Sign with PSS though the key is a plain RSA one. Default false. */
  readonly pss?: boolean;
}

const RSA_ENCRYPTION = "1.2.840.113549.1.1.1";
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
