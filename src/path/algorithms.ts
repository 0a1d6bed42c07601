/**
 * Which keys and signature algorithms a path may use, and their parameters
 * (RFC 3279, 4055, 5480, 8410; CA/Browser Forum Baseline Requirements, 6.1.5).
 *
 * @module
 */
import type {
  Bytes,
  CurveName,
  HashName,
  RsaNumbers,
  SignatureScheme,
} from "../crypto/routine.ts";
import { CertificateError } from "../errors.ts";
import {
  MAX_COMMON_RSA_MODULUS_BITS,
  MAX_PSS_SALT_BYTES,
  MAX_RSA_EXPONENT_BYTES,
  MAX_RSA_MODULUS_BITS,
  MIN_RSA_MODULUS_BITS,
} from "../limits.ts";
import {
  type DerValue,
  expectTag,
  readDer,
  readOid,
  sequence,
  TAG,
} from "../x509/der.ts";
import { writeDer } from "../x509/der_writer.ts";
import {
  type Algorithm,
  type PublicKeyInfo,
  readAlgorithm,
} from "../x509/layout.ts";

/** A public key that a path may use. */
export type KeyKind =
  | { readonly kind: "rsa" }
  | { readonly kind: "rsa-pss"; readonly required: PssParameters | undefined }
  | { readonly kind: "ec"; readonly curve: CurveName }
  | { readonly kind: "ed25519" };

interface PssParameters {
  readonly hash: HashName;
  readonly saltLength: number;
}

const RSA_ENCRYPTION = "1.2.840.113549.1.1.1";
export const RSASSA_PSS = "1.2.840.113549.1.1.10";
const MGF1 = "1.2.840.113549.1.1.8";
const EC_PUBLIC_KEY = "1.2.840.10045.2.1";
const ED25519 = "1.3.101.112";

const HASHES: Readonly<Record<string, HashName>> = {
  "2.16.840.1.101.3.4.2.1": "sha256",
  "2.16.840.1.101.3.4.2.2": "sha384",
  "2.16.840.1.101.3.4.2.3": "sha512",
};
const RSA_SIGNATURES: Readonly<Record<string, HashName>> = {
  "1.2.840.113549.1.1.11": "sha256",
  "1.2.840.113549.1.1.12": "sha384",
  "1.2.840.113549.1.1.13": "sha512",
};
const ECDSA_SIGNATURES: Readonly<Record<string, HashName>> = {
  "1.2.840.10045.4.3.2": "sha256",
  "1.2.840.10045.4.3.3": "sha384",
  "1.2.840.10045.4.3.4": "sha512",
};
const CURVES: Readonly<
  Record<string, { readonly name: CurveName; readonly bytes: number }>
> = {
  "1.2.840.10045.3.1.7": { name: "P-256", bytes: 32 },
  "1.3.132.0.34": { name: "P-384", bytes: 48 },
  "1.3.132.0.35": { name: "P-521", bytes: 66 },
};
const CURVE_BYTES: Readonly<Record<CurveName, number>> = {
  "P-256": 32,
  "P-384": 48,
  "P-521": 66,
};

const isNull = (value: DerValue | undefined) => value?.tag === TAG.null;

/** The kind of a key, or why it may not be used. */
export function classifyKey(
  { algorithm, key }: PublicKeyInfo,
): KeyKind | string {
  return attempt(() => {
    switch (algorithm.oid) {
      case RSA_ENCRYPTION:
        if (!isNull(algorithm.parameters)) return "RSA key with parameters";
        return checkRsaKey(key) ?? { kind: "rsa" };
      case RSASSA_PSS: {
        const { parameters } = algorithm;
        const required = parameters ? readPss(parameters) : undefined;
        if (typeof required === "string") return required;
        return checkRsaKey(key) ?? { kind: "rsa-pss", required };
      }
      case EC_PUBLIC_KEY: {
        if (algorithm.parameters?.tag !== TAG.oid) {
          return "elliptic curve not given by name";
        }
        const curve = CURVES[readOid(algorithm.parameters, "namedCurve")];
        if (!curve) return "elliptic curve other than P-256, P-384 and P-521";
        if (key[0] !== 4 || key.length !== 1 + 2 * curve.bytes) {
          return "elliptic curve point that is not in full";
        }
        return { kind: "ec", curve: curve.name };
      }
      case ED25519:
        return algorithm.parameters || key.length !== 32
          ? "malformed Ed25519 key"
          : { kind: "ed25519" };
      default:
        return `key algorithm ${algorithm.oid}`;
    }
  });
}

function attempt<T>(read: () => T): T | string {
  try {
    return read();
  } catch (error) {
    if (error instanceof CertificateError) return error.message;
    throw error;
  }
}

/** Modulus and exponent, the contents of two INTEGERs. */
function readRsaKey(key: Bytes): readonly Bytes[] {
  return sequence(readDer(key), "RSAPublicKey", 2, 2)
    .map((value) => expectTag(value, TAG.integer, "RSAPublicKey").content);
}

/** Bits of an RSA key's modulus; undefined for keys of other kinds. */
export function rsaModulusBits(
  { algorithm, key }: PublicKeyInfo,
): number | undefined {
  const isRsa = algorithm.oid === RSA_ENCRYPTION ||
    algorithm.oid === RSASSA_PSS;
  return isRsa ? unsignedBits(readRsaKey(key)[0]) : undefined;
}

/** Modulus and exponent of an RSA key that some engines have no room for. */
export function largeRsaNumbers(
  publicKey: PublicKeyInfo,
): RsaNumbers | undefined {
  const bits = rsaModulusBits(publicKey);
  if (bits === undefined || bits <= MAX_COMMON_RSA_MODULUS_BITS) {
    return undefined;
  }
  const [modulus, exponent] = readRsaKey(publicKey.key);
  return { modulus, exponent };
}

function checkRsaKey(key: Bytes): string | undefined {
  const [modulus, exponent] = readRsaKey(key);
  const bits = unsignedBits(modulus);
  if (bits < MIN_RSA_MODULUS_BITS || bits > MAX_RSA_MODULUS_BITS) {
    return `RSA key of ${bits} bits`;
  }
  const odd = exponent[exponent.length - 1] & 1;
  const one = exponent.length === 1 && exponent[0] === 1;
  if (
    exponent[0] & 0x80 || !odd || one ||
    exponent.length > MAX_RSA_EXPONENT_BYTES
  ) return "RSA key with an unusual exponent";
}

/** Bits of a positive INTEGER; 0 for a negative one. */
function unsignedBits(content: Bytes): number {
  if (content[0] & 0x80) return 0;
  const skip = content[0] === 0 ? 1 : 0;
  if (content.length === skip) return 0;
  return 8 * (content.length - skip - 1) + 32 - Math.clz32(content[skip]);
}

function readPss(value: DerValue): PssParameters | string {
  const what = "RSASSA-PSS-params";
  const parts = sequence(value, what, 0, 4);
  let hash: HashName | undefined;
  let maskHash: HashName | undefined;
  let saltLength = 20;
  let last = 0;
  for (const { tag, children } of parts) {
    if (tag <= last || children.length !== 1) return `malformed ${what}`;
    last = tag;
    const [inner] = children;
    if (tag === 0xa0) {
      hash = readHash(inner);
    } else if (tag === 0xa1) {
      const mask = readAlgorithm(inner, what);
      maskHash = mask.oid === MGF1 && mask.parameters
        ? readHash(mask.parameters)
        : undefined;
    } else if (tag === 0xa2) {
      const { content } = expectTag(inner, TAG.integer, what);
      saltLength = content.length > 2 || content[0] & 0x80
        ? Infinity
        : content.reduce((sum, byte) => sum * 256 + byte, 0);
    } else {
      return "RSASSA-PSS with another trailer than the default";
    }
  }
  if (!hash || hash !== maskHash) {
    return "RSASSA-PSS without one of SHA-256, SHA-384 and SHA-512 throughout";
  }
  if (saltLength > MAX_PSS_SALT_BYTES) return "RSASSA-PSS with a huge salt";
  return { hash, saltLength };
}

function readHash(value: DerValue): HashName | undefined {
  const { oid, parameters } = readAlgorithm(value, "hash algorithm");
  if (parameters && !isNull(parameters)) return undefined;
  return HASHES[oid];
}

/**
 * The scheme by which a key of this kind makes a signature of this algorithm,
 * or why it cannot.
 */
export function schemeFor(
  algorithm: Algorithm,
  key: KeyKind,
): SignatureScheme | string {
  return attempt(() => {
    const { oid, parameters } = algorithm;
    if (oid === RSASSA_PSS) {
      const used = parameters ? readPss(parameters) : "RSASSA-PSS with SHA-1";
      if (typeof used === "string") return used;
      if (key.kind === "rsa-pss" && key.required) {
        if (
          key.required.hash !== used.hash ||
          key.required.saltLength > used.saltLength
        ) return "RSASSA-PSS parameters that the key forbids";
      } else if (key.kind !== "rsa" && key.kind !== "rsa-pss") {
        return "RSASSA-PSS by a key of another kind";
      }
      return { kind: "rsa-pss", ...used };
    }
    if (oid === ED25519) {
      return key.kind === "ed25519" && !parameters
        ? { kind: "ed25519" }
        : "Ed25519 by a key of another kind";
    }
    const ecdsa = ECDSA_SIGNATURES[oid];
    if (ecdsa) {
      return key.kind === "ec" && !parameters
        ? { kind: "ecdsa", hash: ecdsa, curve: key.curve }
        : "ECDSA by a key of another kind, or with parameters";
    }
    const rsa = RSA_SIGNATURES[oid];
    if (rsa) {
      // RFC 4055, section 5: NULL, and absent must be accepted too.
      return key.kind === "rsa" && (!parameters || isNull(parameters))
        ? { kind: "rsa-pkcs1", hash: rsa }
        : "RSA signature by a key of another kind, or with parameters";
    }
    return `signature algorithm ${oid}`;
  });
}

/**
 * An ECDSA signature from DER to the two numbers side by side (RFC 3279,
 * section 2.2.3; IEEE P1363); undefined where it is no such signature.
 */
export function ecdsaToP1363(
  signature: Bytes,
  curve: CurveName,
): Bytes | undefined {
  const size = CURVE_BYTES[curve];
  const out = new Uint8Array(2 * size);
  const parts = attempt(() => sequence(readDer(signature), "Ecdsa", 2, 2));
  if (typeof parts === "string") return undefined;
  for (const [i, { tag, content }] of parts.entries()) {
    const number = content[0] === 0 ? content.subarray(1) : content;
    if (tag !== TAG.integer || content[0] & 0x80 || number.length > size) {
      return undefined;
    }
    out.set(number, (i + 1) * size - number.length);
  }
  return out;
}

/** SEQUENCE { OBJECT IDENTIFIER rsaEncryption, NULL }. */
export const RSA_ENCRYPTION_ALGORITHM: Bytes = Uint8Array.of(
  ...[0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01],
  ...[0x01, 0x05, 0x00],
);

/**
 * The SPKI as engines import it: WebCrypto knows RSA keys under one object
 * identifier only. Never hashed, never shown.
 */
export function importableSpki(publicKey: PublicKeyInfo): Bytes {
  if (publicKey.algorithm.oid !== RSASSA_PSS) return publicKey.raw;
  return writeDer(
    TAG.sequence,
    RSA_ENCRYPTION_ALGORITHM,
    writeDer(TAG.bitString, Uint8Array.of(0), publicKey.key),
  );
}
