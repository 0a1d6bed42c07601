/**
 * An agent for `node:https` whose every connection passes the gate.
 *
 * @module
 */
import type * as http from "node:http";
import * as https from "node:https";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { setImmediate } from "node:timers";
import { checkServerIdentity, type TLSSocket } from "node:tls";
import { ConnectionError } from "../errors.ts";
import { CONNECT_TIMEOUT_MS, withDeadline } from "../tls/deadline.ts";
import { pickOptions, takeOptions } from "../tls/options.ts";
import { PooledConnections } from "./pooled.ts";
import type { Gate } from "../tls/gate.ts";
import { pickTls } from "../tls/tls_options.ts";
import type { Proxy } from "../tls/tunnel.ts";

/** Options of `https.Agent` about pooling. */
const POOL_OPTIONS = [
  "agentKeepAliveTimeoutBuffer",
  "keepAlive",
  "keepAliveMsecs",
  "maxFreeSockets",
  "maxSockets",
  "maxTotalSockets",
  "scheduling",
  "timeout",
] as const;

/** What node:http passes about one request. */
type RequestOptions = Record<string, unknown> & {
  host?: string;
  port?: number | string;
  servername?: string;
  timeout?: number;
};

/** The parts of `http.Agent` that its types leave out. */
interface AgentInternals {
  protocol?: string;
  /** Those that wait for a connection, by name. */
  readonly requests: Record<string, ClientRequest[]>;
  addRequest(request: ClientRequest, options: RequestOptions): void;
  removeSocket(socket: Socket, options: RequestOptions): void;
}

type ClientRequest = http.ClientRequest & {
  onSocket(socket: Socket | null, error?: Error): void;
};

type Created = (error: Error | null, socket: Duplex) => void;

const { addRequest: ADD_REQUEST } = https.Agent
  .prototype as unknown as AgentInternals;

/** Names the option that another transport would hide behind. */
const REFUSED_BY_AGENT = ["socketPath"];

/** The agent; private to a gate, and it caches no sessions. */
export class PinnedHttpsAgent extends https.Agent {
  readonly #gate: Gate;
  readonly #pooled: PooledConnections;
  readonly #proxy: Proxy | undefined;
  readonly #connectTimeout: number;
  readonly #closing = new AbortController();

  /** Takes its own options out of `taken`. */
  constructor(
    gate: Gate,
    taken: Record<string, unknown>,
    proxy: Proxy | undefined,
  ) {
    const pool = pickOptions(taken, POOL_OPTIONS);
    super({
      ...pool,
      ...pickTls(taken),
      ...(gate.trust.ca === undefined ? {} : { ca: [...gate.trust.ca] }),
      // For libraries that copy these into an agent of their own.
      checkServerIdentity: gate.hook(),
      maxCachedSessions: 0,
      rejectUnauthorized: true,
    });
    this.#gate = gate;
    this.#pooled = new PooledConnections(gate);
    this.#proxy = proxy;
    this.#connectTimeout = (taken.connectTimeout ??
      CONNECT_TIMEOUT_MS) as number;
    // So that a request of node:http comes as far as `addRequest`.
    (this as unknown as AgentInternals).protocol = undefined;
    // Before the pool's own listener, which drops what is not writable.
    this.prependListener("free", (socket: Socket) => {
      if (gate.refusesReuse(socket)) socket.destroy();
    });
  }

  /** Called by node:http for each request. */
  addRequest(request: ClientRequest, given: RequestOptions): void {
    let options: RequestOptions;
    try {
      options = this.#prepare(request, given);
    } catch (error) {
      request.onSocket(null, error as Error);
      return;
    }
    this.#dropRefused(options);
    ADD_REQUEST.call(this, request, options);
  }

  #prepare(request: ClientRequest, given: RequestOptions): RequestOptions {
    const { protocol } = request as { protocol?: string };
    if (protocol !== "https:" && protocol !== "wss:") {
      throw new ConnectionError(
        "ERR_CERTPIN_PROTOCOL",
        `Cannot connect with ${protocol}: only https: can be pinned`,
      );
    }
    const harmless = given.checkServerIdentity === checkServerIdentity
      // got names the platform's own check, which runs in any case.
      ? { ...given, checkServerIdentity: undefined }
      : given;
    const options = takeOptions(harmless, REFUSED_BY_AGENT) as RequestOptions;
    // Said before node:http derives it from the Host header: the name of the
    // URL counts, unless the caller names another.
    options.servername ||= options.host;
    return options;
  }

  #dropRefused(options: RequestOptions): void {
    const name = this.getName({ ...options, ...this.options } as never);
    for (const socket of [...this.freeSockets[name] ?? []]) {
      if (!this.#gate.refusesReuse(socket)) continue;
      socket.destroy();
      (this as unknown as AgentInternals).removeSocket(socket, {
        ...options,
        ...this.options,
      });
    }
  }

  /**
   * Starts the requests that wait for a connection to the same host.
   *
   * node:http looks at its queue when a socket closes; after a refusal there
   * is no socket, and they would wait for ever.
   */
  #resumeQueue(options: RequestOptions): void {
    const name = this.getName(options as never);
    const { requests } = this as unknown as AgentInternals;
    const waiting = requests[name] ?? [];
    delete requests[name];
    for (const request of waiting) {
      // The one that was refused has its error already.
      if (!request.destroyed) ADD_REQUEST.call(this, request, options);
    }
  }

  /** Opens a connection through the gate; calls back after the verdict. */
  override createConnection(given: object, created?: Created): Duplex {
    const options = given as RequestOptions;
    const { host = "localhost", port, servername, timeout } = options;
    const limit = timeout || this.#connectTimeout;
    withDeadline<TLSSocket>(
      limit,
      () =>
        Object.assign(
          new Error(`Cannot connect to ${host}: not done after ${limit} ms`),
          { code: "ETIMEDOUT" },
        ),
      [this.#closing.signal],
      (signal) =>
        this.#gate.open({
          hostname: servername || host,
          host,
          port: Number(port ?? 443),
          tls: pickTls({ ...options }),
          proxy: this.#proxy,
          signal,
        }),
    ).then((socket) => this.#pooled.keep(socket)).then(
      (socket) => {
        if (timeout) socket.setTimeout(timeout);
        created?.(null, socket);
      },
      (error) => {
        created?.(error, undefined as never);
        // After the request that was refused has heard of it.
        setImmediate(() => this.#resumeQueue(options));
      },
    );
    // The types know no callback; node:http waits for it where nothing is returned.
    return undefined as never;
  }

  /** Closes all connections, those that are being opened too. */
  override destroy(): void {
    this.#closing.abort(new Error("The agent was destroyed"));
    super.destroy();
  }
}
