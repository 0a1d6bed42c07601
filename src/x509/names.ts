/**
 * Distinguished names: a form to compare (RFC 5280, section 7.1) and a form
 * to show (RFC 4514).
 *
 * @module
 */
import { encodeHex } from "@std/encoding/hex";
import type { Bytes } from "../crypto/routine.ts";
import { bytesKey, type DerValue, readOid, TAG } from "./der.ts";
import { checkShape, NAME } from "./shape.ts";

/** A distinguished name. */
export interface Name {
  /** The DER as it stands. */
  readonly raw: Bytes;
  /** One string for each relative name, first to last; equal strings match. */
  readonly canonical: readonly string[];
  /** The relative names, each a set of types and values. */
  readonly rdns: readonly (readonly Attribute[])[];
}

/** One attribute of a relative distinguished name. */
export interface Attribute {
  readonly type: string;
  readonly value: DerValue;
}

// Descriptors registered with IANA (RFC 4520), so RFC 4514 lets us use them.
const DESCRIPTORS: Readonly<Record<string, string>> = {
  "2.5.4.3": "CN",
  "2.5.4.4": "SN",
  "2.5.4.5": "serialNumber",
  "2.5.4.6": "C",
  "2.5.4.7": "L",
  "2.5.4.8": "ST",
  "2.5.4.9": "STREET",
  "2.5.4.10": "O",
  "2.5.4.11": "OU",
  "2.5.4.12": "title",
  "2.5.4.15": "businessCategory",
  "2.5.4.17": "postalCode",
  "2.5.4.42": "givenName",
  "2.5.4.46": "dnQualifier",
  "2.5.4.65": "pseudonym",
  "2.5.4.97": "organizationIdentifier",
  "0.9.2342.19200300.100.1.1": "UID",
  "0.9.2342.19200300.100.1.25": "DC",
  "1.2.840.113549.1.9.1": "emailAddress",
};

/** The OID of the commonName attribute. */
export const COMMON_NAME = "2.5.4.3";
/** The OID of the emailAddress attribute (PKCS #9). */
export const EMAIL_ADDRESS = "1.2.840.113549.1.9.1";

/** Reads a Name; the structure is checked, the values are not. */
export function readName(value: DerValue | undefined, what: string): Name {
  const { raw, children } = checkShape(value, NAME, what);
  return makeName(
    raw,
    children.map((rdn) =>
      rdn.children.map(({ children: [type, value] }) => ({
        type: readOid(type, what),
        value,
      }))
    ),
  );
}

/** A name of these relative names. */
export function makeName(
  raw: Bytes,
  rdns: readonly (readonly Attribute[])[],
): Name {
  return {
    raw,
    rdns,
    // The separators cannot occur in a canonical value, which holds no controls.
    canonical: rdns.map((rdn) =>
      rdn.map(canonicalAttribute).sort().join("\x01")
    ),
  };
}

/** Whether two names are the same (RFC 5280, section 7.1). */
export function namesEqual(a: Name, b: Name): boolean {
  return a.canonical.length === b.canonical.length && isWithin(a, b);
}

/** Whether `name` begins with all of `base` (RFC 5280, section 4.2.1.10). */
export function isWithin(name: Name, base: Name): boolean {
  return base.canonical.every((rdn, i) => name.canonical[i] === rdn);
}

/** A key for maps: equal exactly for names that match. */
export function nameKey(name: Name): string {
  return name.canonical.join("\x02");
}

// Text for people has at most 30 marks in a row (Stream-Safe Text Format,
// Unicode Standard Annex #15); normalising more takes quadratic time.
const TOO_MANY_MARKS = /\p{M}{31}/u;
// What nearly all names are: normal already.
const PRINTABLE_ASCII = /^[ -~]*$/;

function canonicalAttribute({ type, value }: Attribute): string {
  const text = attributeText(value);
  const canonical = text === undefined ? undefined : canonicalText(text);
  // What is no text at all is compared byte by byte.
  return canonical === undefined
    ? `${type}#${encodeHex(value.raw)}`
    : `${type}=${canonical}`;
}

/** Case and runs of white space do not count (RFC 4518, abridged). */
function canonicalText(text: string): string | undefined {
  if (PRINTABLE_ASCII.test(text)) {
    return text.toLowerCase().replace(/ {2,}/g, " ").trim();
  }
  if (TOO_MANY_MARKS.test(text)) return undefined;
  return text.normalize("NFKC").toLowerCase().replace(/[\s\p{Cc}]+/gu, " ")
    .trim();
}

/** The text of a directory string; undefined where it is not text. */
export function attributeText({ tag, content }: DerValue): string | undefined {
  switch (tag) {
    case TAG.utf8String:
      try {
        return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
          .decode(content);
      } catch {
        return undefined;
      }
    case TAG.printableString:
    case TAG.ia5String:
    case TAG.visibleString:
    case TAG.teletexString: // as everybody reads it: Latin-1
      return bytesKey(content);
    case TAG.bmpString:
      return wideText(content, 2);
    case TAG.universalString:
      return wideText(content, 4);
    default:
      return undefined;
  }
}

function wideText(content: Bytes, width: 2 | 4): string | undefined {
  if (content.length % width !== 0) return undefined;
  let text = "";
  for (let i = 0; i < content.length; i += width) {
    let point = 0;
    for (let j = 0; j < width; j++) point = point * 256 + content[i + j];
    if (point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) {
      return undefined;
    }
    text += String.fromCodePoint(point);
  }
  return text;
}

/**
 * The name as a string, the last relative name first (RFC 4514). Controls are
 * escaped as hex pairs, as that grammar allows.
 */
export function nameText(name: Name): string {
  return name.rdns.map((rdn) => rdn.map(attributeString).join("+")).reverse()
    .join(",");
}

function attributeString({ type, value }: Attribute): string {
  const text = attributeText(value);
  const descriptor = DESCRIPTORS[type];
  if (text === undefined || descriptor === undefined) {
    return `${descriptor ?? type}=#${encodeHex(value.raw)}`;
  }
  const characters = Array.from(text);
  const escaped = characters.map((character, i) => {
    if (/\p{Cc}/u.test(character)) return hexPairs(character);
    const special = /["+,;<>\\]/.test(character) ||
      (i === 0 && /[ #]/.test(character)) ||
      (i === characters.length - 1 && character === " ");
    return special ? `\\${character}` : character;
  });
  return `${descriptor}=${escaped.join("")}`;
}

/** A control character's UTF-8: one byte, or two from U+0080 on. */
function hexPairs(control: string): string {
  const hex = `\\${control.charCodeAt(0).toString(16).padStart(2, "0")}`;
  return control < "\x80" ? hex : `\\c2${hex}`;
}
