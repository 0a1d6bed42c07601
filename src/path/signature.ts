/**
 * Whether one certificate's key signed another, remembered by digests.
 *
 * @module
 */
import { encodeHex } from "@std/encoding/hex";
import {
  type CryptoRoutine,
  type SignatureScheme,
  verifies,
} from "../crypto/routine.ts";
import { MAX_CACHED_SIGNATURES } from "../limits.ts";
import { digestsOf } from "../x509/digests.ts";
import type { CertificateRecord } from "../x509/record.ts";
import { ecdsaToP1363, importableSpki, largeRsaNumbers } from "./algorithms.ts";

/**
 * Verdicts on signatures, keyed by the SHA-256 digests of the issuer's SPKI
 * and of the whole signed certificate. Whether a signature holds depends on
 * these bytes alone (never on time, name, anchors or policy), so a verdict
 * stays right for good. Bounded: the least recently used goes first.
 */
export class SignatureCache {
  /** Signatures verified with a key so far, for tests that count work. */
  verified = 0;
  readonly #verdicts = new Map<string, boolean>();
  readonly #capacity: number;

  constructor(capacity: number = MAX_CACHED_SIGNATURES) {
    this.#capacity = capacity;
  }

  /** Verdicts held now. */
  get size(): number {
    return this.#verdicts.size;
  }

  /** A verdict, which then counts as recently used. */
  get(key: string): boolean | undefined {
    const verdict = this.#verdicts.get(key);
    if (verdict === undefined) return undefined;
    this.#verdicts.delete(key);
    this.#verdicts.set(key, verdict);
    return verdict;
  }

  /** Remembers a verdict. */
  set(key: string, verdict: boolean): void {
    if (this.#verdicts.size >= this.#capacity) {
      for (const oldest of this.#verdicts.keys()) {
        this.#verdicts.delete(oldest);
        break;
      }
    }
    this.#verdicts.set(key, verdict);
  }
}

/** Whether `issuer`'s key made the signature on `signed`, by this scheme. */
export function* isSignedBy(
  signed: CertificateRecord,
  issuer: CertificateRecord,
  scheme: SignatureScheme,
  cache: SignatureCache,
): CryptoRoutine<boolean> {
  const [key, whole] = yield* digestsOf([
    [issuer, "spki"],
    [signed, "certificate"],
  ], "sha256");
  const cacheKey = encodeHex(key) + encodeHex(whole);
  const known = cache.get(cacheKey);
  if (known !== undefined) return known;
  const signature = scheme.kind === "ecdsa"
    ? ecdsaToP1363(signed.signature, scheme.curve)
    : signed.signature;
  cache.verified++;
  const largeRsa = largeRsaNumbers(issuer.publicKey);
  const verdict = signature !== undefined && (yield* verifies({
    scheme,
    spki: importableSpki(issuer.publicKey),
    signature,
    data: signed.tbs,
    ...largeRsa && { largeRsa },
  }));
  cache.set(cacheKey, verdict);
  return verdict;
}
