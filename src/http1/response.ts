/**
 * Messages as the runtime's own `Response`.
 *
 * @module
 */
import { matchesIntegrity } from "../integrity.ts";
import { MAX_HTTP_CONTENT_CODINGS } from "../limits.ts";
import { drain, type ResponseMessage } from "./connection.ts";
import { listOf } from "./message.ts";

type Bytes = ReadableStream<Uint8Array<ArrayBuffer>>;

/** What the message does not say. */
export interface ResponseContext {
  readonly url: string;
  readonly redirected: boolean;
  /** What the body must be; empty: anything. */
  readonly integrity: string;
  /** Called with the response, and with each clone. */
  onResponse(response: Response): void;
}

/** Statuses without a body (Fetch, "null body status"). */
const NULL_BODY = new Set([101, 103, 204, 205, 304]);

/** Names of codings, and what runtimes call their formats. */
const FORMATS: ReadonlyMap<string, string> = new Map([
  ["gzip", "gzip"],
  ["x-gzip", "gzip"],
  ["deflate", "deflate"],
  ["br", "brotli"],
  ["zstd", "zstd"],
]);

function decompressor(format: string): DecompressionStream | undefined {
  try {
    return new DecompressionStream(format as CompressionFormat);
  } catch {
    // Runtimes differ in the formats that they have.
    return undefined;
  }
}

let accepted: string | undefined;

/** What this runtime can decode, for `Accept-Encoding`. */
export function acceptedEncodings(): string {
  return accepted ??= [...FORMATS]
    .filter(([name, format]) => name !== "x-gzip" && decompressor(format))
    .map(([name]) => name)
    .join(", ") || "identity";
}

/** The body, and its first piece looked at; `undefined` where it is empty. */
async function peek(
  reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>,
): Promise<{ first: Uint8Array; body: Bytes } | undefined> {
  const { done, value: first } = await reader.read();
  if (done) return undefined;
  let isFirst = true;
  return {
    first,
    body: new ReadableStream({
      async pull(controller) {
        if (isFirst) {
          isFirst = false;
          return controller.enqueue(first);
        }
        const { done, value } = await reader.read();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel: (reason) => reader.cancel(reason),
    }, { highWaterMark: 0 }),
  };
}

/** Undoes one coding. */
function decode(body: Bytes, format: string): Bytes {
  const source = body.getReader();
  let reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  const begin = async () => {
    const peeked = await peek(source);
    // Nothing is nothing, whatever it is coded in.
    if (peeked === undefined) return undefined;
    // Some servers send deflate without the zlib wrapper of RFC 9110.
    const isRaw = format === "deflate" && (peeked.first[0] & 0x0f) !== 8;
    const stream = decompressor(isRaw ? "deflate-raw" : format)!;
    return peeked.body.pipeThrough(stream).getReader();
  };
  return new ReadableStream({
    type: "bytes",
    async pull(controller) {
      reader ??= await begin();
      const { done, value } = await reader?.read() ??
        { done: true, value: undefined };
      if (!done && value.length > 0) {
        // Decompressors may hand out parts of one buffer.
        return controller.enqueue(value.slice());
      }
      if (done) {
        controller.close();
        controller.byobRequest?.respond(0);
      }
    },
    async cancel(reason) {
      // In workerd the end of a decompressor does not reach what it reads.
      await Promise.allSettled([reader?.cancel(reason), source.cancel(reason)]);
    },
  });
}

/**
 * Undoes the content codings (RFC 9110, section 8.4). A coding that is unknown
 * leaves the body as it is.
 *
 * @throws {TypeError} for more codings than anybody needs.
 */
function decoded({ fields, body }: ResponseMessage): Bytes {
  const names = listOf(fields, "content-encoding");
  if (names.length > MAX_HTTP_CONTENT_CODINGS) {
    throw new TypeError(
      `Refused ${names.length} content codings: more than ${MAX_HTTP_CONTENT_CODINGS}`,
    );
  }
  const formats = names
    .filter((name) => name !== "identity")
    .map((name) => FORMATS.get(name));
  const known = formats.filter((format) =>
    format !== undefined && decompressor(format) !== undefined
  ) as string[];
  if (known.length < formats.length) return body;
  return known.reduceRight(decode, body);
}

/** Reads the whole body, and compares it with what its caller expects. */
async function checkIntegrity(body: Bytes, integrity: string): Promise<Bytes> {
  const bytes = new Uint8Array(await new Response(body).arrayBuffer());
  if (await matchesIntegrity(bytes, integrity)) {
    return new Response(bytes).body!;
  }
  throw new TypeError("The body is not what its integrity says");
}

/** Adds to a `Response` what a constructed one does not show. */
function withFacts(
  response: Response,
  facts: object,
  onResponse: (response: Response) => void,
): Response {
  const { clone } = Response.prototype;
  const properties = {
    ...facts,
    clone: () => withFacts(clone.call(response), facts, onResponse),
  };
  for (const [name, value] of Object.entries(properties)) {
    Object.defineProperty(response, name, { value, configurable: true });
  }
  onResponse(response);
  return response;
}

/**
 * Makes a `Response` of a message.
 *
 * @throws {TypeError} where the body cannot be decoded, or is not what its
 * integrity says.
 */
export async function toResponse(
  message: ResponseMessage,
  headers: Headers,
  context: ResponseContext,
): Promise<Response> {
  const { status, reason } = message;
  const { url, redirected, integrity, onResponse } = context;
  const hasNoBody = NULL_BODY.has(status) ||
    message.framing.kind === "none";
  let body: Bytes | null = null;
  if (hasNoBody) await drain(message.body);
  else {
    try {
      body = decoded(message);
    } catch (error) {
      await message.body.cancel(error);
      throw error;
    }
    if (integrity !== "") body = await checkIntegrity(body, integrity);
  }
  const isUnusual = status > 599;
  const response = new Response(body, {
    status: isUnusual ? 200 : status,
    statusText: reason,
    headers,
  });
  const facts = {
    url,
    redirected,
    type: "basic",
    ...isUnusual && { status, ok: false },
  };
  return withFacts(response, facts, onResponse);
}
