/**
 * A `fetch` whose every connection passes the gate.
 *
 * @module
 */
import { setImmediate } from "node:timers";
import { CertpinError } from "../../errors.ts";
import { type PinnerOptions, rememberPinner } from "../../pinner/pinner.ts";
import type { CertificateInput } from "../../tls/trust.ts";
import { cancelBody, settleBody } from "./body.ts";
import type { PinnedAgent } from "../dispatcher.ts";
import { prepareAgent } from "../dispatcher_options.ts";
import { type PinnerSource, REFUSED_BY_FETCH } from "../../tls/options.ts";
import { Exchange, type ExchangeRequest, networkError } from "./exchange.ts";
import { matchesIntegrity } from "../../integrity.ts";
import { redirectOf } from "./redirect.ts";
import { type FetchRequest, readRequest } from "./request.ts";
import { buildResponse } from "./response.ts";
import type { TlsOptions } from "../../tls/tls_options.ts";

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

class ClosedError extends Error {
  constructor() {
    super("This fetch was closed");
    this.name = "ClosedError";
  }
}

/**
 * undici reads the environment when it is loaded, and connections without
 * `fetch` are not to need the permission for that.
 */
async function loadAgent(
  parts: ReturnType<typeof prepareAgent>,
): Promise<PinnedAgent> {
  const { PinnedAgent } = await import("../dispatcher.ts");
  return new PinnedAgent(...parts);
}

/** Fetches, and follows redirects (Fetch, "HTTP-redirect fetch"). */
async function fetchWith(
  agent: PinnedAgent,
  first: FetchRequest,
): Promise<Response> {
  let request = first;
  let redirects = 0;
  for (;;) {
    const { signal, integrity } = request;
    signal?.throwIfAborted();
    if (request.body?.kind === "encoded") {
      request = { ...request, body: await settleBody(request.body) };
      signal?.throwIfAborted();
    }
    let exchange = new Exchange(request as ExchangeRequest);
    try {
      await exchange.run(agent);
    } catch (error) {
      // The server had closed the connection before the request came.
      if (!exchange.mayBeRepeated) throw error;
      exchange = new Exchange(request as ExchangeRequest);
      await exchange.run(agent);
    }
    try {
      const next = redirectOf(exchange, request, redirects);
      if (next !== undefined) {
        exchange.discard();
        // undici takes a connection into use again after one turn.
        await new Promise<void>((resolve) => setImmediate(resolve));
        request = next;
        redirects++;
        continue;
      }
      const { href } = request.target;
      const context = { url: href, redirected: redirects > 0 };
      return integrity === ""
        ? buildResponse(exchange, { ...context, isAbortable: signal !== null })
        : await buildChecked(exchange, context, integrity);
    } catch (error) {
      exchange.fail(error);
      throw error;
    }
  }
}

/** Reads the body, and gives it out if it is what the caller expects. */
async function buildChecked(
  exchange: Exchange,
  context: { readonly url: string; readonly redirected: boolean },
  integrity: string,
): Promise<Response> {
  const { responseBody } = exchange;
  if (responseBody === null) {
    throw networkError(
      new Error("Cannot check the integrity: the response has no body"),
    );
  }
  const bytes = await readAll(responseBody.toStream());
  if (!await matchesIntegrity(bytes, integrity)) {
    throw networkError(new Error("The body does not match its integrity"));
  }
  return buildResponse(exchange, { ...context, isAbortable: false, bytes });
}

async function readAll(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await new Response(stream).arrayBuffer());
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
  const parts = prepareAgent(pinner, options, {
    refused: REFUSED_BY_FETCH,
    takesProxy: false,
  });
  let agent: PinnedAgent | undefined;
  let loading: Promise<PinnedAgent> | undefined;
  let isClosed = false;
  const load = () =>
    loading ??= loadAgent(parts).then((loaded) => agent = loaded, (error) => {
      // The permission may be granted later.
      loading = undefined;
      throw error;
    });
  // With a default, as the global function: its length is 1.
  const fetch = async (
    input: string | URL | Request,
    init: RequestInit | undefined = undefined,
  ): Promise<Response> => {
    let request: FetchRequest;
    try {
      request = readRequest(input, init);
    } catch (error) {
      throw error instanceof CertpinError ? networkError(error) : error;
    }
    try {
      if (isClosed) throw networkError(new ClosedError());
      return await fetchWith(agent ?? await load(), request);
    } catch (error) {
      cancelBody(request.body, error);
      throw error;
    }
  };
  // A bundler may rename the function.
  Object.defineProperty(fetch, "name", { value: "fetch", configurable: true });
  const close = async () => {
    isClosed = true;
    const loaded = await loading?.catch(() => undefined);
    await loaded?.destroy();
  };
  rememberPinner(fetch, parts[0].pinner);
  return Object.assign(fetch, { close, [Symbol.asyncDispose]: close });
}
