/**
 * Password-based encryption, scheme 2 (PBES2, RFC 8018, section 6.2), as far
 * as WebCrypto goes: PBKDF2 with AES in CBC mode. All older schemes (PBES1,
 * the ones of PKCS#12 itself, RC2, DES) are refused.
 *
 * @module
 */
import { CertificateError } from "@certpin/certpin";
import {
  type Bytes,
  type DerValue,
  expectTag,
  readOid,
  sequence,
  TAG,
} from "@certpin/certpin/internal";
import { MAX_PBKDF2_ITERATIONS } from "../limits.ts";

const PBES2 = "1.2.840.113549.1.5.13";
const PBKDF2 = "1.2.840.113549.1.5.12";

const AES_CBC_KEY_BITS: Readonly<Record<string, number>> = {
  "2.16.840.1.101.3.4.1.2": 128,
  "2.16.840.1.101.3.4.1.22": 192,
  "2.16.840.1.101.3.4.1.42": 256,
};

const PRF_HASHES: Readonly<Record<string, string>> = {
  "1.2.840.113549.2.7": "SHA-1",
  "1.2.840.113549.2.9": "SHA-256",
  "1.2.840.113549.2.10": "SHA-384",
  "1.2.840.113549.2.11": "SHA-512",
};

/** Key derivation from a passphrase. */
export interface Pbkdf2Parameters {
  readonly salt: Bytes;
  readonly iterations: number;
  /** WebCrypto's name of the hash under HMAC. */
  readonly hash: string;
  /** In bytes, where the parameters say it. */
  readonly keyLength?: number;
}

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

/** A whole number of at least 1, bounded. */
export function readCount(
  value: DerValue | undefined,
  what: string,
  most: number,
): number {
  const { content } = expectTag(value, TAG.integer, what);
  let count = 0;
  for (const byte of content.subarray(0, 6)) count = count * 256 + byte;
  if (content[0] & 0x80 || content.length > 6 || count < 1 || count > most) {
    throw new CertificateError(
      "ERR_CERTPIN_KEY_ENCRYPTION",
      `Cannot use ${what}: it must be between 1 and ${most}`,
    );
  }
  return count;
}

/** Reads PBKDF2's algorithm identifier (RFC 8018, appendix A.2). */
export function readPbkdf2(algorithm: DerValue): Pbkdf2Parameters {
  const [id, parameters] = sequence(algorithm, "the key derivation", 1, 2);
  const oid = readOid(id, "the key derivation");
  if (oid !== PBKDF2) encryptionError(`the key derivation ${oid}`);
  const fields = [...sequence(parameters, "the PBKDF2 parameters", 2, 4)];
  const salt = expectTag(fields[0], TAG.octetString, "the PBKDF2 salt").content;
  const iterations = readCount(
    fields[1],
    "the PBKDF2 iteration count",
    MAX_PBKDF2_ITERATIONS,
  );
  let rest = fields.slice(2);
  let keyLength: number | undefined;
  if (rest[0]?.tag === TAG.integer) {
    keyLength = readCount(rest[0], "the PBKDF2 key length", 64);
    rest = rest.slice(1);
  }
  // The default, hmacWithSHA1, stands only where nothing is written.
  let hash = "SHA-1";
  if (rest[0] !== undefined) {
    const [prf] = sequence(rest[0], "the PBKDF2 function", 1, 2);
    const prfOid = readOid(prf, "the PBKDF2 function");
    hash = PRF_HASHES[prfOid] ??
      encryptionError(`the PBKDF2 function ${prfOid}`);
  }
  return { salt, iterations, hash, keyLength };
}

/** Derives `bits` bits from the passphrase's UTF-8 bytes. */
export async function derivePbkdf2(
  passphrase: string,
  parameters: Pbkdf2Parameters,
  bits: number,
): Promise<Bytes> {
  const key = await crypto.subtle.importKey(
    "raw",
    new TextEncoder().encode(passphrase),
    "PBKDF2",
    false,
    ["deriveBits"],
  );
  const { hash, salt, iterations } = parameters;
  return new Uint8Array(
    await crypto.subtle.deriveBits(
      { name: "PBKDF2", hash, salt, iterations },
      key,
      bits,
    ),
  );
}

/**
 * Whether the algorithm identifier is PBES2's; never decrypts.
 *
 * @throws {CertificateError} `ERR_CERTPIN_KEY_ENCRYPTION` for any other scheme.
 */
export function requirePbes2(algorithm: DerValue): DerValue {
  const [id, parameters] = sequence(algorithm, "the encryption", 1, 2);
  const oid = readOid(id, "the encryption");
  if (oid !== PBES2) encryptionError(`the encryption scheme ${oid}`);
  return expectTag(parameters, TAG.sequence, "the PBES2 parameters");
}

/**
 * Decrypts what PBES2 encrypted.
 *
 * CBC proves nothing about integrity: a wrong passphrase shows as wrong
 * padding, or as a plaintext that cannot be read.
 *
 * @throws {CertificateError} `ERR_CERTPIN_KEY_ENCRYPTION`,
 * `ERR_CERTPIN_KEY_PASSPHRASE`, `ERR_CERTPIN_CERTIFICATE_DER`.
 */
export async function decryptPbes2(
  algorithm: DerValue,
  encrypted: Bytes,
  passphrase: () => Promise<string>,
): Promise<Bytes> {
  const [kdf, cipher] = sequence(
    requirePbes2(algorithm),
    "the PBES2 parameters",
    2,
    2,
  );
  const parameters = readPbkdf2(kdf);
  const [id, iv] = sequence(cipher, "the cipher", 1, 2);
  const oid = readOid(id, "the cipher");
  const bits = AES_CBC_KEY_BITS[oid] ?? encryptionError(`the cipher ${oid}`);
  const { keyLength } = parameters;
  if (keyLength !== undefined && keyLength * 8 !== bits) {
    encryptionError(`a key of ${keyLength} bytes for this cipher`);
  }
  const vector = expectTag(iv, TAG.octetString, "the cipher's IV").content;
  if (vector.length !== 16) encryptionError("an IV that is not 16 bytes long");

  const raw = await derivePbkdf2(await passphrase(), parameters, bits);
  let key: CryptoKey;
  try {
    key = await crypto.subtle.importKey("raw", raw, "AES-CBC", false, [
      "decrypt",
    ]);
  } catch {
    encryptionError(`AES with ${bits} bits in this runtime`);
  } finally {
    raw.fill(0);
  }
  try {
    return new Uint8Array(
      await crypto.subtle.decrypt(
        { name: "AES-CBC", iv: vector },
        key,
        encrypted,
      ),
    );
  } catch (cause) {
    passphraseError("Cannot decrypt: the passphrase is wrong", cause);
  }
}
