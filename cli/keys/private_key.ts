/**
 * From a private key to the SPKI of its public half.
 *
 * The public half that a file carries is believed only where the runtime
 * cannot compute it: a pin of a key that nobody holds would be no backup.
 *
 * @module
 */
import { decodeBase64Url } from "@std/encoding";
import { CertificateError } from "@certpin/certpin";
import {
  type Bytes,
  bytesEqual,
  type DerValue,
  expectTag,
  readDer,
  readOid,
  sequence,
  TAG,
  wholeBitString,
} from "@certpin/certpin/internal";

const RSA_ENCRYPTION = "1.2.840.113549.1.1.1";
const RSA_PSS = "1.2.840.113549.1.1.10";
const EC_PUBLIC_KEY = "1.2.840.10045.2.1";

const CURVES: Readonly<Record<string, string>> = {
  "1.2.840.10045.3.1.7": "P-256",
  "1.3.132.0.34": "P-384",
  "1.3.132.0.35": "P-521",
};

const EDWARDS: Readonly<Record<string, string>> = {
  "1.3.101.112": "Ed25519",
  "1.3.101.113": "Ed448",
};

/** AlgorithmIdentifier of rsaEncryption, with its NULL (RFC 3279, 2.3.1). */
const RSA_ALGORITHM: Bytes = Uint8Array.of(
  ...[0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d],
  ...[0x01, 0x01, 0x01, 0x05, 0x00],
);
/** OBJECT IDENTIFIER id-ecPublicKey. */
const EC_OID: Bytes = Uint8Array.of(
  ...[0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01],
);
const VERSION_0: Bytes = Uint8Array.of(0x02, 0x01, 0x00);
const VERSION_1: Bytes = Uint8Array.of(0x02, 0x01, 0x01);

/**
 * Computes the SPKI of a PKCS#8 private key where WebCrypto cannot; undefined,
 * or an exception, where it cannot either.
 */
export type DerivePublicKey = (pkcs8: Bytes) => Bytes | undefined;

/** Encodes one DER value around the parts. */
function encode(tag: number, ...parts: readonly Uint8Array[]): Bytes {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const header = [tag];
  if (length < 0x80) header.push(length);
  else {
    const octets = [];
    for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) {
      octets.unshift(rest % 256);
    }
    header.push(0x80 | octets.length, ...octets);
  }
  const out = new Uint8Array(header.length + length);
  out.set(header);
  let at = header.length;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

function bitString(bytes: Uint8Array): Bytes {
  return encode(TAG.bitString, Uint8Array.of(0), bytes);
}

function spkiOf(algorithm: Uint8Array, publicKey: Uint8Array): Bytes {
  return encode(TAG.sequence, algorithm, bitString(publicKey));
}

/** The SPKI of a PKCS#1 RSAPublicKey (RFC 8017, appendix A.1.1). */
export function spkiOfPkcs1(publicKey: Bytes): Bytes {
  return spkiOf(RSA_ALGORITHM, publicKey);
}

function keyError(
  code: "ERR_CERTPIN_KEY_FORMAT" | "ERR_CERTPIN_KEY_ALGORITHM",
  message: string,
): never {
  throw new CertificateError(code, message);
}

function rsaPublicKey(privateKey: DerValue): Bytes {
  // Version 0 has two primes; others are in no use with TLS.
  const fields = sequence(privateKey, "the RSA private key", 9, 9);
  const [, modulus, exponent] = fields;
  expectTag(modulus, TAG.integer, "the RSA modulus");
  expectTag(exponent, TAG.integer, "the RSA exponent");
  return encode(TAG.sequence, modulus.raw, exponent.raw);
}

/** The SPKI of a PKCS#1 RSAPrivateKey (RFC 8017, appendix A.1.2). */
export function spkiOfRsaPrivateKey(der: DerValue): Bytes {
  return spkiOf(RSA_ALGORITHM, rsaPublicKey(der));
}

/** Asks WebCrypto for the public half; undefined where it does not know the kind of key. */
async function deriveWithWebCrypto(
  pkcs8: Bytes,
  algorithm: Algorithm | EcKeyImportParams,
): Promise<Bytes | undefined> {
  let jwk: JsonWebKey;
  try {
    const key = await crypto.subtle.importKey("pkcs8", pkcs8, algorithm, true, [
      "sign",
    ]);
    jwk = await crypto.subtle.exportKey("jwk", key);
  } catch {
    return undefined;
  }
  if (jwk.x === undefined) return undefined;
  const x = decodeBase64Url(jwk.x);
  if (jwk.y === undefined) return x;
  const y = decodeBase64Url(jwk.y);
  const point = new Uint8Array(1 + x.length + y.length);
  point[0] = 4;
  point.set(x, 1);
  point.set(y, 1 + x.length);
  return point;
}

function publicKeyOfSpki(spki: Bytes): Bytes {
  const [, key] = sequence(readDer(spki), "the public key", 2, 2);
  return wholeBitString(key, "the public key");
}

function deriveWithHook(
  pkcs8: Bytes,
  derivePublicKey: DerivePublicKey | undefined,
): Bytes | undefined {
  let spki: Bytes | undefined;
  try {
    spki = derivePublicKey?.(pkcs8);
  } catch {
    // A key that the engine refuses: nothing was computed.
  }
  return spki && publicKeyOfSpki(spki);
}

/** Without an algorithm the hook alone is asked. */
async function derive(
  pkcs8: Bytes,
  algorithm: Algorithm | EcKeyImportParams | undefined,
  derivePublicKey: DerivePublicKey | undefined,
): Promise<Bytes | undefined> {
  const derived = algorithm && await deriveWithWebCrypto(pkcs8, algorithm);
  return derived ?? deriveWithHook(pkcs8, derivePublicKey);
}

/** The key's own public half, the computed one preferred, and both equal. */
function agreed(
  name: string,
  derived: Bytes | undefined,
  carried: Bytes | undefined,
): Bytes {
  if (derived === undefined && carried === undefined) {
    keyError(
      "ERR_CERTPIN_KEY_ALGORITHM",
      `Cannot compute the public half of this ${name} key here; give its public key instead (\`openssl pkey -pubout\`)`,
    );
  }
  // A compressed point is of another length; certificates carry the whole one.
  const comparable = carried !== undefined && derived !== undefined &&
    carried.length === derived.length;
  if (comparable && !bytesEqual(carried, derived)) {
    keyError(
      "ERR_CERTPIN_KEY_FORMAT",
      `Cannot use this ${name} key: the public half in the file belongs to another private key`,
    );
  }
  return derived ?? carried!;
}

/**
 * The SPKI of a SEC1 ECPrivateKey (RFC 5915), its curve said either inside or
 * by the PKCS#8 structure around it.
 */
export async function spkiOfEcPrivateKey(
  der: DerValue,
  derivePublicKey?: DerivePublicKey,
  outerCurve?: DerValue,
): Promise<Bytes> {
  const [, secret, ...tagged] = sequence(der, "the EC private key", 2, 4);
  expectTag(secret, TAG.octetString, "the EC private key");
  const inner = tagged.find((field) => field.tag === 0xa0)?.children[0];
  const curve = outerCurve ?? inner;
  if (curve === undefined) {
    keyError("ERR_CERTPIN_KEY_FORMAT", "Cannot use an EC key without a curve");
  }
  if (curve.tag !== TAG.oid) {
    keyError(
      "ERR_CERTPIN_KEY_ALGORITHM",
      "Cannot use an EC key with explicit curve parameters: named curves only",
    );
  }
  const bits = tagged.find((field) => field.tag === 0xa1)?.children[0];
  const carried = bits && wholeBitString(bits, "the EC public key");
  const algorithm = encode(TAG.sequence, EC_OID, curve.raw);
  const pkcs8 = encode(
    TAG.sequence,
    VERSION_0,
    algorithm,
    encode(TAG.octetString, encode(TAG.sequence, VERSION_1, secret.raw)),
  );
  const namedCurve = CURVES[readOid(curve, "the curve")];
  const derived = await derive(
    pkcs8,
    namedCurve === undefined ? undefined : { name: "ECDSA", namedCurve },
    derivePublicKey,
  );
  return spkiOf(algorithm, agreed("EC", derived, carried));
}

/**
 * The SPKI of a PKCS#8 PrivateKeyInfo (RFC 5958): RSA, RSA-PSS, EC, Ed25519,
 * and Ed448 where the runtime knows it.
 *
 * @throws {CertificateError} `ERR_CERTPIN_KEY_FORMAT`,
 * `ERR_CERTPIN_KEY_ALGORITHM`, `ERR_CERTPIN_CERTIFICATE_DER`.
 */
export async function spkiOfPkcs8(
  der: DerValue,
  derivePublicKey?: DerivePublicKey,
): Promise<Bytes> {
  const [version, algorithm, key, ...rest] = sequence(
    der,
    "the private key",
    3,
    5,
  );
  const [id, parameters] = sequence(algorithm, "the key's algorithm", 1, 2);
  const oid = readOid(id, "the key's algorithm");
  const inner = expectTag(key, TAG.octetString, "the private key").content;
  if (oid === RSA_ENCRYPTION || oid === RSA_PSS) {
    return spkiOf(algorithm.raw, rsaPublicKey(readDer(inner)));
  }
  if (oid === EC_PUBLIC_KEY) {
    return await spkiOfEcPrivateKey(
      readDer(inner),
      derivePublicKey,
      parameters,
    );
  }
  const name = EDWARDS[oid];
  if (name === undefined) {
    keyError(
      "ERR_CERTPIN_KEY_ALGORITHM",
      `Cannot use a private key of algorithm ${oid}: RSA, EC, Ed25519 and Ed448 are known`,
    );
  }
  // Version 1 may carry [1] publicKey, which some importers refuse.
  expectTag(version, TAG.integer, "the private key's version");
  const bits = rest.find((field) => field.tag === 0x81);
  const carried = bits && bits.content.subarray(1);
  const bare = encode(TAG.sequence, VERSION_0, algorithm.raw, key.raw);
  // Node warns of WebCrypto's Ed448, which is young: the hook comes first.
  const hooked = name === "Ed448"
    ? deriveWithHook(bare, derivePublicKey)
    : undefined;
  const derived = hooked ?? await derive(bare, { name }, derivePublicKey);
  return spkiOf(algorithm.raw, agreed(name, derived, carried));
}
