/**
 * Key files through pkijs, behind the strict DER check of certificates.
 *
 * @module
 */
import * as asn1js from "asn1js";
import { CertificateError } from "@certpin/certpin";
import { type Bytes, readDer } from "@certpin/certpin/internal";
import { MAX_KEY_FILE_LENGTH } from "../limits.ts";

/** Parses exactly one value of strict DER. */
export function parse(bytes: Bytes): asn1js.BaseBlock {
  readDer(bytes);
  const { offset, result } = asn1js.fromBER(bytes, {
    parseEmbedded: false,
    maxContentLength: MAX_KEY_FILE_LENGTH,
  });
  if (offset !== bytes.length) throw new Error(result.error);
  return result as asn1js.BaseBlock;
}

/**
 * Runs a reading by pkijs, whose errors are all about the file.
 *
 * @throws {CertificateError} `ERR_CERTPIN_CERTIFICATE_DER` where it fails for
 * another reason than an error of certpin's own.
 */
export function reading<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof CertificateError) throw error;
    // The library's message may quote the file; ours must not.
    throw new CertificateError(
      "ERR_CERTPIN_CERTIFICATE_DER",
      `Cannot read ${what}: it does not have the expected structure`,
    );
  }
}

/** The elements of a constructed value. */
export function elements(block: unknown): readonly asn1js.BaseBlock[] {
  return block instanceof asn1js.Constructed ? block.valueBlock.value : [];
}

/** The DER of what pkijs or asn1js holds, in fresh bytes. */
export function encode(value: { toBER(): ArrayBuffer }): Bytes {
  return new Uint8Array(value.toBER());
}
