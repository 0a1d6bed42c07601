/**
 * Writes pins in the dialects of other tools.
 *
 * @module
 */
import { encodeBase64 } from "@std/encoding/base64";
import { encodeHex } from "@std/encoding/hex";
import { PolicyError } from "../errors.ts";
import { quoteText } from "../text.ts";
import { DIGEST_BYTES, type Pin } from "./value.ts";

/** The dialects of {@linkcode formatPin}. */
export type PinStyle =
  | "canonical"
  | "okhttp"
  | "curl"
  | "hpkp"
  | "hex"
  | "tlsa";

function cannotSay(style: string, pin: Pin): never {
  throw new PolicyError(
    "ERR_CERTPIN_PIN_FORMAT",
    `Cannot write a ${pin.hash} pin of ${
      pin.of === "spki" ? "a key" : "a certificate"
    } in the style ${quoteText(style)}`,
  );
}

/** Certificate usages of TLSA records (RFC 6698, section 2.1.1). */
export type TlsaUsage = 0 | 1 | 2 | 3;

/** Writes a pin as TLSA data with the given certificate usage. */
export function formatTlsa(pin: Pin, usage: TlsaUsage): string {
  if (pin.hash === "sha384") cannotSay("tlsa", pin);
  const selector = pin.of === "certificate" ? 0 : 1;
  const matching = pin.hash === "sha256" ? 1 : 2;
  return `${usage} ${selector} ${matching} ${encodeHex(pin.digest)}`;
}

/**
 * Writes a pin in a dialect.
 *
 * | style | example | says |
 * |---|---|---|
 * | `canonical` | `certificate:sha256/…=` | every pin |
 * | `okhttp` | `sha256/…=` | SHA-256 of keys |
 * | `curl` | `sha256//…=` | SHA-256 of keys |
 * | `hpkp` | `pin-sha256="…="` | SHA-256 of keys |
 * | `hex` | `spki:sha256:…` | every pin |
 * | `tlsa` | `3 1 1 …` | SHA-256 and SHA-512, as DANE-EE (a pin has no role) |
 *
 * What comes out is read back by `parsePin` as an equal pin.
 *
 * @param pin The pin.
 * @param style The dialect; default `canonical`.
 * @returns The text.
 * @throws {PolicyError} `ERR_CERTPIN_PIN_FORMAT` where the style cannot say the
 * pin or is unknown, `ERR_CERTPIN_PIN_INVALID` for an object that is no pin.
 */
export function formatPin(pin: Pin, style: PinStyle = "canonical"): string {
  // Anything but an object has none of these.
  const { of, hash, digest } = Object(pin) as Pin;
  if (
    (of !== "spki" && of !== "certificate") ||
    !Object.hasOwn(DIGEST_BYTES, hash) ||
    !(digest instanceof Uint8Array) || digest.length !== DIGEST_BYTES[hash]
  ) {
    throw new PolicyError(
      "ERR_CERTPIN_PIN_INVALID",
      "Cannot write a pin: expected a Pin",
    );
  }
  const base64 = encodeBase64(digest);
  const isPlain = of === "spki" && hash === "sha256";
  switch (style) {
    case "canonical":
      return `${of === "spki" ? "" : "certificate:"}${hash}/${base64}`;
    case "hex":
      return `${of}:${hash}:${encodeHex(digest)}`;
    case "tlsa":
      return formatTlsa(pin, 3);
    case "okhttp":
      if (isPlain) return `sha256/${base64}`;
      break;
    case "curl":
      if (isPlain) return `sha256//${base64}`;
      break;
    case "hpkp":
      if (isPlain) return `pin-sha256="${base64}"`;
      break;
  }
  return cannotSay(style, pin);
}
