/**
 * The body of a response, between the connection and whoever reads it.
 *
 * What arrives before anybody asks waits here, and holds the peer back when it
 * is too much. A body that has arrived whole with its headers is never a
 * stream at all.
 *
 * @module
 */
import { concatBytes } from "../../bytes.ts";
import { MAX_WAITING_BODY_BYTES } from "../../limits.ts";

/** The connection that a body comes over. */
export interface BodyOrigin {
  /** Goes on reading. */
  resume(): void;
  /** Nobody wants the rest. */
  abandon(reason: unknown): void;
  /** Everything has been read. */
  onRead(): void;
}

/** Collects pieces, and gives them out. */
export class ResponseBody {
  readonly #origin: BodyOrigin;
  #waiting: Uint8Array[] = [];
  #length = 0;
  #isEnded = false;
  #failure: { readonly error: unknown } | undefined;
  #controller: ReadableByteStreamController | undefined;
  #isAsked = false;
  /** Whether whoever reads wants everything, and nothing before. */
  #isGathering = false;

  constructor(origin: BodyOrigin) {
    this.#origin = origin;
  }

  /** Whether everything is there and nothing failed. */
  get isWhole(): boolean {
    return this.#isEnded && this.#failure === undefined;
  }

  /** Gives out one piece at the end instead of many: each costs its reader a turn. */
  gather(): void {
    this.#isGathering = true;
  }

  /** Takes a piece; `false` asks for a pause. */
  push(chunk: Uint8Array): boolean {
    if (chunk.length === 0) return true;
    if (this.#isAsked && !this.#isGathering) {
      this.#isAsked = false;
      // The stream takes the memory over, and this piece may share its own.
      this.#controller!.enqueue(new Uint8Array(chunk));
      return this.#isAsked;
    }
    this.#waiting.push(chunk);
    this.#length += chunk.length;
    return this.#isGathering || this.#length < MAX_WAITING_BODY_BYTES;
  }

  /** Everything has been pushed. */
  end(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    if (this.#controller === undefined) return;
    if (this.#isGathering && this.#isAsked && this.#length > 0) this.#giveAll();
    if (this.#length === 0) this.#close();
  }

  /** The rest is lost; what waits is lost too (Fetch, "error a body"). */
  fail(error: unknown): void {
    if (this.#failure !== undefined) return;
    if (this.#isEnded && this.#length === 0 && this.#controller) return;
    this.#isEnded = true;
    this.#failure = { error };
    this.#waiting = [];
    this.#length = 0;
    this.#controller?.error(error);
  }

  /** Everything, where it is whole. */
  takeAll(): Uint8Array<ArrayBuffer> {
    const all = concatBytes(this.#waiting);
    this.#waiting = [];
    this.#length = 0;
    return all;
  }

  /** Everything as a stream that no connection stands behind; it must be whole. */
  toClosedStream(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return new ReadableStream({
      type: "bytes",
      start: (controller) => {
        if (this.#length > 0) controller.enqueue(this.takeAll());
        controller.close();
      },
    });
  }

  /** Everything as a stream. */
  toStream(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return new ReadableStream({
      type: "bytes",
      start: (controller) => {
        this.#controller = controller;
        if (this.#failure !== undefined) {
          controller.error(this.#failure.error);
        } else if (this.#isEnded && this.#length === 0) this.#close();
      },
      pull: () => this.#pull(),
      cancel: (reason) => {
        this.#isEnded = true;
        this.takeAll();
        this.#origin.abandon(reason);
      },
    });
  }

  #pull(): void {
    if (this.#length > 0 && (this.#isEnded || !this.#isGathering)) {
      this.#giveAll();
      if (this.#isEnded) this.#close();
      else this.#origin.resume();
      return;
    }
    this.#isAsked = true;
    this.#origin.resume();
  }

  #giveAll(): void {
    this.#isAsked = false;
    this.#controller!.enqueue(this.takeAll());
  }

  #close(): void {
    const controller = this.#controller!;
    controller.close();
    // A reader may be waiting with its own buffer.
    controller.byobRequest?.respond(0);
    this.#origin.onRead();
  }
}
