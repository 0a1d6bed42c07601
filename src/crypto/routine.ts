/**
 * What a computation wants hashed or verified, said without doing it.
 *
 * WebCrypto is asynchronous and the hook that many TLS libraries offer is
 * synchronous. So everything that needs cryptography is a generator that
 * yields steps, with one driver over WebCrypto (`webcrypto.ts`) and one over
 * `node:crypto` (in the Node adapter): never two validators.
 *
 * @module
 */

/** Bytes that we own: copied once at the border, then shared without casts. */
export type Bytes = Uint8Array<ArrayBuffer>;

/** The hashes that a pin may use. */
export type HashName = "sha256" | "sha384" | "sha512";

/** The elliptic curves that a certificate's key may use. */
export type CurveName = "P-256" | "P-384" | "P-521";

/** A signature scheme, free of any library's spelling. */
export type SignatureScheme =
  | { readonly kind: "rsa-pkcs1"; readonly hash: HashName }
  | {
    readonly kind: "rsa-pss";
    readonly hash: HashName;
    /** In bytes. */
    readonly saltLength: number;
  }
  | {
    readonly kind: "ecdsa";
    readonly hash: HashName;
    readonly curve: CurveName;
  }
  | { readonly kind: "ed25519" };

/** Asks for the digests of several byte strings. */
export interface DigestStep {
  readonly kind: "digest";
  readonly hash: HashName;
  readonly data: readonly Bytes[];
}

/** Modulus and exponent of an RSA key, big-endian. */
export interface RsaNumbers {
  readonly modulus: Bytes;
  readonly exponent: Bytes;
}

/** Asks whether a signature holds. */
export interface VerifyStep {
  readonly kind: "verify";
  readonly scheme: SignatureScheme;
  /** SPKI with the algorithm identifier that importers understand. */
  readonly spki: Bytes;
  /** ECDSA: r and s, each of the curve's size (IEEE P1363). */
  readonly signature: Bytes;
  readonly data: Bytes;
  /** Of an RSA key that is larger than some engines take. */
  readonly largeRsa?: RsaNumbers;
}

/** One question to a driver. */
export type Step = DigestStep | VerifyStep;

/** The driver's answer: digests in order, or whether the signature holds. */
export type Answer = readonly Bytes[] | boolean;

/** A computation that yields steps and returns `T`. */
export type CryptoRoutine<T> = Generator<Step, T, Answer>;

/** Yields one digest step; returns the digests in the order of `data`. */
export function* digests(
  hash: HashName,
  data: readonly Bytes[],
): CryptoRoutine<readonly Bytes[]> {
  const answer = yield { kind: "digest", hash, data };
  if (typeof answer === "boolean" || answer.length !== data.length) {
    throw new TypeError("The crypto driver did not answer with digests");
  }
  return answer;
}

/** Yields one verify step; returns whether the signature holds. */
export function* verifies(
  step: Omit<VerifyStep, "kind">,
): CryptoRoutine<boolean> {
  const answer = yield { kind: "verify", ...step };
  return answer === true;
}
