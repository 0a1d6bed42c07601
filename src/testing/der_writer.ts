/**
 * Writes DER, and splits it, for the mint alone.
 *
 * The mint has a writer of its own so that what it makes is independent of
 * the library that reads it, and so that it can also make what no library
 * would: duplicated extensions, wrong lengths, fields out of order.
 *
 * @module
 */
import { concatBytes as joined } from "../bytes.ts";
import type { Bytes } from "../crypto/routine.ts";

/** Joins byte strings. */
export function concatBytes(...parts: readonly Uint8Array[]): Bytes {
  return joined(parts);
}

function lengthOctets(length: number): number[] {
  if (length < 0x80) return [length];
  const octets: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) {
    octets.unshift(rest % 256);
  }
  return [0x80 | octets.length, ...octets];
}

/** One value: tag, length, and its contents joined. */
export function tlv(tag: number, ...contents: readonly Uint8Array[]): Bytes {
  const content = concatBytes(...contents);
  return concatBytes(
    Uint8Array.of(tag, ...lengthOctets(content.length)),
    content,
  );
}

/** The same value with its length written in one octet more than needed (BER, not DER). */
export function withLongLength(der: Uint8Array): Bytes {
  const { tag, content } = readValue(der);
  const octets = lengthOctets(content.length);
  const long = octets.length === 1
    ? [0x81, ...octets]
    : [octets[0] + 1, 0, ...octets.slice(1)];
  return concatBytes(Uint8Array.of(tag, ...long), content);
}

/** SEQUENCE. */
export function sequence(...values: readonly Uint8Array[]): Bytes {
  return tlv(0x30, ...values);
}

/** SET of one value. */
export function setOfOne(value: Uint8Array): Bytes {
  return tlv(0x31, value);
}

/** INTEGER from its content octets, or from a small number of at least 0. */
export function integer(value: number | Uint8Array): Bytes {
  if (typeof value !== "number") return tlv(0x02, value);
  const octets: number[] = [];
  for (let rest = value; rest > 0; rest = Math.floor(rest / 256)) {
    octets.unshift(rest % 256);
  }
  if (octets.length === 0 || octets[0] >= 0x80) octets.unshift(0);
  return tlv(0x02, Uint8Array.from(octets));
}

/** INTEGER from unsigned big-endian bytes of any width. */
export function unsignedInteger(bytes: Uint8Array): Bytes {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start++;
  const short = bytes.subarray(start);
  return short[0] >= 0x80
    ? tlv(0x02, Uint8Array.of(0), short)
    : tlv(0x02, short);
}

/** OBJECT IDENTIFIER from its dotted form. */
export function objectIdentifier(dotted: string): Bytes {
  const [first, second, ...rest] = dotted.split(".").map(Number);
  const octets: number[] = [];
  for (const arc of [first * 40 + second, ...rest]) {
    if (!Number.isSafeInteger(arc) || arc < 0) {
      throw new TypeError(`Cannot encode "${dotted}" as an object identifier`);
    }
    const septets = [arc % 128];
    for (let left = Math.floor(arc / 128); left > 0;) {
      septets.unshift(0x80 | (left % 128));
      left = Math.floor(left / 128);
    }
    octets.push(...septets);
  }
  return tlv(0x06, Uint8Array.from(octets));
}

/** BOOLEAN. */
export function boolean(value: boolean): Bytes {
  return tlv(0x01, Uint8Array.of(value ? 0xff : 0));
}

/** NULL. */
export function nullValue(): Bytes {
  return tlv(0x05);
}

/** OCTET STRING. */
export function octetString(...contents: readonly Uint8Array[]): Bytes {
  return tlv(0x04, ...contents);
}

/** BIT STRING of whole octets. */
export function bitString(content: Uint8Array): Bytes {
  return tlv(0x03, Uint8Array.of(0), content);
}

/** BIT STRING of named bits, trailing zeros dropped as DER wants it. */
export function namedBits(bits: readonly number[]): Bytes {
  if (bits.length === 0) return tlv(0x03, Uint8Array.of(0));
  const highest = Math.max(...bits);
  const octets = new Uint8Array(Math.floor(highest / 8) + 1);
  for (const bit of bits) octets[bit >> 3] |= 0x80 >> (bit & 7);
  return tlv(0x03, Uint8Array.of(7 - (highest & 7)), octets);
}

/** A constructed context-specific value, `[number]`. */
export function explicit(
  number: number,
  ...contents: readonly Uint8Array[]
): Bytes {
  return tlv(0xa0 | number, ...contents);
}

/** A primitive context-specific value, `[number] IMPLICIT`. */
export function implicit(number: number, content: Uint8Array): Bytes {
  return tlv(0x80 | number, content);
}

/** A string of 7-bit characters, as its bytes. */
export function asciiBytes(text: string): Bytes {
  return Uint8Array.from(text, (character) => {
    const code = character.charCodeAt(0);
    if (code > 0x7f) {
      throw new TypeError(`Cannot encode "${text}" as ASCII`);
    }
    return code;
  });
}

/** UTCTime up to 2049, GeneralizedTime from 2050 on (RFC 5280, section 4.1.2.5). */
export function time(date: Date): Bytes {
  if (!Number.isFinite(date.getTime())) {
    throw new TypeError("Cannot encode an invalid date");
  }
  const digits = date.toISOString().replace(/\.\d+Z$/, "Z").replace(
    /[-:T]/g,
    "",
  );
  const year = date.getUTCFullYear();
  return year >= 1950 && year < 2050
    ? tlv(0x17, asciiBytes(digits.slice(2)))
    : tlv(0x18, asciiBytes(digits));
}

/** A value taken apart. */
export interface DerValue {
  /** The identifier octet. */
  readonly tag: number;
  /** The content octets. */
  readonly content: Bytes;
  /** The whole value. */
  readonly der: Bytes;
}

/** Reads the value at `at`; trusts its input, which the mint or WebCrypto made. */
export function readValue(der: Uint8Array, at = 0): DerValue {
  let length = der[at + 1];
  let start = at + 2;
  if (length >= 0x80) {
    const octets = length & 0x7f;
    length = 0;
    for (let i = 0; i < octets; i++) length = length * 256 + der[start++];
  }
  const end = start + length;
  if (!(end <= der.length)) throw new RangeError("A DER value is cut off");
  return {
    tag: der[at],
    content: der.slice(start, end),
    der: der.slice(at, end),
  };
}

/** The values inside a constructed value. */
export function childrenOf(der: Uint8Array): DerValue[] {
  const { content } = readValue(der);
  const children: DerValue[] = [];
  for (let at = 0; at < content.length;) {
    const child = readValue(content, at);
    children.push(child);
    at += child.der.length;
  }
  return children;
}
