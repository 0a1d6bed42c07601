/** Base64 as RFC 4648, section 4, with padding. */

const ALPHABET =
  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

const CHUNK_BYTES = 0x8000;

/** Encodes bytes, or the UTF-8 bytes of a string, as padded base64. */
export function encodeBase64(data: ArrayBuffer | Uint8Array | string): string {
  const bytes = typeof data === "string"
    ? new TextEncoder().encode(data)
    : data instanceof Uint8Array
    ? data
    : new Uint8Array(data);
  let binary = "";
  for (let i = 0; i < bytes.length; i += CHUNK_BYTES) {
    binary += String.fromCharCode(...bytes.subarray(i, i + CHUNK_BYTES));
  }
  return btoa(binary);
}

/**
 * Decodes base64, with or without its padding.
 *
 * As the real one does, it lets missing padding and non-zero trailing bits
 * pass, and white space not: whoever wants the canonical form must encode
 * again and compare.
 *
 * @throws {RangeError} on a length that no bytes have.
 * @throws {TypeError} on a character outside the alphabet.
 */
export function decodeBase64(b64: string): Uint8Array<ArrayBuffer> {
  const end = b64.endsWith("==") ? -2 : b64.endsWith("=") ? -1 : b64.length;
  const digits = b64.slice(0, end);
  if (digits.length % 4 === 1) {
    throw new RangeError(
      `Cannot decode input as base64: ${digits.length} characters are one too many`,
    );
  }
  const bytes = new Uint8Array(Math.floor(digits.length * 3 / 4));
  let bits = 0;
  let pending = 0;
  let at = 0;
  for (const digit of digits) {
    const value = ALPHABET.indexOf(digit);
    if (value < 0) {
      throw new TypeError(
        `Cannot decode input as base64: invalid character (${digit})`,
      );
    }
    pending = (pending << 6 | value) & 0xffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes[at++] = pending >> bits;
    }
  }
  return bytes;
}
