/**
 * Bytes from a transport, taken in pieces of any length.
 *
 * @module
 */
import type { Bytes } from "../crypto/routine.ts";

const EMPTY: Bytes = new Uint8Array(0);

function isOwnable(chunk: Uint8Array): chunk is Bytes {
  return chunk.buffer instanceof ArrayBuffer;
}

/**
 * Reads a transport's chunks, one at a time and only when asked, so that the
 * transport's back-pressure holds. Bytes that were handed out never change.
 */
export class ByteSource {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #buffer: Bytes = EMPTY;
  #start = 0;
  #end = 0;
  #reading: Promise<void> | undefined;
  #isDone = false;

  constructor(readable: ReadableStream<Uint8Array>) {
    this.#reader = readable.getReader();
  }

  /** Bytes that can be taken now. */
  get length(): number {
    return this.#end - this.#start;
  }

  /** A byte that can be taken, without taking it. */
  peek(at: number): number {
    return this.#buffer[this.#start + at];
  }

  /** Takes bytes, a view. */
  take(length: number): Bytes {
    this.#start += length;
    return this.#buffer.subarray(this.#start - length, this.#start);
  }

  /** Waits for one more chunk; false at the end. */
  async more(): Promise<boolean> {
    await (this.#reading ??= this.#read());
    return !this.#isDone;
  }

  /** Starts to read a chunk, without waiting for it. */
  readAhead(): void {
    if (this.#isDone) return;
    this.#reading ??= this.#read();
    // Who asks for more next is told.
    this.#reading.catch(() => {});
  }

  /** Ends the transport's readable half. */
  async cancel(reason: unknown): Promise<void> {
    this.#isDone = true;
    this.#buffer = EMPTY;
    this.#start = this.#end = 0;
    await this.#reader.cancel(reason);
  }

  async #read(): Promise<void> {
    if (this.#isDone) return;
    const { done, value } = await this.#reader.read();
    if (done) {
      // The promise stays, so that the end is told again.
      this.#isDone = true;
      return;
    }
    this.#reading = undefined;
    if (!this.#isDone) this.#append(value);
  }

  #append(chunk: Uint8Array): void {
    const length = this.length;
    if (length === 0) {
      this.#buffer = isOwnable(chunk) ? chunk : new Uint8Array(chunk);
      this.#start = 0;
      this.#end = chunk.length;
      return;
    }
    // An adopted chunk is full: it is never written to.
    if (this.#end + chunk.length > this.#buffer.length) {
      // Twice what is needed, so that a byte at a time costs no square.
      const grown = new Uint8Array(2 * (length + chunk.length));
      grown.set(this.#buffer.subarray(this.#start, this.#end));
      this.#buffer = grown;
      this.#start = 0;
      this.#end = length;
    }
    this.#buffer.set(chunk, this.#end);
    this.#end += chunk.length;
  }
}
