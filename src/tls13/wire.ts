/**
 * Reads and writes the presentation language of TLS (RFC 8446, section 3).
 *
 * @module
 */
import { concatBytes } from "../bytes.ts";
import type { Bytes } from "../crypto/routine.ts";
import { refuse } from "./failure.ts";

/** Joins byte strings. */
export function concat(...parts: readonly Uint8Array[]): Bytes {
  return concatBytes(parts);
}

/** An unsigned integer of `size` bytes in network order; at most 6 bytes. */
export function uint(value: number, size: number): Bytes {
  const bytes = new Uint8Array(size);
  for (let at = size - 1; at >= 0; at--) {
    bytes[at] = value & 0xff;
    value = Math.floor(value / 256);
  }
  return bytes;
}

/** A vector: its length in `size` bytes, then its content. */
export function vector(size: number, ...parts: readonly Uint8Array[]): Bytes {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  if (length >= 256 ** size) {
    throw new RangeError(
      `Cannot write a vector of ${length} bytes: its length field has only ${size} bytes`,
    );
  }
  return concat(uint(length, size), ...parts);
}

/** Reads one structure from the peer; whatever does not fit is a decode_error. */
export class WireReader {
  readonly #bytes: Bytes;
  readonly #what: string;
  #at = 0;

  /** @param what Names the structure in error messages. */
  constructor(bytes: Bytes, what: string) {
    this.#bytes = bytes;
    this.#what = what;
  }

  /** Bytes that are left. */
  get left(): number {
    return this.#bytes.length - this.#at;
  }

  /** An unsigned integer of `size` bytes. */
  uint(size: number): number {
    return this.bytes(size).reduce((sum, byte) => sum * 256 + byte, 0);
  }

  /** The next bytes, a view. */
  bytes(length: number): Bytes {
    if (length > this.left) {
      refuse("decode_error", `${this.#what} is cut short`);
    }
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  /** A vector with a length of `size` bytes, of at least `least` bytes. */
  vector(size: number, least = 0): Bytes {
    const content = this.bytes(this.uint(size));
    if (content.length < least) {
      refuse("decode_error", `${this.#what} has a vector that is too short`);
    }
    return content;
  }

  /** The same, as a reader. */
  nested(size: number, least = 0): WireReader {
    return new WireReader(this.vector(size, least), this.#what);
  }

  /** Refuses what is left. */
  end(): void {
    if (this.left > 0) {
      refuse("decode_error", `${this.left} bytes follow ${this.#what}`);
    }
  }
}
