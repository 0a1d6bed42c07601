/**
 * Keys wherever they are kept: the SPKI of public keys, private keys,
 * certificate requests, certificates and PKCS#12 files, PEM or DER.
 *
 * @module
 */
import { type Certificate, CertificateError } from "@certpin/certpin";
import {
  type Bytes,
  type DerValue,
  expectTag,
  parseDer,
  quoteText,
  readDer,
  readPem,
  recordOf,
  sequence,
  TAG,
} from "@certpin/certpin/internal";
import { MAX_KEY_FILE_ENTRIES, MAX_KEY_FILE_LENGTH } from "../limits.ts";
import { encryptionError, passphraseError } from "./pbes2.ts";
import { decryptPrivateKey, isPkcs12, readPkcs12 } from "./pkcs12.ts";
import {
  type DerivePublicKey,
  spkiOfEcPrivateKey,
  spkiOfPkcs1,
  spkiOfPkcs8,
  spkiOfRsaPrivateKey,
} from "./private_key.ts";

export type { DerivePublicKey } from "./private_key.ts";

/** What a key was read from. */
export type KeyKind =
  | "certificate"
  | "certificate-request"
  | "public-key"
  | "private-key";

/** One key, as the SPKI that a certificate for it carries. */
export interface KeyEntry {
  /** What it was read from. */
  readonly kind: KeyKind;
  /** DER SubjectPublicKeyInfo. */
  readonly spki: Bytes;
  /** The certificate, for the kind `certificate`. */
  readonly certificate?: Certificate;
}

/** How {@linkcode readKeys} gets what it cannot know. */
export interface ReadKeysOptions {
  /** Asked at most once, and only where something is encrypted. */
  readonly passphrase?: () => string | Promise<string>;
  /** Computes public halves that WebCrypto cannot. */
  readonly derivePublicKey?: DerivePublicKey;
}

type Shape =
  | "certificate"
  | "certificate-request"
  | "public-key"
  | "pkcs1-public"
  | "pkcs1-private"
  | "pkcs8"
  | "encrypted-pkcs8"
  | "sec1"
  | "pkcs12";

/** PEM labels (RFC 7468, and OpenSSL's older ones) and what stands in them. */
const PEM_SHAPES: Readonly<Record<string, Shape>> = {
  "CERTIFICATE": "certificate",
  "X509 CERTIFICATE": "certificate",
  "CERTIFICATE REQUEST": "certificate-request",
  "NEW CERTIFICATE REQUEST": "certificate-request",
  "PUBLIC KEY": "public-key",
  "RSA PUBLIC KEY": "pkcs1-public",
  "PRIVATE KEY": "pkcs8",
  "ENCRYPTED PRIVATE KEY": "encrypted-pkcs8",
  "RSA PRIVATE KEY": "pkcs1-private",
  "EC PRIVATE KEY": "sec1",
  "PKCS12": "pkcs12",
};

/** Labels that stand beside keys and hold none. */
const PEM_BYSTANDERS: ReadonlySet<string> = new Set([
  "EC PARAMETERS",
  "DH PARAMETERS",
  "X509 CRL",
]);

function formatError(message: string): never {
  throw new CertificateError("ERR_CERTPIN_KEY_FORMAT", message);
}

/** Tells the structures apart by their first elements. */
function shapeOf(der: DerValue): Shape | undefined {
  if (der.tag !== TAG.sequence) return undefined;
  if (isPkcs12(der)) return "pkcs12";
  const fields = der.children;
  switch (fields.map((field) => letters.get(field.tag) ?? "?").join("")) {
    case "SSB":
      // TBSCertificate has at least six fields, CertificationRequestInfo four.
      return fields[0].children.length <= 4
        ? "certificate-request"
        : "certificate";
    case "SB":
      return "public-key";
    case "SO":
      return "encrypted-pkcs8";
    case "II":
      return "pkcs1-public";
    case "IIIIIIIII":
      return "pkcs1-private";
    case "IO":
    case "IO0":
    case "IO1":
    case "IO01":
      return "sec1";
  }
  const [version, algorithm, key] = fields;
  const isPkcs8 = version?.tag === TAG.integer &&
    algorithm?.tag === TAG.sequence && key?.tag === TAG.octetString;
  return isPkcs8 ? "pkcs8" : undefined;
}

const letters: ReadonlyMap<number, string> = new Map([
  [TAG.sequence, "S"],
  [TAG.bitString, "B"],
  [TAG.octetString, "O"],
  [TAG.integer, "I"],
  [0xa0, "0"],
  [0xa1, "1"],
]);

/** The SPKI of a CertificationRequest (RFC 2986), as it stands there. */
function spkiOfRequest(der: DerValue): Bytes {
  const [info] = sequence(der, "the certificate request", 3, 3);
  const [, , spki] = sequence(info, "the certificate request", 3, 4);
  return checkedSpki(spki);
}

function checkedSpki(der: DerValue | undefined): Bytes {
  const [algorithm, key] = sequence(der, "the public key", 2, 2);
  const [oid] = sequence(algorithm, "the key's algorithm", 1, 2);
  expectTag(oid, TAG.oid, "the key's algorithm");
  expectTag(key, TAG.bitString, "the public key");
  return der!.raw.slice();
}

function checkedPkcs1(der: DerValue): Bytes {
  const fields = sequence(der, "the RSA public key", 2, 2);
  for (const field of fields) expectTag(field, TAG.integer, "the RSA key");
  return spkiOfPkcs1(der.raw);
}

class KeyReader {
  readonly entries: KeyEntry[] = [];
  readonly #derive: DerivePublicKey | undefined;
  readonly #passphrase: () => Promise<string>;

  constructor(options: ReadKeysOptions) {
    this.#derive = options.derivePublicKey;
    let asked: Promise<string> | undefined;
    this.#passphrase = () => {
      const { passphrase } = options;
      if (passphrase === undefined) {
        passphraseError("Cannot decrypt: it needs a passphrase");
      }
      return asked ??= Promise.resolve(passphrase());
    };
  }

  #add(kind: KeyKind, spki: Bytes, certificate?: Certificate): void {
    if (this.entries.length >= MAX_KEY_FILE_ENTRIES) {
      formatError(`Cannot read over ${MAX_KEY_FILE_ENTRIES} keys at once`);
    }
    this.entries.push(
      Object.freeze(
        certificate === undefined
          ? { kind, spki }
          : { kind, spki, certificate },
      ),
    );
  }

  #certificate(bytes: Bytes): void {
    const certificate = parseDer(bytes);
    this.#add("certificate", recordOf(certificate).spki.slice(), certificate);
  }

  async read(shape: Shape, bytes: Bytes): Promise<void> {
    if (shape === "certificate") return this.#certificate(bytes);
    const der = readDer(bytes);
    switch (shape) {
      case "certificate-request":
        return this.#add(shape, spkiOfRequest(der));
      case "public-key":
        return this.#add(shape, checkedSpki(der));
      case "pkcs1-public":
        return this.#add("public-key", checkedPkcs1(der));
      case "pkcs1-private":
        return this.#add("private-key", spkiOfRsaPrivateKey(der));
      case "sec1":
        return this.#add(
          "private-key",
          await spkiOfEcPrivateKey(der, this.#derive),
        );
      case "pkcs8":
        return this.#add("private-key", await spkiOfPkcs8(der, this.#derive));
      case "encrypted-pkcs8": {
        const plain = await decryptPrivateKey(der, this.#passphrase);
        return await this.read("pkcs8", plain);
      }
      case "pkcs12":
        for (const item of await readPkcs12(der, this.#passphrase)) {
          if (item.kind === "certificate") this.#certificate(item.der);
          else await this.read("pkcs8", item.der);
        }
    }
  }

  async readPem(text: string): Promise<void> {
    // RFC 1421's headers are how OpenSSL marks its oldest encryption.
    if (/^Proc-Type:.*ENCRYPTED/im.test(text)) {
      encryptionError("the encryption of a PEM with Proc-Type");
    }
    for (
      const { label, bytes } of readPem(text, (it) => !PEM_BYSTANDERS.has(it))
    ) {
      const shape = PEM_SHAPES[label];
      if (shape !== undefined) {
        await this.read(shape, bytes);
        continue;
      }
      const hint = label === "OPENSSH PRIVATE KEY"
        ? "; convert a copy with `ssh-keygen -p -m PKCS8`"
        : "";
      formatError(
        `Cannot use a PEM block labelled ${quoteText(label)}${hint}`,
      );
    }
  }
}

const PEM_BEGIN = "-----BEGIN ";

/** The text, if the input is PEM. */
function pemText(input: string | Uint8Array): string | undefined {
  if (typeof input === "string") return input;
  // DER begins with a SEQUENCE whose second octet, a length, makes no text
  // that also holds a PEM border.
  const text = new TextDecoder("latin1").decode(input);
  return text.includes(PEM_BEGIN) && input[0] !== TAG.sequence
    ? text
    : undefined;
}

/**
 * Reads every key in a file: public keys (SPKI, PKCS#1), private keys
 * (PKCS#8, PKCS#1, SEC1), PBES2-encrypted PKCS#8, certificate requests,
 * certificates, PKCS#12 with PBES2; PEM (one or many) or DER.
 *
 * Verifies no signature, not even a request's own. What a key cannot be used
 * for (a curve that TLS does not know) is not evaluated here.
 *
 * @param input PEM as text or bytes, or DER as bytes.
 * @returns At least one entry, in the order of the file; SPKI bytes are copies.
 * @throws {CertificateError} `ERR_CERTPIN_KEY_FORMAT` (none of the above),
 * `ERR_CERTPIN_KEY_ALGORITHM`, `ERR_CERTPIN_KEY_ENCRYPTION` (older than PBES2,
 * or scrypt), `ERR_CERTPIN_KEY_PASSPHRASE` (missing or wrong), and those of
 * `parseCertificates`.
 */
export async function readKeys(
  input: string | Uint8Array,
  options: ReadKeysOptions = {},
): Promise<KeyEntry[]> {
  if (input.length > MAX_KEY_FILE_LENGTH) {
    formatError(`Cannot read a key file of over ${MAX_KEY_FILE_LENGTH} bytes`);
  }
  const reader = new KeyReader(options);
  const text = pemText(input);
  if (text !== undefined) {
    await reader.readPem(text);
  } else {
    const bytes = Uint8Array.from(input as Uint8Array);
    const isDer = bytes[0] === TAG.sequence;
    const shape = isDer ? shapeOf(readDer(bytes)) : undefined;
    if (shape === undefined) {
      formatError(
        "Cannot tell what this is: neither PEM nor the DER of a certificate, request, public or private key, or PKCS#12",
      );
    }
    await reader.read(shape, bytes);
  }
  if (reader.entries.length === 0) {
    formatError("Cannot find a key: the file holds none");
  }
  return reader.entries;
}
