/**
 * A `fetch` whose every connection passes the gate.
 *
 * @module
 */
import type { RequestInit as UndiciInit } from "undici/index.js";
import { ConnectionError } from "../../errors.ts";
import type { PinnerOptions, Verdict } from "../../pinner/pinner.ts";
import { type CertificateInput, resolveTrust } from "../../tls/trust.ts";
import { type Prepared, readBody } from "./body.ts";
import type { DispatcherOptions, PinnedAgent } from "../dispatcher.ts";
import {
  ON_FAILURE,
  ON_VERDICT,
  type PinnerSource,
  REFUSED_BY_DISPATCHER,
  REFUSED_BY_FETCH,
  resolvePinner,
  takeOptions,
} from "../../tls/options.ts";
import { toGlobalResponse } from "./response.ts";
import { requireRuntime } from "../../tls/runtime.ts";
import { Gate } from "../../tls/gate.ts";
import { pickTls, type TlsOptions } from "../../tls/tls_options.ts";
import { parseProxy } from "../../tls/tunnel.ts";
import { rememberVerdict } from "../../tls/verdicts.ts";

/** Options of a dispatcher and of `createFetch`. */
export interface FetchOptions extends PinnerOptions, TlsOptions {
  /** Certificates trusted instead of the platform's store. */
  ca?: CertificateInput;
  /** Offers HTTP/2 too. Default: true on Node, false on Deno and Bun. */
  allowH2?: boolean;
  /** Most connections to one origin. Default: no limit. */
  connections?: number;
  /** Milliseconds to open a connection and evaluate it. Default 10,000; 0 is no limit. */
  connectTimeout?: number;
  /** Milliseconds that an idle connection is kept. Default 4,000. */
  keepAliveTimeout?: number;
  /** Milliseconds until the response's headers are there. Default 300,000. */
  headersTimeout?: number;
  /** Milliseconds between two pieces of a body. Default 300,000. */
  bodyTimeout?: number;
}

/** A `fetch` with connections of its own. */
export interface PinnedFetch extends AsyncDisposable {
  /**
   * As the global `fetch`. Rejects with a `TypeError` whose `cause` is the
   * `CertpinError`, where the connection was refused.
   */
  (input: string | URL | Request, init?: RequestInit): Promise<Response>;
  /** Closes all connections at once; requests that still run fail. */
  close(): Promise<void>;
}

/** What an undici agent is made of. */
export type AgentParts = [
  gate: Gate,
  taken: Record<string, unknown>,
  options: DispatcherOptions,
];

/** Checks the options, and makes the gate of an undici agent. */
export function prepareAgent(
  source: PinnerSource,
  options: object,
  refused: readonly string[],
): AgentParts {
  const runtime = requireRuntime();
  const taken = takeOptions(options, [...REFUSED_BY_DISPATCHER, ...refused]);
  const pinner = resolvePinner(source, taken);
  const { ca, connectTimeout, allowH2 } = taken;
  const proxy = parseProxy(taken.proxy);
  const trust = resolveTrust(pinner, ca as CertificateInput | undefined);
  return [new Gate(pinner, trust), taken, {
    allowH2: (allowH2 ?? runtime === "node") as boolean,
    connectTimeout: connectTimeout as number | undefined,
    tls: pickTls(taken),
    proxy,
  }];
}

class ClosedError extends Error {
  constructor() {
    super("This fetch was closed");
    this.name = "ClosedError";
  }
}

interface Engine {
  readonly agent: PinnedAgent;
  readonly fetch: typeof import("undici/index.js").fetch;
}

/**
 * undici reads the environment when it is loaded, and connections without
 * `fetch` are not to need the permission for that.
 */
async function loadEngine(parts: AgentParts): Promise<Engine> {
  const { fetch, PinnedAgent } = await import("../dispatcher.ts");
  return { agent: new PinnedAgent(...parts), fetch };
}

function requireHttps(url: string): void {
  if (url.startsWith("https:")) return;
  const { protocol } = new URL(url);
  if (protocol !== "https:") {
    throw new ConnectionError(
      "ERR_CERTPIN_PROTOCOL",
      `Cannot fetch a ${protocol} URL: only https: can be pinned`,
    );
  }
}

/** The fields of a `Request` that its copy for undici takes over. */
const REQUEST_FIELDS = [
  "method",
  "headers",
  "referrer",
  "referrerPolicy",
  "mode",
  "credentials",
  "cache",
  "redirect",
  "integrity",
  "keepalive",
  "signal",
] as const;

interface PreparedFetch extends Prepared {
  readonly url: string;
}

async function prepare(
  input: string | URL | Request,
  init: RequestInit | undefined,
): Promise<PreparedFetch> {
  const taken = takeOptions(init, REFUSED_BY_FETCH);
  const isRequest = input instanceof Request;
  const url = isRequest ? input.url : String(input);
  requireHttps(url);
  if (!isRequest) return { url, ...await readBody(taken) };
  const merged: Record<string, unknown> = {};
  for (const name of REQUEST_FIELDS) {
    if (input[name] !== undefined) merged[name] = input[name];
  }
  // What a server-side Request says of itself is not always what it accepts.
  if (merged.mode === "navigate") delete merged.mode;
  if (merged.referrer === "about:client") delete merged.referrer;
  if (input.body !== null) merged.body = input.body;
  return { url, ...await readBody({ ...merged, ...taken }) };
}

/**
 * Makes a `fetch` that pins.
 *
 * Each hop of a redirect is checked by the hostname of its own URL. Proxies
 * of the environment are ignored. Connections are private to the result, and
 * kept alive; none takes a request that the pinner's policy of that moment
 * would refuse.
 *
 * @param pinner A pinner, or a policy (also as JSON text).
 * @param options What to trust, and how to connect.
 * @returns The fetch; close it, or let `await using` do it.
 * @throws {ConnectionError} `ERR_CERTPIN_OPTION`, `ERR_CERTPIN_RUNTIME`
 * @throws {PolicyError} where the policy is wrong.
 */
export function createFetch(
  pinner: PinnerSource,
  options: FetchOptions = {},
): PinnedFetch {
  const parts = prepareAgent(pinner, options, REFUSED_BY_FETCH);
  const isDeno = requireRuntime() === "deno";
  let loading: Promise<Engine> | undefined;
  let isClosed = false;
  const load = () =>
    loading ??= loadEngine(parts).catch((error) => {
      // The permission may be granted later.
      loading = undefined;
      throw error;
    });
  const send = async (
    { url, init }: PreparedFetch,
  ): Promise<Response> => {
    if (isClosed) throw new ClosedError();
    const { agent, fetch } = await load();
    let verdict: Verdict | undefined;
    // Called on each hop: the last one brought the response.
    const onVerdict = (latest: Verdict) => verdict = latest;
    let broken = new AbortController();
    const dispatcher = {
      dispatch(given: object, handler: never) {
        const hop = broken = new AbortController();
        const onFailure = (cause: unknown) =>
          hop.abort(new TypeError("terminated", { cause }));
        const watched = { [ON_VERDICT]: onVerdict, [ON_FAILURE]: onFailure };
        return agent.dispatch({ ...given, ...watched } as never, handler);
      },
    };
    const undici = await fetch(
      url,
      { ...init, dispatcher } as unknown as UndiciInit,
    );
    const signals = init.signal ? [init.signal as AbortSignal] : [];
    // Under Deno a connection that breaks does not reach the body by itself.
    if (isDeno) signals.push(broken.signal);
    const signal = signals[1] ? AbortSignal.any(signals) : signals[0];
    const response = toGlobalResponse(undici, signal);
    if (verdict !== undefined) rememberVerdict(response, verdict);
    return response;
  };
  const pinned = async (
    input: string | URL | Request,
    init?: RequestInit,
  ): Promise<Response> => {
    let prepared: PreparedFetch | undefined;
    try {
      prepared = await prepare(input, init);
      return await send(prepared);
    } catch (error) {
      prepared?.fail?.(error);
      const isOurs = error instanceof ConnectionError ||
        error instanceof ClosedError;
      if (!isOurs) throw error;
      throw new TypeError("fetch failed", { cause: error });
    }
  };
  const close = async () => {
    isClosed = true;
    const engine = await loading?.catch(() => undefined);
    await engine?.agent.destroy();
  };
  return Object.assign(pinned, { close, [Symbol.asyncDispose]: close });
}
