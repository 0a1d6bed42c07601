/**
 * The extensions that decide about a path, decoded (RFC 5280, section 4.2).
 *
 * @module
 */
import type { Bytes } from "../crypto/routine.ts";
import { CertificateError } from "../errors.ts";
import {
  derError,
  type DerValue,
  expectTag,
  readDer,
  readOid,
  sequence,
  TAG,
} from "./der.ts";
import {
  type GeneralName,
  type NameConstraints,
  readNameConstraints,
  readSubjectAltName,
} from "./general_names.ts";
import type { Extension } from "./layout.ts";

/** Object identifiers of extensions. */
export const EXTENSION = {
  subjectKeyIdentifier: "2.5.29.14",
  keyUsage: "2.5.29.15",
  subjectAltName: "2.5.29.17",
  basicConstraints: "2.5.29.19",
  nameConstraints: "2.5.29.30",
  certificatePolicies: "2.5.29.32",
  authorityKeyIdentifier: "2.5.29.35",
  policyConstraints: "2.5.29.36",
  extendedKeyUsage: "2.5.29.37",
  authorityInfoAccess: "1.3.6.1.5.5.7.1.1",
} as const;

/** Bits of keyUsage, the first named bit lowest. */
export const KEY_USAGE = {
  digitalSignature: 1 << 0,
  keyEncipherment: 1 << 2,
  keyAgreement: 1 << 4,
  keyCertSign: 1 << 5,
} as const;

/** Decoded extensions; an absent one is undefined. */
export interface DecodedExtensions {
  /** Why they cannot be trusted: twice the same, or a value that cannot be read. */
  readonly defect?: string;
  readonly basicConstraints?: {
    readonly ca: boolean;
    readonly pathLength: number | undefined;
  };
  readonly keyUsage?: number;
  readonly extendedKeyUsage?: readonly string[];
  readonly subjectAltName?: readonly GeneralName[];
  readonly nameConstraints?: NameConstraints;
  readonly subjectKeyIdentifier?: Bytes;
  readonly authorityKeyIdentifier?: { readonly keyIdentifier?: Bytes };
}

/** Decodes; never throws, since a broken extension is a matter for the path. */
export function decodeExtensions(
  extensions: readonly Extension[],
): DecodedExtensions {
  const decoded: Record<string, unknown> = {};
  const seen = new Set<string>();
  for (const { oid, value } of extensions) {
    if (seen.has(oid)) {
      decoded.defect ??= `extension ${oid} stands there twice`;
      continue;
    }
    seen.add(oid);
    const decoder = DECODERS[oid];
    if (!decoder) continue;
    const [name, decode] = decoder;
    try {
      decoded[name] = decode(readDer(value));
    } catch (error) {
      if (!(error instanceof CertificateError)) throw error;
      decoded.defect ??= error.message;
    }
  }
  return decoded;
}

const DECODERS: Readonly<
  Record<string, readonly [string, (value: DerValue) => unknown]>
> = {
  [EXTENSION.basicConstraints]: ["basicConstraints", readBasicConstraints],
  [EXTENSION.keyUsage]: ["keyUsage", readKeyUsage],
  [EXTENSION.extendedKeyUsage]: ["extendedKeyUsage", readExtendedKeyUsage],
  [EXTENSION.subjectAltName]: ["subjectAltName", readSubjectAltName],
  [EXTENSION.nameConstraints]: ["nameConstraints", readNameConstraints],
  [EXTENSION.subjectKeyIdentifier]: [
    "subjectKeyIdentifier",
    (value) =>
      expectTag(value, TAG.octetString, "subjectKeyIdentifier").content,
  ],
  [EXTENSION.authorityKeyIdentifier]: [
    "authorityKeyIdentifier",
    readAuthorityKeyIdentifier,
  ],
};

function readBasicConstraints(value: DerValue) {
  const what = "basicConstraints";
  const parts = [...sequence(value, what, 0, 2)];
  let ca = false;
  if (parts[0]?.tag === TAG.boolean) {
    // FALSE written out breaks DER, but is common and says nothing new.
    ca = parts.shift()!.content[0] !== 0;
  }
  let pathLength: number | undefined;
  if (parts.length > 0) {
    const { content } = expectTag(parts.shift(), TAG.integer, what);
    if (content[0] & 0x80) derError(`Cannot read ${what}: negative length`);
    if (!ca) derError(`Cannot read ${what}: a path length without the CA bit`);
    // Above any path that is possible, all lengths are the same.
    pathLength = content.length > 2
      ? 0xffff
      : content.reduce((sum, byte) => sum * 256 + byte, 0);
  }
  if (parts.length > 0) derError(`Cannot read ${what}: too many elements`);
  return { ca, pathLength };
}

function readKeyUsage(value: DerValue): number {
  const { content } = expectTag(value, TAG.bitString, "keyUsage");
  if (content.length > 3) derError("Cannot read keyUsage: too long");
  let usage = 0;
  for (let bit = 0; bit < 8 * (content.length - 1); bit++) {
    if (content[1 + (bit >> 3)] & (0x80 >> (bit & 7))) usage |= 1 << bit;
  }
  if (usage === 0) derError("Cannot read keyUsage: no bit is set");
  return usage;
}

function readExtendedKeyUsage(value: DerValue): readonly string[] {
  const what = "extKeyUsage";
  return sequence(value, what, 1).map((purpose) => readOid(purpose, what));
}

function readAuthorityKeyIdentifier(value: DerValue) {
  const what = "authorityKeyIdentifier";
  let last = 0;
  let keyIdentifier: Bytes | undefined;
  for (const part of sequence(value, what, 0, 3)) {
    const known = part.tag === 0x80 || part.tag === 0xa1 || part.tag === 0x82;
    // The numbers of the tags, without the constructed bit, must rise.
    const number = (part.tag & 0x1f) + 1;
    if (!known || number <= last) derError(`Cannot read ${what}: elements`);
    last = number;
    if (part.tag === 0x80) keyIdentifier = part.content;
  }
  return { keyIdentifier };
}
