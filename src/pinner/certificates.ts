/**
 * Certificates parsed once: a chain seen before costs only its digests.
 *
 * @module
 */
import { encodeHex } from "@std/encoding/hex";
import { type Bytes, digests, type Steps } from "../crypto/steps.ts";
import { MAX_CACHED_CERTIFICATES } from "../limits.ts";
import { type Certificate, parseDer, recordOf } from "../x509/certificate.ts";

/**
 * Parsed certificates by the SHA-256 of their DER. Parsing depends on these
 * bytes alone, so an entry stays right for good. Bounded: the least recently
 * used goes first.
 */
export class CertificateCache {
  /** Certificates parsed so far, for tests that count work. */
  parsed = 0;
  readonly #certificates = new Map<string, Certificate>();

  /** Certificates held now. */
  get size(): number {
    return this.#certificates.size;
  }

  /** Parses certificates from bytes that nobody else holds; throws as `parseDer` does. */
  *parse(ders: readonly Bytes[]): Steps<readonly Certificate[]> {
    const keys = yield* digests("sha256", ders);
    return ders.map((der, index) =>
      this.#get(encodeHex(keys[index]), der, keys[index])
    );
  }

  #get(key: string, der: Bytes, digest: Bytes): Certificate {
    let certificate = this.#certificates.get(key);
    if (certificate === undefined) {
      this.parsed++;
      certificate = parseDer(der);
      recordOf(certificate).digestMemo.set("certificate:sha256", digest);
    } else this.#certificates.delete(key);
    this.#certificates.set(key, certificate);
    if (this.#certificates.size > MAX_CACHED_CERTIFICATES) {
      const [oldest] = this.#certificates.keys();
      this.#certificates.delete(oldest);
    }
    return certificate;
  }
}
