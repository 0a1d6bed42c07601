/**
 * Certificates that break DER or the frame of RFC 5280, section 4.1, in one
 * thing each, beside one that does not.
 */
import type { ErrorCode } from "../../../src/errors.ts";
import {
  MAX_DER_DEPTH,
  MAX_EXTENSIONS,
  MAX_OID_BYTES,
} from "../../../src/limits.ts";
import {
  asciiBytes,
  childrenOf,
  concatBytes,
  explicit,
  implicit,
  integer,
  nullValue,
  objectIdentifier,
  octetString,
  sequence,
  setOfOne,
  tlv,
  withLongLength,
} from "../../../src/testing/der_writer.ts";
import type {
  MintCertificateOptions,
  TbsFields,
} from "../../../src/testing/mod.ts";

/** One thing that is wrong. */
export interface DerCase {
  readonly what: string;
  readonly code: ErrorCode;
  readonly wrong: MintCertificateOptions;
  /** Differs from `wrong` in one thing. */
  readonly right: MintCertificateOptions;
}

type Bytes = Uint8Array;

const DER = "ERR_CERTPIN_CERTIFICATE_DER";
const VERSION = "ERR_CERTPIN_CERTIFICATE_VERSION";

/** The elements of a SEQUENCE, each whole. */
function parts(der: Bytes): Bytes[] {
  return childrenOf(der).map((child) => child.der);
}

/** With another byte at a place. */
function withByte(der: Bytes, at: number, byte: number): Bytes {
  const changed = Uint8Array.from(der);
  changed[at] = byte;
  return changed;
}

function entry(
  what: string,
  wrong: MintCertificateOptions,
  right: MintCertificateOptions = {},
  code: ErrorCode = DER,
): DerCase {
  return { what, code, wrong, right };
}

/** The whole certificate, changed after it was signed. */
function whole(what: string, change: (der: Bytes) => Bytes): DerCase {
  return entry(what, { surgery: { certificate: change } });
}

/** The elements of the certificate: to-be-signed part, algorithm, signature. */
function outer(what: string, change: (elements: Bytes[]) => Bytes[]): DerCase {
  return whole(what, (der) => sequence(...change(parts(der))));
}

function fields(change: (fields: TbsFields) => TbsFields) {
  return { surgery: { fields: change } };
}

/** One field of the to-be-signed part, the second time as it should be. */
function field(
  what: string,
  name: keyof TbsFields,
  wrong: (value: Bytes) => Bytes,
  right: (value: Bytes) => Bytes = (value) => value,
  code: ErrorCode = DER,
): DerCase {
  const option = (change: (value: Bytes) => Bytes) =>
    fields((all) => ({ ...all, [name]: change(all[name]!) }));
  return entry(what, option(wrong), option(right), code);
}

function tbs(what: string, change: (elements: Bytes[]) => Bytes[]): DerCase {
  return entry(what, {
    surgery: { tbs: (der) => sequence(...change(parts(der))) },
  });
}

/** A validity from a time to the end of 2049. */
function time(what: string, wrong: Bytes, right: Bytes): DerCase {
  const until = tlv(0x17, asciiBytes("491231235959Z"));
  return field(
    what,
    "validity",
    () => sequence(wrong, until),
    () => sequence(right, until),
  );
}

const utc = (text: string) => tlv(0x17, asciiBytes(text));
const general = (text: string) => tlv(0x18, asciiBytes(text));

/** A subject of one common name, whose value is this DER. */
function subject(what: string, wrong: Bytes, right: Bytes): DerCase {
  const named = (value: Bytes) =>
    sequence(setOfOne(sequence(objectIdentifier("2.5.4.3"), value)));
  return entry(what, { subject: named(wrong) }, { subject: named(right) });
}

const TEXT = tlv(0x0c, asciiBytes("text"));

/** Extensions, the last of which is this DER. */
function extension(what: string, wrong: Bytes, right: Bytes): DerCase {
  const added = (der: Bytes) => (value: Bytes) => {
    const [list] = parts(value);
    return explicit(3, sequence(...parts(list), der));
  };
  return field(what, "extensions", added(wrong), added(right));
}

const SOME_OID = objectIdentifier("1.2.3.4");
const SOME_VALUE = octetString(nullValue());
const TRUE = tlv(1, Uint8Array.of(0xff));
const GOOD_EXTENSION = sequence(SOME_OID, TRUE, SOME_VALUE);

function algorithm(what: string, wrong: Bytes, right: Bytes): DerCase {
  const used = (oid: Bytes) => sequence(oid);
  return entry(
    what,
    { surgery: { outerAlgorithm: used(wrong) } },
    { surgery: { outerAlgorithm: used(right) } },
  );
}

function nested(levels: number): Bytes {
  let value: Bytes = nullValue();
  for (let level = 1; level < levels; level++) value = sequence(value);
  return value;
}

/** A value of an attribute stands this deep in a certificate. */
const ATTRIBUTE_VALUE_DEPTH = 5;

const LENGTHS_AND_TAGS: readonly DerCase[] = [
  whole(
    "a byte after the certificate",
    (der) => concatBytes(der, new Uint8Array(1)),
  ),
  whole("a second certificate after the first", (der) => concatBytes(der, der)),
  whole("a missing last byte", (der) => der.subarray(0, -1)),
  whole("a header alone", (der) => der.subarray(0, 4)),
  whole("a length that is not minimal", withLongLength),
  whole("an indefinite length", (der) => {
    const content = concatBytes(...parts(der));
    return concatBytes(Uint8Array.of(0x30, 0x80), content, new Uint8Array(2));
  }),
  whole("a length of five bytes", (der) =>
    concatBytes(
      Uint8Array.of(0x30, 0x85, 0, 0, 0, der[2], der[3]),
      der.subarray(4),
    )),
  whole("a length beyond the end", (der) => withByte(der, 2, der[2] + 1)),
  whole(
    "a long-form tag",
    (der) => concatBytes(Uint8Array.of(0x3f, 0x10), der.subarray(1)),
  ),
  outer("a signature in pieces", ([signed, algorithm, signature]) => [
    signed,
    algorithm,
    tlv(0x23, signature),
  ]),
  outer("a signature that is an OCTET STRING", ([signed, algorithm, last]) => [
    signed,
    algorithm,
    withByte(last, 0, 0x04),
  ]),
  outer("a signature with unused bits", ([signed, algorithm, signature]) => {
    const { content } = childrenOf(sequence(signature))[0];
    content[0] = 1;
    content[content.length - 1] &= 0xfe;
    return [signed, algorithm, tlv(0x03, content)];
  }),
];

const ELEMENTS: readonly DerCase[] = [
  outer("an extra element in Certificate", (all) => [...all, nullValue()]),
  outer("a Certificate without signature", (all) => all.slice(0, 2)),
  tbs("an extra element in TBSCertificate", (all) => [...all, nullValue()]),
  tbs("extensions twice", (all) => [...all, all[all.length - 1]]),
  tbs("extensions before a unique identifier", (all) => [
    ...all,
    implicit(2, Uint8Array.of(0, 1)),
  ]),
  tbs("an unknown tagged element", (all) => [
    ...all,
    explicit(4, nullValue()),
  ]),
  tbs("a TBSCertificate without key", (all) => [
    ...all.slice(0, 6),
    all[all.length - 1],
  ]),
  field(
    "an extra element in Validity",
    "validity",
    (value) => sequence(...parts(value), utc("491231235959Z")),
  ),
  field(
    "a Validity without end",
    "validity",
    (value) => sequence(parts(value)[0]),
  ),
  field(
    "an extra element in SubjectPublicKeyInfo",
    "spki",
    (value) => sequence(...parts(value), nullValue()),
  ),
  field(
    "a SubjectPublicKeyInfo without key",
    "spki",
    (value) => sequence(parts(value)[0]),
  ),
  field("an extra element in the key's algorithm", "spki", (value) => {
    const [algorithm, key] = parts(value);
    const more = sequence(...parts(algorithm), nullValue(), nullValue());
    return sequence(more, key);
  }),
  field(
    "an extra element in the inner algorithm",
    "signature",
    (value) => sequence(...parts(value), nullValue(), nullValue()),
  ),
  field("an empty inner algorithm", "signature", () => sequence()),
  entry("an extra element in the outer algorithm", {
    surgery: {
      outerAlgorithm: sequence(SOME_OID, nullValue(), nullValue()),
    },
  }, { surgery: { outerAlgorithm: sequence(SOME_OID, nullValue()) } }),
  field("an empty relative name", "subject", () => sequence(tlv(0x31))),
  field(
    "an attribute of three elements",
    "subject",
    () => sequence(setOfOne(sequence(objectIdentifier("2.5.4.3"), TEXT, TEXT))),
    () => sequence(setOfOne(sequence(objectIdentifier("2.5.4.3"), TEXT))),
  ),
  field("a name that is a SET", "subject", (value) => withByte(value, 0, 0x31)),
];

const PRIMITIVES: readonly DerCase[] = [
  field(
    "an INTEGER with a zero too much",
    "serialNumber",
    () => tlv(2, Uint8Array.of(0, 1)),
    () => tlv(2, Uint8Array.of(1)),
  ),
  field(
    "a negative INTEGER with a byte too much",
    "serialNumber",
    () => tlv(2, Uint8Array.of(0xff, 0x80)),
    () => tlv(2, Uint8Array.of(0x80)),
  ),
  field("an empty INTEGER", "serialNumber", () => tlv(2)),
  algorithm(
    "an OBJECT IDENTIFIER with padding",
    tlv(6, Uint8Array.of(0x2a, 0x80, 0x01)),
    tlv(6, Uint8Array.of(0x2a, 0x81, 0x01)),
  ),
  algorithm(
    "an OBJECT IDENTIFIER that is cut",
    tlv(6, Uint8Array.of(0x2a, 0x81)),
    tlv(6, Uint8Array.of(0x2a, 0x01)),
  ),
  algorithm(
    "an empty OBJECT IDENTIFIER",
    tlv(6),
    tlv(6, Uint8Array.of(0x2a)),
  ),
  algorithm(
    "an OBJECT IDENTIFIER that is too long",
    tlv(6, new Uint8Array(MAX_OID_BYTES + 1).fill(1)),
    tlv(6, new Uint8Array(MAX_OID_BYTES).fill(1)),
  ),
  subject("a NULL with content", tlv(5, Uint8Array.of(0)), nullValue()),
  subject(
    "a BIT STRING with eight unused bits",
    tlv(3, Uint8Array.of(8, 0)),
    tlv(3, Uint8Array.of(7, 0)),
  ),
  subject(
    "a BIT STRING with unused bits that are set",
    tlv(3, Uint8Array.of(1, 1)),
    tlv(3, Uint8Array.of(1, 2)),
  ),
  subject("an empty BIT STRING", tlv(3), tlv(3, Uint8Array.of(0))),
  subject("a string in pieces", tlv(0x2c, TEXT), TEXT),
  subject("a SEQUENCE that is primitive", tlv(0x10), sequence()),
  subject("end-of-contents", tlv(0), nullValue()),
  subject(
    "values that are nested too deeply",
    nested(MAX_DER_DEPTH - ATTRIBUTE_VALUE_DEPTH + 2),
    nested(MAX_DER_DEPTH - ATTRIBUTE_VALUE_DEPTH + 1),
  ),
];

const EXTENSIONS: readonly DerCase[] = [
  extension(
    "a critical that is FALSE",
    sequence(SOME_OID, tlv(1, Uint8Array.of(0)), SOME_VALUE),
    sequence(SOME_OID, SOME_VALUE),
  ),
  extension(
    "a BOOLEAN of 01",
    sequence(SOME_OID, tlv(1, Uint8Array.of(1)), SOME_VALUE),
    GOOD_EXTENSION,
  ),
  extension(
    "a BOOLEAN of two bytes",
    sequence(SOME_OID, tlv(1, Uint8Array.of(0xff, 0xff)), SOME_VALUE),
    GOOD_EXTENSION,
  ),
  extension(
    "an extra element in Extension",
    sequence(SOME_OID, TRUE, SOME_VALUE, nullValue()),
    GOOD_EXTENSION,
  ),
  extension("an Extension without value", sequence(SOME_OID), GOOD_EXTENSION),
  extension(
    "an extension's value that is no OCTET STRING",
    sequence(SOME_OID, TRUE, nullValue()),
    GOOD_EXTENSION,
  ),
  field(
    "extensions without any",
    "extensions",
    () => explicit(3, sequence()),
    () => explicit(3, sequence(GOOD_EXTENSION)),
  ),
  field(
    "two lists of extensions",
    "extensions",
    () => explicit(3, sequence(GOOD_EXTENSION), sequence(GOOD_EXTENSION)),
    () => explicit(3, sequence(GOOD_EXTENSION)),
  ),
  field(
    "too many extensions",
    "extensions",
    () =>
      explicit(
        3,
        sequence(...new Array(MAX_EXTENSIONS + 1).fill(GOOD_EXTENSION)),
      ),
    () =>
      explicit(3, sequence(...new Array(MAX_EXTENSIONS).fill(GOOD_EXTENSION))),
  ),
];

const GOOD_TIME = utc("260101000000Z");

const TIMES: readonly DerCase[] = [
  time("a UTCTime without seconds", utc("2601010000Z"), GOOD_TIME),
  time("a UTCTime with an offset", utc("260101000000+0000"), GOOD_TIME),
  time("a UTCTime without Z", utc("260101000000"), GOOD_TIME),
  time("a UTCTime with a small z", utc("260101000000z"), GOOD_TIME),
  time("a UTCTime of four-digit years", utc("20260101000000Z"), GOOD_TIME),
  time("month 13", utc("261301000000Z"), utc("261201000000Z")),
  time("month 0", utc("260001000000Z"), utc("260101000000Z")),
  time("30 February", utc("260230000000Z"), utc("260228000000Z")),
  time("a leap day in 2025", utc("250229000000Z"), utc("240229000000Z")),
  time("a leap day in 1900", general("19000229000000Z"), GOOD_TIME),
  time("hour 24", utc("260101240000Z"), utc("260101230000Z")),
  time("minute 60", utc("260101006000Z"), utc("260101005900Z")),
  time("second 60", utc("260101000060Z"), utc("260101000059Z")),
  time(
    "a GeneralizedTime with a fraction",
    general("20260101000000.5Z"),
    general("20260101000000Z"),
  ),
  time(
    "a GeneralizedTime of two-digit years",
    general("260101000000Z"),
    general("20260101000000Z"),
  ),
  time(
    "a time that is text",
    tlv(0x0c, asciiBytes("260101000000Z")),
    GOOD_TIME,
  ),
  time("an empty time", utc(""), GOOD_TIME),
];

const version = (number: number) => explicit(0, integer(number));

const VERSIONS: readonly DerCase[] = [
  field("version 4", "version", () => version(3), undefined, VERSION),
  field("version 1 said", "version", () => version(0), undefined, VERSION),
  field(
    "a negative version",
    "version",
    () => explicit(0, tlv(2, Uint8Array.of(0xff))),
    undefined,
    VERSION,
  ),
  field("two versions", "version", () => explicit(0, integer(2), integer(2))),
  field(
    "extensions in version 2",
    "version",
    () => version(1),
    undefined,
    VERSION,
  ),
  entry(
    "extensions in version 1",
    fields((all) => ({ ...all, version: undefined })),
    { version: 1 },
    VERSION,
  ),
  entry(
    "a unique identifier in version 1",
    {
      version: 1,
      ...fields((all) => ({
        ...all,
        issuerUniqueId: implicit(1, Uint8Array.of(0, 1)),
      })),
    },
    {
      version: 2,
      ...fields((all) => ({
        ...all,
        issuerUniqueId: implicit(1, Uint8Array.of(0, 1)),
      })),
    },
    VERSION,
  ),
];

/** All of them. */
export const DER_CASES: readonly DerCase[] = [
  ...LENGTHS_AND_TAGS,
  ...ELEMENTS,
  ...PRIMITIVES,
  ...EXTENSIONS,
  ...TIMES,
  ...VERSIONS,
];
