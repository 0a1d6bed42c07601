/**
 * Pinned connections for Cloudflare Workers: `@certpin/certpin/edge` over
 * `cloudflare:sockets`. **Experimental, and not audited.**
 *
 * Origins that stand behind Cloudflare's own proxy cannot be reached from
 * `cloudflare:sockets`. A socket lives as long as the request, or the Durable
 * Object, that opened it.
 *
 * @example
 * ```ts ignore
 * import { createFetch } from "@certpin/certpin/workers";
 * import policy from "./pins.json" with { type: "json" };
 *
 * let pinned;
 * export default {
 *   async fetch(request, env) {
 *     pinned ??= createFetch(policy, { ca: env.ROOTS });
 *     return await pinned("https://api.example.com/");
 *   },
 * };
 * ```
 *
 * @module
 */
import { connect as connectSocket } from "cloudflare:sockets";
import type { ByteStream } from "../byte_stream.ts";
import { ConnectionError } from "../errors.ts";
import * as edge from "./edge.ts";

export { startTls, verdictOf } from "./edge.ts";
export type {
  ByteStream,
  CertificateInput,
  EdgeConn,
  EdgeFetchTimeouts,
  EdgeOptions,
  EdgeTlsOptions,
  PinnedFetch,
  PinnerSource,
} from "./edge.ts";

/** What this module uses of a `Socket`. */
interface Socket extends ByteStream {
  readonly opened: Promise<unknown>;
  readonly closed: Promise<unknown>;
  close(): Promise<void>;
}

/** `connect` of `cloudflare:sockets`. */
type ConnectSocket = (
  address: { hostname: string; port: number },
  options: { secureTransport: "off"; allowHalfOpen: boolean },
) => Socket;

/** Options of {@linkcode createFetch}. */
export interface WorkersFetchOptions
  extends edge.EdgeOptions, edge.EdgeFetchTimeouts {}

/** Options of {@linkcode connectTls}. */
export interface WorkersConnectOptions extends edge.EdgeTlsOptions {
  /** Port to connect to. */
  port: number;
}

/** Opens a socket, and waits until it is connected. */
async function connect(
  address: { hostname: string; port: number },
  { signal }: { signal: AbortSignal },
): Promise<ByteStream> {
  const hostname = address.hostname.includes(":")
    ? `[${address.hostname}]`
    : address.hostname;
  // TLS has its own end of each direction.
  const socket = (connectSocket as ConnectSocket)(
    { hostname, port: address.port },
    { secureTransport: "off", allowHalfOpen: true },
  );
  // The streams say the same.
  socket.closed.catch(() => {});
  const onAbort = () => void socket.close().catch(() => {});
  signal.addEventListener("abort", onAbort);
  try {
    await socket.opened;
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
  const { readable, writable } = socket;
  return { readable, writable };
}

function overSockets<Options extends object>(
  options: Options,
): Options & { connect: edge.Connect } {
  if ("connect" in options) {
    throw new ConnectionError(
      "ERR_CERTPIN_OPTION",
      'There is no option "connect": connections are those of cloudflare:sockets',
    );
  }
  return { ...options, connect };
}

/**
 * Makes a `fetch` that pins, over HTTP/1.1: `createFetch` of
 * `@certpin/certpin/edge`.
 *
 * It may be made once for all requests: each uses the connections that it has
 * opened itself. In a Durable Object they are shared by its requests.
 *
 * @param pinner A pinner, or a policy (also as JSON text).
 * @param options What to trust.
 * @returns The fetch.
 * @throws {ConnectionError} `ERR_CERTPIN_OPTION`.
 * @throws {CertificateError} where `ca` or `cert` cannot be read.
 * @throws {PolicyError} where the policy is wrong.
 */
export function createFetch(
  pinner: edge.PinnerSource,
  options: WorkersFetchOptions,
): edge.PinnedFetch {
  return edge.createFetch(pinner, overSockets(options));
}

/**
 * Opens a pinned TLS 1.3 connection: `connectTls` of `@certpin/certpin/edge`.
 *
 * @param pinner A pinner, or a policy (also as JSON text).
 * @param options The peer, and what to trust.
 * @returns The connection. A server that was refused has seen neither the
 * client's Finished nor a byte of the application.
 * @throws {CertpinError} the verdict's error.
 * @throws {ConnectionError} `ERR_CERTPIN_OPTION`, `ERR_CERTPIN_TLS_VERSION`,
 * `ERR_CERTPIN_TLS_ALERT`, `ERR_CERTPIN_TLS_PROTOCOL`,
 * `ERR_CERTPIN_TLS_TRUNCATED`.
 */
export async function connectTls(
  pinner: edge.PinnerSource,
  options: WorkersConnectOptions,
): Promise<edge.EdgeConn> {
  return await edge.connectTls(pinner, overSockets(options));
}
