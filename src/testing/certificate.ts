/**
 * Mints one certificate: a right one by default, a wrong one in whatever way
 * is asked for.
 *
 * @module
 */
import type { Bytes } from "../crypto/routine.ts";
import {
  bitString,
  concatBytes,
  explicit,
  integer,
  sequence,
  time,
} from "./der_writer.ts";
import type {
  MintCertificateOptions,
  MintedCertificate,
  TbsFields,
} from "./certificate_options.ts";
import {
  authorityKeyIdentifier,
  basicConstraints,
  encodeExtension,
  extendedKeyUsage,
  type Extension,
  keyUsage,
  type KeyUsageName,
  nameConstraints,
  subjectAltName,
  subjectKeyIdentifier,
} from "./extensions.ts";
import { writePem } from "../x509/pem.ts";
import { keyIdentifierOf, type MintedKey, mintKey } from "./keys.ts";
import { encodeName, type GeneralName, isIpLiteral } from "./names.ts";
import { signatureAlgorithm, signBytes } from "./signing.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const CA_DAYS = 3_650;
const LEAF_DAYS = 90;
const SERIAL_BYTES = 16;

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
    pem: writePem("CERTIFICATE", der),
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
