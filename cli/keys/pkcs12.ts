/**
 * What a PKCS#12 file (RFC 7292) holds: certificates and private keys, their
 * integrity checked and their encryption PBES2 or none.
 *
 * @module
 */
import * as asn1js from "asn1js";
import * as pkijs from "pkijs";
import { CertificateError } from "@certpin/certpin";
import type { Bytes } from "@certpin/certpin/internal";
import { MAX_PKCS12_BAGS, MAX_PKCS12_MAC_ITERATIONS } from "../limits.ts";
import { encode, parse, reading } from "./asn1.ts";
import {
  checkCount,
  checkPbes2,
  decryptBag,
  decryptPbes2,
  encryptionError,
  type Passphrase,
  passphraseError,
  passwordBytes,
} from "./pbes2.ts";

const PBMAC1 = "1.2.840.113549.1.5.14";
const WHAT = "the PKCS#12 file";
/** Longest salt of the MAC, in bytes. */
const MAX_MAC_SALT_BYTES = 1_024;

/** One thing in the file, as DER. */
export interface Pkcs12Item {
  /** What PEM would call it. */
  readonly label: "CERTIFICATE" | "PRIVATE KEY";
  readonly der: Bytes;
}

function formatError(message: string): never {
  throw new CertificateError(
    "ERR_CERTPIN_KEY_FORMAT",
    `Cannot read ${WHAT}: ${message}`,
  );
}

/** The bytes of an OCTET STRING. */
function octets(content: unknown): Bytes {
  if (!(content instanceof asn1js.OctetString)) {
    return formatError("its content is not an OCTET STRING");
  }
  return new Uint8Array(content.getValue());
}

function readBags(bytes: Bytes): pkijs.SafeBag[] {
  return reading(
    WHAT,
    () => new pkijs.SafeContents({ schema: parse(bytes) }).safeBags,
  );
}

/** The bags of a content, those of nested contents in their places. */
function flatten(bags: readonly pkijs.SafeBag[]): pkijs.SafeBag[] {
  return bags.flatMap((bag) =>
    bag.bagValue instanceof pkijs.SafeContents
      ? flatten(bag.bagValue.safeBags)
      : [bag]
  );
}

/** One content of the file: the bags, or what they are encrypted in. */
type Content =
  | { readonly bags: readonly pkijs.SafeBag[] }
  | { readonly encrypted: pkijs.EncryptedContentInfo };

/** Reads a content; refuses encryption that cannot be undone, before anybody is asked for a passphrase. */
function readContent({ contentType, content }: pkijs.ContentInfo): Content {
  switch (contentType) {
    case pkijs.ContentInfo.DATA: {
      const bags = flatten(readBags(octets(content)));
      for (const { bagValue } of bags) {
        if (bagValue instanceof pkijs.PKCS8ShroudedKeyBag) {
          checkPbes2(bagValue.encryptionAlgorithm);
        }
      }
      return { bags };
    }
    case pkijs.ContentInfo.ENCRYPTED_DATA: {
      const { encryptedContentInfo } = new pkijs.EncryptedData({
        schema: content,
      });
      checkPbes2(encryptedContentInfo.contentEncryptionAlgorithm);
      return { encrypted: encryptedContentInfo };
    }
    default:
      return encryptionError(`the content type ${contentType}`);
  }
}

/** The MAC key's derivation, bounded: pkijs hashes without asking how often. */
function checkMac({ mac, macSalt, iterations }: pkijs.MacData): void {
  const { algorithmId } = mac.digestAlgorithm;
  if (algorithmId === PBMAC1) {
    throw new CertificateError(
      "ERR_CERTPIN_KEY_ENCRYPTION",
      `Cannot check ${WHAT}: its MAC is PBMAC1 (RFC 9579), which is not supported; ` +
        "write it anew with `openssl pkcs12 -export -macalg sha256` and without -pbmac1_pbkdf2",
    );
  }
  const { name } = pkijs.getAlgorithmByOID<Algorithm>(
    algorithmId,
    false,
  ) as Partial<Algorithm>;
  if (!name?.startsWith("SHA-")) encryptionError(`the MAC hash ${algorithmId}`);
  if (iterations !== undefined) {
    checkCount(
      iterations,
      "the MAC iteration count",
      MAX_PKCS12_MAC_ITERATIONS,
    );
  }
  if (macSalt.valueBlock.valueHexView.length > MAX_MAC_SALT_BYTES) {
    formatError("the MAC salt is too long");
  }
}

async function verifyMac(
  pfx: pkijs.PFX,
  passphrase: Passphrase,
): Promise<void> {
  const password = passwordBytes(await passphrase());
  try {
    await pfx.parseInternalValues({ password, checkIntegrity: true });
  } catch (cause) {
    passphraseError(
      "Cannot open the PKCS#12 file: the passphrase is wrong, or the file was changed",
      cause,
    );
  }
}

/** The item in a bag; CRLs and secrets hold no key that TLS would show. */
async function itemsIn(
  { bagValue }: pkijs.SafeBag,
  passphrase: Passphrase,
): Promise<Pkcs12Item[]> {
  if (bagValue instanceof pkijs.PKCS8ShroudedKeyBag) {
    const der = await decryptBag(bagValue, passphrase);
    return [{ label: "PRIVATE KEY", der }];
  }
  if (bagValue instanceof pkijs.PrivateKeyInfo) {
    return [{ label: "PRIVATE KEY", der: encode(bagValue.toSchema()) }];
  }
  return bagValue instanceof pkijs.CertBag
    ? [{ label: "CERTIFICATE", der: octets(bagValue.certValue) }]
    : [];
}

/**
 * Reads a PKCS#12 file: its MAC first (where it has one), then its bags.
 *
 * @throws {CertificateError} `ERR_CERTPIN_KEY_ENCRYPTION` for anything older
 * than PBES2, and for PBMAC1; `ERR_CERTPIN_KEY_PASSPHRASE`,
 * `ERR_CERTPIN_KEY_FORMAT`, `ERR_CERTPIN_CERTIFICATE_DER`.
 */
export async function readPkcs12(
  bytes: Bytes,
  passphrase: Passphrase,
): Promise<Pkcs12Item[]> {
  const [pfx, contents] = reading(WHAT, () => {
    const pfx = new pkijs.PFX({ schema: parse(bytes) });
    if (pfx.authSafe.contentType !== pkijs.ContentInfo.DATA) {
      encryptionError("a PKCS#12 file signed with a certificate");
    }
    const { safeContents } = new pkijs.AuthenticatedSafe({
      schema: parse(octets(pfx.authSafe.content)),
    });
    if (pfx.macData) checkMac(pfx.macData);
    return [pfx, safeContents.map(readContent)] as const;
  });
  if (pfx.macData) await verifyMac(pfx, passphrase);
  const items: Pkcs12Item[] = [];
  let seen = 0;
  for (const content of contents) {
    const bags = "bags" in content
      ? content.bags
      : flatten(readBags(await decryptPbes2(content.encrypted, passphrase)));
    seen += bags.length;
    if (seen > MAX_PKCS12_BAGS) formatError("too many bags");
    for (const bag of bags) items.push(...await itemsIn(bag, passphrase));
  }
  return items;
}
