/**
 * The second opinion: pkijs reads the certificate too and must see the same.
 *
 * Two parsers that read different things in the same bytes are how checks are
 * talked past. So what our strict reader saw counts only if a parser that has
 * nothing in common with it saw exactly that.
 *
 * @module
 */
import { Certificate as PkijsCertificate } from "pkijs";
import type { Bytes } from "../crypto/steps.ts";
import { bytesEqual, derError } from "./der.ts";
import type { Layout } from "./layout.ts";

const same = (buffer: ArrayBuffer | Uint8Array, bytes: Bytes) =>
  bytesEqual(
    buffer instanceof Uint8Array ? buffer : new Uint8Array(buffer),
    bytes,
  );

/**
 * Reads the certificate with pkijs and compares.
 *
 * @throws {CertificateError} `ERR_CERTPIN_CERTIFICATE_DER` where pkijs cannot
 * read it or reads something else.
 */
export function confirmLayout(der: Bytes, layout: Layout): void {
  let seen: PkijsCertificate;
  try {
    seen = PkijsCertificate.fromBER(der);
  } catch {
    // The library's message may quote the input; ours must not.
    derError("Cannot read the certificate: a second reader does not accept it");
  }
  const { publicKey } = layout;
  const extensions = seen.extensions ?? [];
  const agreed = same(seen.tbsView, layout.tbs) &&
    seen.version === layout.version - 1 &&
    same(seen.serialNumber.valueBlock.valueHexView, layout.serialNumber) &&
    seen.signature.algorithmId === layout.innerAlgorithm.oid &&
    seen.signatureAlgorithm.algorithmId === layout.outerAlgorithm.oid &&
    same(seen.signatureValue.valueBlock.valueHexView, layout.signature) &&
    same(seen.issuer.valueBeforeDecode, layout.issuer.raw) &&
    same(seen.subject.valueBeforeDecode, layout.subject.raw) &&
    seen.notBefore.value.getTime() === layout.notBefore &&
    seen.notAfter.value.getTime() === layout.notAfter &&
    seen.subjectPublicKeyInfo.algorithm.algorithmId ===
      publicKey.algorithm.oid &&
    same(
      seen.subjectPublicKeyInfo.subjectPublicKey.valueBlock.valueHexView,
      publicKey.key,
    ) &&
    extensions.length === layout.extensions.length &&
    layout.extensions.every((extension, i) =>
      extensions[i].extnID === extension.oid &&
      extensions[i].critical === extension.critical &&
      same(extensions[i].extnValue.valueBlock.valueHexView, extension.value)
    );
  if (!agreed) {
    derError("Cannot read the certificate: two readers see different contents");
  }
}
