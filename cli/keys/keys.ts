/**
 * Keys wherever they are kept: the SPKI of public keys, private keys,
 * certificate requests, certificates and PKCS#12 files, PEM or DER.
 *
 * @module
 */
import * as pkijs from "pkijs";
import { type Certificate, CertificateError } from "@certpin/certpin";
import {
  type Bytes,
  bytesEqual,
  type DerValue,
  parseDer,
  quoteText,
  readDer,
  readPem,
  recordOf,
  sequence,
  TAG,
} from "@certpin/certpin/internal";
import { MAX_KEY_FILE_ENTRIES, MAX_KEY_FILE_LENGTH } from "../limits.ts";
import { encode, parse, reading } from "./asn1.ts";
import {
  decryptPrivateKey,
  encryptionError,
  type Passphrase,
  passphraseError,
} from "./pbes2.ts";
import { readPkcs12 } from "./pkcs12.ts";
import {
  type DerivePublicKey,
  spkiOfPrivateKey,
  spkiOfRsaPublicKey,
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

/** Labels that stand beside keys and hold none. */
const PEM_BYSTANDERS: ReadonlySet<string> = new Set([
  "EC PARAMETERS",
  "DH PARAMETERS",
  "X509 CRL",
]);

function formatError(message: string): never {
  throw new CertificateError("ERR_CERTPIN_KEY_FORMAT", message);
}

/** Elements by their tags, for {@linkcode LABELS}. */
const LETTERS: ReadonlyMap<number, string> = new Map([
  [TAG.sequence, "S"],
  [TAG.bitString, "B"],
  [TAG.octetString, "O"],
  [TAG.integer, "I"],
  [0xa0, "0"],
  [0xa1, "1"],
]);

/** The PEM label that each DER structure would have, by its elements. */
const LABELS: readonly (readonly [elements: RegExp, label: string])[] = [
  [/^ISS?$/, "PKCS12"],
  [/^SB$/, "PUBLIC KEY"],
  [/^SO$/, "ENCRYPTED PRIVATE KEY"],
  [/^II$/, "RSA PUBLIC KEY"],
  [/^I{9}$/, "RSA PRIVATE KEY"],
  [/^IO0?1?$/, "EC PRIVATE KEY"],
  [/^ISO/, "PRIVATE KEY"],
];

function labelOf({ tag, children }: DerValue): string | undefined {
  if (tag !== TAG.sequence) return undefined;
  const row = children.map(({ tag }) => LETTERS.get(tag) ?? "?").join("");
  if (row === "SSB") {
    // TBSCertificate has at least six elements, CertificationRequestInfo four.
    return children[0].children.length <= 4
      ? "CERTIFICATE REQUEST"
      : "CERTIFICATE";
  }
  return LABELS.find(([elements]) => elements.test(row))?.[1];
}

/** The SPKI in a request (RFC 2986), or the whole, as it stands; pkijs must read the same octets. */
function writtenSpki(label: string, bytes: Bytes): Bytes {
  return reading(`the ${label.toLowerCase()}`, () => {
    let written = readDer(bytes);
    let seen: pkijs.PublicKeyInfo;
    if (label === "PUBLIC KEY") {
      seen = new pkijs.PublicKeyInfo({ schema: parse(bytes) });
    } else {
      const [info] = sequence(written, "the request", 3, 3);
      written = sequence(info, "the request", 3, 4)[2];
      seen = new pkijs.CertificationRequest({ schema: parse(bytes) })
        .subjectPublicKeyInfo;
    }
    if (!bytesEqual(encode(seen.toSchema()), written.raw)) {
      throw new Error("pkijs reads another key");
    }
    return written.raw.slice();
  });
}

class KeyReader {
  readonly entries: KeyEntry[] = [];
  readonly #derive: DerivePublicKey | undefined;
  readonly #passphrase: Passphrase;

  constructor({ derivePublicKey, passphrase }: ReadKeysOptions) {
    this.#derive = derivePublicKey;
    let asked: Promise<string> | undefined;
    this.#passphrase = () => {
      if (passphrase === undefined) {
        passphraseError("Cannot decrypt: it needs a passphrase");
      }
      return asked ??= Promise.resolve(passphrase());
    };
  }

  #add(entry: KeyEntry): void {
    if (this.entries.length >= MAX_KEY_FILE_ENTRIES) {
      formatError(`Cannot read over ${MAX_KEY_FILE_ENTRIES} keys at once`);
    }
    this.entries.push(Object.freeze(entry));
  }

  /** Reads what a PEM label says that the DER is. */
  async read(label: string, bytes: Bytes): Promise<void> {
    switch (label) {
      case "CERTIFICATE":
      case "X509 CERTIFICATE": {
        const certificate = parseDer(bytes);
        const spki = recordOf(certificate).spki.slice();
        return this.#add({ kind: "certificate", spki, certificate });
      }
      case "CERTIFICATE REQUEST":
      case "NEW CERTIFICATE REQUEST": {
        const spki = writtenSpki(label, bytes);
        return this.#add({ kind: "certificate-request", spki });
      }
      case "PUBLIC KEY": {
        const spki = writtenSpki(label, bytes);
        return this.#add({ kind: "public-key", spki });
      }
      case "RSA PUBLIC KEY":
        return this.#add({
          kind: "public-key",
          spki: spkiOfRsaPublicKey(bytes),
        });
      case "ENCRYPTED PRIVATE KEY": {
        const plain = await decryptPrivateKey(bytes, this.#passphrase);
        return await this.read("PRIVATE KEY", plain);
      }
      case "RSA PRIVATE KEY":
      case "EC PRIVATE KEY":
      case "PRIVATE KEY": {
        const spki = await spkiOfPrivateKey(label, bytes, this.#derive);
        return this.#add({ kind: "private-key", spki });
      }
      case "PKCS12":
        for (const item of await readPkcs12(bytes, this.#passphrase)) {
          await this.read(item.label, item.der);
        }
        return;
      case "OPENSSH PRIVATE KEY":
        return formatError(
          "Cannot use an OpenSSH key; convert a copy with `ssh-keygen -p -m PKCS8`",
        );
      default:
        formatError(`Cannot use a PEM block labelled ${quoteText(label)}`);
    }
  }

  async readPem(text: string): Promise<void> {
    // RFC 1421's headers are how OpenSSL marks its oldest encryption.
    if (/^Proc-Type:.*ENCRYPTED/im.test(text)) {
      encryptionError("the encryption of a PEM with Proc-Type");
    }
    for (
      const { label, bytes } of readPem(text, (it) => !PEM_BYSTANDERS.has(it))
    ) await this.read(label, bytes);
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
    const label = isDer ? labelOf(readDer(bytes)) : undefined;
    if (label === undefined) {
      formatError(
        "Unknown file format: neither PEM nor DER of a certificate, request, public key, private key or PKCS#12 file",
      );
    }
    await reader.read(label, bytes);
  }
  if (reader.entries.length === 0) {
    formatError("Cannot find a key in the file");
  }
  return reader.entries;
}
