/**
 * How often a host may cause a refresh: what a peer shows must not make a
 * client load its update server.
 *
 * @module
 */
import { MAX_REMEMBERED_REFRESHES } from "../limits.ts";

/** Remembers when each host last caused a refresh, for as long as that counts. */
export class RefreshLimit {
  /** Milliseconds of a clock that only goes forward; the oldest first. */
  readonly #last = new Map<string, number>();

  constructor(
    readonly minimumInterval: number,
    readonly now: () => number = () => performance.now(),
  ) {}

  /** Hosts remembered now. */
  get size(): number {
    return this.#last.size;
  }

  /** Whether a host may cause a refresh now; then this one counts. */
  take(hostname: string): boolean {
    const now = this.now();
    for (const [host, last] of this.#last) {
      if (now - last < this.minimumInterval) break;
      this.#last.delete(host);
    }
    // Full of hosts that count: forgetting one would lift its limit.
    if (this.#last.has(hostname) || this.size >= MAX_REMEMBERED_REFRESHES) {
      return false;
    }
    this.#last.set(hostname, now);
    return true;
  }
}
