/**
 * One request and its response over the pinned dispatcher.
 *
 * @module
 */
import type { Dispatcher } from "undici/index.js";
import { CertpinError } from "../../errors.ts";
import type { Verdict } from "../../pinner/pinner.ts";
import { MAX_HTTP_DRAINED_BYTES } from "../../limits.ts";
import { ON_VERDICT } from "../../tls/options.ts";
import type { PinnedAgent } from "../dispatcher.ts";
import { type RequestBody, startUpload, type Upload } from "./body.ts";
import { type DecodedSink, Decoder, decodersOf } from "./decode.ts";
import { type BodyOrigin, ResponseBody } from "./response_body.ts";
import type { Target } from "./target.ts";

type Controller = Dispatcher.DispatchController;

/** Headers as undici parses them, names in lower case. */
export type ParsedHeaders = Readonly<Record<string, string | string[]>>;

/** What an exchange sends. */
export interface ExchangeRequest {
  readonly target: Target;
  readonly method: string;
  readonly headers: readonly string[];
  readonly body: Exclude<RequestBody, { kind: "encoded" }> | null;
  readonly signal: AbortSignal | null;
}

/** Statuses without a body (Fetch, "null body status"). */
const NULL_BODY = new Set([101, 103, 204, 205, 304]);

/** How a connection ends that the server had given up already. */
const STALE_CODES = new Set(["UND_ERR_SOCKET", "ECONNRESET", "EPIPE"]);

/** Asks again for what may be asked for twice (RFC 9110, section 9.2.2). */
const IDEMPOTENT = new Set(["GET", "HEAD", "OPTIONS", "PUT", "DELETE"]);

/** A failure of the network, as `fetch` rejects with it. */
export function networkError(cause: unknown): TypeError {
  return new TypeError("fetch failed", { cause });
}

/**
 * Options and handler of one dispatch in one object.
 *
 * undici calls back in the middle of its parser, where nothing may throw.
 */
export class Exchange implements BodyOrigin, DecodedSink {
  readonly origin: string;
  readonly path: string;
  readonly method: string;
  readonly headers: readonly string[];
  readonly body: Upload["body"] | null;

  status = 0;
  statusText = "";
  responseHeaders: ParsedHeaders = {};
  /** `null` where the response has none. */
  responseBody: ResponseBody | null = null;
  /** Of the connection that the response came over. */
  verdict: Verdict | undefined;

  readonly #signal: AbortSignal | null;
  readonly #upload: Upload | undefined;
  readonly #mayRepeat: boolean;
  #resolve!: () => void;
  #reject!: (error: unknown) => void;
  #onAbort: (() => void) | undefined;
  #controller: Controller | undefined;
  #decoder: Decoder | undefined;
  #isReused = false;
  #isResponding = false;
  /** Nothing comes over the connection any more. */
  #isOver = false;
  /** Why it did not end as it should. */
  #failure: { readonly cause: unknown } | undefined;
  /** Bytes that may still be thrown away; `undefined` where they are wanted. */
  #discardable: number | undefined;

  constructor({ target, method, headers, body, signal }: ExchangeRequest) {
    this.origin = target.origin;
    this.path = target.path;
    this.method = method;
    this.#signal = signal;
    this.#upload = body === null ? undefined : startUpload(body);
    this.#mayRepeat = IDEMPOTENT.has(method) && body?.kind !== "stream";
    this.body = this.#upload?.body ?? null;
    const length = this.#upload?.length;
    this.headers = length === undefined || hasLength(headers)
      ? headers
      : [...headers, "content-length", String(length)];
  }

  /** Sends it; resolves when the response's head is there. */
  run(agent: PinnedAgent): Promise<void> {
    const signal = this.#signal;
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      if (signal !== null) {
        this.#onAbort = () => this.fail(signal.reason);
        signal.addEventListener("abort", this.#onAbort);
      }
      agent.dispatch(this as never, this as never);
    });
  }

  /** Whether it failed on a connection that the server had given up before. */
  get mayBeRepeated(): boolean {
    const cause = this.#failure?.cause;
    return this.#mayRepeat && this.#isReused && !this.#isResponding &&
      !(cause instanceof CertpinError) &&
      STALE_CODES.has((cause as { code?: string } | undefined)?.code ?? "");
  }

  /** Lets go of a response that nobody reads; its connection is kept if it is short. */
  discard(): void {
    this.#stopListening();
    this.#discardable = MAX_HTTP_DRAINED_BYTES;
    this.#decoder?.destroy();
    this.#decoder = undefined;
    this.responseBody = null;
    this.#controller?.resume();
  }

  /** Ends it: the connection is closed, and whoever waits gets `error`. */
  fail(error: unknown): void {
    if (this.#failure !== undefined) return;
    this.#fail(error);
    this.#reject(error);
    this.responseBody?.fail(error);
  }

  #fail(cause: unknown): void {
    this.#failure = { cause };
    this.#stopListening();
    this.#decoder?.destroy();
    this.#upload?.cancel?.(cause);
    if (!this.#isOver) this.#controller?.abort(asError(cause));
  }

  #stopListening(): void {
    if (this.#onAbort === undefined) return;
    this.#signal!.removeEventListener("abort", this.#onAbort);
    this.#onAbort = undefined;
  }

  // Of the body.

  resume(): void {
    if (this.#decoder !== undefined) this.#decoder.resume();
    else this.#controller?.resume();
  }

  abandon(reason: unknown): void {
    if (this.#failure === undefined) this.#fail(reason);
  }

  onRead(): void {
    this.#stopListening();
  }

  // Of the decoder.

  onDecoded(chunk: Uint8Array): boolean {
    return this.responseBody!.push(chunk);
  }

  onDecodedEnd(): void {
    this.responseBody!.end();
  }

  onDecodeError(error: unknown): void {
    this.fail(new TypeError("terminated", { cause: error }));
  }

  onDecoderDrained(): void {
    this.#controller?.resume();
  }

  // Of the dispatcher.

  [ON_VERDICT](verdict: Verdict, isReused: boolean): void {
    this.verdict = verdict;
    this.#isReused = isReused;
  }

  onRequestStart(controller: Controller): void {
    this.#controller = controller;
    if (this.#failure !== undefined) {
      controller.abort(asError(this.#failure.cause));
    }
  }

  onResponseStarted(): void {
    this.#isResponding = true;
  }

  onResponseStart(
    _controller: Controller,
    status: number,
    headers: ParsedHeaders,
    statusText?: string,
  ): void {
    // An interim response (RFC 9110, section 15.2).
    if (status < 200) return;
    this.#isResponding = true;
    this.status = status;
    this.statusText = statusText ?? "";
    this.responseHeaders = headers;
    if (this.method === "HEAD" || NULL_BODY.has(status)) {
      this.#discardable = MAX_HTTP_DRAINED_BYTES;
    } else {
      try {
        const makers = decodersOf(headers["content-encoding"]);
        if (makers !== undefined) this.#decoder = new Decoder(makers, this);
      } catch (error) {
        return this.fail(networkError(error));
      }
      this.responseBody = new ResponseBody(this);
    }
    this.#resolve();
  }

  onResponseData(controller: Controller, chunk: Uint8Array): void {
    if (this.#discardable !== undefined) {
      this.#discardable -= chunk.length;
      if (this.#discardable < 0) {
        this.abandon(new Error("The body is longer than what is thrown away"));
      }
      return;
    }
    const goesOn = this.#decoder === undefined
      ? this.responseBody!.push(chunk)
      : this.#decoder.write(chunk);
    if (!goesOn) controller.pause();
  }

  onResponseEnd(): void {
    this.#isOver = true;
    // Nobody waits for the rest of the request.
    this.#upload?.cancel?.(undefined);
    if (this.responseBody === null) this.#stopListening();
    else if (this.#decoder !== undefined) this.#decoder.end();
    else this.responseBody.end();
  }

  onResponseError(_controller: Controller | null, error: unknown): void {
    this.#isOver = true;
    if (this.#failure !== undefined) return;
    this.#fail(error);
    this.#reject(networkError(error));
    this.responseBody?.fail(new TypeError("terminated", { cause: error }));
  }
}

function asError(reason: unknown): Error {
  return reason instanceof Error
    ? reason
    : new Error("The request was ended", { cause: reason });
}

function hasLength(headers: readonly string[]): boolean {
  for (let at = 0; at < headers.length; at += 2) {
    if (headers[at] === "content-length") return true;
  }
  return false;
}
