/**
 * The fixed frame of a certificate (RFC 5280, section 4.1), element by element
 * with nothing missing and nothing extra. What an extension holds is read
 * elsewhere.
 *
 * @module
 */
import type { Bytes } from "../crypto/routine.ts";
import { CertificateError } from "../errors.ts";
import { MAX_CERTIFICATE_VALUES, MAX_EXTENSIONS } from "../limits.ts";
import {
  derError,
  type DerValue,
  expectTag,
  readDer,
  readOid,
  sequence,
  TAG,
  wholeBitString,
} from "./der.ts";
import { type Name, readName } from "./names.ts";
import { readTime } from "./time.ts";

const VERSION = 0xa0;
const ISSUER_UNIQUE_ID = 0x81;
const SUBJECT_UNIQUE_ID = 0x82;
const EXTENSIONS = 0xa3;

/** AlgorithmIdentifier. */
export interface Algorithm {
  readonly raw: Bytes;
  readonly oid: string;
  readonly parameters: DerValue | undefined;
}

/** SubjectPublicKeyInfo. */
export interface PublicKeyInfo {
  /** The whole structure, as it stands. */
  readonly raw: Bytes;
  readonly algorithm: Algorithm;
  /** Content of the BIT STRING. */
  readonly key: Bytes;
}

/** One extension, its value unread. */
export interface Extension {
  readonly oid: string;
  readonly critical: boolean;
  /** Content of the OCTET STRING. */
  readonly value: Bytes;
}

/** A certificate taken apart; all bytes are views into the whole. */
export interface Layout {
  readonly tbs: Bytes;
  /** 1, 2 or 3. */
  readonly version: number;
  /** Content octets of the INTEGER. */
  readonly serialNumber: Bytes;
  /** How many DER values it is made of, what strings hold not counted. */
  readonly values: number;
  /** The algorithm inside the signed part. */
  readonly innerAlgorithm: Algorithm;
  readonly issuer: Name;
  readonly subject: Name;
  /** Milliseconds since 1970. */
  readonly notBefore: number;
  /** Milliseconds since 1970. */
  readonly notAfter: number;
  readonly publicKey: PublicKeyInfo;
  readonly extensions: readonly Extension[];
  /** The algorithm beside the signature. */
  readonly outerAlgorithm: Algorithm;
  readonly signature: Bytes;
}

function versionError(message: string): never {
  throw new CertificateError("ERR_CERTPIN_CERTIFICATE_VERSION", message);
}

/**
 * Takes a certificate apart.
 *
 * @throws {CertificateError} `ERR_CERTPIN_CERTIFICATE_DER`, or
 * `ERR_CERTPIN_CERTIFICATE_VERSION` for a version above 3 or fields that the
 * stated version does not have.
 */
export function readLayout(der: Bytes): Layout {
  const certificate = readDer(der, MAX_CERTIFICATE_VALUES);
  const [tbs, outer, signature] = sequence(certificate, "Certificate", 3, 3);
  const fields = [...sequence(tbs, "TBSCertificate", 6, 10)];
  const version = readVersion(fields);
  const [serial, inner, issuer, validity, subject, spki, ...rest] = fields;
  const [notBefore, notAfter] = sequence(validity, "Validity", 2, 2);
  const extensions = readTail(rest, version);
  return {
    tbs: tbs.raw,
    version,
    values: countValues(certificate),
    serialNumber: expectTag(serial, TAG.integer, "serialNumber").content,
    innerAlgorithm: readAlgorithm(inner, "signature"),
    issuer: readName(issuer, "issuer"),
    subject: readName(subject, "subject"),
    notBefore: readTime(notBefore, "notBefore"),
    notAfter: readTime(notAfter, "notAfter"),
    publicKey: readPublicKeyInfo(spki),
    extensions,
    outerAlgorithm: readAlgorithm(outer, "signatureAlgorithm"),
    signature: wholeBitString(signature, "signatureValue"),
  };
}

function countValues({ children }: DerValue): number {
  return children.reduce((sum, child) => sum + countValues(child), 1);
}

function readVersion(fields: DerValue[]): number {
  if (fields[0].tag !== VERSION) return 1;
  const { children } = fields.shift()!;
  if (children.length !== 1) derError("Cannot read version: not one value");
  const { content } = expectTag(children[0], TAG.integer, "version");
  if (content.length !== 1 || content[0] < 1 || content[0] > 2) {
    versionError("Cannot read the certificate: its version is not 1, 2 or 3");
  }
  return content[0] + 1;
}

function readTail(rest: DerValue[], version: number): readonly Extension[] {
  let extensions: readonly Extension[] = [];
  let last = 0;
  for (const field of rest) {
    if (field.tag <= last) derError("Cannot read TBSCertificate: order");
    last = field.tag;
    const least = field.tag === EXTENSIONS ? 3 : 2;
    if (version < least) {
      versionError(
        `Cannot read the certificate: version ${version} with fields of version ${least}`,
      );
    }
    if (field.tag === EXTENSIONS) {
      if (field.children.length !== 1) derError("Cannot read extensions");
      extensions = sequence(
        field.children[0],
        "extensions",
        1,
        MAX_EXTENSIONS,
      ).map(readExtension);
    } else if (
      field.tag !== ISSUER_UNIQUE_ID && field.tag !== SUBJECT_UNIQUE_ID
    ) {
      derError("Cannot read TBSCertificate: an element that does not belong");
    }
  }
  return extensions;
}

function readExtension(value: DerValue): Extension {
  const parts = [...sequence(value, "Extension", 2, 3)];
  const oid = readOid(parts.shift(), "extnID");
  const critical = parts.length === 2;
  if (critical) {
    const { content } = expectTag(parts.shift(), TAG.boolean, "critical");
    if (content[0] === 0) {
      derError("Cannot read critical: FALSE is the default");
    }
  }
  const { content } = expectTag(parts[0], TAG.octetString, "extnValue");
  return { oid, critical, value: content };
}

/** Reads an AlgorithmIdentifier. */
export function readAlgorithm(
  value: DerValue | undefined,
  what: string,
): Algorithm {
  const [oid, parameters] = sequence(value, what, 1, 2);
  return { raw: value!.raw, oid: readOid(oid, what), parameters };
}

/** Reads a SubjectPublicKeyInfo. */
export function readPublicKeyInfo(value: DerValue | undefined): PublicKeyInfo {
  const what = "SubjectPublicKeyInfo";
  const [algorithm, key] = sequence(value, what, 2, 2);
  return {
    raw: value!.raw,
    algorithm: readAlgorithm(algorithm, what),
    key: wholeBitString(key, what),
  };
}
