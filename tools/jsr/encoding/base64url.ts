import { decodeBase64, encodeBase64 } from "./base64.ts";

/** Base64url as RFC 4648, section 5, without padding. */

/** Encodes bytes, or the UTF-8 bytes of a string, as unpadded base64url. */
export function encodeBase64Url(
  data: ArrayBuffer | Uint8Array | string,
): string {
  return encodeBase64(data).replaceAll("+", "-").replaceAll("/", "_")
    .replaceAll("=", "");
}

/** Decodes base64url; throws on characters outside the alphabet. */
export function decodeBase64Url(b64url: string): Uint8Array<ArrayBuffer> {
  if (!/^[-_A-Z0-9]*={0,2}$/i.test(b64url)) {
    throw new TypeError("Cannot decode input as base64url: invalid character");
  }
  return decodeBase64(b64url.replaceAll("-", "+").replaceAll("_", "/"));
}
