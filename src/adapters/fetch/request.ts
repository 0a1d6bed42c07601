/**
 * What a `fetch` call asks for, read as the fetch standard reads it.
 *
 * Everything is read and copied before the call returns, so that nothing the
 * caller changes afterwards changes the request.
 *
 * @module
 */
import { describeRuntime } from "../../tls/runtime.ts";
import { REFUSED_BY_FETCH, refuseOptions } from "../../tls/options.ts";
import { ACCEPTED_CODINGS } from "./decode.ts";
import { bodyOfRequest, extractBody, type RequestBody } from "./body.ts";
import { type Target, targetOf } from "./target.ts";

/** How redirects are treated (Fetch, "redirect mode"). */
export type RedirectMode = "follow" | "error" | "manual";

/** A request, ready to be sent; redirects replace fields. */
export interface FetchRequest {
  readonly target: Target;
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

const BARE_GET = {
  method: "GET",
  headers: DEFAULTS_ALONE,
  body: null,
  redirect: "follow",
  integrity: "",
  signal: null,
} as const;

const CONDITIONAL = [
  "if-modified-since",
  "if-none-match",
  "if-unmodified-since",
  "if-match",
  "if-range",
] as const;

/** Reads a `fetch` call; throws what `fetch` rejects with. */
export function readRequest(
  input: string | URL | Request,
  init: RequestInit | undefined | null,
): FetchRequest {
  if (input instanceof Request) {
    return readFields(
      targetOf(new URL(input.url)),
      input,
      readInit(init) ?? {},
    );
  }
  const target = targetOf(new URL(input));
  const fields = readInit(init);
  return fields === undefined
    ? { target, ...BARE_GET }
    : readFields(target, undefined, fields);
}

function readInit(
  init: RequestInit | undefined | null,
): RequestInit | undefined {
  if (init === undefined || init === null) return undefined;
  if (typeof init !== "object" && typeof init !== "function") {
    throw new TypeError("Cannot fetch: the second argument is not an object");
  }
  refuseOptions(init, REFUSED_BY_FETCH);
  return init;
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
  target: Target,
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
  // The URL says it; nobody is to hear of another host.
  given.delete("host");
  const hasOwnBody = init.body !== undefined && init.body !== null;
  if (hasOwnBody && (method === "GET" || method === "HEAD")) {
    throw new TypeError(`Cannot fetch: ${method} takes no body`);
  }
  const { duplex } = init as { duplex?: unknown };
  if (duplex !== undefined && duplex !== "half") {
    throw new TypeError('Cannot fetch: duplex can only be "half"');
  }
  // Before the stream is taken: a call that is refused leaves it alone.
  if (
    DEMANDS_DUPLEX && duplex === undefined &&
    init.body instanceof ReadableStream
  ) throw new TypeError('Cannot fetch: a stream needs duplex: "half"');
  let body: RequestBody | null = null;
  if (hasOwnBody) {
    body = extractBody(init.body);
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
    target,
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
