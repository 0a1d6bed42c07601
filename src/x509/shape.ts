/**
 * What ASN.1 values must be made of, element by element (RFC 5280, appendix
 * A): a library that skips what it does not expect cannot be asked that.
 *
 * @module
 */
import type { Bytes } from "../crypto/routine.ts";
import { MAX_EXTENSION_ENTRIES, MAX_REFERENCES } from "../limits.ts";
import { derError, type DerValue, TAG } from "./der.ts";

/** One kind of value. Without `fields` and `each`, what is inside is not looked at. */
export interface Shape {
  /** The identifier octet; any, where it is left out. */
  readonly tag?: number;
  /** Whether the content octets may stand there. */
  readonly content?: (content: Bytes) => boolean;
  /** The elements, in order. */
  readonly fields?: readonly Field[];
  /** What each element is. */
  readonly each?: Alternatives;
  /** Fewest elements, where `each` says what they are. Default 0. */
  readonly least?: number;
  /** Most elements, where `each` says what they are. Default: no bound. */
  readonly most?: number;
}

/** A value that may be of several kinds, told apart by their tags. */
export type Alternatives = Shape | readonly Shape[];

/** An element of a SEQUENCE. */
export interface Field {
  readonly is: Alternatives;
  readonly optional?: boolean;
}

function matching(
  value: DerValue | undefined,
  alternatives: Alternatives,
): Shape | undefined {
  if (value === undefined) return undefined;
  const shapes: readonly Shape[] = Array.isArray(alternatives)
    ? alternatives
    : [alternatives];
  return shapes.find(({ tag }) => tag === undefined || tag === value.tag);
}

/**
 * Checks that a value has one of the shapes.
 *
 * @returns The value.
 * @throws {CertificateError} `ERR_CERTPIN_CERTIFICATE_DER`
 */
export function checkShape(
  value: DerValue | undefined,
  alternatives: Alternatives,
  what: string,
): DerValue {
  const shape = matching(value, alternatives);
  if (value === undefined || shape === undefined) {
    derError(
      value === undefined
        ? `Cannot read ${what}: an element is missing`
        : `Cannot read ${what}: tag 0x${
          value.tag.toString(16)
        } does not belong there`,
    );
  }
  const { content, fields, each, least = 0, most = Infinity } = shape;
  if (content && !content(value.content)) {
    derError(
      `Cannot read ${what}: a value with tag 0x${
        value.tag.toString(16)
      } is malformed`,
    );
  }
  if (fields) checkFields(value.children, fields, what);
  if (each) {
    const { length } = value.children;
    if (length < least || length > most) {
      derError(`Cannot read ${what}: ${length} elements`);
    }
    for (const child of value.children) checkShape(child, each, what);
  }
  return value;
}

function checkFields(
  children: readonly DerValue[],
  fields: readonly Field[],
  what: string,
): void {
  let next = 0;
  for (const { is, optional } of fields) {
    if (optional && !matching(children[next], is)) continue;
    checkShape(children[next++], is, what);
  }
  if (next < children.length) {
    derError(`Cannot read ${what}: an element that does not belong`);
  }
}

const sequenceOf = (
  each: Alternatives,
  least = 1,
  most?: number,
): Shape => ({ tag: TAG.sequence, each, least, most });
const struct = (...fields: Field[]): Shape => ({ tag: TAG.sequence, fields });
const one = (is: Alternatives): Field => ({ is });
const maybe = (is: Alternatives): Field => ({ is, optional: true });

const ANY: Shape = {};
const OID: Shape = { tag: TAG.oid };
const INTEGER: Shape = { tag: TAG.integer };

/** Whether all octets are characters of an IA5String. */
function isAscii(content: Bytes): boolean {
  return content.every((byte) => byte < 0x80);
}

function isNotNegative(content: Bytes): boolean {
  return !(content[0] & 0x80);
}

/** AlgorithmIdentifier. */
export const ALGORITHM_IDENTIFIER: Shape = struct(one(OID), maybe(ANY));

/** A BIT STRING that fills its last octet. */
export const WHOLE_OCTETS: Shape = {
  tag: TAG.bitString,
  content: (content) => content[0] === 0,
};

/** SubjectPublicKeyInfo. */
export const PUBLIC_KEY_INFO: Shape = struct(
  one(ALGORITHM_IDENTIFIER),
  one(WHOLE_OCTETS),
);

const isDigits = (count: number) => (content: Bytes) =>
  content.length === count + 1 && content[count] === 0x5a &&
  content.subarray(0, count).every((byte) => byte >= 0x30 && byte <= 0x39);

/** Time, to the second and in Z (RFC 5280, section 4.1.2.5). */
export const TIME: readonly Shape[] = [
  { tag: TAG.utcTime, content: isDigits(12) },
  { tag: TAG.generalizedTime, content: isDigits(14) },
];

const ATTRIBUTE = struct(one(OID), one(ANY));

/** Name. */
export const NAME: Shape = sequenceOf(
  { tag: TAG.set, each: ATTRIBUTE, least: 1 },
  0,
);

function generalName(addressBytes: readonly number[]): readonly Shape[] {
  return [
    // otherName
    { tag: 0xa0, fields: [one(OID), one({ tag: 0xa0, fields: [one(ANY)] })] },
    // rfc822Name, dNSName
    { tag: 0x81, content: isAscii },
    { tag: 0x82, content: isAscii },
    // x400Address
    { tag: 0xa3 },
    { tag: 0xa4, fields: [one(NAME)] },
    // ediPartyName
    {
      tag: 0xa5,
      fields: [
        maybe({ tag: 0xa0, fields: [one(ANY)] }),
        one({ tag: 0xa1, fields: [one(ANY)] }),
      ],
    },
    // uniformResourceIdentifier
    { tag: 0x86, content: isAscii },
    { tag: 0x87, content: ({ length }) => addressBytes.includes(length) },
    // registeredID
    {
      tag: 0x88,
      content: (content) =>
        content.length > 0 && !(content[content.length - 1] & 0x80),
    },
  ];
}

const GENERAL_NAME = generalName([4, 16]);

/** subjectAltName. */
export const SUBJECT_ALT_NAME: Shape = sequenceOf(
  GENERAL_NAME,
  1,
  MAX_EXTENSION_ENTRIES,
);
/** issuerAltName. */
export const ISSUER_ALT_NAME: Shape = sequenceOf(
  GENERAL_NAME,
  1,
  MAX_REFERENCES,
);

/** basicConstraints. FALSE written out breaks DER, but is common and says nothing new. */
export const BASIC_CONSTRAINTS: Shape = struct(
  maybe({ tag: TAG.boolean }),
  maybe({ tag: TAG.integer, content: isNotNegative }),
);

/** keyUsage: at least one bit, at most the nine that have names and seven more. */
export const KEY_USAGE_BITS: Shape = {
  tag: TAG.bitString,
  content: (content) =>
    content.length <= 3 && content.some((byte, i) => i > 0 && byte !== 0),
};

/** extKeyUsage. */
export const EXTENDED_KEY_USAGE: Shape = sequenceOf(
  OID,
  1,
  MAX_EXTENSION_ENTRIES,
);

/** subjectKeyIdentifier. */
export const KEY_IDENTIFIER: Shape = { tag: TAG.octetString };

/** authorityKeyIdentifier. */
export const AUTHORITY_KEY_IDENTIFIER: Shape = struct(
  maybe({ tag: 0x80 }),
  maybe({ tag: 0xa1, each: GENERAL_NAME, least: 1, most: MAX_REFERENCES }),
  maybe({ tag: 0x82, content: ({ length }) => length > 0 }),
);

// minimum is 0 by default and maximum absent (RFC 5280, section 4.2.1.10);
// anything else has no meaning there, so it must not be skipped.
const SUBTREE = struct(one(generalName([8, 32])));
const SUBTREES = { each: SUBTREE, least: 1, most: MAX_EXTENSION_ENTRIES };

/** nameConstraints; at least one of the two lists. */
export const NAME_CONSTRAINTS: Shape = {
  ...struct(
    maybe({ tag: 0xa0, ...SUBTREES }),
    maybe({ tag: 0xa1, ...SUBTREES }),
  ),
  content: ({ length }) => length > 0,
};

/** authorityInfoAccess and subjectInfoAccess. */
export const INFO_ACCESS: Shape = sequenceOf(
  struct(one(OID), one(GENERAL_NAME)),
  1,
  MAX_REFERENCES,
);

const GENERAL_NAMES = { each: GENERAL_NAME, least: 1, most: MAX_REFERENCES };

/** cRLDistributionPoints and freshestCRL. */
export const DISTRIBUTION_POINTS: Shape = sequenceOf(
  struct(
    maybe({
      tag: 0xa0,
      fields: [one([
        { tag: 0xa0, ...GENERAL_NAMES },
        { tag: 0xa1, each: ATTRIBUTE, least: 1, most: MAX_REFERENCES },
      ])],
    }),
    maybe({ tag: 0x81, content: ({ length }) => length > 1 }),
    maybe({ tag: 0xa2, ...GENERAL_NAMES }),
  ),
  1,
  MAX_REFERENCES,
);

const DISPLAY_TEXT: readonly Shape[] = [
  { tag: TAG.ia5String, content: isAscii },
  { tag: TAG.visibleString, content: isAscii },
  { tag: TAG.bmpString, content: ({ length }) => length % 2 === 0 },
  { tag: TAG.utf8String },
];

/** certificatePolicies; the qualifiers that have a known syntax are checked by it. */
export const CERTIFICATE_POLICIES: Shape = sequenceOf(
  struct(
    one(OID),
    maybe(sequenceOf(struct(one(OID), one(ANY)), 1, MAX_REFERENCES)),
  ),
  1,
  MAX_REFERENCES,
);

/** The qualifiers of certificate policies that RFC 5280, section 4.2.1.4, has. */
export const POLICY_QUALIFIERS: ReadonlyMap<string, Shape> = new Map([
  ["1.3.6.1.5.5.7.2.1", { tag: TAG.ia5String, content: isAscii }],
  [
    "1.3.6.1.5.5.7.2.2",
    struct(
      maybe(struct(one(DISPLAY_TEXT), one(sequenceOf(INTEGER, 0)))),
      maybe(DISPLAY_TEXT),
    ),
  ],
]);

/** policyMappings. */
export const POLICY_MAPPINGS: Shape = sequenceOf(
  struct(one(OID), one(OID)),
  1,
  MAX_REFERENCES,
);

/** SignedCertificateTimestampList. */
export const TIMESTAMPS: Shape = {
  tag: TAG.octetString,
  content: (content) => countTimestamps(content) > 0,
};

/**
 * How many timestamps there are in a list whose entries are all of version 1
 * (RFC 6962, sections 3.2 and 3.3), each length exact; 0 for anything else.
 */
export function countTimestamps(bytes: Bytes): number {
  const uint16 = (at: number) => bytes[at] * 256 + bytes[at + 1];
  if (uint16(0) !== bytes.length - 2) return 0;
  let count = 0;
  for (let at = 2; at < bytes.length; count++) {
    const end = at + 2 + uint16(at);
    // Version, log, time, and the length of the extensions.
    const extensions = at + 2 + 1 + 32 + 8;
    // Hash and signature algorithm before the length of the signature.
    const signature = extensions + 2 + uint16(extensions) + 2;
    // A length beyond the end reads as NaN, with which no comparison holds.
    const fits = bytes[at + 2] === 0 && end <= bytes.length &&
      signature + 2 + uint16(signature) === end;
    if (!fits) return 0;
    at = end;
  }
  return count;
}
