/**
 * Reads a stream by lines and by pieces. Holds one chunk and one line.
 *
 * @module
 */
import { ConnectionError } from "../errors.ts";

/** The error for a response that is not HTTP/1.1, or is ambiguous. */
export function malformed(what: string, options?: ErrorOptions) {
  return new ConnectionError(
    "ERR_CERTPIN_HTTP_PROTOCOL",
    `Refused the response: ${what}`,
    options,
  );
}

/** Bytes that lines may still take. */
export interface LineBudget {
  /** Falls with each byte read. */
  bytes: number;
}

const LF = 0x0a;
/** Most arguments of one call, well below what engines allow. */
const DECODED_AT_ONCE = 8_192;

/** Bytes as the characters of the same numbers (isomorphic decode). */
function decodeBytes(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += DECODED_AT_ONCE) {
    text += String.fromCharCode(...bytes.subarray(at, at + DECODED_AT_ONCE));
  }
  return text;
}

/** What a connection receives, in order. */
export class Input {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #chunk: Uint8Array | undefined;
  #line = "";
  #filling: Promise<boolean> | undefined;

  constructor(readable: ReadableStream<Uint8Array>) {
    this.#reader = readable.getReader();
  }

  /** Whether nothing was received that nobody has taken. */
  get isEmpty(): boolean {
    return this.#chunk === undefined && this.#line === "";
  }

  /**
   * Waits for more; only when nothing is left to take. Calls at the same time
   * share one read.
   *
   * @returns `false` at the end of the stream.
   */
  fill(): Promise<boolean> {
    return this.#filling ??= this.#read();
  }

  async #read(): Promise<boolean> {
    try {
      for (;;) {
        const { done, value } = await this.#reader.read();
        if (done) return false;
        if (value.length === 0) continue;
        this.#chunk = value;
        return true;
      }
    } finally {
      this.#filling = undefined;
    }
  }

  /** Takes a line off the budget; `undefined` where its end is not there yet. */
  takeLine(budget: LineBudget): string | undefined {
    const chunk = this.#chunk;
    if (chunk === undefined) return undefined;
    const seen = chunk.subarray(0, budget.bytes + 1);
    const end = seen.indexOf(LF);
    const piece = end < 0 ? seen : seen.subarray(0, end + 1);
    budget.bytes -= piece.length;
    if (budget.bytes < 0) throw malformed("its lines are too long");
    this.#line += decodeBytes(piece);
    this.#skip(chunk, piece.length);
    if (end < 0) return undefined;
    const line = this.#line;
    this.#line = "";
    // A parser that takes a bare LF sees other lines than one that does not.
    if (!line.endsWith("\r\n")) throw malformed("a line ends without CR");
    return line.slice(0, -2);
  }

  /** Reads a line. */
  async readLine(budget: LineBudget): Promise<string> {
    for (;;) {
      const line = this.takeLine(budget);
      if (line !== undefined) return line;
      if (!await this.fill()) throw malformed("it ended early");
    }
  }

  /** Takes what is there, `most` bytes at most, in a buffer of its own. */
  takeBytes(most: number): Uint8Array | undefined {
    const chunk = this.#chunk;
    if (chunk === undefined) return undefined;
    // Streams detach the buffers that they are given.
    const piece = most < chunk.length ? chunk.slice(0, most) : chunk;
    this.#skip(chunk, piece.length);
    return piece;
  }

  /** Reads between one and `most` bytes; `undefined` at the end. */
  async readBytes(most: number): Promise<Uint8Array | undefined> {
    for (;;) {
      const piece = this.takeBytes(most);
      if (piece !== undefined) return piece;
      if (!await this.fill()) return undefined;
    }
  }

  #skip(chunk: Uint8Array, bytes: number): void {
    this.#chunk = bytes < chunk.length ? chunk.subarray(bytes) : undefined;
  }

  /** Ends the stream; a read under way ends too. */
  cancel(reason: unknown): void {
    this.#reader.cancel(reason).catch(() => {});
  }
}
