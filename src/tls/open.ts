/**
 * Opening a connection: how it is reached, and by when.
 *
 * @module
 */
import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import { type CanonicalHost, canonicalHost } from "../host.ts";
import { CONNECT_TIMEOUT_MS, timedOut, withDeadline } from "./deadline.ts";
import {
  connectPlain,
  DenoTransport,
  NEEDS_DENO_TRANSPORT,
} from "./deno_transport.ts";
import { type AdmitRequest, type Gate, PolicyRefreshed } from "./gate.ts";
import { discard } from "./handshake.ts";
import { type Proxy, proxyAddress, requestTunnel } from "./tunnel.ts";

/** A connection to open. */
export interface OpenRequest {
  /** The DNS name or IP literal that is checked and pinned. */
  readonly hostname: string;
  /** Where to connect. Default `hostname`. */
  readonly host?: string;
  readonly port?: number;
  /** Connected transport to run TLS over; used up, also by a refusal. */
  readonly transport?: Duplex;
  /** Proxy to tunnel through. */
  readonly proxy?: Proxy;
  /** Further options of `tls.connect`, without those that are refused. */
  readonly tls?: Readonly<Record<string, unknown>>;
  /** Whether a peer may have ended its side before the hand-over. */
  readonly mayHaveEnded?: boolean;
  /** Each of them ends the attempt when it aborts. */
  readonly signals?: readonly (AbortSignal | undefined)[];
  /**
   * Milliseconds for TCP, proxy, handshake and verdict together. Default
   * {@linkcode CONNECT_TIMEOUT_MS}; 0 is no limit.
   */
  readonly connectTimeout?: number;
  /** Makes the error of a connection that is not open in time. */
  readonly onLate?: (host: string, milliseconds: number) => Error;
}

/**
 * Opens a connection through the gate, and hands it to `take` in the moment
 * of the verdict.
 *
 * @returns What `take` returns.
 * @throws {CertpinError} as {@linkcode Gate.admit} does, and
 * `ERR_CERTPIN_PROXY`. A missed deadline is an error with the code `ETIMEDOUT`.
 */
export async function openConnection<T>(
  gate: Gate,
  request: OpenRequest,
  take: (socket: TLSSocket) => T,
): Promise<T> {
  const {
    signals = [],
    connectTimeout: milliseconds = CONNECT_TIMEOUT_MS,
    onLate = timedOut,
  } = request;
  let hostname: CanonicalHost;
  try {
    for (const signal of signals) signal?.throwIfAborted();
    hostname = canonicalHost(request.hostname);
  } catch (error) {
    // A refusal uses the transport up: nobody goes on in the clear.
    discard(request.transport);
    throw error;
  }
  const { port, tls, mayHaveEnded } = request;
  const host = request.host ?? hostname.text;
  return await withDeadline(
    { milliseconds, onLate: () => onLate(host, milliseconds), signals },
    async (signal) => {
      const attempt = async (refresh: AdmitRequest["refresh"]) => {
        const reached = { ...request, host, refresh };
        const transport = await reach(gate, reached, signal);
        return await gate.admit(
          {
            hostname,
            host,
            port,
            transport,
            tls,
            mayHaveEnded,
            refresh,
            signal,
          },
          take,
        );
      };
      // A transport that was given is the only one there is.
      if (request.transport !== undefined) return await attempt("hold");
      try {
        return await attempt("reopen");
      } catch (error) {
        if (!(error instanceof PolicyRefreshed)) throw error;
        // Nothing was sent over the first connection: this is safe for all.
        return await attempt(undefined);
      }
    },
  );
}

/** Connects what TLS is to run over; `undefined` leaves that to `node:tls`. */
async function reach(
  gate: Gate,
  request: OpenRequest & Pick<AdmitRequest, "host" | "refresh">,
  signal: AbortSignal,
): Promise<Duplex | undefined> {
  const { host, port, proxy, transport, tls, refresh } = request;
  const target = { host, port: Number(port), refresh };
  const found = proxy === undefined
    ? transport
    : await throughProxy(gate, proxy, target, signal);
  if (!NEEDS_DENO_TRANSPORT) return found;
  return new DenoTransport(
    found ?? await connectPlain({ host, port }, tls, signal),
  );
}

/** A proxy over TLS passes the gate itself, by its own entry in the policy. */
async function throughProxy(
  gate: Gate,
  proxy: Proxy,
  target: Pick<AdmitRequest, "host" | "refresh"> & { readonly port: number },
  signal: AbortSignal,
): Promise<Duplex> {
  const { host, port, isTls } = proxyAddress(proxy);
  if (!isTls) {
    const socket = await connectPlain({ host, port }, undefined, signal);
    return await requestTunnel(socket, proxy, target, signal);
  }
  const transport = NEEDS_DENO_TRANSPORT
    ? new DenoTransport(await connectPlain({ host, port }, undefined, signal))
    : undefined;
  const hostname = canonicalHost(host);
  const tls = { ALPNProtocols: ["http/1.1"] };
  return await gate.admit(
    {
      hostname,
      host: hostname.text,
      port,
      transport,
      tls,
      refresh: target.refresh,
      signal,
    },
    // Credentials leave in the moment of the proxy's verdict, or never.
    (socket) => requestTunnel(socket, proxy, target, signal),
  );
}
