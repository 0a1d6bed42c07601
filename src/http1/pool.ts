/**
 * Connections that wait for the next request to their origin.
 *
 * @module
 */
import { MAX_HTTP_IDLE_CONNECTIONS } from "../limits.ts";
import { Http1Connection, type OpenConnection } from "./connection.ts";

/** A connection, and whether it may still be used. */
export interface PooledConnection extends OpenConnection {
  /** Asked before each further request. What it rejects with ends the connection. */
  confirm(): boolean | Promise<boolean>;
}

interface Entry {
  readonly origin: string;
  readonly connection: Http1Connection;
  readonly confirm: PooledConnection["confirm"];
  timer?: ReturnType<typeof setTimeout>;
}

/** Keeps connections for a while after their last request. */
export class Pool {
  /** Every connection that has not ended. */
  readonly #live = new Set<Entry>();
  /** Those that wait, the one that waits longest first. */
  readonly #idle = new Set<Entry>();

  constructor(readonly keepAliveTimeout: number) {}

  /** Takes over a new connection. */
  add(origin: string, opened: PooledConnection): Http1Connection {
    const connection = new Http1Connection(opened);
    const confirm = () => opened.confirm();
    const entry: Entry = { origin, connection, confirm };
    this.#live.add(entry);
    connection.onIdle = () => this.#keep(entry);
    connection.onEnd = () => this.#forget(entry);
    return connection;
  }

  /** The connection that was used last and may be used again. */
  async take(origin: string): Promise<Http1Connection | undefined> {
    for (const entry of [...this.#idle].reverse()) {
      if (entry.origin !== origin || !this.#idle.delete(entry)) continue;
      clearTimeout(entry.timer);
      const { connection } = entry;
      try {
        if (!await entry.confirm()) connection.end(undefined);
      } catch (error) {
        connection.end(error);
      }
      if (!connection.hasEnded) return connection;
    }
    return undefined;
  }

  #keep(entry: Entry): void {
    const { connection } = entry;
    const end = () => connection.end(undefined);
    if (this.keepAliveTimeout <= 0) return end();
    this.#idle.add(entry);
    entry.timer = setTimeout(end, this.keepAliveTimeout);
    connection.watch(end);
    if (this.#idle.size <= MAX_HTTP_IDLE_CONNECTIONS) return;
    const [oldest] = this.#idle;
    oldest.connection.end(undefined);
  }

  #forget(entry: Entry): void {
    clearTimeout(entry.timer);
    this.#idle.delete(entry);
    this.#live.delete(entry);
  }

  /** Ends all connections, and what runs on them. */
  close(reason: unknown): void {
    for (const { connection } of [...this.#live]) connection.end(reason);
  }
}
