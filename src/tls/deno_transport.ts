/**
 * What TLS runs over on Deno: a stream of JavaScript instead of the socket.
 *
 * Over its own sockets, `node:tls` of Deno (2.8 and 2.9) loses the end of the
 * stream when it comes while nobody reads, so that whoever waits for it waits
 * for ever; and it takes in, without bound, what nobody reads. Over a stream
 * that is ours the end is seen and passed on, and the peer is held back.
 *
 * @module
 */
import type { Buffer } from "node:buffer";
import * as net from "node:net";
import process from "node:process";
import { Duplex } from "node:stream";
import { setImmediate } from "node:timers";
import type { TLSSocket } from "node:tls";
import { beforeTls } from "./handshake.ts";
import { pickOptions } from "./options.ts";

/** Options of `tls.connect` that are about the connection below. */
const NET_OPTIONS = [
  "autoSelectFamily",
  "autoSelectFamilyAttemptTimeout",
  "family",
  "hints",
  "keepAlive",
  "keepAliveInitialDelay",
  "localAddress",
  "localPort",
  "lookup",
  "noDelay",
] as const;

/** Milliseconds that Deno 2.8 is given for the last word of TLS. */
const LAST_WORD_MS = 50;

/** Whether TLS needs a carrier here. */
export const NEEDS_DENO_TRANSPORT: boolean =
  process.versions.deno !== undefined;

const SAYS_LITTLE = process.versions.deno?.startsWith("2.8.") === true;

/** A socket as a stream that passes everything on, back-pressure included. */
export class DenoTransport extends Duplex {
  readonly #socket: Duplex;
  #above: TLSSocket | undefined;

  /** Takes the socket over. */
  constructor(socket: Duplex) {
    super({ allowHalfOpen: true });
    this.#socket = socket;
    socket.on("data", (chunk) => {
      const isFull = !this.push(chunk);
      if (isFull || this.#isHeld()) socket.pause();
    });
    socket.on("end", () => this.push(null));
    socket.on("error", (error) => this.destroy(error));
    socket.on("close", () => {
      // Without an end before it: cut off.
      if (!this.readableEnded) this.push(null);
    });
    // Ended before anybody listened here.
    if (socket.readableEnded || socket.destroyed) this.push(null);
  }

  /** Whether what was decrypted waits for a reader. */
  #isHeld(): boolean {
    const above = this.#above;
    return above !== undefined &&
      above.readableLength >= above.readableHighWaterMark;
  }

  override _read(): void {
    if (!this.#isHeld()) this.#socket.resume();
  }

  // deno-lint-ignore no-explicit-any -- the overloads of `Writable`
  override write(...args: any[]): boolean {
    // The last word of TLS, where it comes too late.
    if (this.writableEnded) return true;
    return super.write(...args as [Uint8Array]);
  }

  override _write(
    chunk: Buffer,
    encoding: BufferEncoding,
    done: (error?: Error | null) => void,
  ): void {
    this.#socket.write(chunk, encoding, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#socket.end(() => done());
  }

  override _destroy(
    error: Error | null,
    done: (error?: Error | null) => void,
  ): void {
    this.#socket.destroy();
    done(error);
  }

  /** Lets a TLS socket over this be what it would be over a socket of its own. */
  carry(socket: TLSSocket): void {
    const below = this.#socket;
    // Deno decrypts whatever it is given, whether anybody reads or not: what
    // is not read yet has to hold back what comes.
    this.#above = socket;
    const read = socket._read;
    socket._read = (size) => {
      read.call(socket, size);
      below.resume();
    };
    // All that came before the end has been decrypted and is in the socket.
    this.once("end", () => setImmediate(() => socket.push(null)));
    if (SAYS_LITTLE) {
      socket.once("finish", () => {
        setTimeout(() => this.end(), LAST_WORD_MS);
      });
    }
    if (!(below instanceof net.Socket)) return;
    const { localAddress, localPort, remoteAddress, remotePort } = below;
    const told = { localAddress, localPort, remoteAddress, remotePort };
    for (const [name, value] of Object.entries(told)) {
      Object.defineProperty(socket, name, { value, configurable: true });
    }
    socket.ref = () => (below.ref(), socket);
    socket.unref = () => (below.unref(), socket);
    socket.setNoDelay = (on) => (below.setNoDelay(on), socket);
    socket.setKeepAlive = (...args: unknown[]) => (
      below.setKeepAlive(...args as [boolean?, number?]), socket
    );
  }
}

/** Connects; with the options of `tls.connect` that are about that. */
export function connectPlain(
  options: { readonly host: string; readonly port: number | undefined },
  tls: Readonly<Record<string, unknown>> | undefined,
  signal: AbortSignal,
): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const socket = net.connect({
      ...pickOptions({ ...tls }, NET_OPTIONS),
      host: options.host,
      port: options.port!,
      allowHalfOpen: true,
    });
    const onAbort = () => {
      socket.destroy();
      reject(signal.reason);
    };
    signal.addEventListener("abort", onAbort);
    // Stays: whoever takes the socket over begins to listen a moment later.
    socket.on("error", (error) => reject(beforeTls(error)));
    socket.once("close", () => {
      signal.removeEventListener("abort", onAbort);
      reject(new Error("The connection was closed before it was open"));
    });
    socket.once("connect", () => {
      signal.removeEventListener("abort", onAbort);
      resolve(socket);
    });
  });
}
