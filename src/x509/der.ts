/**
 * Strict DER (ITU-T X.690, section 10 and 11), checked before any library
 * looks at the bytes: definite minimal lengths, minimal integers and object
 * identifiers, one encoding of TRUE and FALSE, no trailing bytes.
 *
 * @module
 */
import type { Bytes } from "../crypto/routine.ts";
import { CertificateError } from "../errors.ts";
import { MAX_DER_DEPTH, MAX_DER_VALUES, MAX_OID_BYTES } from "../limits.ts";

/** Identifier octets (tag class, constructed bit and number in one). */
export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  utf8String: 0x0c,
  printableString: 0x13,
  teletexString: 0x14,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  visibleString: 0x1a,
  universalString: 0x1c,
  bmpString: 0x1e,
  sequence: 0x30,
  set: 0x31,
} as const;

const CONSTRUCTED = 0x20;
const PRIMITIVE_SEQUENCE = 0x10;
const PRIMITIVE_SET = 0x11;
const CLASS_MASK = 0xc0;

/** One DER value: where it stands, and its children where it is constructed. */
export interface DerValue {
  /** The identifier octet. */
  readonly tag: number;
  /** Header and content, a view into the whole. */
  readonly raw: Bytes;
  /** Content alone, a view into the whole. */
  readonly content: Bytes;
  /** Values inside; empty for a primitive one. */
  readonly children: readonly DerValue[];
}

const typeNameOf = Object.getOwnPropertyDescriptor(
  Object.getPrototypeOf(Uint8Array.prototype),
  Symbol.toStringTag,
)!.get!;

/** Whether a value is a `Uint8Array`, of this realm or another; looks at what it is, not at what it says. */
export function isBytes(value: unknown): value is Uint8Array {
  return typeNameOf.call(value) === "Uint8Array";
}

/** Refuses the bytes as DER. */
export function derError(message: string): never {
  throw new CertificateError("ERR_CERTPIN_CERTIFICATE_DER", message);
}

/**
 * Reads exactly one strict DER value, all of its constructed content included.
 *
 * @param mostValues Default `MAX_DER_VALUES`.
 * @throws {CertificateError} `ERR_CERTPIN_CERTIFICATE_DER`, also for more than
 * `mostValues` values or `MAX_DER_DEPTH` levels.
 */
export function readDer(
  bytes: Bytes,
  mostValues: number = MAX_DER_VALUES,
): DerValue {
  const reader = new Reader(bytes, mostValues);
  const value = reader.value(0, bytes.length, 0);
  if (reader.end !== bytes.length) {
    derError(
      `Cannot read DER: ${bytes.length - reader.end} bytes after the value`,
    );
  }
  return value;
}

class Reader {
  /** Offset after the value read last. */
  end = 0;
  #values = 0;
  readonly #bytes: Bytes;
  readonly #mostValues: number;

  constructor(bytes: Bytes, mostValues: number) {
    this.#bytes = bytes;
    this.#mostValues = mostValues;
  }

  value(start: number, limit: number, depth: number): DerValue {
    if (depth > MAX_DER_DEPTH) derError("Cannot read DER: nested too deeply");
    if (++this.#values > this.#mostValues) {
      derError("Cannot read DER: too many values");
    }
    const bytes = this.#bytes;
    if (start + 2 > limit) derError("Cannot read DER: it ends in a header");
    const tag = bytes[start];
    // X.509 has no tag number above 30, so the long form is never needed.
    if ((tag & 0x1f) === 0x1f) derError("Cannot read DER: long-form tag");
    let at = start + 1;
    let length = bytes[at++];
    if (length >= 0x80) {
      const octets = length & 0x7f;
      if (octets === 0) derError("Cannot read DER: indefinite length");
      if (octets > 4) derError("Cannot read DER: length of over four bytes");
      if (at + octets > limit) derError("Cannot read DER: it ends in a length");
      length = 0;
      for (let i = 0; i < octets; i++) length = length * 256 + bytes[at + i];
      if (length < 0x80 || length < 256 ** (octets - 1)) {
        derError("Cannot read DER: length not minimal");
      }
      at += octets;
    }
    const end = at + length;
    if (end > limit) derError("Cannot read DER: it ends in a value");
    const children: DerValue[] = [];
    if (tag & CONSTRUCTED) {
      for (let next = at; next < end; next = this.end) {
        children.push(this.value(next, end, depth + 1));
      }
    }
    this.end = end;
    const value = {
      tag,
      raw: bytes.subarray(start, end),
      content: bytes.subarray(at, end),
      children,
    };
    if ((tag & CLASS_MASK) === 0) checkUniversal(value);
    return value;
  }
}

function checkUniversal({ tag, content }: DerValue): void {
  const isSequenceOrSet = tag === TAG.sequence || tag === TAG.set;
  if (((tag & CONSTRUCTED) !== 0) !== isSequenceOrSet) {
    derError("Cannot read DER: a string in pieces, or a broken SEQUENCE");
  }
  switch (tag) {
    case 0:
      return derError("Cannot read DER: end-of-contents");
    case PRIMITIVE_SEQUENCE:
    case PRIMITIVE_SET:
      return derError("Cannot read DER: a SEQUENCE or SET that is primitive");
    case TAG.boolean:
      if (content.length !== 1 || (content[0] !== 0 && content[0] !== 0xff)) {
        derError("Cannot read DER: BOOLEAN is neither 00 nor FF");
      }
      return;
    case TAG.integer:
      return checkInteger(content);
    case TAG.bitString:
      return checkBitString(content);
    case TAG.null:
      if (content.length !== 0) derError("Cannot read DER: NULL with content");
      return;
    case TAG.oid:
      return checkOid(content);
  }
}

function checkInteger(content: Bytes): void {
  if (content.length === 0) derError("Cannot read DER: empty INTEGER");
  if (content.length > 1) {
    const first = content[0];
    const sign = content[1] & 0x80;
    if ((first === 0 && !sign) || (first === 0xff && sign)) {
      derError("Cannot read DER: INTEGER not minimal");
    }
  }
}

function checkBitString(content: Bytes): void {
  const unused = content[0];
  if (content.length === 0 || unused > 7 || (content.length === 1 && unused)) {
    derError("Cannot read DER: BIT STRING with wrong unused bits");
  }
  if (unused && content[content.length - 1] & ((1 << unused) - 1)) {
    derError("Cannot read DER: BIT STRING with unused bits set");
  }
}

function checkOid(content: Bytes): void {
  if (content.length === 0 || content[content.length - 1] & 0x80) {
    derError("Cannot read DER: cut OBJECT IDENTIFIER");
  }
  if (content.length > MAX_OID_BYTES) {
    derError("Cannot read DER: OBJECT IDENTIFIER too long");
  }
  let start = true;
  for (const byte of content) {
    if (start && byte === 0x80) {
      derError("Cannot read DER: OBJECT IDENTIFIER not minimal");
    }
    start = !(byte & 0x80);
  }
}

/** The value, if it carries the tag. */
export function expectTag(
  value: DerValue | undefined,
  tag: number,
  what: string,
): DerValue {
  if (value === undefined) derError(`Cannot read ${what}: it is missing`);
  if (value.tag !== tag) {
    derError(
      `Cannot read ${what}: tag 0x${value.tag.toString(16)} where 0x${
        tag.toString(16)
      } belongs`,
    );
  }
  return value;
}

/** The children of a SEQUENCE that has between `least` and `most` of them. */
export function sequence(
  value: DerValue | undefined,
  what: string,
  least = 0,
  most = Infinity,
): readonly DerValue[] {
  const { children } = expectTag(value, TAG.sequence, what);
  if (children.length < least || children.length > most) {
    derError(`Cannot read ${what}: ${children.length} elements`);
  }
  return children;
}

/** Dotted decimal; arcs of any size. */
export function oidText(content: Uint8Array): string {
  const arcs: string[] = [];
  let arc = 0n;
  for (const byte of content) {
    arc = (arc << 7n) | BigInt(byte & 0x7f);
    if (byte & 0x80) continue;
    if (arcs.length === 0) {
      const first = arc < 40n ? 0n : arc < 80n ? 1n : 2n;
      arcs.push(`${first}`, `${arc - first * 40n}`);
    } else {
      arcs.push(`${arc}`);
    }
    arc = 0n;
  }
  return arcs.join(".");
}

/** The OID of a value that must be one. */
export function readOid(value: DerValue | undefined, what: string): string {
  return oidText(expectTag(value, TAG.oid, what).content);
}

/** The bytes of a BIT STRING that must fill its last octet. */
export function wholeBitString(
  value: DerValue | undefined,
  what: string,
): Bytes {
  const { content } = expectTag(value, TAG.bitString, what);
  if (content[0] !== 0) derError(`Cannot read ${what}: unused bits`);
  return content.subarray(1);
}

/** Whether two byte strings are equal; not for secrets. */
export function bytesEqual(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** A string that is equal exactly where the bytes are: a key for maps. */
export function bytesKey(bytes: Uint8Array): string {
  let key = "";
  for (let i = 0; i < bytes.length; i += 4096) {
    key += String.fromCharCode(...bytes.subarray(i, i + 4096));
  }
  return key;
}
