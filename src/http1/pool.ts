/**
 * Connections that wait for the next request to their origin.
 *
 * @module
 */
import { MAX_HTTP_IDLE_CONNECTIONS } from "../limits.ts";
import { Http1Connection, type OpenConnection } from "./connection.ts";

/** How a pool keeps its connections. */
export interface PoolSettings {
  /** Milliseconds that an idle connection is kept; 0: not at all. */
  readonly keepAliveTimeout: number;
  /**
   * Calls back whenever the rules have changed, until what it returns is
   * called. Heard only while there are connections.
   */
  onChange?(listener: () => void): () => void;
}

interface Entry {
  readonly origin: string;
  readonly connection: Http1Connection;
  timer?: ReturnType<typeof setTimeout>;
}

/** Keeps connections for a while after their last request. */
export class Pool {
  /** Every connection that has not ended. */
  readonly #live = new Set<Entry>();
  /** Those that wait, the one that waits longest first. */
  readonly #idle = new Set<Entry>();
  #stopListening: (() => void) | undefined;

  /** @param isReachable Whether the connections may be touched from here. */
  constructor(
    readonly settings: PoolSettings,
    readonly isReachable: () => boolean = () => true,
  ) {}

  /** Takes over a new connection. */
  add(origin: string, opened: OpenConnection): Http1Connection {
    const connection = new Http1Connection(opened);
    const entry: Entry = { origin, connection };
    this.#live.add(entry);
    this.#stopListening ??= this.settings.onChange?.(() => this.#revise());
    connection.onIdle = () => this.#keep(entry);
    connection.onEnd = () => this.#forget(entry);
    return connection;
  }

  /** The connection to an origin that was used last. */
  take(origin: string): Http1Connection | undefined {
    const entry = [...this.#idle].findLast((one) => one.origin === origin);
    if (entry === undefined) return undefined;
    clearTimeout(entry.timer);
    this.#idle.delete(entry);
    return entry.connection;
  }

  #keep(entry: Entry): void {
    const { connection } = entry;
    const { keepAliveTimeout } = this.settings;
    const end = () => connection.end(undefined);
    if (keepAliveTimeout <= 0) return end();
    this.#idle.add(entry);
    entry.timer = setTimeout(end, keepAliveTimeout);
    connection.watch(end);
    if (this.#idle.size <= MAX_HTTP_IDLE_CONNECTIONS) return;
    const [oldest] = this.#idle;
    oldest.connection.end(undefined);
  }

  #revise(): void {
    // Elsewhere each connection asks by itself before it goes on.
    if (!this.isReachable()) return;
    for (const { connection } of [...this.#live]) connection.revise();
  }

  #forget(entry: Entry): void {
    clearTimeout(entry.timer);
    this.#idle.delete(entry);
    this.#live.delete(entry);
    if (this.#live.size > 0) return;
    // Who tells of changes may outlive the pool, and must not keep it.
    this.#stopListening?.();
    this.#stopListening = undefined;
  }

  /** Ends all connections that can be reached, and what runs on them. */
  close(reason: unknown): void {
    if (!this.isReachable()) return;
    for (const { connection } of [...this.#live]) connection.end(reason);
  }
}
