/**
 * Content codings of responses (RFC 9110, section 8.4).
 *
 * Decoding is strict: a body that is corrupt or cut off fails, and never looks
 * like one that has ended.
 *
 * @module
 */
import { Duplex } from "node:stream";
import * as zlib from "node:zlib";
import { MAX_HTTP_CONTENT_CODINGS } from "../../limits.ts";
import { describeRuntime } from "../../tls/runtime.ts";

/** Where decoded bytes go. */
export interface DecodedSink {
  /** `false` asks for a pause, until {@linkcode Decoder.resume}. */
  onDecoded(chunk: Uint8Array): boolean;
  onDecodedEnd(): void;
  onDecodeError(error: unknown): void;
  /** The decoder takes in again. */
  onDecoderDrained(): void;
}

const isDeno = describeRuntime()?.name === "deno";

// On Deno, zlib takes a zstd or brotli body that was cut off for a whole one.
const HAS_ZSTD = !isDeno && "createZstdDecompress" in zlib;

/** What is asked for where the caller says nothing. */
export const ACCEPTED_CODINGS: string = HAS_ZSTD
  ? "br, gzip, deflate, zstd"
  : "br, gzip, deflate";

/** Largest window of zstd, as a power of two (RFC 9659, section 3). */
const ZSTD_WINDOW_LOG = 23;

/** The compression method of zlib's format, in its first byte (RFC 1950, section 2.2). */
const ZLIB_METHOD = 8;

type MakeDecoder = (firstByte: number) => Duplex;

/** Not `Duplex.fromWeb`: that of Deno 2.8 leaves rejections unhandled. */
function brotliOfDeno(): Duplex {
  const web = new DecompressionStream("brotli" as CompressionFormat);
  const writer = web.writable.getWriter();
  const reader = web.readable.getReader();
  for (const { closed } of [writer, reader]) closed.catch(() => {});
  return new Duplex({
    write(chunk, _encoding, done) {
      writer.write(chunk).then(() => done(), done);
    },
    final(done) {
      writer.close().then(() => done(), done);
    },
    read() {
      reader.read().then(
        ({ done, value }) => this.push(done ? null : value),
        (error) => this.destroy(error),
      );
    },
    destroy(error, done) {
      reader.cancel(error).catch(() => {});
      writer.abort(error).catch(() => {});
      done(error);
    },
  });
}

const DECODERS: ReadonlyMap<string, MakeDecoder> = new Map<
  string,
  MakeDecoder
>([
  ["gzip", () => zlib.createGunzip()],
  ["x-gzip", () => zlib.createGunzip()],
  [
    "deflate",
    // Many servers send it without the format that the name stands for.
    (first: number) =>
      (first & 0x0f) === ZLIB_METHOD
        ? zlib.createInflate()
        : zlib.createInflateRaw(),
  ],
  ["br", () => isDeno ? brotliOfDeno() : zlib.createBrotliDecompress()],
]);

const ZSTD_DECODER: MakeDecoder = () =>
  zlib.createZstdDecompress({
    params: { [zlib.constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG },
  });

function decoderOf(coding: string): MakeDecoder | undefined {
  if (coding === "zstd" && HAS_ZSTD) return ZSTD_DECODER;
  return DECODERS.get(coding);
}

/**
 * What undoes the codings of a `Content-Encoding` header, the last one first.
 *
 * @returns `undefined` where nothing is to be undone: with a coding that is
 * not known the body stays as it is.
 * @throws {TypeError} on more codings than {@linkcode MAX_HTTP_CONTENT_CODINGS}.
 */
export function decodersOf(
  header: string | readonly string[] | undefined,
): readonly MakeDecoder[] | undefined {
  if (header === undefined) return undefined;
  const codings = header.toString().toLowerCase().split(",");
  if (codings.length > MAX_HTTP_CONTENT_CODINGS) {
    throw new TypeError(
      `Cannot decode a body with ${codings.length} codings: at most ${MAX_HTTP_CONTENT_CODINGS}`,
    );
  }
  const makers: MakeDecoder[] = [];
  for (const coding of codings.reverse()) {
    const maker = decoderOf(coding.trim());
    if (maker === undefined) return undefined;
    makers.push(maker);
  }
  return makers;
}

interface Sink {
  write(chunk: Uint8Array): boolean;
  end(): void;
  fail(error: unknown): void;
}

/** One coding; made of its first byte, since nothing at all is no error. */
class Stage implements Sink {
  readonly #make: MakeDecoder;
  readonly #onDrained: () => void;
  readonly #next: Sink;
  #stream: Duplex | undefined;

  constructor(make: MakeDecoder, next: Sink, onDrained: () => void) {
    this.#make = make;
    this.#next = next;
    this.#onDrained = onDrained;
  }

  write(chunk: Uint8Array): boolean {
    if (chunk.length === 0) return true;
    this.#stream ??= this.#open(chunk[0]);
    return this.#stream.write(chunk);
  }

  end(): void {
    if (this.#stream === undefined) this.#next.end();
    else this.#stream.end();
  }

  fail(error: unknown): void {
    this.destroy();
    this.#next.fail(error);
  }

  resume(): void {
    this.#stream?.resume();
  }

  destroy(): void {
    this.#stream?.destroy();
  }

  #open(firstByte: number): Duplex {
    const stream = this.#make(firstByte);
    stream.on("data", (chunk: Uint8Array) => {
      if (!this.#next.write(chunk)) stream.pause();
    });
    stream.on("end", () => this.#next.end());
    stream.on("error", (error: unknown) => this.#next.fail(error));
    stream.on("drain", () => this.#onDrained());
    return stream;
  }
}

/** Undoes the codings of one body. */
export class Decoder {
  readonly #stages: readonly Stage[];
  #isDone = false;

  constructor(makers: readonly MakeDecoder[], sink: DecodedSink) {
    const stages: Stage[] = [];
    let next: Sink = {
      write: (chunk) => this.#isDone || sink.onDecoded(chunk),
      end: () => this.#settle(() => sink.onDecodedEnd()),
      fail: (error) => this.#settle(() => sink.onDecodeError(error)),
    };
    for (const [index, make] of [...makers.entries()].reverse()) {
      const stage = new Stage(
        make,
        next,
        () =>
          index === 0 ? sink.onDecoderDrained() : stages[index - 1].resume(),
      );
      stages[index] = stage;
      next = stage;
    }
    this.#stages = stages;
  }

  #settle(act: () => void): void {
    if (this.#isDone) return;
    this.#isDone = true;
    act();
  }

  /** Takes a piece; `false` asks for a pause, until the sink hears `onDecoderDrained`. */
  write(chunk: Uint8Array): boolean {
    return this.#isDone || this.#stages[0].write(chunk);
  }

  end(): void {
    if (!this.#isDone) this.#stages[0].end();
  }

  /** Gives out again after `onDecoded` returned `false`. */
  resume(): void {
    this.#stages.at(-1)!.resume();
  }

  /** Ends it; nothing more is heard of it. */
  destroy(): void {
    this.#isDone = true;
    for (const stage of this.#stages) stage.destroy();
  }
}
