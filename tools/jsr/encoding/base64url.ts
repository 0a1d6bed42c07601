import { decodeBase64, encodeBase64 } from "./base64.ts";

/** Base64url as RFC 4648, section 5, without padding. */

/** Encodes bytes, or the UTF-8 bytes of a string, as unpadded base64url. */
export function encodeBase64Url(
  data: ArrayBuffer | Uint8Array | string,
): string {
  return encodeBase64(data).replaceAll("+", "-").replaceAll("/", "_")
    .replaceAll("=", "");
}

/**
 * Decodes base64url, with or without padding; as strict as `decodeBase64`.
 *
 * @throws {RangeError} on a length that no bytes have.
 * @throws {TypeError} on a character outside the alphabet.
 */
export function decodeBase64Url(b64url: string): Uint8Array<ArrayBuffer> {
  const stranger = /[+/]/.exec(b64url);
  if (stranger) {
    throw new TypeError(
      `Cannot decode input as base64url: invalid character (${stranger[0]})`,
    );
  }
  return decodeBase64(b64url.replaceAll("-", "+").replaceAll("_", "/"));
}
