/**
 * What a PKCS#12 file (RFC 7292) holds: certificates and private keys, their
 * integrity checked and their encryption PBES2 or none.
 *
 * @module
 */
import { CertificateError } from "@certpin/certpin";
import {
  type Bytes,
  type DerValue,
  expectTag,
  readDer,
  readOid,
  sequence,
  TAG,
} from "@certpin/certpin/internal";
import { MAX_PKCS12_BAGS } from "../limits.ts";
import {
  decryptPbes2,
  encryptionError,
  passphraseError,
  requirePbes2,
} from "./pbes2.ts";
import { verifyMac } from "./pkcs12_mac.ts";

const DATA = "1.2.840.113549.1.7.1";
const ENCRYPTED_DATA = "1.2.840.113549.1.7.6";
const X509_CERTIFICATE = "1.2.840.113549.1.9.22.1";

const KEY_BAG = "1.2.840.113549.1.12.10.1.1";
const SHROUDED_KEY_BAG = "1.2.840.113549.1.12.10.1.2";
const CERT_BAG = "1.2.840.113549.1.12.10.1.3";
const SAFE_CONTENTS_BAG = "1.2.840.113549.1.12.10.1.6";

/** One thing in the file, as DER. */
export interface Pkcs12Item {
  readonly kind: "certificate" | "private-key";
  readonly der: Bytes;
}

function formatError(message: string): never {
  throw new CertificateError(
    "ERR_CERTPIN_KEY_FORMAT",
    `Cannot read the PKCS#12 file: ${message}`,
  );
}

/** The single child of a context tag. */
function inside(value: DerValue | undefined, tag: number, what: string) {
  const { children } = expectTag(value, tag, what);
  if (children.length !== 1) formatError(`${what} has no single value`);
  return children[0];
}

/** Refuses encryption that we cannot undo, before anybody is asked for a passphrase. */
function refuseLegacy(infos: readonly DerValue[]): void {
  for (const info of infos) {
    const [type, wrapped] = sequence(info, "the PKCS#12 content", 2, 2);
    const value = inside(wrapped, 0xa0, "the PKCS#12 content");
    if (readOid(type, "the PKCS#12 content") === ENCRYPTED_DATA) {
      const [, encrypted] = sequence(value, "the encrypted content", 2, 3);
      requirePbes2(sequence(encrypted, "encrypted content", 3, 3)[1]);
      continue;
    }
    if (value.tag !== TAG.octetString) continue;
    for (const bag of sequence(readDer(value.content), "the PKCS#12 bags")) {
      const [id, shrouded] = sequence(bag, "a PKCS#12 bag", 2, 3);
      if (readOid(id, "a PKCS#12 bag") !== SHROUDED_KEY_BAG) continue;
      const key = inside(shrouded, 0xa0, "a PKCS#12 bag");
      requirePbes2(sequence(key, "the encrypted key", 2, 2)[0]);
    }
  }
}

async function contentsOf(
  info: DerValue,
  passphrase: () => Promise<string>,
): Promise<Bytes> {
  const [type, wrapped] = sequence(info, "the PKCS#12 content", 2, 2);
  const oid = readOid(type, "the PKCS#12 content");
  const value = inside(wrapped, 0xa0, "the PKCS#12 content");
  if (oid === DATA) {
    return expectTag(value, TAG.octetString, "the PKCS#12 content").content;
  }
  if (oid !== ENCRYPTED_DATA) encryptionError(`the content type ${oid}`);
  const [, encrypted] = sequence(value, "the encrypted content", 2, 3);
  const [, algorithm, bytes] = sequence(encrypted, "encrypted content", 3, 3);
  const { content } = expectTag(bytes, 0x80, "the encrypted content");
  return await decryptPbes2(algorithm, content, passphrase);
}

class Bags {
  readonly items: Pkcs12Item[] = [];
  #seen = 0;
  readonly #passphrase: () => Promise<string>;

  constructor(passphrase: () => Promise<string>) {
    this.#passphrase = passphrase;
  }

  /** Reads SafeContents; nested ones count against the same bound. */
  async read(contents: DerValue): Promise<void> {
    for (const bag of sequence(contents, "the PKCS#12 bags")) {
      if (++this.#seen > MAX_PKCS12_BAGS) formatError("too many bags");
      const [type, wrapped] = sequence(bag, "a PKCS#12 bag", 2, 3);
      const value = inside(wrapped, 0xa0, "a PKCS#12 bag");
      switch (readOid(type, "a PKCS#12 bag")) {
        case KEY_BAG:
          this.items.push({ kind: "private-key", der: value.raw });
          break;
        case SHROUDED_KEY_BAG: {
          const der = await decryptPrivateKey(value, this.#passphrase);
          this.items.push({ kind: "private-key", der });
          break;
        }
        case CERT_BAG: {
          const [kind, wrappedDer] = sequence(value, "a certificate bag", 2, 2);
          if (readOid(kind, "a certificate bag") !== X509_CERTIFICATE) break;
          const bytes = inside(wrappedDer, 0xa0, "a certificate bag");
          const der = expectTag(bytes, TAG.octetString, "a certificate bag");
          this.items.push({ kind: "certificate", der: der.content });
          break;
        }
        case SAFE_CONTENTS_BAG:
          await this.read(value);
          break;
        default:
          // CRLs and secrets hold no key that TLS would show.
          break;
      }
    }
  }
}

/**
 * Decrypts an EncryptedPrivateKeyInfo (RFC 5958, section 3) to PKCS#8.
 *
 * @throws {CertificateError} `ERR_CERTPIN_KEY_ENCRYPTION`,
 * `ERR_CERTPIN_KEY_PASSPHRASE`.
 */
export async function decryptPrivateKey(
  der: DerValue,
  passphrase: () => Promise<string>,
): Promise<Bytes> {
  const [algorithm, data] = sequence(der, "the encrypted key", 2, 2);
  const { content } = expectTag(data, TAG.octetString, "the encrypted key");
  const plain = await decryptPbes2(algorithm, content, passphrase);
  try {
    readDer(plain);
  } catch (cause) {
    // One wrong passphrase in about 256 leaves padding that looks right.
    passphraseError("Cannot decrypt: the passphrase is wrong", cause);
  }
  return plain;
}

/** Whether a value has the shape of PFX: version 3 and a ContentInfo. */
export function isPkcs12(der: DerValue): boolean {
  const [version, info] = der.children;
  return der.tag === TAG.sequence && version?.tag === TAG.integer &&
    version.content.length === 1 && version.content[0] === 3 &&
    info?.tag === TAG.sequence && info.children[0]?.tag === TAG.oid;
}

/**
 * Reads a PKCS#12 file: its MAC first (where it has one), then its bags.
 *
 * @throws {CertificateError} `ERR_CERTPIN_KEY_ENCRYPTION` for anything older
 * than PBES2, `ERR_CERTPIN_KEY_PASSPHRASE`, `ERR_CERTPIN_KEY_FORMAT`,
 * `ERR_CERTPIN_CERTIFICATE_DER`.
 */
export async function readPkcs12(
  der: DerValue,
  passphrase: () => Promise<string>,
): Promise<Pkcs12Item[]> {
  const [, authSafe, mac] = sequence(der, "the PKCS#12 file", 2, 3);
  const [type, wrapped] = sequence(authSafe, "the PKCS#12 content", 2, 2);
  if (readOid(type, "the PKCS#12 content") !== DATA) {
    encryptionError("a PKCS#12 file signed with a certificate");
  }
  const { content } = expectTag(
    inside(wrapped, 0xa0, "the PKCS#12 content"),
    TAG.octetString,
    "the PKCS#12 content",
  );
  const infos = sequence(readDer(content), "the PKCS#12 contents");
  refuseLegacy(infos);
  if (mac !== undefined) {
    await verifyMac(mac, content, await passphrase());
  }
  const bags = new Bags(passphrase);
  for (const info of infos) {
    await bags.read(readDer(await contentsOf(info, passphrase)));
  }
  return bags.items;
}
