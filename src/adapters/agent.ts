/**
 * An agent for `node:https` whose every connection passes the gate.
 *
 * @module
 */
import type * as http from "node:http";
import * as https from "node:https";
import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import { setImmediate } from "node:timers";
import { checkServerIdentity } from "node:tls";
import { ConnectionError } from "../errors.ts";
import { CONNECT_TIMEOUT_MS } from "../tls/deadline.ts";
import { openConnection } from "../tls/open.ts";
import {
  type OptionsOf,
  passed,
  refuseWeakening,
  type Shape,
} from "../tls/options.ts";
import { PooledConnections } from "./pooled.ts";
import type { Gate } from "../tls/gate.ts";
import { pickTls, type TLS_OPTIONS } from "../tls/tls_options.ts";
import type { Proxy } from "../tls/tunnel.ts";

/** Options of `https.Agent` about pooling; it checks them. */
export const POOL_OPTIONS = {
  agentKeepAliveTimeoutBuffer: passed<number>(),
  keepAlive: passed<boolean>(),
  keepAliveMsecs: passed<number>(),
  maxFreeSockets: passed<number>(),
  maxSockets: passed<number>(),
  maxTotalSockets: passed<number>(),
  scheduling: passed<"fifo" | "lifo">(),
  timeout: passed<number>(),
} as const satisfies Shape;

/** What an agent is made with. */
export interface PinnedAgentOptions {
  readonly pool: OptionsOf<typeof POOL_OPTIONS>;
  readonly tls: OptionsOf<typeof TLS_OPTIONS>;
  readonly proxy: Proxy | undefined;
  readonly connectTimeout: number | undefined;
}

/** What node:http passes about one request. */
type RequestOptions = Record<string, unknown> & {
  host?: string;
  port?: number | string;
  servername?: string;
  timeout?: number;
  [FOR]?: Purpose;
};

/** What a connection is created for. */
interface Purpose {
  readonly request: ClientRequest;
  /** Whether the request waits for the first connection that is free. */
  readonly isQueued: boolean;
}

/** Names the {@linkcode Purpose} among the options of a connection. */
const FOR: unique symbol = Symbol("certpin.for");

/** The parts of `http.Agent` that its types leave out. */
interface AgentInternals {
  protocol?: string;
  /** Those that wait for a connection, by name. */
  readonly requests: Record<string, ClientRequest[]>;
  /** Connections in use, by name. */
  readonly sockets: Record<string, Duplex[]>;
  totalSocketCount: number;
  addRequest(request: ClientRequest, options: RequestOptions): void;
  createSocket(
    request: ClientRequest,
    options: RequestOptions,
    done: SocketCreated,
  ): void;
  removeSocket(socket: Duplex, options: RequestOptions): void;
}

type ClientRequest = http.ClientRequest & {
  onSocket(socket: Socket | null, error?: Error): void;
};

type SocketCreated = (error: Error | null, socket?: Socket) => void;

type Created = (error: Error | null, socket: Duplex) => void;

const { addRequest: ADD_REQUEST, createSocket: CREATE_SOCKET } = https.Agent
  .prototype as unknown as AgentInternals;

/** Options that would take another connection than the gate's. */
export const REFUSED_BY_AGENT: readonly string[] = ["socketPath"];

/** The agent; private to a gate, and it caches no sessions. */
export class PinnedHttpsAgent extends https.Agent {
  readonly #gate: Gate;
  readonly #pooled: PooledConnections;
  readonly #proxy: Proxy | undefined;
  readonly #connectTimeout: number | undefined;
  readonly #closing = new AbortController();

  /** Makes the agent of a gate. */
  constructor(
    gate: Gate,
    { pool, tls, proxy, connectTimeout }: PinnedAgentOptions,
  ) {
    super({
      ...pool,
      ...tls as https.AgentOptions,
      ...(gate.trust.ca === undefined ? {} : { ca: [...gate.trust.ca] }),
      // For libraries that copy these into an agent of their own.
      checkServerIdentity: gate.hook(),
      maxCachedSessions: 0,
      rejectUnauthorized: true,
    });
    this.#gate = gate;
    this.#pooled = new PooledConnections(gate);
    this.#proxy = proxy;
    this.#connectTimeout = connectTimeout;
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
    const harmless: RequestOptions = {
      ...given,
      // ws sets one. An agent's own counts, and this one's passes the gate.
      createConnection: undefined,
    };
    // got names the platform's own check, which runs in any case.
    if (given.checkServerIdentity === checkServerIdentity) {
      harmless.checkServerIdentity = undefined;
    }
    const options = refuseWeakening(
      harmless,
      REFUSED_BY_AGENT,
    ) as RequestOptions;
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
      this.#internals.removeSocket(socket, { ...options, ...this.options });
    }
  }

  get #internals(): AgentInternals {
    return this as unknown as AgentInternals;
  }

  /** Called by node:http when a request, maybe one that waits, needs a connection. */
  createSocket(
    request: ClientRequest,
    options: RequestOptions,
    done: SocketCreated,
  ): void {
    const isQueued = Object.values(this.#internals.requests)
      .some((waiting) => waiting.includes(request));
    const purpose: Purpose = { request, isQueued };
    CREATE_SOCKET.call(this, request, { ...options, [FOR]: purpose }, done);
  }

  /** Opens a connection through the gate; calls back after the verdict. */
  override createConnection(given: object, created?: Created): Duplex {
    const options = given as RequestOptions;
    const { host = "localhost", port, servername, timeout } = options;
    const opening = new Opening();
    this.#occupy(opening, options);
    const purpose = options[FOR];
    if (purpose !== undefined) opening.endWith(purpose.request);
    const limits = [timeout ?? 0, this.#connectTimeout ?? CONNECT_TIMEOUT_MS]
      .filter((limit) => limit > 0);
    openConnection(this.#gate, {
      hostname: servername || host,
      host,
      port: Number(port ?? 443),
      tls: pickTls(options),
      proxy: this.#proxy,
      signals: [this.#closing.signal, opening.signal],
      connectTimeout: limits.length > 0 ? Math.min(...limits) : 0,
    }, (socket) => {
      this.#pooled.keep(socket);
      if (timeout) socket.setTimeout(timeout);
      this.#vacate(opening, options);
      created?.(null, socket);
    }).catch((error) => {
      this.#vacate(opening, options);
      this.#fail(error, purpose, created);
      // After the request has heard of it.
      setImmediate(() => this.#resumeQueue(opening, options));
    });
    // The types know no callback; node:http waits for it where nothing is returned.
    return undefined as never;
  }

  /**
   * Counts a connection that is being opened as one that is open.
   *
   * node:http counts a connection when it is there, so that any number could be
   * opened at once under a limit of one.
   */
  #occupy(opening: Opening, options: RequestOptions): void {
    const name = this.getName(options as never);
    (this.#internals.sockets[name] ??= []).push(opening);
    this.#internals.totalSocketCount++;
  }

  #vacate(opening: Opening, options: RequestOptions): void {
    const { sockets } = this.#internals;
    const name = this.getName(options as never);
    const left = (sockets[name] ?? []).filter((one) => one !== opening);
    this.#internals.totalSocketCount--;
    if (left.length > 0) sockets[name] = left;
    else delete sockets[name];
  }

  /** Tells the request that a connection was for, unless it has another one. */
  #fail(
    error: Error,
    purpose: Purpose | undefined,
    created: Created | undefined,
  ): void {
    if (purpose?.isQueued && !this.#dequeue(purpose.request)) return;
    // A request that was destroyed brings an error of its own.
    if (purpose?.request.destroyed) purpose.request.onSocket(null);
    else created?.(error, undefined as never);
  }

  #dequeue(request: ClientRequest): boolean {
    const { requests } = this.#internals;
    for (const [name, waiting] of Object.entries(requests)) {
      const at = waiting.indexOf(request);
      if (at < 0) continue;
      waiting.splice(at, 1);
      if (waiting.length === 0) delete requests[name];
      return true;
    }
    return false;
  }

  /**
   * Starts a request that waits for a connection.
   *
   * node:http looks at its queue when a socket closes; after a refusal there
   * is no socket, and they would wait for ever.
   */
  #resumeQueue(opening: Opening, options: RequestOptions): void {
    this.#internals.removeSocket(opening, options);
  }

  /** Closes all connections, also those that are being opened. */
  override destroy(): void {
    this.#closing.abort(new Error("The agent was destroyed"));
    super.destroy();
  }
}

/** A connection that is being opened, in the place of its socket. */
class Opening extends Duplex {
  readonly #ending = new AbortController();

  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  override _read(): void {}

  override _destroy(
    error: Error | null,
    done: (error?: Error | null) => void,
  ): void {
    this.#ending.abort(error ?? new Error("The connection was given up"));
    done();
  }

  /**
   * Ends with a request that nobody wants any more; node:http tells of that
   * only where a socket is there.
   */
  endWith(request: ClientRequest): void {
    const { destroy } = request;
    request.destroy = (error) => {
      const destroyed = destroy.call(request, error);
      this.destroy();
      return destroyed;
    };
  }
}
