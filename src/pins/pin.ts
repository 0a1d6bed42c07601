/**
 * Reads pins: the grammar, in every dialect.
 *
 * @module
 */
import { decodeBase64, encodeBase64 } from "@std/encoding/base64";
import { decodeHex } from "@std/encoding/hex";
import type { Bytes, HashName } from "../crypto/routine.ts";
import { PolicyError } from "../errors.ts";
import { MAX_PIN_LENGTH } from "../limits.ts";
import { checkOptionNames } from "../option_names.ts";
import { quoteText } from "../text.ts";
import { DIGEST_BYTES, makePin, type Pin } from "./value.ts";

export { formatPin, formatTlsa } from "./format.ts";
export type { PinStyle, TlsaUsage } from "./format.ts";
export type { HashName, Pin };

/** What a TLSA record's certificate usage says of the place on the path. */
export type TlsaRole = "leaf" | "ca";

function invalid(text: string, why: string): never {
  throw new PolicyError(
    "ERR_CERTPIN_PIN_INVALID",
    `Cannot read the pin ${quoteText(text)}: ${why}`,
  );
}

function base64Length(hash: HashName): number {
  return 4 * Math.ceil(DIGEST_BYTES[hash] / 3);
}

function fromBase64(text: string, hash: HashName, base64: string): Bytes {
  const bytes = DIGEST_BYTES[hash];
  const length = base64Length(hash);
  if (!/^[A-Za-z\d+/]*={0,2}$/.test(base64)) {
    invalid(
      text,
      /^[\w=-]+$/.test(base64)
        ? 'base64 is the standard kind, with "+" and "/"'
        : "this is not base64",
    );
  }
  if (base64.length !== length) {
    invalid(
      text,
      `${hash} takes ${length} characters of base64 with padding, not ${base64.length}`,
    );
  }
  let digest: Bytes | undefined;
  try {
    digest = decodeBase64(base64);
  } catch {
    // Padding in the wrong place.
  }
  // Encoding again catches stray bits before the padding: one pin, one text.
  if (digest?.length !== bytes || encodeBase64(digest) !== base64) {
    invalid(text, `this base64 is no ${hash} digest of ${bytes} bytes`);
  }
  return digest;
}

function fromHex(text: string, hash: HashName, hex: string): Bytes {
  const bytes = DIGEST_BYTES[hash];
  if (!/^(?:[\da-f]+|[\da-f]{2}(?::[\da-f]{2})+)$/i.test(hex)) {
    invalid(text, "this is not hex, with or without colons");
  }
  const digits = hex.replaceAll(":", "");
  if (digits.length !== 2 * bytes) {
    invalid(
      text,
      `${hash} takes ${2 * bytes} hex digits, not ${digits.length}`,
    );
  }
  return decodeHex(digits);
}

const TLSA = /^(\d+)[ \t]+(\d+)[ \t]+(\d+)[ \t]+([\da-f][\da-f \t]*)$/i;

function parseTlsa(text: string, fields: RegExpExecArray): PinWithRole {
  const [, usage, selector, matching, data] = fields;
  if (!/^[0-3]$/.test(usage)) invalid(text, "a TLSA usage is 0, 1, 2 or 3");
  if (!/^[01]$/.test(selector)) invalid(text, "a TLSA selector is 0 or 1");
  if (!/^[12]$/.test(matching)) {
    invalid(text, "only the TLSA matching types 1 and 2 are hashes");
  }
  const hash = matching === "1" ? "sha256" : "sha512";
  const digest = fromHex(text, hash, data.replace(/[ \t]/g, ""));
  const of = selector === "0" ? "certificate" : "spki";
  // RFC 7218: 0 PKIX-TA and 2 DANE-TA are CAs, 1 PKIX-EE and 3 DANE-EE leaves.
  const role = usage === "1" || usage === "3" ? "leaf" : "ca";
  return { pin: makePin(of, hash, digest), role };
}

/** A pin, and the role that its text implies (TLSA alone does). */
export interface PinWithRole {
  /** The pin. */
  readonly pin: Pin;
  /** From the certificate usage of a TLSA record. */
  readonly role?: TlsaRole;
}

/** What is amiss with a text of no form, as far as it can be guessed. */
function nearMiss(text: string): string {
  if (text.trim() !== text) return "there is white space around it";
  if (/^[A-Za-z\d+/]{43}=$/.test(text)) {
    return 'this is base64 without its hash; write "sha256/" before it';
  }
  if (/fingerprint=/i.test(text)) {
    return 'take what stands after "=", with "certificate:sha256:" before it';
  }
  if (/^(?:[\da-f]{64}|(?:[\da-f]{2}:){31}[\da-f]{2})$/i.test(text)) {
    return 'this is hex without its hash; write "spki:sha256:" or "certificate:sha256:" before it';
  }
  if (/^(?:(?:spki|certificate):)?sha-?(?:256|384|512)[/:-]/i.test(text)) {
    return "the prefixes are written in lower case and without a hyphen: sha256/";
  }
  return "the form is sha256/ and the base64 of the digest";
}

/** {@linkcode parsePin}, with the role that a TLSA record implies. */
export function parsePinWithRole(
  text: string,
  options: { of?: Pin["of"] } = {},
): PinWithRole {
  if (typeof text !== "string") {
    invalid(String(typeof text), "a pin is text");
  }
  if (typeof options !== "object" || options === null) {
    invalid(text, "the options are no object");
  }
  checkOptionNames("parse the pin", options, ["of"]);
  const said = options.of;
  if (said !== undefined && said !== "spki" && said !== "certificate") {
    invalid(text, 'the option "of" is "spki" or "certificate"');
  }
  if (text.length > MAX_PIN_LENGTH) {
    invalid(text, `it is longer than ${MAX_PIN_LENGTH} characters`);
  }
  if (/^(?:(?:spki|certificate):)?(?:pin-)?(?:sha-?1|md-?5)\b/i.test(text)) {
    throw new PolicyError(
      "ERR_CERTPIN_PIN_HASH",
      `Cannot use the pin ${
        quoteText(text)
      }: SHA-1 and MD5 are broken; hash with sha256`,
    );
  }
  const agrees = (of: Pin["of"]) => {
    if (said !== undefined && said !== of) {
      invalid(text, `it is a pin of "${of}", not of "${said}"`);
    }
    return of;
  };
  const tlsa = TLSA.exec(text);
  if (tlsa !== null) {
    const read = parseTlsa(text, tlsa);
    agrees(read.pin.of);
    return read;
  }
  const hpkp = /^pin-sha256="([^"]*)"$/.exec(text);
  if (hpkp !== null) {
    const digest = fromBase64(text, "sha256", hpkp[1]);
    return { pin: makePin(agrees("spki"), "sha256", digest) };
  }
  const parts = /^(?:(spki|certificate):)?(sha(?:256|384|512))(\/\/?|-|:)(.*)$/
    .exec(text);
  if (parts === null) {
    invalid(text, nearMiss(text));
  }
  const [, prefix, hashText] = parts;
  let [, , , separator, rest] = parts;
  const hash = hashText as HashName;
  if (separator === "//" && rest.length === base64Length(hash) - 1) {
    // Not curl's: a base64 of full length that begins with a slash.
    separator = "/";
    rest = `/${rest}`;
  }
  const of = prefix === undefined ? undefined : agrees(prefix as Pin["of"]);
  if (separator === ":") {
    const known = of ?? said;
    if (known === undefined) {
      invalid(
        text,
        'openssl prints hex for certificates and for keys alike; begin with "spki:" or "certificate:"',
      );
    }
    return { pin: makePin(known, hash, fromHex(text, hash, rest)) };
  }
  if (separator !== "/" && of !== undefined) {
    invalid(text, `"${prefix}:" goes with "${hash}/"`);
  }
  if (separator === "//") {
    if (hash !== "sha256") invalid(text, "curl knows sha256 alone");
    agrees("spki");
  }
  const digest = fromBase64(text, hash, rest);
  return { pin: makePin(of ?? said ?? "spki", hash, digest) };
}

/**
 * Reads a pin.
 *
 * Canonical is `[("spki" | "certificate") ":"] hash "/" base64`. Read as well:
 * `sha256//…` (curl), `pin-sha256="…"` (HPKP, RFC 7469, section 2.1),
 * `sha256-…` (SRI), `sha256:` and hex with or without colons where `of` is said
 * by prefix or option, and TLSA data such as `3 1 1 hex` (RFC 6698,
 * section 2.1), whose usage sets the role in a policy and is dropped here.
 * Nothing is trimmed; case counts but in hex.
 *
 * @example
 * ```ts
 * import { parsePin } from "@certpin/certpin";
 *
 * const pin = parsePin("sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
 * console.log(pin.of, pin.digest.length); // spki 32
 * ```
 * @param text The pin, at most 512 characters.
 * @param options `of`: what was hashed, where the text does not say it;
 * default `spki`. Must not contradict the text.
 * @returns A frozen pin whose digest has the length of its hash.
 * @throws {PolicyError} `ERR_CERTPIN_PIN_HASH` for SHA-1 and MD5,
 * `ERR_CERTPIN_PIN_INVALID` for anything else that is not a pin.
 * @throws {TypeError} for an unknown option.
 */
export function parsePin(text: string, options?: { of?: Pin["of"] }): Pin {
  return parsePinWithRole(text, options).pin;
}
