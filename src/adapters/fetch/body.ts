/**
 * Bodies of requests.
 *
 * Text and bytes are copied when `fetch` is called, and can be sent again
 * after a redirect. A stream can be sent once.
 *
 * @module
 */
import { setImmediate } from "node:timers";
import { concatBytes } from "../../bytes.ts";
import { MAX_REPLAYED_BODY_BYTES } from "../../limits.ts";
import { describeRuntime } from "../../tls/runtime.ts";

/** A body, and the type that it has by itself (Fetch, "body with type"). */
export type RequestBody =
  | BytesBody
  | BlobBody
  | EncodedBody
  | StreamBody;

interface BytesBody {
  readonly kind: "bytes";
  readonly bytes: string | Uint8Array<ArrayBuffer>;
  readonly type: string | null;
}

interface BlobBody {
  readonly kind: "blob";
  readonly blob: Blob;
  readonly type: string | null;
}

/** Bytes that come later, from within the process. */
interface EncodedBody {
  readonly kind: "encoded";
  readonly bytes: Promise<RequestBody>;
  readonly type: string | null;
}

interface StreamBody {
  readonly kind: "stream";
  readonly source: UploadSource;
  readonly type: null;
}

/** Pieces of a body that is sent once. */
export interface UploadSource {
  next(): Promise<IteratorResult<unknown, unknown>>;
  /** Nobody wants the rest. */
  cancel(reason: unknown): void;
}

/** What reads a stream, the pieces first that were read already. */
class ReaderSource implements UploadSource {
  readonly #reader: ReadableStreamDefaultReader<unknown>;
  readonly #ahead: Promise<ReadableStreamReadResult<unknown>>[];

  constructor(
    reader: ReadableStreamDefaultReader<unknown>,
    ahead: Promise<ReadableStreamReadResult<unknown>>[] = [],
  ) {
    this.#reader = reader;
    this.#ahead = ahead;
  }

  next(): Promise<IteratorResult<unknown, unknown>> {
    return (this.#ahead.shift() ?? this.#reader.read()) as Promise<
      IteratorResult<unknown, unknown>
    >;
  }

  cancel(reason: unknown): void {
    this.#reader.cancel(reason).catch(() => {});
  }
}

class IterableSource implements UploadSource {
  readonly #iterator: AsyncIterator<unknown>;

  constructor(iterable: AsyncIterable<unknown>) {
    this.#iterator = iterable[Symbol.asyncIterator]();
  }

  next(): Promise<IteratorResult<unknown, unknown>> {
    return this.#iterator.next();
  }

  cancel(): void {
    this.#iterator.return?.().catch(() => {});
  }
}

function isAsyncIterable(body: unknown): body is AsyncIterable<unknown> {
  return typeof body === "object" && body !== null &&
    Symbol.asyncIterator in body;
}

function copyBytes(view: ArrayBuffer | ArrayBufferView): BytesBody {
  const [buffer, offset, length] = view instanceof ArrayBuffer
    ? [view, 0, view.byteLength]
    : [view.buffer, view.byteOffset, view.byteLength];
  if (!(buffer instanceof ArrayBuffer)) {
    throw new TypeError("Cannot send shared memory as a body");
  }
  const bytes = new Uint8Array(buffer, offset, length).slice();
  return { kind: "bytes", bytes, type: null };
}

async function encodeForm(encoded: Response): Promise<BytesBody> {
  const bytes = new Uint8Array(await encoded.arrayBuffer());
  return { kind: "bytes", bytes, type: null };
}

/** Reads the `body` of a call (Fetch, "extract a body"). */
export function extractBody(body: unknown): RequestBody {
  if (typeof body === "string") {
    return { kind: "bytes", bytes: body, type: "text/plain;charset=UTF-8" };
  }
  if (body instanceof ArrayBuffer || ArrayBuffer.isView(body)) {
    return copyBytes(body);
  }
  if (body instanceof URLSearchParams) {
    return {
      kind: "bytes",
      bytes: body.toString(),
      type: "application/x-www-form-urlencoded;charset=UTF-8",
    };
  }
  if (body instanceof Blob) {
    return { kind: "blob", blob: body, type: body.type || null };
  }
  if (body instanceof FormData) {
    const encoded = new Response(body);
    const type = encoded.headers.get("content-type");
    const bytes = encodeForm(encoded);
    bytes.catch(() => {});
    return { kind: "encoded", bytes, type };
  }
  if (body instanceof ReadableStream) {
    // The one way to hear that a stream was read and then let go.
    new Response(body);
    const source = new ReaderSource(body.getReader());
    return { kind: "stream", source, type: null };
  }
  if (isAsyncIterable(body)) {
    return { kind: "stream", source: new IterableSource(body), type: null };
  }
  return extractBody(String(body));
}

const isNode = describeRuntime()?.name === "node";

/**
 * Node alone tells whether a `Request` was made from a stream: such a request
 * cannot become a `no-cors` one (Fetch, "new Request", step 38).
 */
function sourceOnNode(request: Request): Response | undefined {
  try {
    const copy = new Request(request, { mode: "no-cors", method: "POST" });
    return new Response(copy.body);
  } catch {
    return undefined;
  }
}

/** The body of a `Request`, which is used up by that. */
export function bodyOfRequest(request: Request): RequestBody | null {
  if (request.body === null) return null;
  if (isNode) {
    const source = sourceOnNode(request);
    if (source !== undefined) {
      const bytes = encodeForm(source);
      bytes.catch(() => {});
      return { kind: "encoded", bytes, type: null };
    }
    const reader = request.body.getReader();
    return { kind: "stream", source: new ReaderSource(reader), type: null };
  }
  const bytes = readAtOnce(request.body.getReader());
  bytes.catch(() => {});
  return { kind: "encoded", bytes, type: null };
}

/**
 * No other runtime tells. But text and bytes are there at once, so a body that
 * ends within one turn of the event loop is taken for such.
 */
async function readAtOnce(
  reader: ReadableStreamDefaultReader<Uint8Array>,
): Promise<RequestBody> {
  const turn = new Promise<null>((resolve) =>
    setImmediate(() => resolve(null))
  );
  const chunks: Uint8Array[] = [];
  const ahead: Promise<ReadableStreamReadResult<Uint8Array>>[] = [];
  let length = 0;
  while (length <= MAX_REPLAYED_BODY_BYTES) {
    const reading = reader.read();
    ahead.push(reading);
    const result = await Promise.race([reading, turn]);
    if (result === null) break;
    if (result.done) {
      return { kind: "bytes", bytes: concatBytes(chunks), type: null };
    }
    if (!(result.value instanceof Uint8Array)) break;
    chunks.push(result.value);
    length += result.value.length;
  }
  return {
    kind: "stream",
    source: new ReaderSource(reader, ahead),
    type: null,
  };
}

/** What is sent: whole, or piece by piece. */
export interface Upload {
  readonly body: string | Uint8Array | AsyncIterable<Uint8Array>;
  /** In bytes, where it is known and not seen from `body`. */
  readonly length?: number;
  /** Nobody wants the rest. */
  readonly cancel?: (reason: unknown) => void;
}

async function* pieces(source: UploadSource): AsyncGenerator<Uint8Array> {
  let isDone = false;
  try {
    for (;;) {
      const { done, value } = await source.next();
      isDone = done === true;
      if (isDone) return;
      if (!(value instanceof Uint8Array)) {
        throw new TypeError("A body's stream gave something else than bytes");
      }
      // It may be written later, and the caller may reuse it.
      yield new Uint8Array(value);
    }
  } finally {
    if (!isDone) source.cancel(undefined);
  }
}

/** Makes what is sent of a body; a stream can be sent once. */
export function startUpload(body: Exclude<RequestBody, EncodedBody>): Upload {
  if (body.kind === "bytes") return { body: body.bytes };
  if (body.kind === "blob") {
    const source = new ReaderSource(body.blob.stream().getReader());
    return {
      body: pieces(source),
      length: body.blob.size,
      cancel: (reason) => source.cancel(reason),
    };
  }
  const { source } = body;
  return { body: pieces(source), cancel: (reason) => source.cancel(reason) };
}

/** Lets go of a body that is not sent, or not to its end. */
export function cancelBody(body: RequestBody | null, reason: unknown): void {
  if (body?.kind === "stream") body.source.cancel(reason);
  else if (body?.kind === "encoded") {
    body.bytes.then((settled) => cancelBody(settled, reason), () => {});
  }
}

/** Waits for a body that is encoded; others are as they are. */
export async function settleBody(
  body: RequestBody,
): Promise<Exclude<RequestBody, EncodedBody>> {
  return body.kind === "encoded" ? await settleBody(await body.bytes) : body;
}
