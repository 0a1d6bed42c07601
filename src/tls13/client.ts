/**
 * A TLS 1.3 client (RFC 8446) in WebCrypto, over any byte stream.
 *
 * It speaks TLS 1.3 alone: no older version, no pre-shared keys, no resumption,
 * no early data, no renegotiation.
 *
 * @module
 */
import { open } from "./open.ts";
import { defaultProfile } from "./profile.ts";
import type { ByteStream, TlsOptions, TlsStream } from "./types.ts";

export type {
  ByteStream,
  ClientCertificate,
  TlsOptions,
  TlsStream,
} from "./types.ts";

/**
 * Opens a TLS 1.3 connection over a connected stream.
 *
 * When it resolves, the server has proved that it holds the key of the
 * certificate that `verify` allowed. A server that `verify` refuses has seen
 * neither a Finished nor data.
 *
 * @param stream The transport; it belongs to the connection from now on, and is
 * ended when this rejects.
 * @throws What `verify` threw, or the reason of `signal`.
 * @throws {ConnectionError} `ERR_CERTPIN_TLS_VERSION` if the server does not
 * speak TLS 1.3, `ERR_CERTPIN_TLS_ALERT` with its alert,
 * `ERR_CERTPIN_TLS_PROTOCOL` if it breaks the protocol,
 * `ERR_CERTPIN_TLS_TRUNCATED` if the transport ends early, `ERR_CERTPIN_OPTION`
 * for a client certificate that cannot be used.
 * @throws {CertificateError} if the first certificate cannot be read.
 * @throws {PathError} `ERR_CERTPIN_PATH_KEY_USAGE` if its keyUsage lacks
 * digitalSignature (RFC 8446, section 4.4.2.2).
 */
export async function openTls(
  stream: ByteStream,
  options: TlsOptions,
): Promise<TlsStream> {
  return await open(stream, options, await defaultProfile());
}
