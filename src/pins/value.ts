/**
 * The pin as a value: frozen, its digest private.
 *
 * @module
 */
import { encodeBase64 } from "@std/encoding/base64";
import type { Bytes, HashName } from "../crypto/routine.ts";
import { PolicyError } from "../errors.ts";

export type { HashName };

/** A fingerprint that a policy demands: of a key or of a whole certificate. */
export interface Pin {
  /** `spki`: the DER SubjectPublicKeyInfo; `certificate`: the whole DER certificate. */
  readonly of: "spki" | "certificate";
  /** The hash. */
  readonly hash: HashName;
  /**
   * A copy of the digest: 32, 48 or 64 bytes.
   *
   * @throws {PolicyError} `ERR_CERTPIN_PIN_FORMAT` for the pin of a certificate
   * in a policy that has not been hashed yet; await one `check` first.
   */
  readonly digest: Uint8Array;
  /** The canonical text, such as `sha256/…=`; throws as `digest` does. */
  toString(): string;
  /**
   * The canonical text, so that a list of pins in JSON can stand in a policy.
   * Of a certificate that has not been hashed yet, it says so in place of the
   * digest, and is read back by nothing.
   */
  toJSON(): string;
}

/** Digest lengths in bytes. */
export const DIGEST_BYTES: Readonly<Record<HashName, number>> = Object.freeze({
  sha256: 32,
  sha384: 48,
  sha512: 64,
});

class PinValue implements Pin {
  readonly of: Pin["of"];
  readonly hash: HashName;
  #digest: Bytes | undefined;

  constructor(of: Pin["of"], hash: HashName, digest?: Bytes) {
    this.of = of;
    this.hash = hash;
    this.#digest = digest;
    Object.freeze(this);
  }

  get digest(): Uint8Array {
    if (this.#digest === undefined) {
      throw new PolicyError(
        "ERR_CERTPIN_PIN_FORMAT",
        "Cannot show the pin of a certificate before it has been hashed; await one check first",
      );
    }
    return this.#digest.slice();
  }

  toString(): string {
    const prefix = this.of === "spki" ? "" : "certificate:";
    return `${prefix}${this.hash}/${encodeBase64(this.digest)}`;
  }

  toJSON(): string {
    if (this.#digest !== undefined) return this.toString();
    return `${this.of}:${this.hash}/(not hashed yet)`;
  }

  static digestOf(pin: Pin): Bytes | undefined {
    return #digest in pin ? pin.#digest : undefined;
  }

  static settle(pin: Pin, digest: Bytes): void {
    if (#digest in pin) pin.#digest ??= digest;
  }
}

/** Makes a pin from a digest that we own; without one, a pin that {@linkcode setPinDigest} completes. */
export function makePin(of: Pin["of"], hash: HashName, digest?: Bytes): Pin {
  return new PinValue(of, hash, digest);
}

/** The private bytes of one of our pins: what decisions compare. */
export const digestOf: (pin: Pin) => Bytes | undefined = PinValue.digestOf;

/** Gives a pin made without a digest its digest, once. */
export const setPinDigest: (pin: Pin, digest: Bytes) => void = PinValue.settle;
