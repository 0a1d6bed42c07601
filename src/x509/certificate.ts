/**
 * Certificates, as users hold them.
 *
 * @module
 */
import { encodeHex } from "@std/encoding/hex";
import type { Bytes } from "../crypto/routine.ts";
import { CertificateError, LimitError } from "../errors.ts";
import {
  MAX_CERTIFICATE_BYTES,
  MAX_PARSED_CERTIFICATES,
  MAX_PEM_LENGTH,
} from "../limits.ts";
import { isBytes } from "./der.ts";
import { nameText } from "./names.ts";
import { readPemCertificates } from "./pem.ts";
import { readCertificate } from "./pkijs.ts";
import { CertificateRecord } from "./record.ts";

/**
 * What `JSON.stringify` makes of a {@linkcode Certificate}. Its texts are what
 * the certificate says, unescaped: escape them before you show them.
 */
export interface CertificateJson {
  /** Subject, as RFC 4514 writes it. */
  subject: string;
  /** Issuer, as RFC 4514 writes it. */
  issuer: string;
  /** Lower-case hex of the DER content octets. */
  serialNumber: string;
  /** Start of validity, ISO 8601. */
  notBefore: string;
  /** End of validity, ISO 8601. */
  notAfter: string;
  /** DNS names of subjectAltName. */
  dnsNames: readonly string[];
  /** IP addresses of subjectAltName. */
  ipAddresses: readonly string[];
  /** Whether basicConstraints has the CA bit. */
  isCa: boolean;
  /** Whether issuer and subject are the same name. */
  selfIssued: boolean;
}

/**
 * A parsed X.509 certificate; made by {@linkcode parseCertificates} alone, and
 * frozen. What it says is what the certificate says: nothing is verified, and
 * no text is escaped for display.
 */
export interface Certificate {
  /** The whole certificate in DER; a copy, fresh each time. */
  readonly der: Uint8Array;
  /** The SubjectPublicKeyInfo exactly as it stands in `der`; a copy, fresh each time. */
  readonly spki: Uint8Array;
  /** Subject, as RFC 4514 writes it: the last relative name first. */
  readonly subject: string;
  /** Issuer, as RFC 4514 writes it. */
  readonly issuer: string;
  /** Serial number, lower-case hex of the DER content octets. */
  readonly serialNumber: string;
  /** Start of validity, inclusive; a copy. */
  readonly notBefore: Date;
  /** End of validity, inclusive; a copy. */
  readonly notAfter: Date;
  /** DNS names of subjectAltName, as they stand. */
  readonly dnsNames: readonly string[];
  /** IP addresses of subjectAltName; IPv6 as RFC 5952 writes it. */
  readonly ipAddresses: readonly string[];
  /** Whether basicConstraints has the CA bit. */
  readonly isCa: boolean;
  /** Whether issuer and subject are the same name. */
  readonly selfIssued: boolean;
  /** The fields that people read; without the bytes. */
  toJSON(): CertificateJson;
}

const records = new WeakMap<Certificate, CertificateRecord>();

class ParsedCertificate implements Certificate {
  readonly subject: string;
  readonly issuer: string;
  readonly serialNumber: string;
  readonly selfIssued: boolean;

  constructor(record: CertificateRecord) {
    this.subject = record.subjectText;
    this.issuer = nameText(record.issuer);
    this.serialNumber = encodeHex(record.serialNumber);
    this.selfIssued = record.selfIssued;
    records.set(this, record);
    Object.freeze(this);
  }

  get dnsNames(): readonly string[] {
    return recordOf(this).dnsNames;
  }

  get ipAddresses(): readonly string[] {
    return recordOf(this).ipAddresses;
  }

  get isCa(): boolean {
    return recordOf(this).decoded.basicConstraints?.ca === true;
  }

  get der(): Uint8Array {
    return recordOf(this).der.slice();
  }

  get spki(): Uint8Array {
    return recordOf(this).spki.slice();
  }

  get notBefore(): Date {
    return new Date(recordOf(this).notBefore);
  }

  get notAfter(): Date {
    return new Date(recordOf(this).notAfter);
  }

  toJSON(): CertificateJson {
    return {
      subject: this.subject,
      issuer: this.issuer,
      serialNumber: this.serialNumber,
      notBefore: this.notBefore.toISOString(),
      notAfter: this.notAfter.toISOString(),
      dnsNames: this.dnsNames,
      ipAddresses: this.ipAddresses,
      isCa: this.isCa,
      selfIssued: this.selfIssued,
    };
  }
}

/**
 * The private record of a certificate.
 *
 * @throws {CertificateError} `ERR_CERTPIN_CERTIFICATE_FOREIGN` for an object
 * that `parseCertificates` of this very module did not make.
 */
export function recordOf(certificate: Certificate): CertificateRecord {
  const record = records.get(certificate);
  if (!record) {
    throw new CertificateError(
      "ERR_CERTPIN_CERTIFICATE_FOREIGN",
      typeof certificate === "string" || isBytes(certificate)
        ? "Cannot use text or bytes as a certificate: pass them through parseCertificates first"
        : "Cannot use the certificate: parseCertificates did not make it",
    );
  }
  return record;
}

/** Whether a value is a certificate that `parseCertificates` made. */
export function isCertificate(value: unknown): value is Certificate {
  return typeof value === "object" && value !== null &&
    records.has(value as Certificate);
}

/**
 * Parses one certificate from bytes that nobody else holds.
 *
 * @throws {CertificateError} `ERR_CERTPIN_CERTIFICATE_DER`,
 * `ERR_CERTPIN_CERTIFICATE_VERSION`
 * @throws {LimitError} `ERR_CERTPIN_LIMIT_CERTIFICATE_SIZE`
 */
export function parseDer(der: Bytes): Certificate {
  checkSize(der.length);
  return new ParsedCertificate(
    new CertificateRecord(der, readCertificate(der)),
  );
}

function checkSize(length: number): void {
  if (length > MAX_CERTIFICATE_BYTES) {
    throw new LimitError(
      "ERR_CERTPIN_LIMIT_CERTIFICATE_SIZE",
      `Cannot parse the certificate: ${length} bytes, at most ${MAX_CERTIFICATE_BYTES} allowed`,
    );
  }
}

/**
 * Parses certificates in PEM (text or bytes, one or many) or DER (one).
 *
 * DER is checked strictly (minimal definite lengths, no trailing bytes, no extra
 * elements) before pkijs reads it. Nothing is verified: not the signatures, not
 * the dates, not the names.
 *
 * @example
 * ```ts
 * import { parseCertificates } from "@certpin/certpin";
 * import { mintChain } from "@certpin/certpin/testing";
 *
 * const { pem } = await mintChain({ hostnames: ["api.example.com"] });
 * const [leaf] = parseCertificates(pem);
 * console.log(leaf.dnsNames); // ["api.example.com"]
 * ```
 *
 * @param input PEM text, PEM or DER bytes, or a list of these.
 * @returns At least one certificate, in the order of the input; an empty list
 * gives an empty list.
 * @throws {CertificateError} `ERR_CERTPIN_CERTIFICATE_PEM` for text without a
 * readable block, `ERR_CERTPIN_CERTIFICATE_DER`,
 * `ERR_CERTPIN_CERTIFICATE_VERSION`.
 * @throws {LimitError} `ERR_CERTPIN_LIMIT_CERTIFICATE_SIZE` above 65,536 bytes
 * a certificate, `ERR_CERTPIN_LIMIT_CHAIN_LENGTH` above 4,096 certificates.
 */
export function parseCertificates(
  input: string | Uint8Array | readonly (string | Uint8Array)[],
): Certificate[] {
  const inputs = Array.isArray(input) ? input : [input];
  if (inputs.length > MAX_PARSED_CERTIFICATES) tooMany();
  const certificates: Certificate[] = [];
  for (const item of inputs) {
    for (const der of splitDer(item)) {
      if (certificates.length >= MAX_PARSED_CERTIFICATES) tooMany();
      certificates.push(parseDer(der));
    }
  }
  return certificates;
}

function tooMany(): never {
  throw new LimitError(
    "ERR_CERTPIN_LIMIT_CHAIN_LENGTH",
    `Cannot parse the certificates: more than ${MAX_PARSED_CERTIFICATES}`,
  );
}

/** The DER certificates, each a copy, in PEM text, PEM bytes or DER bytes. */
export function splitDer(item: unknown): Bytes[] {
  if (typeof item === "string") return readPemCertificates(item);
  if (!isBytes(item)) {
    throw new CertificateError(
      "ERR_CERTPIN_CERTIFICATE_DER",
      isCertificate(item)
        ? "Cannot parse the certificate: it is parsed already"
        : `Cannot parse the certificate: expected PEM text or bytes, got ${
          item === null ? "null" : typeof item
        }`,
    );
  }
  // No certificate is shorter than the short form of lengths can say, but
  // text can begin with a "0".
  if (item[0] === 0x30 && item[1] >= 0x80) {
    checkSize(item.length);
    return [new Uint8Array(item)];
  }
  if (item.length > MAX_PEM_LENGTH) checkSize(item.length);
  const text = new TextDecoder("latin1").decode(new Uint8Array(item));
  if (!text.includes("-----BEGIN ")) {
    throw new CertificateError(
      "ERR_CERTPIN_CERTIFICATE_DER",
      "Cannot parse the certificate: the bytes are neither DER nor PEM",
    );
  }
  return readPemCertificates(text);
}
