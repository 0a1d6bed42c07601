/**
 * Mints one certificate: a right one by default, a wrong one in whatever way
 * is asked for.
 *
 * @module
 */
import type { Bytes } from "../crypto/steps.ts";
import {
  bitString,
  concatBytes,
  explicit,
  integer,
  sequence,
  time,
} from "./der_writer.ts";
import {
  authorityKeyIdentifier,
  basicConstraints,
  encodeExtension,
  extendedKeyUsage,
  type Extension,
  keyUsage,
  type KeyUsageName,
  type NameConstraints,
  nameConstraints,
  subjectAltName,
  subjectKeyIdentifier,
} from "./extensions.ts";
import {
  keyIdentifierOf,
  type KeyType,
  type MintedKey,
  mintKey,
  signatureAlgorithm,
  type SignatureOptions,
  signBytes,
  toPem,
} from "./keys.ts";
import {
  type DistinguishedName,
  encodeName,
  type GeneralName,
  isIpLiteral,
} from "./names.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const CA_DAYS = 3_650;
const LEAF_DAYS = 90;
const SERIAL_BYTES = 16;

/** A certificate made by {@linkcode mintCertificate}, with its private key. */
export interface MintedCertificate {
  /** The certificate: what `parseCertificates` takes, and a peer's `chain` holds. */
  readonly der: Bytes;
  /** The same as PEM. */
  readonly pem: string;
  /** Its key pair. */
  readonly key: MintedKey;
  /** The DER SubjectPublicKeyInfo in the certificate; `key.spki` unless surgery changed it. */
  readonly spki: Bytes;
  /** The DER Name of its subject. */
  readonly subject: Bytes;
  /** The subjectKeyIdentifier that it carries. */
  readonly keyIdentifier?: Bytes;
  /** Content octets of its serial number. */
  readonly serialNumber: Bytes;
  /** Start of its validity, in whole seconds. */
  readonly notBefore: Date;
  /** End of its validity, in whole seconds. */
  readonly notAfter: Date;
}

/** The fields of a TBSCertificate, each as DER, in their order. */
export interface TbsFields {
  /** `[0] EXPLICIT`; left out for version 1. */
  version?: Uint8Array;
  /** INTEGER. */
  serialNumber: Uint8Array;
  /** The inner AlgorithmIdentifier. */
  signature: Uint8Array;
  /** Name. */
  issuer: Uint8Array;
  /** Validity. */
  validity: Uint8Array;
  /** Name. */
  subject: Uint8Array;
  /** SubjectPublicKeyInfo. */
  spki: Uint8Array;
  /** `[1]`, rarely seen. */
  issuerUniqueId?: Uint8Array;
  /** `[2]`, rarely seen. */
  subjectUniqueId?: Uint8Array;
  /** `[3] EXPLICIT`. */
  extensions?: Uint8Array;
}

/** Changes to the bytes on their way, for certificates that no authority would issue. */
export interface Surgery {
  /** Changes or drops fields of the TBSCertificate; the signature covers the result. */
  readonly fields?: (fields: TbsFields) => TbsFields;
  /** Changes the encoded TBSCertificate; the signature covers the result. */
  readonly tbs?: (tbs: Bytes) => Uint8Array;
  /** Replaces the outer AlgorithmIdentifier. */
  readonly outerAlgorithm?: Uint8Array;
  /** Changes the signature's octets. */
  readonly signature?: (signature: Bytes) => Uint8Array;
  /** Changes the whole certificate, after signing. */
  readonly certificate?: (der: Bytes) => Uint8Array;
}

/** What {@linkcode mintCertificate} makes. Everything has a default. */
export interface MintCertificateOptions {
  /** Default: the first of `hostnames`, else `certpin test certificate`. */
  readonly subject?: DistinguishedName;
  /** Who signs: gives the issuer's name, key and key identifier. Default: the certificate itself. */
  readonly issuer?: MintedCertificate;
  /** Another issuer name than the issuer's subject. */
  readonly issuerName?: DistinguishedName;
  /** Another key than the issuer's: the signature will not hold. */
  readonly signingKey?: MintedKey;
  /** Hash and padding of the signature. */
  readonly signature?: SignatureOptions;

  /** The certificate's own key. Default: a fresh one of `keyType`. */
  readonly key?: MintedKey;
  /** Default `P-256`. */
  readonly keyType?: KeyType;

  /** What "now" is for the defaults below. Default: the clock. */
  readonly now?: Date;
  /** Default: an hour before `now`. */
  readonly notBefore?: Date;
  /** Default: 90 days after `now`; for a CA 3,650 days. */
  readonly notAfter?: Date;
  /** Content octets. Default: 16 random ones that make a positive number. */
  readonly serialNumber?: Uint8Array;
  /** Source of random bytes for serial numbers; keys always come from WebCrypto. */
  readonly random?: (length: number) => Uint8Array;
  /** X.509 version; versions 1 and 2 carry no extensions. Default 3. */
  readonly version?: 1 | 2 | 3;

  /** Whether the defaults below are those of a CA or of a TLS server. Default false. */
  readonly ca?: boolean;
  /** pathLenConstraint; only with `ca`. */
  readonly pathLength?: number;
  /** DNS names and IP literals for subjectAltName. */
  readonly hostnames?: readonly string[];
  /** More subjectAltName entries, of any kind. */
  readonly names?: readonly GeneralName[];
  /** Name constraints of a CA. */
  readonly nameConstraints?: NameConstraints;
  /** Default: what `ca` says. `false` leaves the extension out. */
  readonly basicConstraints?:
    | { readonly ca: boolean; readonly pathLength?: number }
    | false;
  /** Default: keyCertSign and cRLSign for a CA, else digitalSignature (RSA also keyEncipherment). */
  readonly keyUsage?: readonly KeyUsageName[] | false;
  /** Default: serverAuth, none for a CA. Names such as `clientAuth`, or object identifiers. */
  readonly extendedKeyUsage?: readonly string[] | false;
  /** Default: made from the key. */
  readonly subjectKeyIdentifier?: Uint8Array | false;
  /** Default: the issuer's key identifier; none on a self-issued certificate. */
  readonly authorityKeyIdentifier?: Uint8Array | false;
  /** Added after the others; nothing stops a duplicate. */
  readonly extraExtensions?: readonly Extension[];
  /** Exactly these extensions, instead of all of the above. */
  readonly extensions?: readonly Extension[];

  /** Changes to the bytes. */
  readonly surgery?: Surgery;
}

function randomBytes(length: number): Bytes {
  return crypto.getRandomValues(new Uint8Array(length));
}

function wholeSeconds(date: Date): Date {
  return new Date(Math.floor(date.getTime() / 1000) * 1000);
}

function positiveSerial(random: (length: number) => Uint8Array): Bytes {
  const serial = concatBytes(random(SERIAL_BYTES));
  serial[0] = (serial[0] & 0x3f) | 0x40;
  return serial;
}

function defaultKeyUsage(ca: boolean, key: MintedKey): KeyUsageName[] {
  if (ca) return ["keyCertSign", "cRLSign"];
  return key.type.startsWith("RSA") && !key.type.startsWith("RSA-PSS")
    ? ["digitalSignature", "keyEncipherment"]
    : ["digitalSignature"];
}

function extensionsOf(
  options: MintCertificateOptions,
  key: MintedKey,
  subjectKeyId: Uint8Array | false,
): readonly Extension[] {
  if (options.extensions !== undefined) return options.extensions;
  const ca = options.ca ?? false;
  const list: Extension[] = [];
  const constraints = options.basicConstraints ??
    { ca, pathLength: ca ? options.pathLength : undefined };
  if (constraints !== false) list.push(basicConstraints(constraints));
  const usages = options.keyUsage ?? defaultKeyUsage(ca, key);
  if (usages !== false) list.push(keyUsage(usages));
  const purposes = options.extendedKeyUsage ?? (ca ? false : ["serverAuth"]);
  if (purposes !== false) list.push(extendedKeyUsage(purposes));
  if (subjectKeyId !== false) list.push(subjectKeyIdentifier(subjectKeyId));
  const authorityKeyId = options.authorityKeyIdentifier ??
    options.issuer?.keyIdentifier ?? false;
  if (authorityKeyId !== false) {
    list.push(authorityKeyIdentifier(authorityKeyId));
  }
  const names: GeneralName[] = [
    ...(options.hostnames ?? []).map((name) =>
      isIpLiteral(name) ? { ip: name } : { dns: name }
    ),
    ...(options.names ?? []),
  ];
  if (names.length > 0) {
    const subjectIsEmpty = Array.isArray(options.subject) &&
      options.subject.length === 0;
    list.push(subjectAltName(names, subjectIsEmpty));
  }
  if (options.nameConstraints !== undefined) {
    list.push(nameConstraints(options.nameConstraints));
  }
  return [...list, ...(options.extraExtensions ?? [])];
}

/**
 * Mints one certificate.
 *
 * With no more than an `issuer` and `hostnames` it is a certificate that every
 * TLS client accepts; each option makes it differ in one thing, and
 * `surgery` reaches every byte. Nothing is checked: what is wrong is minted
 * as it was asked for.
 *
 * @example A server certificate, and a twin of its issuer
 * ```ts
 * import { mintCertificate } from "@certpin/certpin/testing";
 *
 * const root = await mintCertificate({ subject: "Test Root", ca: true });
 * const leaf = await mintCertificate({
 *   issuer: root,
 *   hostnames: ["localhost", "127.0.0.1"],
 * });
 * const twin = await mintCertificate({ subject: "Test Root", ca: true });
 * console.log(leaf.pem, twin.pem);
 * ```
 * @returns The certificate with its key.
 */
export async function mintCertificate(
  options: MintCertificateOptions = {},
): Promise<MintedCertificate> {
  const { surgery = {}, issuer } = options;
  const key = options.key ?? await mintKey(options.keyType);
  const signer = options.signingKey ?? issuer?.key ?? key;
  const now = options.now?.getTime() ?? Date.now();
  const days = options.ca ? CA_DAYS : LEAF_DAYS;
  const notBefore = wholeSeconds(options.notBefore ?? new Date(now - HOUR_MS));
  const notAfter = wholeSeconds(
    options.notAfter ?? new Date(now + days * DAY_MS),
  );
  const subject = encodeName(
    options.subject ?? options.hostnames?.[0] ?? "certpin test certificate",
  );
  const issuerName = options.issuerName !== undefined
    ? encodeName(options.issuerName)
    : issuer?.subject ?? subject;
  const serialNumber = concatBytes(
    options.serialNumber ?? positiveSerial(options.random ?? randomBytes),
  );
  const version = options.version ?? 3;
  const subjectKeyId = options.subjectKeyIdentifier ??
    await keyIdentifierOf(key.spki);
  const algorithm = signatureAlgorithm(signer, options.signature);

  let fields: TbsFields = {
    version: version === 1 ? undefined : explicit(0, integer(version - 1)),
    serialNumber: integer(serialNumber),
    signature: algorithm,
    issuer: issuerName,
    validity: sequence(time(notBefore), time(notAfter)),
    subject,
    spki: key.spki,
    extensions: version === 3
      ? explicit(
        3,
        sequence(
          ...extensionsOf(options, key, subjectKeyId).map(encodeExtension),
        ),
      )
      : undefined,
  };
  if (surgery.fields) fields = surgery.fields(fields);
  let tbs = sequence(
    ...[
      fields.version,
      fields.serialNumber,
      fields.signature,
      fields.issuer,
      fields.validity,
      fields.subject,
      fields.spki,
      fields.issuerUniqueId,
      fields.subjectUniqueId,
      fields.extensions,
    ].filter((field) => field !== undefined),
  );
  if (surgery.tbs) tbs = concatBytes(surgery.tbs(tbs));
  let signature = await signBytes(signer, tbs, options.signature);
  if (surgery.signature) signature = concatBytes(surgery.signature(signature));
  let der = sequence(
    tbs,
    surgery.outerAlgorithm ?? algorithm,
    bitString(signature),
  );
  if (surgery.certificate) der = concatBytes(surgery.certificate(der));

  return Object.freeze({
    der,
    pem: toPem("CERTIFICATE", der),
    key,
    spki: concatBytes(fields.spki),
    subject,
    keyIdentifier: version === 3 && subjectKeyId !== false &&
        options.extensions === undefined
      ? concatBytes(subjectKeyId)
      : undefined,
    serialNumber,
    notBefore,
    notAfter,
  });
}
