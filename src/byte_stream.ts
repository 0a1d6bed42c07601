/**
 * The one shape of a connection that all runtimes can bring.
 *
 * @module
 */

/**
 * Two streams of bytes, one each way: a `Socket` of `cloudflare:sockets`, a
 * `Deno.TcpConn`, a relay, a TLS connection.
 *
 * Whoever reads a chunk owns its buffer.
 */
export interface ByteStream {
  /** What the peer sends. */
  readonly readable: ReadableStream<Uint8Array>;
  /** What is sent to the peer. */
  readonly writable: WritableStream<Uint8Array>;
}
