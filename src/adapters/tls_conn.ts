/**
 * An object of the shape of `Deno.TlsConn` over a `node:tls` socket.
 *
 * @module
 */
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";

/** Most bytes taken out of the socket for one chunk of `readable`. */
const MAX_CHUNK_BYTES = 64 * 1024;

type Errors = typeof Deno.errors;

/** What the native connection throws where `node:tls` has a code of its own. */
const NATIVE_ERRORS: Readonly<Record<string, keyof Errors>> = {
  ECONNREFUSED: "ConnectionRefused",
  ECONNRESET: "ConnectionReset",
  ECONNABORTED: "ConnectionAborted",
  EPIPE: "BrokenPipe",
  ETIMEDOUT: "TimedOut",
  EADDRNOTAVAIL: "AddrNotAvailable",
  ENETUNREACH: "NetworkUnreachable",
  ERR_STREAM_PREMATURE_CLOSE: "UnexpectedEof",
};

/** Turns an error of `node:net` into what `Deno.connectTls` would throw. */
export function nativeError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { code } = error as { code?: string };
  const name = code === undefined ? undefined : NATIVE_ERRORS[code];
  if (name === undefined) return error;
  return new Deno.errors[name](error.message, { cause: error });
}

function badResource(): Error {
  return new Deno.errors.BadResource("Bad resource ID");
}

function address(hostname?: string, port?: number): Deno.NetAddr {
  return { transport: "tcp", hostname: hostname ?? "", port: port ?? 0 };
}

/** What a connection knows of the one below it. */
type Transport = Pick<
  Deno.TcpConn,
  "localAddr" | "remoteAddr" | "ref" | "unref"
>;

function transportOf(socket: TLSSocket): Transport {
  return {
    localAddr: address(socket.localAddress, socket.localPort),
    remoteAddr: address(socket.remoteAddress, socket.remotePort),
    ref: () => socket.ref(),
    unref: () => socket.unref(),
  };
}

/** A connection that has passed the gate, as `Deno.TlsConn` describes it. */
export class PinnedTlsConn implements Deno.TlsConn {
  readonly #socket: TLSSocket;
  readonly #transport: Transport;
  readonly #alpn: string | null;
  readonly localAddr: Deno.NetAddr;
  readonly remoteAddr: Deno.NetAddr;
  #readable: ReadableStream<Uint8Array<ArrayBuffer>> | undefined;
  #writable: WritableStream<Uint8Array<ArrayBufferLike>> | undefined;
  #error: unknown;
  #isClosed = false;
  #hasEnded = false;
  #isGone = false;
  #isWriteClosed = false;
  /** Reads that wait for bytes, in order. */
  #turn: Promise<unknown> = Promise.resolve();
  #wake: () => void = () => {};

  /**
   * Takes a connected socket over; nothing else may read from it.
   *
   * @param transport The connection below, where the socket has none of its own.
   */
  constructor(socket: TLSSocket, transport: Transport = transportOf(socket)) {
    this.#socket = socket;
    this.#transport = transport;
    this.#alpn = socket.alpnProtocol || null;
    this.localAddr = transport.localAddr;
    this.remoteAddr = transport.remoteAddr;
    // Its `end` event may have come before anybody could listen.
    this.#hasEnded = socket.readableEnded;
    socket.on("readable", () => this.#wake());
    socket.on("end", () => {
      this.#hasEnded = true;
      this.#wake();
    });
    socket.on("error", (error) => {
      this.#error ??= nativeError(error);
      this.#wake();
    });
    socket.on("close", () => {
      this.#isGone = true;
      this.#wake();
    });
  }

  /** Bytes at hand, at most `limit`; `null` at the end of the stream. */
  async #take(limit: number): Promise<Uint8Array | null> {
    const socket = this.#socket;
    for (;;) {
      if (this.#isClosed) {
        throw new Deno.errors.Interrupted("operation canceled");
      }
      const ready = Math.min(socket.readableLength, limit);
      const chunk = socket.read(ready) as Uint8Array | null;
      if (chunk !== null && chunk.length > 0) return chunk;
      if (this.#error !== undefined) throw this.#error;
      if (this.#hasEnded) return null;
      if (this.#isGone) {
        throw new Deno.errors.UnexpectedEof(
          "the peer closed the connection without a TLS close_notify",
        );
      }
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }

  #inTurn(limit: number): Promise<Uint8Array | null> {
    const taken = this.#turn.then(() => this.#take(limit));
    this.#turn = taken.catch(() => {});
    return taken;
  }

  /** Reads up to `p.length` bytes; `null` at the end of the stream. */
  async read(p: Uint8Array): Promise<number | null> {
    if (this.#isClosed) throw badResource();
    if (p.length === 0) return 0;
    const chunk = await this.#inTurn(p.length);
    if (chunk === null) return null;
    p.set(chunk);
    return chunk.length;
  }

  /** Writes all of `p`; resolves when the socket has taken it. */
  write(p: Uint8Array): Promise<number> {
    if (this.#isClosed) return Promise.reject(badResource());
    if (this.#error !== undefined) return Promise.reject(this.#error);
    if (this.#isWriteClosed) {
      return Promise.reject(new Deno.errors.NotConnected("not connected"));
    }
    if (p.length === 0) return Promise.resolve(0);
    return new Promise((resolve, reject) => {
      this.#socket.write(p, (error) => {
        if (!error) return resolve(p.length);
        reject(
          this.#isClosed
            ? new Deno.errors.Interrupted("operation canceled")
            : this.#error ?? nativeError(error),
        );
      });
    });
  }

  /** Ends the writing side; reading goes on. */
  closeWrite(): Promise<void> {
    if (this.#isClosed) return Promise.reject(badResource());
    if (this.#isWriteClosed) return Promise.resolve();
    this.#isWriteClosed = true;
    return new Promise((resolve, reject) => {
      if (this.#error !== undefined) return reject(this.#error);
      this.#socket.end((error?: Error | null) => {
        if (error) reject(nativeError(error));
        else resolve();
      });
    });
  }

  /** The protocol agreed on; the handshake was over before this object was made. */
  handshake(): Promise<Deno.TlsHandshakeInfo> {
    if (this.#isClosed) return Promise.reject(badResource());
    return Promise.resolve({ alpnProtocol: this.#alpn });
  }

  /** Closes both sides. Throws `Deno.errors.BadResource` the second time. */
  close(): void {
    if (this.#isClosed) throw badResource();
    this.#shut();
  }

  #shut(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    // What was written is flushed; what the socket would not take is dropped.
    const socket: Socket = this.#socket;
    if (socket.writableLength > 0) socket.destroy();
    else socket.destroySoon();
    this.#wake();
  }

  /** Keeps the process alive while the connection is open (the default). */
  ref(): void {
    this.#transport.ref();
  }

  /** Lets the process end while the connection is open. */
  unref(): void {
    this.#transport.unref();
  }

  /** The bytes that arrive; closes the connection at their end. */
  get readable(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return this.#readable ??= new ReadableStream({
      type: "bytes",
      pull: async (controller) => {
        const view = controller.byobRequest?.view;
        const limit = view ? view.byteLength : MAX_CHUNK_BYTES;
        const chunk = await this.#inTurn(limit);
        if (chunk === null) {
          this.#shut();
          controller.close();
          controller.byobRequest?.respond(0);
        } else if (view) {
          new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
            .set(chunk);
          controller.byobRequest!.respond(chunk.length);
        } else controller.enqueue(new Uint8Array(chunk));
      },
      cancel: () => this.#shut(),
    }, { highWaterMark: 0 });
  }

  /** Takes bytes to send; closing or aborting it closes the connection. */
  get writable(): WritableStream<Uint8Array<ArrayBufferLike>> {
    return this.#writable ??= new WritableStream({
      write: async (chunk) => {
        await this.write(chunk);
      },
      close: () => this.#shut(),
      abort: () => this.#shut(),
    });
  }

  /** Closes the connection unless it is closed. */
  [Symbol.dispose](): void {
    this.#shut();
  }
}
