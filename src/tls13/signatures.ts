/**
 * Signature schemes and CertificateVerify (RFC 8446, sections 4.2.3 and 4.4.3).
 *
 * @module
 */
import type { Bytes, CurveName } from "../crypto/routine.ts";
import { ConnectionError } from "../errors.ts";
import {
  classifyKey,
  ecdsaToP1363,
  importableSpki,
  type KeyKind,
  RSA_ENCRYPTION_ALGORITHM,
  RSASSA_PSS,
} from "../path/algorithms.ts";
import { readDer, readOid, sequence, TAG } from "../x509/der.ts";
import { writeDer } from "../x509/der_writer.ts";
import type { PublicKeyInfo } from "../x509/layout.ts";
import { refuse, TlsFailure } from "./failure.ts";
import type { ClientCertificate } from "./types.ts";
import { concat, vector } from "./wire.ts";

const { subtle } = crypto;

type HashName = "SHA-256" | "SHA-384" | "SHA-512";

/** A signature scheme. */
export interface SignatureScheme {
  readonly id: number;
  readonly name: string;
  readonly kind: "ecdsa" | "rsa-pss-rsae" | "rsa-pss-pss" | "ed25519";
  /** As WebCrypto calls it; Ed25519 has its own. */
  readonly hash: HashName;
  /** Of the salt of RSA-PSS, in bytes: the hash's. */
  readonly saltLength: number;
  readonly curve?: CurveName;
}

const HASH_LENGTHS = { "SHA-256": 32, "SHA-384": 48, "SHA-512": 64 } as const;

function scheme(
  id: number,
  name: string,
  kind: SignatureScheme["kind"],
  hash: HashName,
  curve?: CurveName,
): SignatureScheme {
  const saltLength = HASH_LENGTHS[hash];
  return { id, name, kind, hash, saltLength, ...curve && { curve } };
}

/** The schemes for CertificateVerify, the preferred one first. */
export const SCHEMES: readonly SignatureScheme[] = [
  scheme(0x0403, "ecdsa_secp256r1_sha256", "ecdsa", "SHA-256", "P-256"),
  scheme(0x0804, "rsa_pss_rsae_sha256", "rsa-pss-rsae", "SHA-256"),
  scheme(0x0807, "ed25519", "ed25519", "SHA-512"),
  scheme(0x0503, "ecdsa_secp384r1_sha384", "ecdsa", "SHA-384", "P-384"),
  scheme(0x0805, "rsa_pss_rsae_sha384", "rsa-pss-rsae", "SHA-384"),
  scheme(0x0603, "ecdsa_secp521r1_sha512", "ecdsa", "SHA-512", "P-521"),
  scheme(0x0806, "rsa_pss_rsae_sha512", "rsa-pss-rsae", "SHA-512"),
  scheme(0x0809, "rsa_pss_pss_sha256", "rsa-pss-pss", "SHA-256"),
  scheme(0x080a, "rsa_pss_pss_sha384", "rsa-pss-pss", "SHA-384"),
  scheme(0x080b, "rsa_pss_pss_sha512", "rsa-pss-pss", "SHA-512"),
];

/** rsa_pkcs1_sha256, 384 and 512: they sign certificates, never handshakes. */
export const CERTIFICATE_ONLY_SCHEMES: readonly number[] = [
  0x0401,
  0x0501,
  0x0601,
];

let ed25519: Promise<boolean> | undefined;

function hasEd25519(): Promise<boolean> {
  return ed25519 ??= subtle.generateKey({ name: "Ed25519" }, false, ["sign"])
    .then(() => true, () => false);
}

/** The schemes that this runtime can verify. */
export async function supportedSchemes(): Promise<readonly SignatureScheme[]> {
  return await hasEd25519()
    ? SCHEMES
    : SCHEMES.filter(({ kind }) => kind !== "ed25519");
}

/** What a CertificateVerify signs (RFC 8446, section 4.4.3). */
export function signedContent(
  side: "server" | "client",
  transcriptHash: Bytes,
): Bytes {
  return concat(
    new Uint8Array(64).fill(0x20),
    new TextEncoder().encode(`TLS 1.3, ${side} CertificateVerify`),
    Uint8Array.of(0),
    transcriptHash,
  );
}

/** Whether keys of this kind make signatures of this scheme. */
function fits(key: KeyKind, used: SignatureScheme): boolean {
  switch (key.kind) {
    case "ec":
      return used.curve === key.curve;
    case "rsa":
      return used.kind === "rsa-pss-rsae";
    case "rsa-pss": {
      if (used.kind !== "rsa-pss-pss") return false;
      const { required } = key;
      return !required ||
        (`sha${used.hash.slice(4)}` === required.hash &&
          required.saltLength <= used.saltLength);
    }
    case "ed25519":
      return used.kind === "ed25519";
  }
}

function importAlgorithm(used: SignatureScheme) {
  switch (used.kind) {
    case "ecdsa":
      return { name: "ECDSA", namedCurve: used.curve! };
    case "ed25519":
      return { name: "Ed25519" };
    case "rsa-pss-rsae":
    case "rsa-pss-pss":
      return { name: "RSA-PSS", hash: used.hash };
  }
}

function signingAlgorithm({ kind, hash, saltLength }: SignatureScheme) {
  switch (kind) {
    case "ecdsa":
      return { name: "ECDSA", hash };
    case "ed25519":
      return { name: "Ed25519" };
    case "rsa-pss-rsae":
    case "rsa-pss-pss":
      return { name: "RSA-PSS", saltLength };
  }
}

/**
 * Verifies the server's CertificateVerify.
 *
 * @param schemes What signature_algorithms offered.
 * @throws {TlsFailure} illegal_parameter for a scheme that was not offered or
 * does not fit the key, decrypt_error for a signature that does not hold.
 */
export async function verifyCertificateVerify(
  publicKey: PublicKeyInfo,
  schemes: readonly SignatureScheme[],
  schemeId: number,
  signature: Bytes,
  transcriptHash: Bytes,
): Promise<void> {
  const used = schemes.find(({ id }) => id === schemeId);
  if (!used) {
    refuse(
      "illegal_parameter",
      `CertificateVerify uses the scheme 0x${
        schemeId.toString(16)
      }, which was not offered`,
    );
  }
  const key = classifyKey(publicKey);
  if (typeof key === "string") {
    throw new TlsFailure(
      "ERR_CERTPIN_TLS_PROTOCOL",
      "unsupported_certificate",
      `The server's certificate cannot be used with TLS 1.3: ${key}`,
    );
  }
  if (!fits(key, used)) {
    refuse(
      "illegal_parameter",
      `CertificateVerify uses ${used.name}, which does not fit the certificate's key`,
    );
  }
  if (
    !await verifies(
      used,
      publicKey,
      signature,
      signedContent("server", transcriptHash),
    )
  ) {
    refuse(
      "decrypt_error",
      "the signature in CertificateVerify does not hold: the server has not shown that the certificate's key is its own",
    );
  }
}

async function verifies(
  used: SignatureScheme,
  publicKey: PublicKeyInfo,
  signature: Bytes,
  content: Bytes,
): Promise<boolean> {
  const raw = used.curve ? ecdsaToP1363(signature, used.curve) : signature;
  if (!raw) return false;
  try {
    const key = await subtle.importKey(
      "spki",
      importableSpki(publicKey),
      importAlgorithm(used),
      false,
      ["verify"],
    );
    return await subtle.verify(signingAlgorithm(used), key, raw, content);
  } catch {
    // No signature of a key that the engine refuses holds.
    return false;
  }
}

function optionError(why: string): ConnectionError {
  return new ConnectionError(
    "ERR_CERTPIN_OPTION",
    `Cannot use the client certificate: ${why}`,
  );
}

/** Whether a `CryptoKey` can sign with this scheme. */
function canSign(key: CryptoKey, used: SignatureScheme): boolean {
  const { name } = key.algorithm;
  switch (used.kind) {
    case "ecdsa":
      return name === "ECDSA" &&
        (key.algorithm as EcKeyAlgorithm).namedCurve === used.curve;
    case "ed25519":
      return name === "Ed25519";
    case "rsa-pss-rsae":
    case "rsa-pss-pss":
      return name === "RSA-PSS" &&
        (key.algorithm as RsaHashedKeyAlgorithm).hash.name === used.hash;
  }
}

/** A client's own key and the schemes that it can sign with. */
export class ClientSigner {
  readonly #publicKey: PublicKeyInfo;
  readonly #key: ClientCertificate["key"];
  readonly #schemes: readonly SignatureScheme[];

  /**
   * @throws {ConnectionError} `ERR_CERTPIN_OPTION` for a key that signs with no
   * scheme that fits the certificate.
   */
  constructor(publicKey: PublicKeyInfo, key: ClientCertificate["key"]) {
    const kind = classifyKey(publicKey);
    if (typeof kind === "string") throw optionError(kind);
    const isHandle = !ArrayBuffer.isView(key);
    this.#publicKey = publicKey;
    this.#key = key;
    this.#schemes = SCHEMES.filter((used) =>
      fits(kind, used) && (!isHandle || canSign(key, used))
    );
    if (this.#schemes.length === 0) {
      throw optionError(
        "its key and the private key are of different kinds, or an RSA key is not of RSA-PSS",
      );
    }
    if (isHandle && !key.usages.includes("sign")) {
      throw optionError("its key may not sign");
    }
  }

  /** The first of the server's schemes that this key can use. */
  choose(offered: readonly number[]): SignatureScheme | undefined {
    return offered.map((id) => this.#schemes.find((used) => used.id === id))
      .find((used) => used !== undefined);
  }

  /**
   * Signs the transcript: the body of a CertificateVerify.
   *
   * @throws {ConnectionError} `ERR_CERTPIN_OPTION` if the private key is not
   * that of the certificate.
   */
  async sign(used: SignatureScheme, transcriptHash: Bytes): Promise<Bytes> {
    const content = signedContent("client", transcriptHash);
    let signature: Bytes;
    try {
      const key = ArrayBuffer.isView(this.#key)
        ? await subtle.importKey(
          "pkcs8",
          importablePkcs8(this.#key),
          importAlgorithm(used),
          false,
          ["sign"],
        )
        : this.#key;
      signature = new Uint8Array(
        await subtle.sign(signingAlgorithm(used), key, content),
      );
    } catch (cause) {
      throw new ConnectionError(
        "ERR_CERTPIN_OPTION",
        "Cannot sign with the private key of the client certificate",
        { cause },
      );
    }
    if (used.curve) signature = ecdsaToDer(signature);
    // A faulty signature can give a key away (RFC 8446, appendix C.1 and E.8).
    if (!await verifies(used, this.#publicKey, signature, content)) {
      throw optionError("the private key is not that of the certificate");
    }
    return concat(
      Uint8Array.of(used.id >> 8, used.id & 0xff),
      vector(2, signature),
    );
  }
}

/** PKCS#8 as engines import it: WebCrypto knows RSA keys under rsaEncryption alone. */
export function importablePkcs8(pkcs8: Uint8Array): Bytes {
  const copy = new Uint8Array(pkcs8);
  const [version, algorithm, key] = sequence(readDer(copy), "PKCS#8", 3, 5);
  if (readOid(algorithm.children[0], "PKCS#8") !== RSASSA_PSS) return copy;
  return writeDer(
    TAG.sequence,
    version.raw,
    RSA_ENCRYPTION_ALGORITHM,
    key.raw,
  );
}

/** An ECDSA signature from two numbers side by side to DER (RFC 3279, section 2.2.3). */
export function ecdsaToDer(signature: Uint8Array): Bytes {
  const half = signature.length / 2;
  return writeDer(
    TAG.sequence,
    derInteger(signature.subarray(0, half)),
    derInteger(signature.subarray(half)),
  );
}

function derInteger(number: Uint8Array): Bytes {
  let start = 0;
  while (start < number.length - 1 && number[start] === 0) start++;
  const digits = number.subarray(start);
  return writeDer(
    TAG.integer,
    Uint8Array.of(...digits[0] & 0x80 ? [0] : []),
    digits,
  );
}
