/**
 * The integrity check of PKCS#12: HMAC over the content, keyed by the
 * derivation of RFC 7292, appendix B, or by PBMAC1 (RFC 9579).
 *
 * @module
 */
import { CertificateError } from "@certpin/certpin";
import {
  type Bytes,
  bytesEqual,
  type DerValue,
  expectTag,
  readOid,
  sequence,
  TAG,
} from "@certpin/certpin/internal";
import { MAX_PKCS12_MAC_ITERATIONS } from "../limits.ts";
import {
  derivePbkdf2,
  encryptionError,
  passphraseError,
  readCount,
  readPbkdf2,
} from "./pbes2.ts";

const PBMAC1 = "1.2.840.113549.1.5.14";

/** Hashes of the MAC: WebCrypto's name, digest and block size in bytes. */
const MAC_HASHES: Readonly<
  Record<string, { name: string; digest: number; block: number }>
> = {
  "1.3.14.3.2.26": { name: "SHA-1", digest: 20, block: 64 },
  "2.16.840.1.101.3.4.2.1": { name: "SHA-256", digest: 32, block: 64 },
  "2.16.840.1.101.3.4.2.2": { name: "SHA-384", digest: 48, block: 128 },
  "2.16.840.1.101.3.4.2.3": { name: "SHA-512", digest: 64, block: 128 },
};

const HMAC_HASHES: Readonly<Record<string, string>> = {
  "1.2.840.113549.2.9": "SHA-256",
  "1.2.840.113549.2.10": "SHA-384",
  "1.2.840.113549.2.11": "SHA-512",
};

function formatError(message: string): never {
  throw new CertificateError(
    "ERR_CERTPIN_KEY_FORMAT",
    `Cannot read the PKCS#12 file: ${message}`,
  );
}

/** Fills `length` bytes, a multiple of the block, with copies of the text. */
function repeated(text: Uint8Array, block: number): Bytes {
  const out = new Uint8Array(Math.ceil(text.length / block) * block);
  for (let i = 0; i < out.length; i++) out[i] = text[i % text.length];
  return out;
}

/** The MAC key of RFC 7292, appendix B.2, with the diversifier 3. */
async function deriveMacKey(
  passphrase: string,
  salt: Bytes,
  iterations: number,
  hash: { name: string; digest: number; block: number },
): Promise<Bytes> {
  // A BMPString with its two terminating zero octets.
  const password = new Uint8Array((passphrase.length + 1) * 2);
  for (let i = 0; i < passphrase.length; i++) {
    password[2 * i] = passphrase.charCodeAt(i) >> 8;
    password[2 * i + 1] = passphrase.charCodeAt(i) & 0xff;
  }
  const parts = [
    new Uint8Array(hash.block).fill(3),
    repeated(salt, hash.block),
    repeated(password, hash.block),
  ];
  let block = new Uint8Array(parts.reduce((sum, p) => sum + p.length, 0));
  let at = 0;
  for (const part of parts) {
    block.set(part, at);
    at += part.length;
  }
  // The key is as long as the digest, so one round of the outer loop is all.
  for (let i = 0; i < iterations; i++) {
    block = new Uint8Array(await crypto.subtle.digest(hash.name, block));
  }
  return block;
}

async function hmac(hash: string, raw: Bytes, data: Bytes): Promise<Bytes> {
  const key = await crypto.subtle.importKey(
    "raw",
    raw,
    { name: "HMAC", hash },
    false,
    ["sign"],
  );
  return new Uint8Array(await crypto.subtle.sign("HMAC", key, data));
}

async function macOf(
  mac: DerValue,
  content: Bytes,
  passphrase: string,
): Promise<{ expected: Bytes; computed: Bytes }> {
  const [digestInfo, saltValue, count] = sequence(mac, "the MAC", 2, 3);
  const [algorithm, digest] = sequence(digestInfo, "the MAC", 2, 2);
  const [id, parameters] = sequence(algorithm, "the MAC algorithm", 1, 2);
  const expected = expectTag(digest, TAG.octetString, "the MAC").content;
  const oid = readOid(id, "the MAC algorithm");
  if (oid === PBMAC1) {
    // RFC 9579: PBKDF2, then HMAC, both said by the parameters.
    const [kdf, scheme] = sequence(parameters, "PBMAC1", 2, 2);
    const derivation = readPbkdf2(kdf);
    const [schemeId] = sequence(scheme, "the MAC scheme", 1, 2);
    const schemeOid = readOid(schemeId, "the MAC scheme");
    const hash = HMAC_HASHES[schemeOid] ??
      encryptionError(`the MAC scheme ${schemeOid}`);
    const length = derivation.keyLength ?? formatError("PBMAC1 has no length");
    const key = await derivePbkdf2(passphrase, derivation, length * 8);
    return { expected, computed: await hmac(hash, key, content) };
  }
  const hash = MAC_HASHES[oid] ?? encryptionError(`the MAC hash ${oid}`);
  const salt = expectTag(saltValue, TAG.octetString, "the MAC salt").content;
  if (salt.length > hash.block * 4) formatError("the MAC salt is too long");
  const iterations = count === undefined
    ? 1
    : readCount(count, "the MAC iteration count", MAX_PKCS12_MAC_ITERATIONS);
  const key = await deriveMacKey(passphrase, salt, iterations, hash);
  return { expected, computed: await hmac(hash.name, key, content) };
}

/**
 * Checks the MAC of a PKCS#12 file.
 *
 * @throws {CertificateError} `ERR_CERTPIN_KEY_PASSPHRASE` where it does not
 * hold: the passphrase is wrong, or the file was changed.
 */
export async function verifyMac(
  mac: DerValue,
  content: Bytes,
  passphrase: string,
): Promise<void> {
  const { expected, computed } = await macOf(mac, content, passphrase);
  if (!bytesEqual(expected, computed)) {
    passphraseError(
      "Cannot open the PKCS#12 file: the passphrase is wrong, or the file was changed",
    );
  }
}
