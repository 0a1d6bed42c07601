/**
 * Names for minted certificates: distinguished names, general names and
 * their subtrees.
 *
 * @module
 */
import type { Bytes } from "../crypto/routine.ts";
import { canonicalHost } from "../host.ts";
import {
  asciiBytes,
  concatBytes,
  explicit,
  implicit,
  objectIdentifier,
  readValue,
  sequence,
  setOfOne,
  tlv,
} from "./der_writer.ts";

const ATTRIBUTE_OIDS: Readonly<Record<string, string>> = {
  CN: "2.5.4.3",
  SN: "2.5.4.4",
  serialNumber: "2.5.4.5",
  C: "2.5.4.6",
  L: "2.5.4.7",
  ST: "2.5.4.8",
  O: "2.5.4.10",
  OU: "2.5.4.11",
  DC: "0.9.2342.19200300.100.1.25",
  emailAddress: "1.2.840.113549.1.9.1",
};

/** The ASN.1 string type of an attribute. */
export type StringEncoding = "utf8" | "printable" | "teletex" | "ia5" | "bmp";

const STRING_TAGS: Readonly<Record<StringEncoding, number>> = {
  utf8: 0x0c,
  printable: 0x13,
  teletex: 0x14,
  ia5: 0x16,
  bmp: 0x1e,
};

/** One attribute of a distinguished name. */
export interface NameAttribute {
  /** `CN`, `O`, `OU`, `C`, `L`, `ST`, `DC`, `SN`, `serialNumber`, `emailAddress`, or a dotted object identifier. */
  readonly type: string;
  /** Its text. */
  readonly value: string;
  /** Default: `printable` for C and serialNumber, `ia5` for DC and emailAddress, else `utf8`. */
  readonly encoding?: StringEncoding;
}

/**
 * A distinguished name: a text is its common name, an empty list the empty
 * name, bytes are a DER Name as it stands.
 */
export type DistinguishedName =
  | string
  | readonly NameAttribute[]
  | Uint8Array;

/** One entry of a subjectAltName, or the base of a name constraint. */
export type GeneralName =
  | { readonly dns: string }
  /** An address; in a constraint, one with a prefix length (`10.0.0.0/8`, `fd00::/8`); or raw octets. */
  | { readonly ip: string | Uint8Array }
  | { readonly email: string }
  | { readonly uri: string }
  | { readonly directory: DistinguishedName }
  | { readonly registeredId: string }
  | {
    readonly otherName: { readonly type: string; readonly value: Uint8Array };
  }
  /** A DER GeneralName as it stands. */
  | { readonly raw: Uint8Array };

function stringContent(
  text: string,
  encoding: StringEncoding,
): Bytes {
  if (encoding === "utf8") return new TextEncoder().encode(text);
  if (encoding === "bmp") {
    return Uint8Array.from(
      [...text].flatMap((c) => [c.charCodeAt(0) >> 8, c.charCodeAt(0) & 0xff]),
    );
  }
  // Teletex is read as Latin-1 everywhere, whatever the standard says.
  if (encoding === "teletex") {
    return Uint8Array.from(text, (c) => c.charCodeAt(0));
  }
  return asciiBytes(text);
}

function defaultEncoding(type: string): StringEncoding {
  if (type === "C" || type === "serialNumber") return "printable";
  return type === "DC" || type === "emailAddress" ? "ia5" : "utf8";
}

/** The DER Name. */
export function encodeName(name: DistinguishedName): Bytes {
  if (name instanceof Uint8Array) return concatBytes(name);
  const attributes = typeof name === "string"
    ? [{ type: "CN", value: name }] as const
    : name;
  return sequence(...attributes.map((attribute: NameAttribute) => {
    const encoding = attribute.encoding ?? defaultEncoding(attribute.type);
    return setOfOne(sequence(
      objectIdentifier(ATTRIBUTE_OIDS[attribute.type] ?? attribute.type),
      tlv(STRING_TAGS[encoding], stringContent(attribute.value, encoding)),
    ));
  }));
}

/** Whether a text is an IP literal: digits and dots alone, or with a colon. */
export function isIpLiteral(text: string): boolean {
  return text.includes(":") || /^\d+(\.\d+){3}$/.test(text);
}

function ipOctets(text: string): Bytes {
  const [literal, prefix] = text.split("/");
  const octets = canonicalHost(literal).address;
  if (octets === undefined) {
    throw new TypeError(`Cannot encode "${text}" as an IP address`);
  }
  if (prefix === undefined) return octets;
  const mask = octets.map((_, i) => {
    const bits = Math.min(8, Math.max(0, Number(prefix) - 8 * i));
    return (0xff << (8 - bits)) & 0xff;
  });
  return concatBytes(octets.map((octet, i) => octet & mask[i]), mask);
}

/** The DER GeneralName (RFC 5280, section 4.2.1.6). */
export function encodeGeneralName(name: GeneralName): Bytes {
  if ("dns" in name) return implicit(2, asciiBytes(name.dns));
  if ("ip" in name) {
    return implicit(
      7,
      typeof name.ip === "string" ? ipOctets(name.ip) : name.ip,
    );
  }
  if ("email" in name) return implicit(1, asciiBytes(name.email));
  if ("uri" in name) return implicit(6, asciiBytes(name.uri));
  if ("directory" in name) return explicit(4, encodeName(name.directory));
  if ("registeredId" in name) {
    return implicit(8, readValue(objectIdentifier(name.registeredId)).content);
  }
  if ("otherName" in name) {
    return explicit(
      0,
      objectIdentifier(name.otherName.type),
      explicit(0, name.otherName.value),
    );
  }
  return concatBytes(name.raw);
}
