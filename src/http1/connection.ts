/**
 * One connection: a request, its response, then the next request.
 *
 * @module
 */
import type { ByteStream } from "../byte_stream.ts";
import { MAX_HTTP_DRAINED_BYTES } from "../limits.ts";
import { type BodyReader, bodyReader, encodeChunk } from "./body.ts";
import { Input, malformed } from "./input.ts";
import {
  encodeHead,
  readHead,
  type RequestHead,
  type ResponseHead,
} from "./message.ts";

/** The body of a request: bytes, or a stream, whose length may be known. */
export type RequestBody =
  | { readonly bytes: Uint8Array }
  | { readonly stream: ReadableStream<Uint8Array>; readonly length?: number };

/** A request. */
export interface RequestMessage extends RequestHead {
  readonly body: RequestBody | null;
}

/** A response. */
export interface ResponseMessage extends ResponseHead {
  /** Reading it to its end, or cancelling it, frees the connection. */
  readonly body: ReadableStream<Uint8Array<ArrayBuffer>>;
}

/** When an exchange ends early. */
export interface ExchangeOptions {
  readonly signal?: AbortSignal;
  /** Milliseconds for the response's head after the last sent byte; 0 is no limit. */
  readonly headersTimeout: number;
  /** Milliseconds between two pieces of the body; 0 is no limit. */
  readonly bodyTimeout: number;
}

/** An open connection to an origin, and whether it may be used. */
export interface OpenConnection {
  readonly stream: ByteStream;
  /** Ends the connection, whatever its streams do. */
  close(): unknown;
  /** Whether the rules have changed since the connection was allowed. */
  readonly isStale: boolean;
  /**
   * Asked in the moment before each request: `true` allows that very moment.
   * Else the answer takes a while, and then it is asked again; it rejects if
   * the connection must not be used any more.
   */
  confirm(): true | Promise<void>;
}

/** Most bytes given to the transport at once. */
const WRITTEN_AT_ONCE = 65_536;

function timeoutError(what: string): DOMException {
  return new DOMException(`${what} took too long`, "TimeoutError");
}

/** Watches over one wait; calls `late` if it is not fed in time. */
class Watchdog {
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(readonly milliseconds: number, readonly late: () => void) {}

  feed(): void {
    this.stop();
    if (this.milliseconds > 0) {
      this.#timer = setTimeout(this.late, this.milliseconds);
    }
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}

/** An HTTP/1.1 connection (RFC 9112). */
export class Http1Connection {
  readonly #open: OpenConnection;
  readonly #input: Input;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  #ended: { readonly reason: unknown } | undefined;
  #hasSent = false;
  #hasReceived = false;
  #exchanges = 0;
  /** Ends what the exchange under way holds. */
  #onEnd: ((reason: unknown) => void) | undefined;
  /** Called when the connection can take another request. */
  onIdle: (() => void) | undefined;
  /** Called once when the connection has ended. */
  onEnd: (() => void) | undefined;

  constructor(open: OpenConnection) {
    this.#open = open;
    this.#input = new Input(open.stream.readable);
    this.#writer = open.stream.writable.getWriter();
    this.#writer.closed.catch(() => {});
  }

  /** Whether nothing more can be sent here. */
  get hasEnded(): boolean {
    return this.#ended !== undefined;
  }

  /**
   * Whether a failed exchange may have met a connection that the server had
   * already given up: it was not the first, and no byte came back.
   */
  get wasGivenUp(): boolean {
    return this.#exchanges > 1 && !this.#hasReceived;
  }

  /** Whether the last exchange failed before the first byte left. */
  get wasUntouched(): boolean {
    return !this.#hasSent;
  }

  /** Ends the connection, and what runs on it, unless it is allowed again. */
  revise(): void {
    const answer = this.#open.confirm();
    if (answer !== true) answer.catch((error) => this.end(error));
  }

  /**
   * Ends the connection at once, and whatever runs on it with `reason`; without
   * one, an idle connection in order.
   */
  end(reason: unknown): void {
    if (this.#ended !== undefined) return;
    this.#ended = { reason };
    this.#onEnd?.(reason);
    // Nothing runs here: the peer is told that this end is a good one.
    if (reason !== undefined) {
      this.#input.cancel(reason);
      this.#writer.abort(reason).catch(() => {});
    }
    void Promise.resolve(this.#open.close()).catch(() => {});
    this.onEnd?.();
  }

  /**
   * Calls back if the server speaks or leaves before the next request: such a
   * connection must not be used again.
   */
  watch(onChange: () => void): void {
    const exchanges = this.#exchanges;
    const changed = () => {
      if (this.#exchanges === exchanges) onChange();
    };
    this.#input.fill().then(changed, changed);
  }

  /**
   * Sends a request and waits for the head of its response.
   *
   * A body that is sent as a stream may still be on its way when this returns.
   */
  async exchange(
    request: RequestMessage,
    options: ExchangeOptions,
  ): Promise<ResponseMessage> {
    const { signal } = options;
    this.#exchanges++;
    this.#hasSent = this.#hasReceived = false;
    const failed = Promise.withResolvers<never>();
    failed.promise.catch(() => {});
    const onAbort = () => this.end(signal?.reason);
    const settle = () => signal?.removeEventListener("abort", onAbort);
    const heads = new Watchdog(
      options.headersTimeout,
      () => this.end(timeoutError("The response's head")),
    );
    const upload = new Upload(this.#writer, request, heads);
    this.#onEnd = (reason) => {
      settle();
      heads.stop();
      upload.cancel(reason);
      failed.reject(reason);
    };
    try {
      if (signal?.aborted) onAbort();
      else signal?.addEventListener("abort", onAbort);
      for (;;) {
        if (this.#ended !== undefined) throw this.#ended.reason;
        // Nothing may come between an allowing answer and the first byte.
        const answer = this.#open.confirm();
        if (answer === true) break;
        await Promise.race([answer, failed.promise]);
      }
      if (!this.#input.isEmpty) throw malformed("it came before the request");
      this.#hasSent = true;
      upload.run().catch((error) => {
        // The server may have answered before it stopped reading: the answer,
        // or its absence, tells.
        if (upload.hasFailedAtSource) this.end(error);
      });
      const head = await Promise.race([
        this.#readHead(request.method),
        failed.promise,
      ]);
      heads.stop();
      const keepsAlive = head.keepsAlive && !wantsClose(request);
      const reader = bodyReader(this.#input, head.framing);
      const body = this.#body(reader, options, (reason) => {
        settle();
        this.#finish(keepsAlive, upload, reason);
      });
      return { ...head, body };
    } catch (error) {
      this.end(error);
      throw this.#ended!.reason;
    }
  }

  async #readHead(method: string): Promise<ResponseHead> {
    this.#hasReceived = await this.#input.fill();
    return await readHead(this.#input, method);
  }

  #body(
    reader: BodyReader,
    { bodyTimeout }: ExchangeOptions,
    finish: (reason?: unknown) => void,
  ): ReadableStream<Uint8Array<ArrayBuffer>> {
    const pieces = new Watchdog(
      bodyTimeout,
      () => this.end(timeoutError("The response's body")),
    );
    let isOpen = true;
    const close = (controller: ReadableByteStreamController) => {
      isOpen = false;
      pieces.stop();
      finish();
      controller.close();
      // A BYOB reader that waits is answered by nothing else.
      controller.byobRequest?.respond(0);
    };
    return new ReadableStream({
      type: "bytes",
      start: (controller) => {
        const before = this.#onEnd;
        this.#onEnd = (reason) => {
          before?.(reason);
          pieces.stop();
          if (isOpen) controller.error(reason);
          isOpen = false;
        };
        if (reader.isComplete) close(controller);
      },
      pull: async (controller) => {
        pieces.feed();
        try {
          const piece = await reader.read();
          pieces.stop();
          if (this.#open.isStale) await this.#open.confirm();
          if (!isOpen) return;
          if (piece !== undefined) {
            controller.enqueue(piece as Uint8Array<ArrayBuffer>);
          }
          if (reader.isComplete) close(controller);
        } catch (error) {
          this.end(error);
        }
      },
      cancel: (reason) => {
        isOpen = false;
        pieces.stop();
        finish(reason ?? new DOMException("Cancelled", "AbortError"));
      },
    });
  }

  /** The response is complete, or nobody wants the rest, for `reason`. */
  #finish(keepsAlive: boolean, upload: Upload, reason?: unknown): void {
    this.#onEnd = undefined;
    const isFree = reason === undefined && keepsAlive && upload.isDone &&
      this.#input.isEmpty;
    if (isFree) return this.onIdle?.();
    const why = upload.isDone ? reason : reason ?? abandoned();
    upload.cancel(why);
    // What is still on its way to the server is of no use to it.
    this.end(why);
  }
}

function abandoned(): DOMException {
  return new DOMException(
    "The response ended before the request",
    "AbortError",
  );
}

function wantsClose({ fields }: RequestHead): boolean {
  return fields.some(([name, value]) =>
    name === "connection" && value === "close"
  );
}

/** Sends one request. */
class Upload {
  #source: ReadableStreamDefaultReader<Uint8Array> | undefined;
  /** Whether the transport has taken the last byte. */
  isDone = false;
  /** Whether it was the body's own source that failed. */
  hasFailedAtSource = false;

  constructor(
    readonly writer: WritableStreamDefaultWriter<Uint8Array>,
    readonly request: RequestMessage,
    readonly heads: Watchdog,
  ) {}

  /** Tells the source that nobody reads on. */
  cancel(reason: unknown): void {
    this.#source?.cancel(reason).catch(() => {});
  }

  async run(): Promise<void> {
    try {
      await this.#send();
      this.isDone = true;
    } catch (error) {
      this.cancel(error);
      throw error;
    }
  }

  async #write(bytes: Uint8Array): Promise<void> {
    this.heads.feed();
    // One write at a time: the transport's back-pressure holds.
    await this.writer.write(bytes);
  }

  async #send(): Promise<void> {
    const { request } = this;
    const { body } = request;
    const head = encodeHead(request);
    if (body !== null && "stream" in body) {
      this.#source = body.stream.getReader();
      await this.#write(head);
      return await this.#sendStream(this.#source, body.length);
    }
    const bytes = body?.bytes ?? new Uint8Array();
    // One write, one record: most requests are one packet.
    const first = bytes.subarray(0, WRITTEN_AT_ONCE);
    const joined = new Uint8Array(head.length + first.length);
    joined.set(head);
    joined.set(first, head.length);
    await this.#write(joined);
    for (let at = first.length; at < bytes.length; at += WRITTEN_AT_ONCE) {
      await this.#write(bytes.slice(at, at + WRITTEN_AT_ONCE));
    }
  }

  async #sendStream(
    source: ReadableStreamDefaultReader<Uint8Array>,
    length: number | undefined,
  ): Promise<void> {
    let sent = 0;
    for (;;) {
      const piece = await this.#readSource(source);
      if (piece === undefined) break;
      if (piece.length === 0) continue;
      sent += piece.length;
      if (length !== undefined && sent > length) this.#refuseLength(length);
      await this.#write(length === undefined ? encodeChunk(piece) : piece);
    }
    if (length !== undefined && sent < length) this.#refuseLength(length);
    if (length === undefined) await this.#write(encodeChunk(new Uint8Array()));
  }

  async #readSource(
    source: ReadableStreamDefaultReader<Uint8Array>,
  ): Promise<Uint8Array | undefined> {
    try {
      const { done, value } = await source.read();
      if (done) return undefined;
      if (value instanceof Uint8Array) return value;
      throw new TypeError("Cannot send a chunk that is not a Uint8Array");
    } catch (error) {
      this.hasFailedAtSource = true;
      throw error;
    }
  }

  #refuseLength(length: number): never {
    this.hasFailedAtSource = true;
    throw new TypeError(
      `Cannot send the body: it does not have the ${length} bytes of its Content-Length`,
    );
  }
}

/** Reads a body that nobody wants, if it is short, to keep its connection. */
export async function drain(body: ReadableStream<Uint8Array>): Promise<void> {
  const reader = body.getReader();
  try {
    for (let left = MAX_HTTP_DRAINED_BYTES; left >= 0;) {
      const { done, value } = await reader.read();
      if (done) return;
      left -= value.length;
    }
    await reader.cancel();
  } catch {
    // The connection has ended; nobody waits for this body.
  }
}
