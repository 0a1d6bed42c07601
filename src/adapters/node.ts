/**
 * Pinned connections for Node and Bun.
 *
 * @example
 * ```ts ignore
 * import { createFetch } from "@certpin/certpin/node";
 * import policy from "./pins.json" with { type: "json" };
 *
 * await using fetch = createFetch(policy);
 * const response = await fetch("https://api.example.com/");
 * ```
 *
 * @module
 */
import type * as https from "node:https";
import type { Duplex } from "node:stream";
import type { PeerCertificate, TLSSocket } from "node:tls";
import type * as undici from "undici/index.js";
import { canonicalHost } from "../host.ts";
import type { PinnerOptions } from "../pinner/pinner.ts";
import { PinnedHttpsAgent, POOL_OPTIONS, REFUSED_BY_AGENT } from "./agent.ts";
import { type CertificateInput, resolveTrust } from "../tls/trust.ts";
import { PinnedAgent } from "./dispatcher.ts";
import { prepareAgent } from "./dispatcher_options.ts";
import type { FetchOptions } from "./fetch/fetch.ts";
import {
  CERTIFICATES,
  MILLISECONDS,
  type OptionsOf,
  passed,
  PINNER_OPTIONS,
  type PinnerSource,
  PORT,
  readOptions,
  resolvePinner,
  type Shape,
  SIGNAL,
  TEXT,
} from "../tls/options.ts";
import { requireRuntime } from "../tls/runtime.ts";
import { Gate } from "../tls/gate.ts";
import { openConnection } from "../tls/open.ts";
import {
  CONNECTION_OPTIONS,
  TLS_OPTIONS,
  type TlsOptions,
} from "../tls/tls_options.ts";
import { parseProxy } from "../tls/tunnel.ts";

export {
  createFetch,
  type FetchOptions,
  type PinnedFetch,
} from "./fetch/fetch.ts";
export { verdictOf } from "../tls/verdicts.ts";
export type { CertificateInput, PinnerSource, TlsOptions };

/** The hook of `tls.connect`; returns the reason for a refusal, never throws. */
export type CheckServerIdentity = (
  hostname: string,
  certificate: PeerCertificate,
) => Error | undefined;

/** Options of {@linkcode connect}. */
export interface ConnectOptions extends PinnerOptions, TlsOptions {
  /** Name or IP literal to connect to. Default `localhost`. */
  host?: string;
  /** The same as `host`, in the word of the other adapters. */
  hostname?: string;
  /** Port to connect to; only with `socket` it may be left out. */
  port?: number;
  /** Whom it must be, where that is not `host`: checked, pinned, sent as SNI. */
  servername?: string;
  /** Already connected transport to run TLS over. */
  socket?: Duplex;
  /** Certificates trusted instead of the platform's store. */
  ca?: CertificateInput;
  /** Protocols to offer (ALPN), most wanted first. */
  ALPNProtocols?: string[];
  /** Keeps the writing side open when the peer ends. Default false. */
  allowHalfOpen?: boolean;
  /** Proxy to tunnel through; one over TLS needs an entry of its own. */
  proxy?: string | URL;
  /** Aborts connecting and evaluating; afterwards it has no effect. */
  signal?: AbortSignal;
  /**
   * Milliseconds for TCP, proxy, handshake and verdict together. Default
   * 10,000; 0 is no limit.
   */
  connectTimeout?: number;
}

/** Options of {@linkcode createAgent}: pooling as in `https.Agent`. */
export interface AgentOptions extends PinnerOptions, TlsOptions {
  /** Certificates trusted instead of the platform's store. */
  ca?: CertificateInput;
  /** Keeps connections for further requests. Default false. */
  keepAlive?: boolean;
  /** Milliseconds before the first TCP keep-alive probe. Default 1,000. */
  keepAliveMsecs?: number;
  /** Most connections to one host. Default: no limit. */
  maxSockets?: number;
  /** Most connections. Default: no limit. */
  maxTotalSockets?: number;
  /** Most idle connections to one host. Default 256. */
  maxFreeSockets?: number;
  /** Which idle connection is taken first. Default `lifo`. */
  scheduling?: "fifo" | "lifo";
  /** Milliseconds of silence after which a connection times out. */
  timeout?: number;
  /** Milliseconds to open a connection and evaluate it. Default 10,000; 0 is no limit. */
  connectTimeout?: number;
  /** Proxy to tunnel through; one over TLS needs an entry of its own. */
  proxy?: string | URL;
}

/** Options of {@linkcode createDispatcher}. */
export interface DispatcherOptions extends FetchOptions {
  /** Proxy to tunnel through; one over TLS needs an entry of its own. */
  proxy?: string | URL;
  /** Requests sent without waiting for the answers before. Default 1. */
  pipelining?: number;
}

/** Options of {@linkcode tlsOptions}. */
export interface TlsOptionsOptions extends PinnerOptions {
  /** Whom it must be: checked, pinned, sent as SNI. */
  hostname: string;
  /** Certificates trusted instead of the platform's store. */
  ca?: CertificateInput;
}

/** What {@linkcode tlsOptions} returns. */
export interface PinnedTlsOptions {
  /** The synchronous check. */
  readonly checkServerIdentity: CheckServerIdentity;
  /** Keeps the platform's validation on. */
  readonly rejectUnauthorized: true;
  /** The hostname as SNI; empty for an IP literal. */
  readonly servername: string;
  /** PEM of the anchors; left out where the platform's store holds. */
  readonly ca?: string[];
}

/** What all functions of this module take. */
const SHARED = { ca: CERTIFICATES } as const satisfies Shape;

const PEER = {
  ...SHARED,
  host: TEXT,
  hostname: TEXT,
  port: PORT,
  servername: TEXT,
  socket: passed<Duplex>(),
  proxy: passed<string | URL>(),
  signal: SIGNAL,
  connectTimeout: MILLISECONDS,
} as const satisfies Shape;

const AGENT = {
  ...SHARED,
  proxy: passed<string | URL>(),
  connectTimeout: MILLISECONDS,
} as const satisfies Shape;

const HOOK = { ...SHARED, hostname: TEXT } as const satisfies Shape;

function gateOf(
  source: PinnerSource,
  options: OptionsOf<typeof PINNER_OPTIONS>,
  ca: CertificateInput | undefined,
): Gate {
  requireRuntime();
  const pinner = resolvePinner(source, options);
  return new Gate(pinner, resolveTrust(pinner, ca));
}

/**
 * Connects, verifies and pins: `tls.connect` with a policy in front.
 *
 * When the promise resolves, the platform has validated the peer, a path to an
 * anchor has been verified, the policy allows it, and not one application byte
 * has been sent. For `http2.connect` and gRPC, hand the socket over with
 * `createConnection: () => socket`.
 *
 * @param pinner A pinner, or a policy (also as JSON text).
 * @param options Where to connect to, and what to trust.
 * @returns The connected socket.
 * @throws {PinMismatchError} `ERR_CERTPIN_MISMATCH`, `ERR_CERTPIN_ROOT_ONLY`
 * @throws {PathError} where no valid path leads to an anchor.
 * @throws {PolicyError} `ERR_CERTPIN_UNLISTED`, `ERR_CERTPIN_EXPIRED`, or the
 * policy's own problems.
 * @throws {ConnectionError} `ERR_CERTPIN_HANDSHAKE` where the platform refuses
 * the peer, `ERR_CERTPIN_OPTION`, `ERR_CERTPIN_NO_CHAIN`, `ERR_CERTPIN_RUNTIME`.
 */
export function connect(
  pinner: PinnerSource,
  options: ConnectOptions,
): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const read = readOptions(options, {
      pinner: PINNER_OPTIONS,
      peer: PEER,
      connection: CONNECTION_OPTIONS,
      tls: TLS_OPTIONS,
    });
    const { peer } = read;
    const gate = gateOf(pinner, read.pinner, peer.ca);
    const host = peer.host ?? peer.hostname ?? "localhost";
    // Resolved by the gate itself: each further turn would be one in which the
    // policy may change.
    openConnection(gate, {
      hostname: peer.servername || host,
      host,
      port: peer.port,
      transport: peer.socket,
      proxy: parseProxy(peer.proxy),
      tls: { ...read.tls, ...read.connection },
      signals: [peer.signal],
      connectTimeout: peer.connectTimeout,
    }, resolve).catch(reject);
  });
}

/**
 * Makes an agent for `node:https` and the libraries on it (axios, got).
 *
 * Each request is checked by the hostname of its own URL, whatever its `Host`
 * header says. A request of `node:http` fails with `ERR_CERTPIN_PROTOCOL`, so
 * hand it over as the agent for `http:` too, and no redirect leaves TLS.
 * `agent.options` carries the synchronous hook, for libraries that copy the
 * options into an agent of their own.
 *
 * @param pinner A pinner, or a policy (also as JSON text).
 * @param options Pooling, and what to trust.
 * @returns The agent; `destroy()` closes its connections.
 * @throws {ConnectionError} `ERR_CERTPIN_OPTION`, `ERR_CERTPIN_RUNTIME`
 */
export function createAgent(
  pinner: PinnerSource,
  options: AgentOptions = {},
): https.Agent {
  const read = readOptions(options, {
    pinner: PINNER_OPTIONS,
    agent: AGENT,
    pool: POOL_OPTIONS,
    tls: TLS_OPTIONS,
  }, { refused: REFUSED_BY_AGENT });
  const { ca, proxy, connectTimeout } = read.agent;
  return new PinnedHttpsAgent(gateOf(pinner, read.pinner, ca), {
    pool: read.pool,
    tls: read.tls,
    proxy: parseProxy(proxy),
    connectTimeout,
  });
}

/** What {@linkcode createDispatcher} makes: an `Agent` of undici. */
export type PinnedDispatcher = undici.Agent;

/**
 * Makes a dispatcher for undici: `fetch`, `request`, `WebSocket`,
 * `EventSource`, and whatever takes a dispatcher.
 *
 * Use it with undici's own functions. The global `fetch` of Bun and Deno
 * ignores a dispatcher.
 *
 * @param pinner A pinner, or a policy (also as JSON text).
 * @param options What to trust, and how to connect.
 * @returns The dispatcher; `close()` or `destroy()` ends it.
 * @throws {ConnectionError} `ERR_CERTPIN_OPTION`, `ERR_CERTPIN_RUNTIME`
 */
export function createDispatcher(
  pinner: PinnerSource,
  options: DispatcherOptions = {},
): PinnedDispatcher {
  return new PinnedAgent(...prepareAgent(pinner, options, {
    refused: ["tls"],
    takesProxy: true,
  }));
}

/**
 * Options to spread into libraries that take nothing but TLS options.
 *
 * The check in them is synchronous, so it holds for new sessions only: the
 * runtime skips it on a session that the library resumes, and its refusal
 * counts for nothing where `rejectUnauthorized` is turned off afterwards.
 * Prefer {@linkcode connect} or {@linkcode createAgent} where they fit.
 *
 * @param pinner A pinner, or a policy (also as JSON text).
 * @param options Whom to expect, and what to trust.
 * @returns Frozen options.
 * @throws {ConnectionError} `ERR_CERTPIN_OPTION`, `ERR_CERTPIN_RUNTIME`
 * @throws {PolicyError} `ERR_CERTPIN_HOST_INVALID`
 */
export function tlsOptions(
  pinner: PinnerSource,
  options: TlsOptionsOptions,
): PinnedTlsOptions {
  const read = readOptions(options, { pinner: PINNER_OPTIONS, hook: HOOK }, {
    required: ["hostname"],
  });
  const gate = gateOf(pinner, read.pinner, read.hook.ca);
  const hostname = canonicalHost(read.hook.hostname);
  const { ca } = gate.trust;
  return Object.freeze({
    checkServerIdentity: gate.hook(hostname.text),
    rejectUnauthorized: true,
    servername: hostname.kind === "dns" ? hostname.text : "",
    ...(ca === undefined ? {} : { ca: [...ca] }),
  });
}

/** Options of {@linkcode checkServerIdentity}. */
export interface CheckServerIdentityOptions extends PinnerOptions {
  /** Whom it must be; by default the name that the runtime passes. */
  hostname?: string;
  /** Certificates trusted instead of the platform's store. */
  ca?: CertificateInput;
}

/**
 * The bare hook for `tls.connect`, evaluated at once over `node:crypto`: the same
 * rules, the same verdicts. It never throws.
 *
 * @param pinner A pinner, or a policy (also as JSON text).
 * @param options Whom to expect; say it wherever it is known, since some
 * libraries pass `localhost` or an address.
 * @returns The hook; its limits are those of {@linkcode tlsOptions}.
 */
export function checkServerIdentity(
  pinner: PinnerSource,
  options: CheckServerIdentityOptions = {},
): CheckServerIdentity {
  const read = readOptions(options, { pinner: PINNER_OPTIONS, hook: HOOK });
  const { hostname, ca } = read.hook;
  return gateOf(pinner, read.pinner, ca).hook(hostname);
}
