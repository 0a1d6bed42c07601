/**
 * The frame of a certificate (RFC 5280, section 4.1): which elements stand
 * where, with nothing missing and nothing extra. Shape alone is checked here;
 * what the elements say is read in `pkijs.ts`.
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
import {
  ALGORITHM_IDENTIFIER,
  checkShape,
  NAME,
  PUBLIC_KEY_INFO,
  TIME,
  WHOLE_OCTETS,
} from "./shape.ts";

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

/** One extension, as it stands. */
export interface ExtensionFrame {
  readonly oid: DerValue;
  readonly critical: boolean;
  readonly value: DerValue;
}

/** The elements of a certificate, as they stand. */
export interface Frame {
  readonly tbs: DerValue;
  /** 1, 2 or 3. */
  readonly version: number;
  readonly serialNumber: DerValue;
  readonly innerAlgorithm: DerValue;
  readonly issuer: DerValue;
  readonly notBefore: DerValue;
  readonly notAfter: DerValue;
  readonly subject: DerValue;
  readonly publicKey: DerValue;
  readonly extensions: readonly ExtensionFrame[];
  readonly outerAlgorithm: DerValue;
  readonly signature: DerValue;
  /** How many DER values there are, what strings hold not counted. */
  readonly values: number;
}

function versionError(message: string): never {
  throw new CertificateError("ERR_CERTPIN_CERTIFICATE_VERSION", message);
}

/**
 * Checks the shape of a certificate and says where its elements stand.
 *
 * @throws {CertificateError} `ERR_CERTPIN_CERTIFICATE_DER`, or
 * `ERR_CERTPIN_CERTIFICATE_VERSION` for a version above 3 or fields that the
 * stated version does not have.
 */
export function readFrame(der: Bytes): Frame {
  const certificate = readDer(der, MAX_CERTIFICATE_VALUES);
  const [tbs, outer, signature] = sequence(certificate, "Certificate", 3, 3);
  const fields = [...sequence(tbs, "TBSCertificate", 6, 10)];
  const version = readVersion(fields);
  const [serial, inner, issuer, validity, subject, spki, ...rest] = fields;
  const [notBefore, notAfter] = sequence(validity, "Validity", 2, 2);
  return {
    tbs,
    version,
    values: countValues(certificate),
    serialNumber: expectTag(serial, TAG.integer, "serialNumber"),
    innerAlgorithm: checkShape(inner, ALGORITHM_IDENTIFIER, "signature"),
    issuer: checkShape(issuer, NAME, "issuer"),
    subject: checkShape(subject, NAME, "subject"),
    notBefore: checkShape(notBefore, TIME, "notBefore"),
    notAfter: checkShape(notAfter, TIME, "notAfter"),
    publicKey: checkShape(spki, PUBLIC_KEY_INFO, "SubjectPublicKeyInfo"),
    extensions: readTail(rest, version),
    outerAlgorithm: checkShape(
      outer,
      ALGORITHM_IDENTIFIER,
      "signatureAlgorithm",
    ),
    signature: checkShape(signature, WHOLE_OCTETS, "signatureValue"),
  };
}

/** What a store of anchors is indexed by, read without the rest. */
export interface IndexKeys {
  readonly subject: Name;
  /** Content of the key's BIT STRING. */
  readonly key: Bytes;
}

/**
 * Reads subject and key alone: the platform's store has hundreds of
 * certificates, and a connection needs one.
 *
 * @throws {CertificateError} as {@linkcode readFrame}.
 */
export function readIndexKeys(der: Bytes): IndexKeys {
  const { subject, publicKey } = readFrame(der);
  return {
    subject: readName(subject, "subject"),
    key: readPublicKeyInfo(publicKey).key,
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

function readTail(
  rest: DerValue[],
  version: number,
): readonly ExtensionFrame[] {
  let extensions: readonly ExtensionFrame[] = [];
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

function readExtension(value: DerValue): ExtensionFrame {
  const parts = [...sequence(value, "Extension", 2, 3)];
  const oid = expectTag(parts.shift(), TAG.oid, "extnID");
  const critical = parts.length === 2;
  if (critical) {
    const { content } = expectTag(parts.shift(), TAG.boolean, "critical");
    if (content[0] === 0) {
      derError("Cannot read critical: FALSE is the default");
    }
  }
  return {
    oid,
    critical,
    value: expectTag(parts[0], TAG.octetString, "extnValue"),
  };
}

/** Reads an AlgorithmIdentifier. */
export function readAlgorithm(
  value: DerValue | undefined,
  what: string,
): Algorithm {
  const { raw, children } = checkShape(value, ALGORITHM_IDENTIFIER, what);
  const [oid, parameters] = children;
  return { raw, oid: readOid(oid, what), parameters };
}

/** Reads a SubjectPublicKeyInfo. */
export function readPublicKeyInfo(value: DerValue | undefined): PublicKeyInfo {
  const what = "SubjectPublicKeyInfo";
  const { raw, children } = checkShape(value, PUBLIC_KEY_INFO, what);
  const [algorithm, key] = children;
  return {
    raw,
    algorithm: readAlgorithm(algorithm, what),
    key: wholeBitString(key, what),
  };
}
