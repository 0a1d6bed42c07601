/**
 * Pinned connections where the runtime hides the peer's certificate: TLS 1.3 in
 * WebCrypto, over any byte stream. **Experimental, and not audited.**
 *
 * Where `node:tls` shows the chain, use `@certpin/certpin/deno` or
 * `@certpin/certpin/node`: there two validators must agree. Here there is one.
 *
 * @example
 * ```ts ignore
 * import { createFetch } from "@certpin/certpin/edge";
 * import policy from "./pins.json" with { type: "json" };
 *
 * await using fetch = createFetch(policy, {
 *   ca: await Deno.readTextFile("roots.pem"),
 *   connect: (address) => Deno.connect(address),
 * });
 * const response = await fetch("https://api.example.com/");
 * ```
 *
 * @module
 */
import type { ByteStream } from "../byte_stream.ts";
import { ConnectionError } from "../errors.ts";
import { createHttp1Fetch } from "../http1/fetch.ts";
import { anchorStore } from "../path/anchors.ts";
import {
  onUpdate,
  type PinnerOptions,
  rememberPinner,
} from "../pinner/pinner.ts";
import { CONNECT_TIMEOUT_MS } from "../tls/deadline.ts";
import {
  type OptionsOf,
  PINNER_OPTIONS,
  type PinnerSource,
  readOptions,
  REFUSED_BY_FETCH,
  refuseWeakening,
  resolvePinner,
} from "../tls/options.ts";
import type { CertificateInput } from "../tls/trust.ts";
import { rememberVerdict, verdictOf } from "../tls/verdicts.ts";
import { parseCertificates } from "../x509/certificate.ts";
import {
  type Connect,
  discard,
  EdgeConnection,
  type EdgeGate,
  reach,
} from "./edge_gate.ts";
import {
  CONNECT_OPTIONS,
  EDGE_OPTIONS,
  PEER_OPTIONS,
  PORT_OPTIONS,
  readClientCertificate,
  TIMEOUT_OPTIONS,
} from "./edge_options.ts";
import type { PinnedFetch } from "./fetch/fetch.ts";

export { verdictOf };
export type {
  ByteStream,
  CertificateInput,
  Connect,
  PinnedFetch,
  PinnerSource,
};

/** What all functions of this module take. */
export interface EdgeOptions extends PinnerOptions {
  /**
   * The only certificates that are trusted: an edge runtime has no store that
   * could be listed. They replace the pinner's anchors.
   */
  ca: CertificateInput;
  /** The client's certificate chain in PEM, for servers that ask for one. */
  cert?: string;
  /** The key of `cert`: PKCS#8 in PEM, or a `CryptoKey` that may sign. */
  key?: string | CryptoKey;
  /**
   * Milliseconds for TCP, handshake and verdict together. Default 10,000; 0 is
   * no limit.
   */
  connectTimeout?: number;
}

/** How long a fetch waits. */
export interface EdgeFetchTimeouts {
  /**
   * Milliseconds that an idle connection is kept. Default 4,000; 0 keeps none.
   * In workerd none outlives the request, or the Durable Object, that opened it.
   */
  keepAliveTimeout?: number;
  /** Milliseconds until the response's headers are there. Default 300,000; 0 is no limit. */
  headersTimeout?: number;
  /** Milliseconds between two pieces of a body. Default 300,000; 0 is no limit. */
  bodyTimeout?: number;
}

/** Options of {@linkcode createFetch}. */
export interface EdgeFetchOptions extends EdgeOptions, EdgeFetchTimeouts {
  /** Opens a raw connection. */
  connect: Connect;
}

/** What {@linkcode connectTls} and {@linkcode startTls} share. */
export interface EdgeTlsOptions extends EdgeOptions {
  /** Name or IP literal of the peer, checked and pinned. */
  hostname: string;
  /** Protocols to offer (ALPN), most wanted first. */
  alpnProtocols?: string[];
  /** Aborts connecting and evaluating; afterwards it has no effect. */
  signal?: AbortSignal;
}

/** Options of {@linkcode connectTls}. */
export interface EdgeConnectOptions extends EdgeTlsOptions {
  /** Opens a raw connection. */
  connect: Connect;
  /** Port to connect to. */
  port: number;
}

/** A pinned connection. */
export interface EdgeConn extends ByteStream, AsyncDisposable {
  /** What the peer sends. Errors unless the peer ends it with close_notify. */
  readonly readable: ReadableStream<Uint8Array>;
  /** What is sent to the peer. */
  readonly writable: WritableStream<Uint8Array>;
  /** The protocol that the peer chose, if any. */
  readonly alpnProtocol: string | null;
  /** Settles when the connection has ended; rejects if it did not end in order. */
  readonly closed: Promise<void>;
  /** Ends the connection. Never rejects. */
  close(): Promise<void>;
}

/** Makes the gate of connections. */
function gateOf(
  source: PinnerSource,
  options: OptionsOf<typeof PINNER_OPTIONS>,
  { ca, cert, key, connectTimeout = CONNECT_TIMEOUT_MS }: OptionsOf<
    typeof EDGE_OPTIONS,
    "ca"
  >,
): EdgeGate {
  return {
    pinner: resolvePinner(source, options),
    anchors: anchorStore(parseCertificates(ca)),
    clientCertificate: readClientCertificate(cert, key),
    connectTimeout,
  };
}

function toConn(connection: EdgeConnection): EdgeConn {
  const { readable, writable, alpnProtocol, closed } = connection.stream;
  const close = () => connection.close();
  const conn: EdgeConn = {
    readable,
    writable,
    alpnProtocol,
    closed,
    close,
    [Symbol.asyncDispose]: close,
  };
  rememberVerdict(conn, connection.verdict);
  return conn;
}

function requireHttps({ protocol }: URL): void {
  if (protocol === "https:") return;
  throw new ConnectionError(
    "ERR_CERTPIN_PROTOCOL",
    `Cannot fetch a ${protocol} URL: only https: can be pinned`,
  );
}

/**
 * Makes a `fetch` that pins, over HTTP/1.1.
 *
 * Each hop of a redirect is checked by the hostname of its own URL. Connections
 * are private to the result, and kept alive where the runtime allows that; none
 * takes a request that the pinner's policy of that moment would refuse.
 *
 * @param pinner A pinner, or a policy (also as JSON text).
 * @param options What to trust, and how to connect.
 * @returns The fetch; close it, or let `await using` do it.
 * @throws {ConnectionError} `ERR_CERTPIN_OPTION`.
 * @throws {CertificateError} where `ca` or `cert` cannot be read.
 * @throws {PolicyError} where the policy is wrong.
 */
export function createFetch(
  pinner: PinnerSource,
  options: EdgeFetchOptions,
): PinnedFetch {
  const read = readOptions(options, {
    pinner: PINNER_OPTIONS,
    edge: EDGE_OPTIONS,
    reach: CONNECT_OPTIONS,
    timeouts: TIMEOUT_OPTIONS,
  }, { refused: REFUSED_BY_FETCH, required: ["ca", "connect"] });
  const gate = gateOf(pinner, read.pinner, read.edge);
  const { connect } = read.reach;
  const {
    keepAliveTimeout = 4_000,
    headersTimeout = 300_000,
    bodyTimeout = 300_000,
  } = read.timeouts;
  const http = createHttp1Fetch({
    open: async (url, signal) => {
      requireHttps(url);
      const port = url.port === "" ? 443 : Number(url.port);
      return await EdgeConnection.open(gate, {
        hostname: url.hostname,
        port,
        alpnProtocols: ["http/1.1"],
        signal,
        reach: (host, signal) =>
          reach(connect, { hostname: host.text, port }, signal),
      });
    },
    onResponse: (response, { verdict }) => rememberVerdict(response, verdict),
    onChange: (listener) => onUpdate(gate.pinner, listener),
    keepAliveTimeout,
    headersTimeout,
    bodyTimeout,
  });
  const pinned = async (
    input: string | URL | Request,
    init?: RequestInit,
  ): Promise<Response> => {
    try {
      const taken = refuseWeakening(init, REFUSED_BY_FETCH);
      return await http(input, taken as RequestInit);
    } catch (error) {
      if (!(error instanceof ConnectionError)) throw error;
      throw new TypeError("fetch failed", { cause: error });
    }
  };
  const close = async () => await http.close();
  rememberPinner(pinned, gate.pinner);
  return Object.assign(pinned, { close, [Symbol.asyncDispose]: close });
}

/**
 * Opens a pinned TLS 1.3 connection.
 *
 * @param pinner A pinner, or a policy (also as JSON text).
 * @param options The peer, what to trust, and how to connect.
 * @returns The connection. A server that was refused has seen neither the
 * client's Finished nor a byte of the application (RFC 8446, section 4.4.4).
 * @throws {CertpinError} the verdict's error.
 * @throws {ConnectionError} `ERR_CERTPIN_OPTION`, `ERR_CERTPIN_TLS_VERSION`,
 * `ERR_CERTPIN_TLS_ALERT`, `ERR_CERTPIN_TLS_PROTOCOL`,
 * `ERR_CERTPIN_TLS_TRUNCATED`.
 */
export async function connectTls(
  pinner: PinnerSource,
  options: EdgeConnectOptions,
): Promise<EdgeConn> {
  const read = readOptions(options, {
    pinner: PINNER_OPTIONS,
    edge: EDGE_OPTIONS,
    peer: { ...PEER_OPTIONS, ...PORT_OPTIONS },
    reach: CONNECT_OPTIONS,
  }, {
    refused: REFUSED_BY_FETCH,
    required: ["ca", "connect", "hostname", "port"],
  });
  const gate = gateOf(pinner, read.pinner, read.edge);
  const { connect } = read.reach;
  const { hostname, port, alpnProtocols, signal } = read.peer;
  return toConn(
    await EdgeConnection.open(gate, {
      hostname,
      port,
      alpnProtocols,
      signal,
      reach: (host, signal) =>
        reach(connect, { hostname: host.text, port }, signal),
    }),
  );
}

/**
 * Starts pinned TLS 1.3 on a connection that spoke something else before:
 * STARTTLS, or a tunnel.
 *
 * @param pinner A pinner, or a policy (also as JSON text).
 * @param stream The connection. It is used up: nothing goes on in the clear,
 * also after a refusal. Nothing may hold its readers or writers.
 * @param options The peer, and what to trust.
 * @returns The connection, as {@linkcode connectTls} does.
 * @throws {CertpinError} as {@linkcode connectTls} does.
 */
export async function startTls(
  pinner: PinnerSource,
  stream: ByteStream,
  options: EdgeTlsOptions,
): Promise<EdgeConn> {
  let isTaken = false;
  try {
    const read = readOptions(options, {
      pinner: PINNER_OPTIONS,
      edge: EDGE_OPTIONS,
      peer: PEER_OPTIONS,
    }, { refused: REFUSED_BY_FETCH, required: ["ca", "hostname"] });
    const gate = gateOf(pinner, read.pinner, read.edge);
    const { hostname, alpnProtocols, signal } = read.peer;
    return toConn(
      await EdgeConnection.open(gate, {
        hostname,
        alpnProtocols,
        signal,
        reach: () => {
          isTaken = true;
          return Promise.resolve(stream);
        },
      }),
    );
  } catch (error) {
    if (!isTaken) discard(stream, error);
    throw error;
  }
}
