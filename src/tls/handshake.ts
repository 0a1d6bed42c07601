/**
 * Watching a connection from its start until it is handed over, and the errors
 * of connections.
 *
 * @module
 */
import type { TLSSocket } from "node:tls";
import { ConnectionError } from "../errors.ts";

/** The platform, or the peer, ended the connection before it was verified. */
export function handshakeError(cause: unknown): ConnectionError {
  const text = cause instanceof Error ? `: ${cause.message}` : "";
  return new ConnectionError(
    "ERR_CERTPIN_HANDSHAKE",
    `The TLS handshake failed${text}`,
    { cause },
  );
}

/** There is nothing to evaluate. */
export function noChain(why: string): ConnectionError {
  return new ConnectionError(
    "ERR_CERTPIN_NO_CHAIN",
    `Cannot pin the connection: ${why}`,
  );
}

/** Errors before the first byte of TLS reach the caller unchanged. */
export function beforeTls(error: Error): Error {
  const { code } = error as { code?: string };
  if (code !== "EPERM" && code !== "EACCES") return error;
  return Object.assign(
    new Error(`${error.message}: connecting is not permitted (--allow-net)`, {
      cause: error,
    }),
    { code },
  );
}

/** Destroys a stream that nobody else holds; its errors go nowhere. */
export function discard(
  stream:
    | { on(event: "error", act: () => void): unknown; destroy(): unknown }
    | undefined,
): void {
  stream?.on("error", () => {});
  stream?.destroy();
}

/**
 * Hears everything that ends a connection before it is handed over.
 *
 * It listens without a gap: an event between two listeners would be lost, and
 * whoever waits for it would wait for ever.
 */
export class HandshakeWatch {
  readonly #socket: TLSSocket;
  readonly #listeners: readonly (readonly [string, (error: Error) => void])[];
  #failure: Error | undefined;
  /** Resolves when the platform has validated the peer. */
  readonly secured: Promise<void>;

  /** Begins to listen; `isConnected` tells whether TCP is connected already. */
  constructor(socket: TLSSocket, isConnected: boolean) {
    this.#socket = socket;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.secured = promise;
    let reached = isConnected;
    const fail = (error: Error) => {
      this.#failure ??= error;
      reject(this.#failure);
    };
    this.#listeners = [
      ["connect", () => reached = true],
      ["secureConnect", () => resolve()],
      ["error", (error) => {
        fail(reached ? handshakeError(error) : beforeTls(error));
      }],
      ["close", () => fail(closedEarly())],
    ];
    for (const [event, act] of this.#listeners) socket.on(event, act);
    promise.catch(() => {});
  }

  /** What has ended the connection; `undefined` while it is usable. */
  failure(mayHaveEnded: boolean): Error | undefined {
    if (this.#failure !== undefined) return this.#failure;
    const { destroyed, readableEnded } = this.#socket;
    if (destroyed) return closedEarly();
    // Its `end` event has been emitted: nobody would hear it any more.
    return readableEnded && !mayHaveEnded ? closedEarly() : undefined;
  }

  /** Stops listening. */
  stop(): void {
    for (const [event, act] of this.#listeners) {
      this.#socket.removeListener(event, act);
    }
  }
}

function closedEarly(): ConnectionError {
  return handshakeError(
    new Error("the connection was closed before it was verified"),
  );
}
