/**
 * Redirects (Fetch, "HTTP-redirect fetch").
 *
 * @module
 */
import { MAX_HTTP_REDIRECTS } from "../../limits.ts";
import type { RequestBody } from "./body.ts";
import { type Exchange, networkError } from "./exchange.ts";
import type { FetchRequest } from "./request.ts";
import { type Target, targetOf } from "./target.ts";

const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/** Headers that speak of a body (Fetch, "request-body-header name"). */
const OF_BODY = new Set([
  "content-encoding",
  "content-language",
  "content-location",
  "content-type",
  "content-length",
]);

/** Headers that are for one origin alone. */
const OF_ORIGIN = new Set([
  "authorization",
  "proxy-authorization",
  "cookie",
  "host",
]);

function without(
  headers: readonly string[],
  names: ReadonlySet<string>,
): readonly string[] {
  return headers.filter((_, at) => !names.has(headers[at - at % 2]));
}

/** The header's bytes as UTF-8, where they are not ASCII. */
function readLocation(value: string): string {
  // deno-lint-ignore no-control-regex
  if (/^[\x00-\x7f]*$/.test(value)) return value;
  const bytes = Uint8Array.from(value, (letter) => letter.charCodeAt(0));
  return new TextDecoder().decode(bytes);
}

/**
 * The request that a response leads on to; `undefined` where it is the last.
 *
 * @throws what `fetch` rejects with.
 */
export function redirectOf(
  { status, responseHeaders }: Exchange,
  request: FetchRequest & { readonly body: RequestBody | null },
  redirects: number,
): FetchRequest | undefined {
  if (!REDIRECTS.has(status) || request.redirect === "manual") return undefined;
  if (request.redirect === "error") {
    throw networkError(new Error("The server redirects"));
  }
  const { location } = responseHeaders;
  if (location === undefined) return undefined;
  const target = locationOf(String(location), request.target);
  if (redirects >= MAX_HTTP_REDIRECTS) {
    throw networkError(new Error(`More than ${MAX_HTTP_REDIRECTS} redirects`));
  }
  let { method, body, headers } = request;
  if (status !== 303 && body?.kind === "stream") {
    throw networkError(new Error("A stream cannot be sent again"));
  }
  const becomesGet = status === 303
    ? method !== "GET" && method !== "HEAD"
    : status <= 302 && method === "POST";
  if (becomesGet) {
    method = "GET";
    body = null;
    headers = without(headers, OF_BODY);
  }
  if (target.origin !== request.target.origin) {
    headers = without(headers, OF_ORIGIN);
  }
  return { ...request, target, method, body, headers };
}

function locationOf(location: string, base: Target): Target {
  try {
    const target = targetOf(new URL(readLocation(location), base.href));
    // A fragment lives on where the location has none (RFC 9110, section 10.2.2).
    return target.fragment === ""
      ? { ...target, fragment: base.fragment }
      : target;
  } catch (error) {
    throw networkError(error);
  }
}
