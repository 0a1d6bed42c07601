/**
 * Bytes from a transport, taken in pieces of any length.
 *
 * @module
 */
import type { Bytes } from "../crypto/routine.ts";

function isOwnable(chunk: Uint8Array): chunk is Bytes {
  return chunk.buffer instanceof ArrayBuffer;
}

/**
 * Reads a transport's chunks, one at a time and only when asked, so that the
 * transport's back-pressure holds. Bytes that were handed out never change.
 */
export class ByteSource {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  /** Chunks that are not used up; the first from `#at` on. */
  #chunks: Bytes[] = [];
  #at = 0;
  #length = 0;
  #reading: Promise<void> | undefined;
  #isDone = false;

  constructor(readable: ReadableStream<Uint8Array>) {
    this.#reader = readable.getReader();
  }

  /** Bytes that can be taken now. */
  get length(): number {
    return this.#length;
  }

  /** A byte that can be taken, without taking it. */
  peek(at: number): number {
    at += this.#at;
    let index = 0;
    while (at >= this.#chunks[index].length) at -= this.#chunks[index++].length;
    return this.#chunks[index][at];
  }

  /** Takes bytes: a view where they lie in one chunk, else a copy. */
  take(length: number): Bytes {
    const first = this.#chunks[0];
    if (first && first.length - this.#at >= length) {
      const view = first.subarray(this.#at, this.#at + length);
      this.#at += length;
      this.#length -= length;
      if (this.#at === first.length) this.#drop(1);
      return view;
    }
    const joined = new Uint8Array(length);
    let filled = 0;
    let used = 0;
    while (filled < length) {
      const chunk = this.#chunks[used];
      const part = chunk.subarray(this.#at, this.#at + length - filled);
      joined.set(part, filled);
      filled += part.length;
      this.#at += part.length;
      if (this.#at === chunk.length) {
        used++;
        this.#at = 0;
      }
    }
    this.#length -= length;
    // All at once, so that a byte at a time costs no square.
    this.#chunks.splice(0, used);
    return joined;
  }

  #drop(count: number): void {
    this.#chunks.splice(0, count);
    this.#at = 0;
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
    this.#drop(this.#chunks.length);
    this.#length = 0;
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
    if (this.#isDone || value.length === 0) return;
    this.#chunks.push(isOwnable(value) ? value : new Uint8Array(value));
    this.#length += value.length;
  }
}
