/**
 * Waiting for the platform's own validation, and the errors of connections.
 *
 * @module
 */
import type { TLSSocket } from "node:tls";
import { ConnectionError } from "../errors.ts";

/** The platform, or the peer, ended the handshake. */
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

/** What fails before a byte of TLS is the caller's to know as it is. */
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

/** Resolves after the platform has validated the peer. */
export async function secured(
  socket: TLSSocket,
  isConnected: boolean,
): Promise<void> {
  let reached = isConnected;
  const listening = new AbortController();
  const listen = (event: string, act: (error: Error) => void) => {
    socket.on(event, act);
    listening.signal.addEventListener(
      "abort",
      () => socket.removeListener(event, act),
    );
  };
  try {
    await new Promise<void>((resolve, reject) => {
      listen("connect", () => reached = true);
      listen("secureConnect", () => resolve());
      listen("error", (error) => {
        reject(reached ? handshakeError(error) : beforeTls(error));
      });
      listen("close", () => {
        reject(handshakeError(new Error("the connection was closed")));
      });
    });
  } finally {
    listening.abort();
  }
}
