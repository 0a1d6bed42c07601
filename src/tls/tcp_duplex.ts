/**
 * A `Deno.Conn` as a stream of `node:stream`, to run TLS over.
 *
 * @module
 */
import { Duplex } from "node:stream";

/** Bytes asked for in one read. */
const READ_BYTES = 64 * 1024;

/** Reads from and writes to a connection that nobody else uses any more. */
export class TcpDuplex extends Duplex {
  readonly #conn: Deno.Conn;
  #isClosed = false;

  /** Takes the connection over. */
  constructor(conn: Deno.Conn) {
    super({ allowHalfOpen: true, emitClose: true });
    this.#conn = conn;
  }

  override _read(): void {
    const buffer = new Uint8Array(READ_BYTES);
    this.#conn.read(buffer).then(
      (count) => this.push(count === null ? null : buffer.subarray(0, count)),
      (error) => this.destroy(error),
    );
  }

  async #writeAll(bytes: Uint8Array): Promise<void> {
    let rest = bytes;
    while (rest.length > 0) rest = rest.subarray(await this.#conn.write(rest));
  }

  override _write(
    chunk: Uint8Array,
    _encoding: string,
    done: (error?: Error | null) => void,
  ): void {
    this.#writeAll(chunk).then(() => done(), done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#conn.closeWrite().then(() => done(), () => done());
  }

  override _destroy(
    error: Error | null,
    done: (error?: Error | null) => void,
  ): void {
    if (!this.#isClosed) {
      this.#isClosed = true;
      try {
        this.#conn.close();
      } catch {
        // Closed by its owner meanwhile.
      }
    }
    done(error);
  }
}
