/**
 * Password-based encryption, scheme 2 (PBES2, RFC 8018, section 6.2), as far
 * as WebCrypto goes: PBKDF2 with AES in CBC mode. All older schemes (PBES1,
 * the ones of PKCS#12 itself, RC2, DES) are refused.
 *
 * @module
 */
import * as pkijs from "pkijs";
import { CertificateError } from "@certpin/certpin";
import type { Bytes } from "@certpin/certpin/internal";
import { MAX_PBKDF2_ITERATIONS } from "../limits.ts";
import { parse, reading } from "./asn1.ts";

const PBES2 = "1.2.840.113549.1.5.13";
const PBKDF2 = "1.2.840.113549.1.5.12";
const IV_BYTES = 16;

/** Asks for the passphrase. */
export type Passphrase = () => Promise<string>;

/** Refuses the encryption, and says what to do. */
export function encryptionError(found: string): never {
  throw new CertificateError(
    "ERR_CERTPIN_KEY_ENCRYPTION",
    `Cannot decrypt the key: ${found} is not supported, only PBES2 with PBKDF2 and AES-CBC is; ` +
      "write it anew with `openssl pkcs8 -topk8 -v2 aes-256-cbc` or `openssl pkcs12 -export -keypbe AES-256-CBC -certpbe AES-256-CBC`",
  );
}

/** A passphrase is missing, or is not the right one. */
export function passphraseError(message: string, cause?: unknown): never {
  throw new CertificateError("ERR_CERTPIN_KEY_PASSPHRASE", message, { cause });
}

/** Refuses a count that is below 1 or above the bound; pkijs gives 0 for what it cannot count. */
export function checkCount(count: number, what: string, most: number): void {
  if (count >= 1 && count <= most) return;
  throw new CertificateError(
    "ERR_CERTPIN_KEY_ENCRYPTION",
    `Cannot use ${what}: it must be between 1 and ${most}`,
  );
}

/** The passphrase's UTF-8 bytes, as pkijs takes them. */
export function passwordBytes(passphrase: string): ArrayBuffer {
  return new TextEncoder().encode(passphrase).buffer;
}

/** What pkijs knows by an object identifier: nothing, where it does not know it. */
function known(oid: string): Partial<AesCbcParams & { hash: Algorithm }> & {
  length?: number;
} {
  return pkijs.getAlgorithmByOID(oid);
}

/**
 * Refuses what pkijs and WebCrypto cannot decrypt, and what would take too
 * long, before anybody is asked for a passphrase.
 *
 * @throws {CertificateError} `ERR_CERTPIN_KEY_ENCRYPTION`
 */
export function checkPbes2(
  { algorithmId, algorithmParams }: pkijs.AlgorithmIdentifier,
): void {
  if (algorithmId !== PBES2) {
    encryptionError(`the encryption scheme ${algorithmId}`);
  }
  const { keyDerivationFunc: derivation, encryptionScheme: cipher } = new pkijs
    .PBES2Params({ schema: algorithmParams });
  if (derivation.algorithmId !== PBKDF2) {
    encryptionError(`the key derivation ${derivation.algorithmId}`);
  }
  const { iterationCount, keyLength, prf } = new pkijs.PBKDF2Params({
    schema: derivation.algorithmParams,
  });
  checkCount(
    iterationCount,
    "the PBKDF2 iteration count",
    MAX_PBKDF2_ITERATIONS,
  );
  if (prf && known(prf.algorithmId).name !== "HMAC") {
    encryptionError(`the PBKDF2 function ${prf.algorithmId}`);
  }
  const { name, length } = known(cipher.algorithmId);
  if (name !== "AES-CBC") encryptionError(`the cipher ${cipher.algorithmId}`);
  if (keyLength !== undefined && keyLength * 8 !== length) {
    encryptionError(`a key of ${keyLength} bytes for this cipher`);
  }
  if (cipher.algorithmParams.valueBlock.valueHexView?.length !== IV_BYTES) {
    encryptionError(`an IV that is not ${IV_BYTES} bytes long`);
  }
}

/**
 * Decrypts what PBES2 encrypted.
 *
 * CBC proves nothing about integrity: a wrong passphrase shows as wrong
 * padding, or as a plaintext that cannot be read.
 *
 * @throws {CertificateError} `ERR_CERTPIN_KEY_ENCRYPTION`,
 * `ERR_CERTPIN_KEY_PASSPHRASE`
 */
export async function decryptPbes2(
  encryptedContentInfo: pkijs.EncryptedContentInfo,
  passphrase: Passphrase,
): Promise<Bytes> {
  reading(
    "the encryption",
    () => checkPbes2(encryptedContentInfo.contentEncryptionAlgorithm),
  );
  const password = passwordBytes(await passphrase());
  try {
    const data = new pkijs.EncryptedData({ encryptedContentInfo });
    return new Uint8Array(await data.decrypt({ password }));
  } catch (cause) {
    passphraseError("Cannot decrypt: the passphrase is wrong", cause);
  }
}

/** Decrypts a key of a PKCS#12 file to PKCS#8; throws as {@linkcode decryptPbes2}. */
export async function decryptBag(
  { encryptionAlgorithm, encryptedData }: pkijs.PKCS8ShroudedKeyBag,
  passphrase: Passphrase,
): Promise<Bytes> {
  const plain = await decryptPbes2(
    new pkijs.EncryptedContentInfo({
      contentEncryptionAlgorithm: encryptionAlgorithm,
      encryptedContent: encryptedData,
    }),
    passphrase,
  );
  try {
    parse(plain);
  } catch (cause) {
    // One wrong passphrase in about 256 leaves padding that looks right.
    passphraseError("Cannot decrypt: the passphrase is wrong", cause);
  }
  return plain;
}

/** The same of an EncryptedPrivateKeyInfo (RFC 5958, section 3). */
export async function decryptPrivateKey(
  bytes: Bytes,
  passphrase: Passphrase,
): Promise<Bytes> {
  const bag = reading(
    "the encrypted key",
    () => new pkijs.PKCS8ShroudedKeyBag({ schema: parse(bytes) }),
  );
  return await decryptBag(bag, passphrase);
}
