/**
 * Bodies of messages: the three framings of RFC 9112, section 6.
 *
 * @module
 */
import {
  MAX_HTTP_CHUNK_EXTENSION_BYTES,
  MAX_HTTP_HEAD_BYTES,
} from "../limits.ts";
import { quoteText } from "../text.ts";
import { type Input, malformed } from "./input.ts";
import { type Framing, readFields } from "./message.ts";

/** Reads a body piece by piece. */
export interface BodyReader {
  /** Whether the body is known to be complete. */
  readonly isComplete: boolean;
  /** The next piece; `undefined` at the end. */
  read(): Promise<Uint8Array | undefined>;
}

/** Reads a body that is framed so. */
export function bodyReader(input: Input, framing: Framing): BodyReader {
  switch (framing.kind) {
    case "none":
      return { isComplete: true, read: async () => await undefined };
    case "length":
      return new LengthReader(input, framing.bytes);
    case "chunked":
      return new ChunkedReader(input);
    case "close":
      return new RestReader(input);
  }
}

function endedEarly() {
  return malformed("the connection ended before the body was complete");
}

class LengthReader implements BodyReader {
  constructor(readonly input: Input, private left: number) {}

  get isComplete(): boolean {
    return this.left === 0;
  }

  async read(): Promise<Uint8Array | undefined> {
    if (this.left === 0) return undefined;
    const piece = await this.input.readBytes(this.left);
    if (piece === undefined) throw endedEarly();
    this.left -= piece.length;
    return piece;
  }
}

/** The end of the stream is the end of the body: TLS tells a true one. */
class RestReader implements BodyReader {
  isComplete = false;

  constructor(readonly input: Input) {}

  async read(): Promise<Uint8Array | undefined> {
    const piece = await this.input.readBytes(Infinity);
    this.isComplete = piece === undefined;
    return piece;
  }
}

/** At most 13 digits: every such number is exact. */
const SIZE_LINE = /^([\da-fA-F]{1,13})(?:;[\t\x20-\x7e\x80-\xff]*)?$/;

class ChunkedReader implements BodyReader {
  isComplete = false;
  /** Of the chunk that is being read. */
  #left = 0;
  #isFirst = true;
  /** Size lines longer than their digits are paid for by the whole body. */
  #extensions = MAX_HTTP_CHUNK_EXTENSION_BYTES;

  constructor(readonly input: Input) {}

  async read(): Promise<Uint8Array | undefined> {
    if (this.isComplete) return undefined;
    if (this.#left === 0) {
      await this.#readSize();
      if (this.#left === 0) {
        // Trailers are checked, and are not shown: fetch has no place for them.
        await readFields(this.input, { bytes: MAX_HTTP_HEAD_BYTES });
        this.isComplete = true;
        return undefined;
      }
    }
    const piece = await this.input.readBytes(this.#left);
    if (piece === undefined) throw endedEarly();
    this.#left -= piece.length;
    return piece;
  }

  async #readSize(): Promise<void> {
    if (!this.#isFirst) {
      const rest = await this.input.readLine({ bytes: 2 });
      if (rest !== "") throw malformed("a chunk is longer than its size");
    }
    this.#isFirst = false;
    const line = await this.input.readLine({
      bytes: this.#extensions + "fffffffffffff\r\n".length,
    });
    const [, digits] = SIZE_LINE.exec(line) ?? [];
    if (digits === undefined) {
      throw malformed(`a chunk's size is ${quoteText(line)}`);
    }
    this.#extensions -= line.length - digits.length;
    if (this.#extensions < 0) throw malformed("its lines are too long");
    this.#left = parseInt(digits, 16);
  }
}

const CRLF = [0x0d, 0x0a];

/** One chunk of a chunked body; of no bytes: the last one, without trailers. */
export function encodeChunk(data: Uint8Array): Uint8Array<ArrayBuffer> {
  const size = new TextEncoder().encode(data.length.toString(16));
  const chunk = new Uint8Array(size.length + data.length + 4);
  chunk.set(size);
  chunk.set(CRLF, size.length);
  chunk.set(data, size.length + 2);
  chunk.set(CRLF, chunk.length - 2);
  return chunk;
}
