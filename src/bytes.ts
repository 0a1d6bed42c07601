/**
 * Byte strings.
 *
 * @module
 */
import type { Bytes } from "./crypto/routine.ts";

/** Joins byte strings in memory of its own. */
export function concatBytes(parts: readonly Uint8Array[]): Bytes {
  if (parts.length === 1) return new Uint8Array(parts[0]);
  const joined = new Uint8Array(
    parts.reduce((sum, { length }) => sum + length, 0),
  );
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
