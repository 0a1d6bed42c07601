/**
 * Writes DER (ITU-T X.690, section 10), for what engines want in another form
 * than it arrives in.
 *
 * The mint in `src/testing/` has a writer of its own, so that what it makes is
 * independent of the library.
 *
 * @module
 */
import { concatBytes } from "../bytes.ts";
import type { Bytes } from "../crypto/routine.ts";

function lengthOctets(length: number): number[] {
  if (length < 0x80) return [length];
  if (length < 0x100) return [0x81, length];
  if (length < 0x10000) return [0x82, length >> 8, length & 0xff];
  throw new RangeError(`Cannot write a DER value of ${length} bytes`);
}

/** One value of at most 65,535 bytes: tag, length, and its contents joined. */
export function writeDer(
  tag: number,
  ...contents: readonly Uint8Array[]
): Bytes {
  const length = contents.reduce((sum, { length }) => sum + length, 0);
  return concatBytes([
    Uint8Array.of(tag, ...lengthOctets(length)),
    ...contents,
  ]);
}
