/**
 * Which reports were made lately: a peer that shows the same chain again tells
 * nothing new.
 *
 * @module
 */
import {
  MAX_REMEMBERED_REPORTS,
  MAX_REMEMBERED_REPORTS_LENGTH,
  REPORT_REPEAT_MS,
} from "../limits.ts";

/** Remembers hostnames and chains for a day, bounded by number and by length. */
export class SeenReports {
  /** Milliseconds of a clock that only goes forward; the oldest first. */
  readonly #seen = new Map<string, number>();
  #length = 0;

  constructor(readonly now: () => number = () => performance.now()) {}

  /** How many are remembered. */
  get size(): number {
    return this.#seen.size;
  }

  /** Characters of all that is remembered. */
  get length(): number {
    return this.#length;
  }

  /** Whether it is the first of its hostname and chain in a day; then it counts. */
  isFirst(hostname: string, chain: readonly string[]): boolean {
    // The texts themselves: a short hash could be made to collide.
    const key = `${hostname}\n${chain.join("")}`;
    const now = this.now();
    for (const [oldest, at] of this.#seen) {
      if (now - at < REPORT_REPEAT_MS) break;
      this.#forget(oldest);
    }
    if (this.#seen.has(key)) return false;
    this.#seen.set(key, now);
    this.#length += key.length;
    while (
      this.#seen.size > MAX_REMEMBERED_REPORTS ||
      this.#length > MAX_REMEMBERED_REPORTS_LENGTH
    ) {
      const [oldest] = this.#seen.keys();
      this.#forget(oldest);
    }
    return true;
  }

  #forget(key: string): void {
    if (this.#seen.delete(key)) this.#length -= key.length;
  }
}
