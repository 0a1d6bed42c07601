/**
 * From a private key to the SPKI of its public half.
 *
 * The public half that a file carries is believed only where the runtime
 * cannot compute it: a pin of a key that nobody holds would be no backup.
 *
 * @module
 */
import { decodeBase64Url } from "@std/encoding";
import * as asn1js from "asn1js";
import * as pkijs from "pkijs";
import { CertificateError } from "@certpin/certpin";
import {
  type Bytes,
  bytesEqual,
  readDer,
  readPublicKeyInfo,
} from "@certpin/certpin/internal";
import { elements, encode, parse, reading } from "./asn1.ts";

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

/** The tag number of publicKey in OneAsymmetricKey and in ECPrivateKey. */
const PUBLIC_KEY = 1;

/**
 * Computes the SPKI of a PKCS#8 private key where WebCrypto cannot; undefined,
 * or an exception, where it cannot either.
 */
export type DerivePublicKey = (pkcs8: Bytes) => Bytes | undefined;

function keyError(
  code: "ERR_CERTPIN_KEY_FORMAT" | "ERR_CERTPIN_KEY_ALGORITHM",
  message: string,
): never {
  throw new CertificateError(code, message);
}

function spkiOf(algorithm: pkijs.AlgorithmIdentifier, key: Bytes): Bytes {
  const subjectPublicKey = new asn1js.BitString({ valueHex: key });
  return encode(
    new pkijs.PublicKeyInfo({ algorithm, subjectPublicKey }).toSchema(),
  );
}

function pkcs8Of(algorithm: pkijs.AlgorithmIdentifier, key: Bytes): Bytes {
  return encode(
    new pkijs.PrivateKeyInfo({
      privateKeyAlgorithm: algorithm,
      privateKey: new asn1js.OctetString({ valueHex: key }),
    }).toSchema(),
  );
}

/** rsaEncryption, with its NULL (RFC 3279, section 2.3.1). */
function rsaEncryption(): pkijs.AlgorithmIdentifier {
  return new pkijs.AlgorithmIdentifier({
    algorithmId: RSA_ENCRYPTION,
    algorithmParams: new asn1js.Null(),
  });
}

/** The SPKI of an RSAPublicKey (RFC 8017, appendix A.1.1). */
export function spkiOfRsaPublicKey(bytes: Bytes): Bytes {
  return reading("the RSA public key", () => {
    const schema = parse(bytes);
    if (elements(schema).length !== 2) throw new Error("extra elements");
    new pkijs.RSAPublicKey({ schema });
    return spkiOf(rsaEncryption(), bytes);
  });
}

/** The SPKI of an RSAPrivateKey (RFC 8017, appendix A.1.2). */
function spkiOfRsaKey(
  bytes: Bytes,
  algorithm: pkijs.AlgorithmIdentifier,
): Bytes {
  return reading("the RSA private key", () => {
    const schema = parse(bytes);
    // More than nine elements are more than two primes, in no use with TLS.
    if (elements(schema).length !== 9) throw new Error("extra elements");
    new pkijs.RSAPrivateKey({ schema });
    // The numbers as they stand: pkijs' class cuts some to a length.
    const [, modulus, exponent] = elements(schema);
    const value = [modulus, exponent];
    return spkiOf(algorithm, encode(new asn1js.Sequence({ value })));
  });
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
  return Uint8Array.from([4, ...x, ...decodeBase64Url(jwk.y)]);
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
  return spki && readPublicKeyInfo(readDer(spki)).key;
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

/** The element with this context tag, and the others. */
function takeTagged(
  block: asn1js.BaseBlock,
  tagNumber: number,
): [found: asn1js.BaseBlock | undefined, others: asn1js.Sequence] {
  const isIt = ({ idBlock }: asn1js.BaseBlock) =>
    idBlock.tagClass === 3 && idBlock.tagNumber === tagNumber;
  return [
    elements(block).find(isIt),
    new asn1js.Sequence({
      value: elements(block).filter((one) => !isIt(one)),
    }),
  ];
}

/** What an ECPrivateKey says (RFC 5915). */
interface EcKey {
  readonly curve: asn1js.ObjectIdentifier;
  readonly secret: asn1js.OctetString;
  readonly carried: Bytes | undefined;
}

function readEcKey(bytes: Bytes, outerCurve?: asn1js.BaseBlock): EcKey {
  return reading("the EC private key", () => {
    // pkijs refuses points of curves that it does not know.
    const [bits, schema] = takeTagged(parse(bytes), PUBLIC_KEY);
    const curve = outerCurve ?? elements(takeTagged(schema, 0)[0])[0];
    if (curve === undefined) {
      keyError(
        "ERR_CERTPIN_KEY_FORMAT",
        "Cannot use an EC key without a curve",
      );
    }
    if (!(curve instanceof asn1js.ObjectIdentifier)) {
      keyError(
        "ERR_CERTPIN_KEY_ALGORITHM",
        "Cannot use an EC key with explicit curve parameters: named curves only",
      );
    }
    if (elements(schema).length > 3) throw new Error("extra elements");
    const { privateKey: secret } = new pkijs.ECPrivateKey({ schema });
    const [point] = elements(bits);
    const carried = point instanceof asn1js.BitString
      ? new Uint8Array(point.valueBlock.valueHexView)
      : undefined;
    return { curve, secret, carried };
  });
}

async function spkiOfEcKey(
  bytes: Bytes,
  derivePublicKey?: DerivePublicKey,
  outerCurve?: asn1js.BaseBlock,
): Promise<Bytes> {
  const { curve, secret, carried } = readEcKey(bytes, outerCurve);
  const algorithm = new pkijs.AlgorithmIdentifier({
    algorithmId: EC_PUBLIC_KEY,
    algorithmParams: curve,
  });
  const bare = new pkijs.ECPrivateKey({ privateKey: secret });
  const pkcs8 = pkcs8Of(algorithm, encode(bare.toSchema()));
  const namedCurve = CURVES[curve.valueBlock.toString()];
  const derived = namedCurve === undefined
    ? undefined
    : await deriveWithWebCrypto(pkcs8, { name: "ECDSA", namedCurve });
  return spkiOf(
    algorithm,
    agreed("EC", derived ?? deriveWithHook(pkcs8, derivePublicKey), carried),
  );
}

/**
 * The SPKI of a private key: PKCS#8 (RFC 5958) of RSA, RSA-PSS, EC, Ed25519,
 * and Ed448 where the runtime knows it; PKCS#1; SEC1.
 *
 * @param label What PEM calls it.
 * @throws {CertificateError} `ERR_CERTPIN_KEY_FORMAT`,
 * `ERR_CERTPIN_KEY_ALGORITHM`, `ERR_CERTPIN_CERTIFICATE_DER`.
 */
export async function spkiOfPrivateKey(
  label: "RSA PRIVATE KEY" | "EC PRIVATE KEY" | "PRIVATE KEY",
  bytes: Bytes,
  derivePublicKey?: DerivePublicKey,
): Promise<Bytes> {
  if (label === "RSA PRIVATE KEY") return spkiOfRsaKey(bytes, rsaEncryption());
  if (label === "EC PRIVATE KEY") {
    return await spkiOfEcKey(bytes, derivePublicKey);
  }
  const [seen, bits] = reading("the private key", () => {
    // Version 1 may carry [1] publicKey, which pkijs does not know.
    const [bits, schema] = takeTagged(parse(bytes), PUBLIC_KEY);
    if (elements(schema).length > 4) throw new Error("extra elements");
    return [new pkijs.PrivateKeyInfo({ schema }), bits] as const;
  });
  const key = new Uint8Array(seen.privateKey.valueBlock.valueHexView);
  const { privateKeyAlgorithm: algorithm } = seen;
  const { algorithmId, algorithmParams } = algorithm;
  if (algorithmId === RSA_ENCRYPTION || algorithmId === RSA_PSS) {
    return spkiOfRsaKey(key, algorithm);
  }
  if (algorithmId === EC_PUBLIC_KEY) {
    return await spkiOfEcKey(key, derivePublicKey, algorithmParams);
  }
  const name = EDWARDS[algorithmId];
  if (name === undefined) {
    keyError(
      "ERR_CERTPIN_KEY_ALGORITHM",
      `Cannot use a private key of algorithm ${algorithmId}: only RSA, EC, Ed25519 and Ed448 are supported`,
    );
  }
  // The octets of the BIT STRING, after the number of its unused bits.
  const carried = bits instanceof asn1js.Primitive
    ? new Uint8Array(bits.valueBlock.valueHexView).subarray(1)
    : undefined;
  const pkcs8 = pkcs8Of(algorithm, key);
  // Node warns of WebCrypto's Ed448, which is young: the hook comes first.
  const hooked = name === "Ed448"
    ? deriveWithHook(pkcs8, derivePublicKey)
    : undefined;
  const derived = hooked ?? await deriveWithWebCrypto(pkcs8, { name }) ??
    deriveWithHook(pkcs8, derivePublicKey);
  return spkiOf(algorithm, agreed(name, derived, carried));
}
