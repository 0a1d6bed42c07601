/**
 * Random numbers from a seed: the same on every run and runtime.
 */

/** A source of random choices. */
export interface Random {
  /** A whole number of at least 0 and below `bound`. */
  below(bound: number): number;
  /** One of the values. */
  pick<T>(values: readonly T[]): T;
  /** Random bytes. */
  bytes(length: number): Uint8Array<ArrayBuffer>;
  /** The values in another order. */
  shuffle<T>(values: readonly T[]): T[];
}

/** Makes a source (mulberry32: small, and good enough to choose with). */
export function random(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (bound: number) => Math.floor(next() * bound);
  return {
    below,
    pick: (values) => values[below(values.length)],
    bytes: (length) => Uint8Array.from({ length }, () => below(256)),
    shuffle: (values) => {
      const left = [...values];
      return values.map(() => left.splice(below(left.length), 1)[0]);
    },
  };
}
