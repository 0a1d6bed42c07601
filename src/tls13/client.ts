/**
 * A TLS 1.3 client (RFC 8446) in WebCrypto, over any byte stream.
 *
 * @module
 */
import type { ByteStream, TlsOptions, TlsStream } from "./types.ts";

export type {
  ByteStream,
  ClientCertificate,
  TlsOptions,
  TlsStream,
} from "./types.ts";

/**
 * The shape of `openTls`: it takes a connected stream and gives an open TLS
 * connection, after the verdict.
 *
 * It rejects with what `verify` threw, with the reason of `signal`, or with a
 * `ConnectionError`: `ERR_CERTPIN_TLS_VERSION`, `ERR_CERTPIN_TLS_ALERT`,
 * `ERR_CERTPIN_TLS_PROTOCOL`, `ERR_CERTPIN_TLS_TRUNCATED`. The stream is ended
 * in each of these cases.
 */
export type OpenTls = (
  stream: ByteStream,
  options: TlsOptions,
) => Promise<TlsStream>;
