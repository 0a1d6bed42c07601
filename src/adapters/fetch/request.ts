/**
 * What a `fetch` call asks for, read as the fetch standard reads it.
 *
 * Everything is read and copied before the call returns, so that nothing the
 * caller changes afterwards changes the request.
 *
 * @module
 */
import { ConnectionError } from "../../errors.ts";
import { describeRuntime } from "../../tls/runtime.ts";
import { REFUSED_BY_FETCH, refuseWeakening } from "../../tls/options.ts";
import { ACCEPTED_CODINGS } from "./decode.ts";
import { bodyOfRequest, extractBody, type RequestBody } from "./body.ts";

/** How redirects are treated (Fetch, "redirect mode"). */
export type RedirectMode = "follow" | "error" | "manual";

/** A request, ready to be sent; redirects replace fields. */
export interface FetchRequest {
  readonly url: URL;
  readonly method: string;
  /** Names in lower case and values in turns, as they are sent. */
  readonly headers: readonly string[];
  readonly body: RequestBody | null;
  readonly redirect: RedirectMode;
  /** Subresource integrity metadata; may be empty. */
  readonly integrity: string;
  readonly signal: AbortSignal | null;
}

/** Methods that every client writes in upper case (Fetch, "normalize"). */
const NORMALIZED = new Set([
  "DELETE",
  "GET",
  "HEAD",
  "OPTIONS",
  "POST",
  "PUT",
]);

/** Methods that no client sends (Fetch, "forbidden method"). */
const FORBIDDEN_METHODS = new Set(["CONNECT", "TRACE", "TRACK"]);

/** A token of HTTP (RFC 9110, section 5.6.2). */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** Ports that no browser connects to (Fetch, "bad port"). */
// deno-fmt-ignore
const BAD_PORTS = new Set([
  "1", "7", "9", "11", "13", "15", "17", "19", "20", "21", "22", "23", "25",
  "37", "42", "43", "53", "69", "77", "79", "87", "95", "101", "102", "103",
  "104", "109", "110", "111", "113", "115", "117", "119", "123", "135", "137",
  "139", "143", "161", "179", "389", "427", "465", "512", "513", "514", "515",
  "526", "530", "531", "532", "540", "548", "554", "556", "563", "587", "601",
  "636", "989", "990", "993", "995", "1719", "1720", "1723", "2049", "3659",
  "4045", "4190", "5060", "5061", "6000", "6566", "6665", "6666", "6667",
  "6668", "6669", "6679", "6697", "10080",
]);

/** Values that the standard allows for fields of `RequestInit`. */
const ALLOWED_VALUES = {
  redirect: ["follow", "error", "manual"],
  mode: ["cors", "same-origin", "no-cors"],
  credentials: ["omit", "same-origin", "include"],
  cache: [
    "default",
    "no-store",
    "reload",
    "no-cache",
    "force-cache",
    "only-if-cached",
  ],
  referrerPolicy: [
    "",
    "no-referrer",
    "no-referrer-when-downgrade",
    "same-origin",
    "origin",
    "strict-origin",
    "origin-when-cross-origin",
    "strict-origin-when-cross-origin",
    "unsafe-url",
  ],
} as const satisfies Readonly<Record<string, readonly string[]>>;

const runtime = describeRuntime();

const USER_AGENT = runtime?.name === "deno"
  ? `Deno/${runtime.version}`
  : runtime?.name === "bun"
  ? `Bun/${runtime.version}`
  : "node";

/** Whether streams must come with `duplex: "half"`, as this runtime has it. */
const DEMANDS_DUPLEX = runtime?.name === "node";

/** What is sent where the caller says nothing (Fetch, "HTTP-network-or-cache fetch"). */
const DEFAULT_HEADERS = [
  ["accept", "*/*"],
  ["accept-language", "*"],
  ["sec-fetch-mode", "cors"],
  ["user-agent", USER_AGENT],
  ["accept-encoding", ACCEPTED_CODINGS],
] as const;

const DEFAULTS_ALONE: readonly string[] = DEFAULT_HEADERS.flat();

const CONDITIONAL = [
  "if-modified-since",
  "if-none-match",
  "if-unmodified-since",
  "if-match",
  "if-range",
] as const;

/** Refuses what cannot be pinned. */
export function requireHttps(url: URL): void {
  if (url.protocol === "https:") return;
  throw new ConnectionError(
    "ERR_CERTPIN_PROTOCOL",
    `Cannot fetch a ${url.protocol} URL: only https: can be pinned`,
  );
}

/** Refuses ports that the standard blocks. */
export function requireGoodPort(url: URL): void {
  if (url.port === "" || !BAD_PORTS.has(url.port)) return;
  throw new TypeError(`Cannot fetch from port ${url.port}: it is blocked`);
}

/** Reads a `fetch` call; throws what `fetch` rejects with. */
export function readRequest(
  input: string | URL | Request,
  init: RequestInit | undefined | null,
): FetchRequest {
  const fields = init === undefined || init === null ? undefined : init;
  if (fields !== undefined) {
    if (typeof fields !== "object" && typeof fields !== "function") {
      throw new TypeError("Cannot fetch: the second argument is not an object");
    }
    refuseWeakening(fields, REFUSED_BY_FETCH);
  }
  if (input instanceof Request) return readWithRequest(input, fields);
  const url = new URL(input as string);
  if (fields === undefined) {
    requireHttps(url);
    requireNoCredentials(url);
    return {
      url,
      method: "GET",
      headers: DEFAULTS_ALONE,
      body: null,
      redirect: "follow",
      integrity: "",
      signal: null,
    };
  }
  requireHttps(url);
  requireNoCredentials(url);
  return readFields(url, undefined, fields);
}

function requireNoCredentials(url: URL): void {
  if (url.username === "" && url.password === "") return;
  throw new TypeError(
    "Cannot fetch a URL with credentials: send an authorization header",
  );
}

function readWithRequest(
  input: Request,
  init: RequestInit | undefined,
): FetchRequest {
  const url = new URL(input.url);
  requireHttps(url);
  requireNoCredentials(url);
  return readFields(url, input, init ?? {});
}

function readEnum<Name extends keyof typeof ALLOWED_VALUES>(
  name: Name,
  init: RequestInit,
): typeof ALLOWED_VALUES[Name][number] | undefined {
  const value = init[name as keyof RequestInit];
  if (value === undefined) return undefined;
  const text = String(value);
  if ((ALLOWED_VALUES[name] as readonly string[]).includes(text)) {
    return text as typeof ALLOWED_VALUES[Name][number];
  }
  throw new TypeError(`Cannot fetch with ${name} "${text}": no such value`);
}

function readMethod(given: unknown): string {
  const method = String(given);
  const upper = method.toUpperCase();
  if (!TOKEN.test(method) || FORBIDDEN_METHODS.has(upper)) {
    throw new TypeError(`Cannot fetch with the method "${method}"`);
  }
  return NORMALIZED.has(upper) ? upper : method;
}

function readSignal(given: unknown): AbortSignal | null {
  if (given === null) return null;
  if (given instanceof AbortSignal) return given;
  throw new TypeError("Cannot fetch: signal is not an AbortSignal");
}

/** Checks what has no effect here, as the standard does. */
function readUnused(init: RequestInit): void {
  const { window, priority, keepalive } = init as Record<string, unknown>;
  if (window !== undefined && window !== null) {
    throw new TypeError("Cannot fetch: window can only be null");
  }
  if (
    priority !== undefined &&
    !["high", "low", "auto"].includes(String(priority))
  ) throw new TypeError(`Cannot fetch with priority "${priority}"`);
  if (keepalive && init.body instanceof ReadableStream) {
    throw new TypeError("Cannot fetch: a stream cannot be kept alive");
  }
}

function readFields(
  url: URL,
  request: Request | undefined,
  init: RequestInit,
): FetchRequest {
  readUnused(init);
  const mode = readEnum("mode", init);
  readEnum("credentials", init);
  const cache = readEnum("cache", init) ?? request?.cache ?? "default";
  readEnum("referrerPolicy", init);
  const redirect = readEnum("redirect", init) ?? request?.redirect ?? "follow";
  if (cache === "only-if-cached" && (mode ?? request?.mode) !== "same-origin") {
    throw new TypeError(
      'Cannot fetch with cache "only-if-cached": nothing is cached',
    );
  }
  const method = init.method === undefined
    ? request?.method ?? "GET"
    : readMethod(init.method);
  const signal = init.signal === undefined
    ? request?.signal ?? null
    : readSignal(init.signal);
  const integrity = init.integrity === undefined
    ? request?.integrity ?? ""
    : String(init.integrity);
  const given = new Headers(init.headers ?? request?.headers);
  const hasOwnBody = init.body !== undefined && init.body !== null;
  if (hasOwnBody && (method === "GET" || method === "HEAD")) {
    throw new TypeError(`Cannot fetch: ${method} takes no body`);
  }
  const { duplex } = init as { duplex?: unknown };
  if (duplex !== undefined && duplex !== "half") {
    throw new TypeError('Cannot fetch: duplex can only be "half"');
  }
  let body: RequestBody | null = null;
  if (hasOwnBody) {
    body = extractBody(init.body);
    if (body.kind === "stream" && duplex === undefined && DEMANDS_DUPLEX) {
      throw new TypeError('Cannot fetch: a stream needs duplex: "half"');
    }
  } else if (request !== undefined) {
    if (request.bodyUsed || request.body?.locked) {
      throw new TypeError("Cannot fetch: the request's body is used already");
    }
    body = bodyOfRequest(request);
    if (body !== null && (method === "GET" || method === "HEAD")) {
      throw new TypeError(`Cannot fetch: ${method} takes no body`);
    }
  }
  if (body?.type && !given.has("content-type")) {
    given.set("content-type", body.type);
  }
  return {
    url,
    method,
    headers: withDefaults(given, cache),
    body,
    redirect,
    integrity,
    signal,
  };
}

function withDefaults(given: Headers, cache: string): readonly string[] {
  const isBare = given.keys().next().done === true;
  if (isBare && cache === "default") return DEFAULTS_ALONE;
  const effective = cache === "default" && CONDITIONAL.some((n) => given.has(n))
    ? "no-store"
    : cache;
  if (effective === "no-cache") {
    if (!given.has("cache-control")) given.set("cache-control", "max-age=0");
  } else if (effective === "no-store" || effective === "reload") {
    if (!given.has("pragma")) given.set("pragma", "no-cache");
    if (!given.has("cache-control")) given.set("cache-control", "no-cache");
  }
  // A part of an encoded body could not be decoded.
  if (given.has("range")) given.append("accept-encoding", "identity");
  const sent: string[] = [];
  given.forEach((value, name) => sent.push(name, value));
  for (const [name, value] of DEFAULT_HEADERS) {
    if (!given.has(name)) sent.push(name, value);
  }
  return sent;
}
