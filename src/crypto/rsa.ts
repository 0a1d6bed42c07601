/**
 * RSA signatures verified with big integers (RFC 8017), for keys that an engine
 * does not take: Deno's ends at 4,096 bits, and roots of 8,192 exist.
 *
 * Signatures, keys and messages are public, so nothing here needs to run in
 * constant time.
 *
 * @module
 */
import { encodeHex } from "@std/encoding/hex";
import {
  type Bytes,
  type CryptoRoutine,
  digests,
  type HashName,
  type RsaNumbers,
  type SignatureScheme,
  type VerifyStep,
} from "./routine.ts";

/** The RSA schemes. */
type RsaScheme = Extract<
  SignatureScheme,
  { readonly kind: "rsa-pkcs1" | "rsa-pss" }
>;

/** DigestInfo up to the digest itself (RFC 8017, section 9.2, note 1). */
const DIGEST_INFO: Readonly<Record<HashName, readonly number[]>> = {
  sha256: digestInfo(1, 32),
  sha384: digestInfo(2, 48),
  sha512: digestInfo(3, 64),
};
const DIGEST_BYTES: Readonly<Record<HashName, number>> = {
  sha256: 32,
  sha384: 48,
  sha512: 64,
};

/** SEQUENCE { SEQUENCE { 2.16.840.1.101.3.4.2.number, NULL }, OCTET STRING }. */
function digestInfo(number: number, length: number): number[] {
  const oid = [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, number];
  const algorithm = [0x30, 0x0d, 0x06, 0x09, ...oid, 0x05, 0x00];
  return [0x30, 0x11 + length, ...algorithm, 0x04, length];
}

function toInteger(bytes: Uint8Array): bigint {
  return bytes.length === 0 ? 0n : BigInt(`0x${encodeHex(bytes)}`);
}

/** Big-endian bytes of a fixed length; undefined where the number is too large. */
function toBytes(number: bigint, length: number): Bytes | undefined {
  const hex = number.toString(16).padStart(2 * length, "0");
  if (hex.length > 2 * length) return undefined;
  return Uint8Array.from(
    { length },
    (_, i) => parseInt(hex.slice(2 * i, 2 * i + 2), 16),
  );
}

function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n;
  for (const bit of exponent.toString(2)) {
    result = result * result % modulus;
    if (bit === "1") result = result * base % modulus;
  }
  return result;
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/**
 * Whether a signature holds.
 *
 * @param key Its size is checked before: the work grows with the square of the
 * modulus' length and with the exponent's length.
 */
export function* verifyRsa(
  scheme: RsaScheme,
  key: RsaNumbers,
  signature: Bytes,
  data: Bytes,
): CryptoRoutine<boolean> {
  const modulus = toInteger(key.modulus);
  const bits = modulus.toString(2).length;
  const length = Math.ceil(bits / 8);
  const number = toInteger(signature);
  if (signature.length !== length || number >= modulus) return false;
  const opened = power(number, toInteger(key.exponent), modulus);
  const [digest] = yield* digests(scheme.hash, [data]);
  if (scheme.kind === "rsa-pss") {
    const encoded = toBytes(opened, Math.ceil((bits - 1) / 8));
    return encoded !== undefined &&
      (yield* verifyPss(scheme.hash, scheme.saltLength, encoded, bits, digest));
  }
  const info = [...DIGEST_INFO[scheme.hash], ...digest];
  const filling = length - info.length - 3;
  if (filling < 8) return false;
  const expected = [0, 1, ...new Array(filling).fill(0xff), 0, ...info];
  return equal(toBytes(opened, length)!, Uint8Array.from(expected));
}

/** What a step asks, where its key is a large RSA one; false for every other key. */
export function* verifyLargeRsa(
  { scheme, largeRsa, signature, data }: VerifyStep,
): CryptoRoutine<boolean> {
  if (scheme.kind !== "rsa-pkcs1" && scheme.kind !== "rsa-pss") return false;
  return largeRsa !== undefined &&
    (yield* verifyRsa(scheme, largeRsa, signature, data));
}

/** EMSA-PSS-VERIFY (RFC 8017, section 9.1.2), mask and message of one hash. */
function* verifyPss(
  hash: HashName,
  saltLength: number,
  encoded: Bytes,
  modulusBits: number,
  digest: Bytes,
): CryptoRoutine<boolean> {
  const digestLength = DIGEST_BYTES[hash];
  const bodyLength = encoded.length - digestLength - 1;
  if (bodyLength < saltLength + 1 || encoded[encoded.length - 1] !== 0xbc) {
    return false;
  }
  const seed = encoded.slice(bodyLength, bodyLength + digestLength);
  const blocks = Array.from(
    { length: Math.ceil(bodyLength / digestLength) },
    (_, counter) => Uint8Array.from([...seed, ...toBytes(BigInt(counter), 4)!]),
  );
  const mask = (yield* digests(hash, blocks)).flatMap((block) => [...block]);
  const body = encoded.slice(0, bodyLength).map((byte, i) => byte ^ mask[i]);
  // The bits above the modulus' length.
  const free = 8 * encoded.length - (modulusBits - 1);
  const first = 0xff >> free;
  if (encoded[0] & ~first) return false;
  body[0] &= first;
  const padding = bodyLength - saltLength - 1;
  if (body.slice(0, padding).some((byte) => byte !== 0)) return false;
  if (body[padding] !== 1) return false;
  const [again] = yield* digests(hash, [
    Uint8Array.from([
      ...new Array(8).fill(0),
      ...digest,
      ...body.slice(padding + 1),
    ]),
  ]);
  return equal(again, seed);
}
