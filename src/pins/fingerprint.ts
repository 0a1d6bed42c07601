/**
 * Fingerprints: hashes of certificates and of their public keys.
 *
 * @module
 */
import type { Bytes, CryptoRoutine, HashName } from "../crypto/routine.ts";
import { runWithWebCrypto } from "../crypto/webcrypto.ts";
import { PolicyError } from "../errors.ts";
import { checkOptionNames } from "../option_names.ts";
import { quoteText } from "../text.ts";
import { type Certificate, recordOf } from "../x509/certificate.ts";
import { digestsOf } from "../x509/digests.ts";
import { DIGEST_BYTES, makePin, type Pin } from "./value.ts";

/**
 * The fingerprints of several certificates, in their order.
 *
 * Asks for those alone that no earlier call has computed: a certificate seen
 * before costs nothing.
 */
export function* fingerprintsRoutine(
  certificates: readonly Certificate[],
  of: Pin["of"],
  hash: HashName,
): CryptoRoutine<readonly Bytes[]> {
  const wanted = certificates.map((one) => [recordOf(one), of] as const);
  return yield* digestsOf(wanted, hash);
}

/** The fingerprint of one certificate. */
export function* fingerprintRoutine(
  certificate: Certificate,
  of: Pin["of"],
  hash: HashName,
): CryptoRoutine<Bytes> {
  return (yield* fingerprintsRoutine([certificate], of, hash))[0];
}

/**
 * Computes the fingerprint of a certificate, as a pin.
 *
 * Hashes the whole DER SubjectPublicKeyInfo as it stands in the certificate
 * (RFC 7469, section 2.4), or the whole DER certificate. Verifies nothing:
 * neither signatures nor dates.
 *
 * @example
 * ```ts
 * import { fingerprint, parseCertificates } from "@certpin/certpin";
 * import { mintChain } from "@certpin/certpin/testing";
 *
 * const { pem } = await mintChain();
 * const [leaf] = parseCertificates(pem);
 * console.log(`${await fingerprint(leaf)}`); // sha256/…=
 * ```
 * @param certificate A certificate that `parseCertificates` made.
 * @param options What to hash, default `spki`; and how, default `sha256`.
 * @returns A frozen pin.
 * @throws {CertificateError} `ERR_CERTPIN_CERTIFICATE_FOREIGN`.
 * @throws {PolicyError} `ERR_CERTPIN_PIN_HASH` for a hash that is not SHA-2,
 * `ERR_CERTPIN_PIN_INVALID` for an unknown `of`.
 * @throws {TypeError} for an unknown option, or options that are not an object.
 */
export async function fingerprint(
  certificate: Certificate,
  options: { of?: Pin["of"]; hash?: HashName } = {},
): Promise<Pin> {
  checkOptionNames("fingerprint", options, ["of", "hash"]);
  const { of = "spki", hash = "sha256" } = options;
  if (!Object.hasOwn(DIGEST_BYTES, hash)) {
    throw new PolicyError(
      "ERR_CERTPIN_PIN_HASH",
      `Cannot fingerprint with ${
        quoteText(String(hash))
      }: use sha256, sha384 or sha512`,
    );
  }
  if (of !== "spki" && of !== "certificate") {
    throw new PolicyError(
      "ERR_CERTPIN_PIN_INVALID",
      `Cannot fingerprint ${
        quoteText(String(of))
      }: use "spki" or "certificate"`,
    );
  }
  const digest = await runWithWebCrypto(
    fingerprintRoutine(certificate, of, hash),
  );
  return makePin(of, hash, digest);
}
