/**
 * What the TLS 1.3 client takes and gives.
 *
 * @module
 */

import type { ByteStream } from "../byte_stream.ts";

export type { ByteStream };

/** A client certificate and its key (RFC 8446, section 4.4.2). */
export interface ClientCertificate {
  /** DER certificates, the client's own first. */
  readonly chain: readonly Uint8Array[];
  /**
   * The private key: PKCS#8 in DER, or a `CryptoKey` that may `sign`, which
   * need not be extractable. A `CryptoKey` for RSA must be of `RSA-PSS`; it
   * signs with its own hash alone.
   */
  readonly key: CryptoKey | Uint8Array;
}

/** Options of {@linkcode openTls}. */
export interface TlsOptions {
  /** The server's name: sent as SNI unless it is an IP address. */
  readonly hostname: string;
  /** ALPN protocols (RFC 7301), the preferred one first. Default: no ALPN. */
  readonly alpnProtocols?: readonly string[];
  /**
   * Gives the verdict on the chain that the server presented: returns to
   * allow, throws to refuse. It is called once, after the server has proved
   * that it holds the key of `chain[0]` and before the client's Finished.
   */
  verify(chain: readonly Uint8Array[]): Promise<void>;
  /** Shown if the server asks for one, after the verdict. Default: an empty one. */
  readonly clientCertificate?: ClientCertificate;
  /** Ends the handshake. It has no effect on a connection that is open. */
  readonly signal?: AbortSignal;
}

/** An open TLS connection. */
export interface TlsStream extends ByteStream {
  /**
   * What the server sends: a byte stream (BYOB readers work). It reads ahead of
   * its consumer by a bound: what was decrypted, the records that are being
   * decrypted, and a chunk of the transport.
   *
   * It closes after the peer's close_notify. It errors with `TLS_TRUNCATED` if
   * the transport ends without one, with `TLS_ALERT` on the peer's alert, and
   * with `TLS_PROTOCOL` if the peer breaks the protocol. Cancelling it ends the
   * connection.
   */
  readonly readable: ReadableStream<Uint8Array>;
  /**
   * What is sent to the server. Its back-pressure is the transport's.
   *
   * Closing it sends close_notify and leaves `readable` open (RFC 8446, section
   * 6.1); aborting it ends the connection without close_notify. A failing write
   * errors it alone: what the server has sent can still be read.
   */
  readonly writable: WritableStream<Uint8Array>;
  /** The protocol that the server chose, if any. */
  readonly alpnProtocol: string | null;
  /**
   * Resolves when the connection has ended: after close_notify in both
   * directions, or after `close()`. Rejects with the error that ended it. It is
   * safe to ignore: it never causes an unhandled rejection.
   */
  readonly closed: Promise<void>;
  /**
   * Sends close_notify after what was written, and ends the connection, also
   * if either stream is locked. A server that does not read is waited for no
   * longer than a second. It never rejects; further calls do nothing.
   */
  close(): Promise<void>;
}
