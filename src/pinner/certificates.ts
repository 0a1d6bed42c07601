/**
 * Certificates parsed once: a chain seen before costs only its digests.
 *
 * @module
 */
import { encodeHex } from "@std/encoding/hex";
import { type Bytes, type CryptoRoutine, digests } from "../crypto/routine.ts";
import { CertificateError, LimitError } from "../errors.ts";
import {
  MAX_CACHED_CERTIFICATES,
  MAX_CACHED_CERTIFICATES_BYTES,
  MAX_CHAIN_VALUES,
} from "../limits.ts";
import { type Certificate, parseDer, recordOf } from "../x509/certificate.ts";

/** A presented chain, parsed. */
export interface ParsedChain {
  /** What could be read, in order; the leaf first. */
  readonly certificates: readonly Certificate[];
  /** Why others could not. */
  readonly unreadable: readonly CertificateError[];
}

/**
 * Parsed certificates by the SHA-256 of their DER. Parsing depends on these
 * bytes alone, so an entry stays right for good. Bounded by number and by
 * bytes: the least recently used goes first.
 */
export class CertificateCache {
  /** Certificates parsed so far, for tests that count work. */
  parsed = 0;
  readonly #certificates = new Map<string, Certificate>();
  #bytes = 0;

  /** Certificates held now. */
  get size(): number {
    return this.#certificates.size;
  }

  /** Bytes of DER held now. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Parses a chain from bytes that nobody else holds.
   *
   * Above the leaf, what cannot be read is left out: it can stand on no path
   * and match no pin, and a server that sends one odd certificate too many
   * should not be refused for it.
   *
   * @throws {CertificateError} as `parseDer` does, of the leaf.
   * @throws {LimitError} `ERR_CERTPIN_LIMIT_CHAIN_LENGTH` above
   * `MAX_CHAIN_VALUES`, whether its certificates are known or not.
   */
  *parse(ders: readonly Bytes[]): CryptoRoutine<ParsedChain> {
    const keys = yield* digests("sha256", ders);
    const certificates: Certificate[] = [];
    const unreadable: CertificateError[] = [];
    let values = 0;
    for (const [index, der] of ders.entries()) {
      try {
        const found = this.#get(encodeHex(keys[index]), der, keys[index]);
        values += recordOf(found).values;
        certificates.push(found);
      } catch (error) {
        if (index === 0 || !(error instanceof CertificateError)) throw error;
        unreadable.push(error);
      }
      if (values <= MAX_CHAIN_VALUES) continue;
      throw new LimitError(
        "ERR_CERTPIN_LIMIT_CHAIN_LENGTH",
        `Cannot parse the chain: more than ${MAX_CHAIN_VALUES} DER values`,
      );
    }
    return { certificates, unreadable };
  }

  #get(key: string, der: Bytes, digest: Bytes): Certificate {
    let certificate = this.#certificates.get(key);
    if (certificate === undefined) {
      this.parsed++;
      certificate = parseDer(der);
      recordOf(certificate).digestMemo.set("certificate:sha256", digest);
      this.#bytes += der.length;
    } else this.#certificates.delete(key);
    this.#certificates.set(key, certificate);
    while (
      this.#certificates.size > MAX_CACHED_CERTIFICATES ||
      this.#bytes > MAX_CACHED_CERTIFICATES_BYTES
    ) {
      const [[oldest, dropped]] = this.#certificates;
      this.#certificates.delete(oldest);
      this.#bytes -= recordOf(dropped).der.length;
    }
    return certificate;
  }
}
