/**
 * A dispatcher for undici whose every connection passes the gate.
 *
 * @module
 */
// "undici" alone is a shim of Bun's that ignores the connector.
import {
  Agent,
  Client,
  type Dispatcher,
  Dispatcher1Wrapper,
  errors,
  Pool,
} from "undici/index.js";
import type { TLSSocket } from "node:tls";
import { ConnectionError } from "../errors.ts";
import type { Verdict } from "../pinner/pinner.ts";
import { timedOut } from "../tls/deadline.ts";
import { openConnection } from "../tls/open.ts";
import { ON_VERDICT } from "../tls/options.ts";
import type { DispatcherOptions } from "./dispatcher_options.ts";
import { PooledConnections } from "./pooled.ts";
import type { Gate } from "../tls/gate.ts";
import { verdictOf } from "../tls/verdicts.ts";

/** Milliseconds before the first TCP keep-alive probe, as undici has it. */
const KEEP_ALIVE_DELAY_MS = 60_000;

interface Watched {
  readonly [ON_VERDICT]?: (verdict: Verdict, isReused: boolean) => void;
}

type Handler = Dispatcher.DispatchHandler;
type Controller = Dispatcher.DispatchController;
type AnyHandler = Record<string, ((...args: unknown[]) => unknown) | undefined>;

/**
 * Looks at the connection at the very moment that a request starts on it,
 * before a byte of the request is written, and forwards everything else.
 *
 * Each argument by its name: lists of them cost every request.
 */
class StartGuard {
  readonly #handler: AnyHandler;
  readonly #mayStart: () => Error | undefined;

  constructor(handler: Handler, mayStart: () => Error | undefined) {
    this.#handler = handler as AnyHandler;
    this.#mayStart = mayStart;
  }

  onRequestStart(controller: Controller, context: unknown): unknown {
    const refused = this.#mayStart();
    if (refused) return controller.abort(refused);
    return this.#handler.onRequestStart?.(controller, context);
  }

  onRequestUpgrade(
    controller: unknown,
    status: unknown,
    headers: unknown,
    socket: unknown,
  ): unknown {
    return this.#handler.onRequestUpgrade?.(
      controller,
      status,
      headers,
      socket,
    );
  }

  onResponseStarted(): unknown {
    return this.#handler.onResponseStarted?.();
  }

  onResponseStart(
    controller: unknown,
    status: unknown,
    headers: unknown,
    text: unknown,
  ): unknown {
    return this.#handler.onResponseStart?.(controller, status, headers, text);
  }

  onResponseData(controller: unknown, chunk: unknown): unknown {
    return this.#handler.onResponseData?.(controller, chunk);
  }

  onResponseEnd(controller: unknown, trailers: unknown): unknown {
    return this.#handler.onResponseEnd?.(controller, trailers);
  }

  onResponseError(controller: unknown, error: unknown): unknown {
    return this.#handler.onResponseError?.(controller, error);
  }

  onBodySent(chunk: unknown): unknown {
    return this.#handler.onBodySent?.(chunk);
  }

  onRequestSent(): unknown {
    return this.#handler.onRequestSent?.();
  }
}

interface Slot {
  socket?: TLSSocket;
  /** Whether a request has started on it. */
  isUsed: boolean;
}

/** One connection at a time, each through the gate. */
class PinnedClient extends Client {
  readonly #gate: Gate;
  readonly #slot: Slot;

  constructor(
    origin: string | URL,
    options: Client.Options,
    gate: Gate,
    connect: Connect,
  ) {
    const slot: Slot = { isUsed: false };
    super(origin, {
      ...options,
      connect(request, callback) {
        connect(request, (socket) => {
          slot.socket = socket;
          slot.isUsed = false;
          callback(null, socket);
        }).catch((error) => callback(error, null));
      },
    });
    this.#gate = gate;
    this.#slot = slot;
  }

  override dispatch(
    options: Dispatcher.DispatchOptions & Watched,
    handler: Handler,
  ): boolean {
    this.#retire();
    const guard = new StartGuard(handler, () => {
      const { socket } = this.#slot;
      const refused = this.#retire();
      if (refused !== undefined) return refused;
      options[ON_VERDICT]?.(verdictOf(socket!)!, this.#slot.isUsed);
      this.#slot.isUsed = true;
    });
    return super.dispatch(options, guard as Handler);
  }

  /** Destroys the connection if no request may start on it any more. */
  #retire(): Error | undefined {
    const { socket } = this.#slot;
    if (socket === undefined) return;
    const refused = this.#gate.refusesReuse(socket);
    // Without an error undici opens a new connection for the requests that
    // wait; with one it fails those that run.
    if (refused !== undefined && !socket.destroyed) {
      socket.destroy(this.stats.running > 0 ? refused : undefined);
    }
    return refused;
  }
}

interface ConnectRequest {
  readonly hostname: string;
  readonly protocol: string;
  readonly port: string;
}

/** Connects, and calls back in the moment of the verdict. */
type Connect = (
  request: ConnectRequest,
  take: (socket: TLSSocket) => void,
) => Promise<void>;

/** The agent: a pool for each origin, private to a gate. */
export class PinnedAgent extends Agent {
  readonly #closing: AbortController;

  /** Makes the agent of a gate. */
  constructor(gate: Gate, options: DispatcherOptions) {
    const closing = new AbortController();
    const connect = connector(gate, options, closing.signal);
    const client = (origin: string | URL, given: object) =>
      new PinnedClient(origin, given, gate, connect);
    super({
      ...options.undici,
      allowH2: options.allowH2,
      factory: (origin: string | URL, given: object) =>
        new Pool(origin, {
          ...given,
          connect: refuseConnector,
          factory: client,
        }),
    });
    this.#closing = closing;
  }

  override dispatch(
    options: Dispatcher.DispatchOptions,
    handler: Handler,
  ): boolean {
    // Older handlers are those of the `fetch` that Node 22 and 24 bring.
    if (typeof handler?.onRequestStart === "function") {
      return super.dispatch(options, handler);
    }
    const inner: Pick<Dispatcher, "dispatch"> = {
      dispatch: (given, wrapped) => super.dispatch(given, wrapped),
    };
    return new Dispatcher1Wrapper(inner as Dispatcher)
      .dispatch(options, handler as never);
  }

  override destroy(...args: unknown[]): Promise<void> {
    this.#closing.abort(new errors.ClientDestroyedError());
    return super.destroy(...args as [Error | null]);
  }
}

// Every client of the pool brings the gate; this one is never to be reached.
function refuseConnector(
  _request: unknown,
  callback: (error: Error, socket: null) => void,
): void {
  callback(
    new ConnectionError(
      "ERR_CERTPIN_OPTION",
      "Cannot connect: this connection would bypass the check",
    ),
    null,
  );
}

function connector(
  gate: Gate,
  { allowH2, tls, proxy, connectTimeout }: DispatcherOptions,
  closing: AbortSignal,
): Connect {
  const pooled = new PooledConnections(gate);
  return async ({ hostname, protocol, port }, take) => {
    if (protocol !== "https:") {
      throw new ConnectionError(
        "ERR_CERTPIN_PROTOCOL",
        `Cannot connect to ${hostname}: only https: and wss: can be pinned`,
      );
    }
    await openConnection(gate, {
      hostname,
      port: Number(port || 443),
      tls: {
        ...tls,
        ALPNProtocols: allowH2 ? ["http/1.1", "h2"] : ["http/1.1"],
      },
      proxy,
      signals: [closing],
      connectTimeout,
      onLate: (host, milliseconds) =>
        new errors.ConnectTimeoutError(timedOut(host, milliseconds).message),
    }, (socket) => {
      pooled.keep(socket);
      socket.setNoDelay(true);
      socket.setKeepAlive(true, KEEP_ALIVE_DELAY_MS);
      take(socket);
    });
  };
}
