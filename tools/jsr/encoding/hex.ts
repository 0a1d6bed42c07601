/** Hexadecimal as RFC 4648, section 8, in lower case. */

/** Encodes bytes, or the UTF-8 bytes of a string, as lower-case hex. */
export function encodeHex(src: string | Uint8Array | ArrayBuffer): string {
  const bytes = typeof src === "string"
    ? new TextEncoder().encode(src)
    : src instanceof Uint8Array
    ? src
    : new Uint8Array(src);
  let out = "";
  for (const byte of bytes) out += byte.toString(16).padStart(2, "0");
  return out;
}

/**
 * Decodes hex of either case.
 *
 * @throws {RangeError} on an odd length.
 * @throws {TypeError} on another character.
 */
export function decodeHex(src: string): Uint8Array<ArrayBuffer> {
  if (src.length % 2 !== 0) {
    throw new RangeError("Cannot decode input as hex: its length is odd");
  }
  if (!/^[0-9a-f]*$/i.test(src)) {
    throw new TypeError("Cannot decode input as hex: invalid character");
  }
  const out = new Uint8Array(src.length / 2);
  for (let i = 0; i < out.length; i++) {
    out[i] = parseInt(src.slice(2 * i, 2 * i + 2), 16);
  }
  return out;
}
