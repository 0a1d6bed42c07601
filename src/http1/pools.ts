/**
 * One pool for each place whose connections can be used from there.
 *
 * In workerd a socket belongs to the request, or to the Durable Object, that
 * opened it, and must not be touched from another one. Everywhere else there is
 * one such place.
 *
 * @module
 */
import { MAX_HTTP_SCOPES } from "../limits.ts";
import { Pool, type PoolSettings } from "./pool.ts";

/** Belongs to the place that made it, as sockets do; of no other use. */
interface Canary {
  /** Throws in another place. */
  readonly readyState: number;
}

interface Workerd {
  readonly WebSocketPair?: new () => { readonly 0: Canary };
}

/** Whether what belongs to the place of the canary can be used from here. */
function isAlive(canary: Canary): boolean {
  try {
    return canary.readyState > 0;
  } catch {
    return false;
  }
}

/** The pools of one fetch. */
export class Pools {
  /** The one that was made last comes last. */
  readonly #pools: Pool[] = [];

  constructor(readonly settings: PoolSettings) {}

  /** The pool of this place. */
  current(): Pool {
    const known = this.#pools.findLast((pool) => pool.isReachable());
    if (known !== undefined) return known;
    const { WebSocketPair } = globalThis as Workerd;
    const canary = WebSocketPair && new WebSocketPair()[0];
    const pool = new Pool(
      this.settings,
      canary && (() => isAlive(canary)),
    );
    this.#pools.push(pool);
    // Connections of a request that has ended have ended with it.
    if (this.#pools.length > MAX_HTTP_SCOPES) this.#pools.shift();
    return pool;
  }

  /** Ends the connections of this place; those of others end with theirs. */
  close(reason: unknown): void {
    for (const pool of this.#pools) pool.close(reason);
  }
}
