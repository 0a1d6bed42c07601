/**
 * A `fetch` over connections that the caller opens.
 *
 * @module
 */
import { ConnectionError } from "../errors.ts";
import { MAX_HTTP_REDIRECTS } from "../limits.ts";
import {
  drain,
  type ExchangeOptions,
  type Http1Connection,
  type OpenConnection,
  type ResponseMessage,
} from "./connection.ts";
import type { PoolSettings } from "./pool.ts";
import { Pools } from "./pools.ts";
import {
  locationOf,
  mayRepeat,
  messageOf,
  prepare,
  type PreparedFetch,
  redirected,
} from "./request.ts";
import { acceptedEncodings, toResponse } from "./response.ts";

/** How a fetch gets its connections, and how long it waits. */
export interface FetchSettings<Connection extends OpenConnection>
  extends PoolSettings {
  /** Opens a connection to the origin of a URL; refuses what must not be asked. */
  open(url: URL, signal: AbortSignal | undefined): Promise<Connection>;
  /** Called with each response, clones too, and the connection that brought it. */
  onResponse?(response: Response, connection: Connection): void;
  /** Milliseconds for the head of a response; 0 is no limit. */
  readonly headersTimeout: number;
  /** Milliseconds between two pieces of a body; 0 is no limit. */
  readonly bodyTimeout: number;
}

/** A `fetch` with connections of its own. */
export interface Http1Fetch {
  /** As the global `fetch`. */
  (input: string | URL | Request, init?: RequestInit): Promise<Response>;
  /** Ends all connections at once; requests that still run fail. */
  close(): void;
}

interface Exchanged {
  readonly message: ResponseMessage;
  readonly connection: Http1Connection;
}

/** Makes a `fetch`. */
export function createHttp1Fetch<Connection extends OpenConnection>(
  settings: FetchSettings<Connection>,
): Http1Fetch {
  const pools = new Pools(settings);
  const opened = new WeakMap<Http1Connection, Connection>();
  let isClosed = false;

  const open = async (
    url: URL,
    signal: AbortSignal | undefined,
  ): Promise<Http1Connection> => {
    const connection = await settings.open(url, signal);
    if (isClosed) {
      connection.close();
      throw closedError();
    }
    const added = pools.current().add(url.origin, connection);
    opened.set(added, connection);
    return added;
  };

  const exchange = async (request: PreparedFetch): Promise<Exchanged> => {
    const { url, signal } = request;
    const options: ExchangeOptions = { ...settings, signal };
    const send = async (connection: Http1Connection): Promise<Exchanged> => {
      const message = await connection.exchange(
        messageOf(
          request,
          acceptedEncodings(),
          settings.keepAliveTimeout > 0,
        ),
        options,
      );
      return { message, connection };
    };
    signal?.throwIfAborted();
    const pooled = pools.current().take(url.origin);
    if (pooled === undefined) return await send(await open(url, signal));
    try {
      return await send(pooled);
    } catch (error) {
      // The server may close an idle connection at the very moment that a
      // request leaves (RFC 9112, section 9.3.1).
      const mayTryAgain = pooled.wasUntouched ||
        pooled.wasGivenUp && mayRepeat(request);
      if (!mayTryAgain || signal?.aborted || isClosed) throw error;
      return await send(await open(url, signal));
    }
  };

  const follow = async (prepared: PreparedFetch): Promise<Response> => {
    let request = prepared;
    for (let redirects = 0;; redirects++) {
      const { message, connection } = await exchange(request);
      const headers = new Headers(message.fields.map(([...field]) => field));
      const { url } = request;
      let location: URL | undefined;
      try {
        if (request.redirect !== "manual") {
          location = locationOf(url, message);
        }
        if (location !== undefined) {
          if (request.redirect === "error") {
            throw new TypeError("The server redirects");
          }
          if (redirects === MAX_HTTP_REDIRECTS) {
            throw new TypeError("The server redirects too often");
          }
          request = redirected(request, message.status, location);
        }
      } catch (error) {
        await message.body.cancel(error);
        throw error;
      }
      if (location !== undefined) {
        await drain(message.body);
        continue;
      }
      const shown = new URL(url);
      shown.hash = "";
      return await toResponse(message, headers, {
        url: shown.href,
        redirected: redirects > 0,
        integrity: request.integrity,
        onResponse: (response) =>
          settings.onResponse?.(response, opened.get(connection)!),
      });
    }
  };

  const pinned = async (
    input: string | URL | Request,
    init?: RequestInit,
  ): Promise<Response> => {
    if (isClosed) throw failed(closedError());
    const prepared = await prepare(input, init);
    try {
      return await follow(prepared);
    } catch (error) {
      const { body, signal } = prepared;
      body?.cancel?.(error);
      if (signal?.aborted && error === signal.reason) throw error;
      throw failed(error);
    }
  };
  const close = () => {
    isClosed = true;
    pools.close(closedError());
  };
  return Object.assign(pinned, { close });
}

function closedError(): Error {
  return new DOMException("This fetch was closed", "AbortError");
}

function failed(cause: unknown): TypeError {
  return new TypeError(
    cause instanceof ConnectionError
      ? `fetch failed: ${cause.message}`
      : "fetch failed",
    { cause },
  );
}
