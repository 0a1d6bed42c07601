/**
 * What `fetch` is given, as messages that can be sent, and sent again.
 *
 * The runtime's own `Request` reads methods, headers and bodies; what it does
 * not tell, the length of a body, is kept beside it.
 *
 * @module
 */
import { concatBytes } from "../bytes.ts";
import { MAX_HTTP_HELD_BYTES } from "../limits.ts";
import { quoteText } from "../text.ts";
import type { RequestBody, RequestMessage } from "./connection.ts";
import { type Field, isToken, type ResponseHead } from "./message.ts";

/** The body of a request. */
export interface BodySource {
  /** Whether it can be sent more than once. */
  readonly isReplayable: boolean;
  /** The body, to be sent. */
  open(): RequestBody;
  /** Tells the source of a body that was not opened that nobody reads it. */
  cancel?(reason: unknown): void;
}

/** One request on its way through redirects. */
export interface PreparedRequest {
  readonly url: URL;
  readonly method: string;
  readonly headers: Headers;
  readonly body: BodySource | null;
}

/** The whole of a fetch. */
export interface PreparedFetch extends PreparedRequest {
  readonly redirect: RequestRedirect;
  readonly integrity: string;
  readonly signal: AbortSignal | undefined;
}

/**
 * The connection's own business, and what a proxy must not pass on (RFC 9110,
 * section 7.6.1). As in `fetch` elsewhere, they are left out.
 */
const DROPPED = new Set([
  "connection",
  "expect",
  "host",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** Methods that `fetch` refuses ("forbidden method"). */
const FORBIDDEN_METHODS = new Set(["CONNECT", "TRACE", "TRACK"]);

/** Methods whose case `fetch` mends ("normalize"). */
const NORMALIZED_METHODS = new Set([
  "DELETE",
  "GET",
  "HEAD",
  "OPTIONS",
  "POST",
  "PUT",
]);

/** Fields that describe a body, dropped with it ("request-body-header name"). */
const OF_BODIES = [
  "content-encoding",
  "content-language",
  "content-length",
  "content-location",
  "content-type",
];

/** Fields that are not for another origin. */
const OF_ORIGINS = ["authorization", "cookie", "proxy-authorization"];

/** Idempotent methods (RFC 9110, section 9.2.2). */
const IDEMPOTENT = new Set(["DELETE", "GET", "HEAD", "OPTIONS", "PUT"]);

/** Options that a `Request` is made of; some runtimes refuse the others. */
const REQUEST_OPTIONS = ["method", "headers", "body", "duplex"] as const;

/** What bodies are that the runtime encodes at once. */
function isEncodable(body: unknown): boolean {
  return typeof body === "string" || body instanceof ArrayBuffer ||
    ArrayBuffer.isView(body) || body instanceof URLSearchParams ||
    body instanceof FormData;
}

function held(bytes: Uint8Array): BodySource {
  return { isReplayable: true, open: () => ({ bytes }) };
}

function streamed(
  stream: ReadableStream<Uint8Array>,
  length?: number,
): BodySource {
  return {
    isReplayable: false,
    open: () => ({ stream, length }),
    cancel: (reason) => void stream.cancel(reason).catch(() => {}),
  };
}

/** The pieces that were read, then the rest. */
function resumed(
  pieces: Uint8Array[],
  reading: Promise<ReadableStreamReadResult<Uint8Array>>,
  reader: ReadableStreamDefaultReader<Uint8Array>,
): ReadableStream<Uint8Array> {
  let next: typeof reading | undefined = reading;
  reading.catch(() => {});
  return new ReadableStream({
    async pull(controller) {
      const piece = pieces.shift();
      if (piece !== undefined) return controller.enqueue(piece);
      const { done, value } = await (next ?? reader.read());
      next = undefined;
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
}

/**
 * A body that is there at once is held, and sent with its length; any other is
 * streamed.
 */
async function holdOrStream(
  stream: ReadableStream<Uint8Array>,
): Promise<BodySource> {
  const reader = stream.getReader();
  const pieces: Uint8Array[] = [];
  let size = 0;
  const { promise: late, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(resolve, 0, undefined);
  try {
    for (;;) {
      const reading = reader.read();
      const isLarge = size > MAX_HTTP_HELD_BYTES;
      const result = isLarge ? undefined : await Promise.race([reading, late]);
      if (result === undefined) {
        return streamed(resumed(pieces, reading, reader));
      }
      if (result.done) return held(concatBytes(pieces));
      pieces.push(result.value);
      size += result.value.length;
    }
  } finally {
    clearTimeout(timer);
  }
}

function copyOf({ buffer, byteOffset, byteLength }: ArrayBufferView) {
  return new Uint8Array(buffer, byteOffset, byteLength).slice();
}

/** The length that the caller announces for a stream. */
function announced(headers: Headers): number | undefined {
  const text = headers.get("content-length");
  if (text === null) return undefined;
  if (!/^\d{1,15}$/.test(text)) {
    throw new TypeError(`Cannot send the Content-Length ${quoteText(text)}`);
  }
  return Number(text);
}

async function bodyOf(
  given: unknown,
  request: Request,
): Promise<BodySource | null> {
  if (given instanceof Blob) {
    return {
      isReplayable: true,
      open: () => ({ stream: given.stream(), length: given.size }),
    };
  }
  if (isEncodable(given)) {
    return held(new Uint8Array(await request.arrayBuffer()));
  }
  const { body } = request;
  if (body === null) return null;
  const length = announced(request.headers);
  if (length !== undefined) return streamed(body, length);
  if (given !== undefined && given !== null) return streamed(body);
  // The body of a Request: many are text, which it does not tell.
  return await holdOrStream(body);
}

/** The method, which some runtimes replace where they do not know it. */
function methodOf(given: unknown, request: Request): string {
  if (given === undefined) return request.method;
  const upper = String(given).toUpperCase();
  const method = NORMALIZED_METHODS.has(upper) ? upper : String(given);
  if (!isToken(method) || FORBIDDEN_METHODS.has(upper)) {
    throw new TypeError(`Cannot fetch with the method ${quoteText(method)}`);
  }
  return method;
}

/**
 * Reads the arguments of a `fetch`.
 *
 * @throws {TypeError} as `fetch` does.
 */
export async function prepare(
  input: string | URL | Request,
  init: RequestInit = {},
): Promise<PreparedFetch> {
  const options: Record<string, unknown> = {};
  for (const name of REQUEST_OPTIONS) {
    const value = (init as Record<string, unknown>)[name];
    if (value !== undefined) options[name] = value;
  }
  // The caller may change its bytes as soon as this returns.
  if (options.body instanceof ArrayBuffer) options.body = options.body.slice(0);
  else if (ArrayBuffer.isView(options.body)) {
    options.body = copyOf(options.body);
  }
  const given = input instanceof Request ? input : undefined;
  const signal = (init.signal === undefined ? given?.signal : init.signal) ??
    undefined;
  signal?.throwIfAborted();
  if (options.body instanceof ReadableStream) options.duplex ??= "half";
  const request = new Request(given ?? String(input), options);
  const url = new URL(request.url);
  if (url.username !== "" || url.password !== "") {
    throw new TypeError("Cannot fetch a URL that includes credentials");
  }
  const method = methodOf(options.method, request);
  const headers = new Headers(request.headers);
  const hasBody = (options.body ?? request.body ?? null) !== null;
  if (hasBody && (method === "GET" || method === "HEAD")) {
    throw new TypeError(`Cannot fetch with a body by ${method}`);
  }
  if (typeof options.body === "string" && !headers.has("content-type")) {
    headers.set("content-type", "text/plain;charset=UTF-8");
  }
  return {
    url,
    method,
    headers,
    body: await bodyOf(options.body, request),
    // Workers know no "error" and keep no integrity in their own Request.
    redirect: init.redirect ?? given?.redirect ?? "follow",
    integrity: init.integrity ?? given?.integrity ?? "",
    signal,
  };
}

/** Methods of which RFC 9110, section 8.6, wants the length of a missing body. */
const EXPECTS_BODY = new Set(["PATCH", "POST", "PUT"]);

/** The message of a request. */
export function messageOf(
  { url, method, headers, body }: PreparedRequest,
  acceptEncoding: string,
  keepsAlive: boolean,
): RequestMessage {
  const sent = body?.open() ?? null;
  const fields: Field[] = [["host", url.host]];
  const add = (name: string, value: string | undefined) => {
    if (value && !headers.has(name)) fields.push([name, value]);
  };
  add("accept", "*/*");
  add("user-agent", globalThis.navigator?.userAgent);
  // A range of an encoded body cannot be decoded.
  add("accept-encoding", headers.has("range") ? "identity" : acceptEncoding);
  for (const [name, value] of headers) {
    const isFraming = name === "content-length" || DROPPED.has(name);
    if (!isFraming) fields.push([name, value]);
  }
  if (sent === null) {
    if (EXPECTS_BODY.has(method)) fields.push(["content-length", "0"]);
  } else if ("bytes" in sent) {
    fields.push(["content-length", String(sent.bytes.length)]);
  } else if (sent.length !== undefined) {
    fields.push(["content-length", String(sent.length)]);
  } else fields.push(["transfer-encoding", "chunked"]);
  if (!keepsAlive) fields.push(["connection", "close"]);
  const target = url.pathname + url.search;
  return { method, target, fields, body: sent };
}

/** Whether a request that met a stale connection may be sent again. */
export function mayRepeat({ method, body }: PreparedRequest): boolean {
  return IDEMPOTENT.has(method) && body?.isReplayable !== false;
}

const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/**
 * Where a response redirects to; `undefined` where it does not.
 *
 * @throws {TypeError} where `Location` is no URL.
 */
export function locationOf(
  from: URL,
  { status, fields }: ResponseHead,
): URL | undefined {
  const locations = fields.filter(([name]) => name === "location");
  if (!REDIRECTS.has(status) || locations.length === 0) return undefined;
  const text = locations.map(([, value]) => value).join(", ");
  // Bytes that are not ASCII are those of UTF-8.
  const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
  const url = new URL(new TextDecoder().decode(bytes), from);
  if (url.hash === "") url.hash = from.hash;
  return url;
}

/**
 * The request that follows a redirect (Fetch, "HTTP-redirect fetch").
 *
 * @throws {TypeError} where the body was a stream that is used up, or the
 * location includes credentials.
 */
export function redirected<Request extends PreparedRequest>(
  request: Request,
  status: number,
  url: URL,
): Request {
  if (url.username !== "" || url.password !== "") {
    throw new TypeError("Cannot follow a redirect that includes credentials");
  }
  const headers = new Headers(request.headers);
  if (url.origin !== request.url.origin) {
    for (const name of OF_ORIGINS) headers.delete(name);
  }
  const { method, body } = request;
  const isRewritten = status === 303
    ? method !== "GET" && method !== "HEAD"
    : status <= 302 && method === "POST";
  if (isRewritten) {
    for (const name of OF_BODIES) headers.delete(name);
    return { ...request, url, headers, method: "GET", body: null };
  }
  if (status !== 303 && body?.isReplayable === false) {
    throw new TypeError("Cannot send a stream again after a redirect");
  }
  return { ...request, url, headers };
}
