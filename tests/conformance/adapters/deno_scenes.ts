/**
 * What a caller may do with a `Deno.TlsConn`, and what the caller then sees.
 */
import { assert } from "@std/assert";

/** Text to bytes. */
export const encode = (text: string) => new TextEncoder().encode(text);
/** Bytes to text. */
export const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** What came of a promise: its value, or the class of its error. */
export async function outcome(act: () => unknown): Promise<unknown> {
  try {
    return await act() ?? null;
  } catch (error) {
    return `throws ${(error as Error).name}`;
  }
}

async function read(conn: Deno.TlsConn): Promise<string | null> {
  const buffer = new Uint8Array(100);
  const count = await conn.read(buffer);
  return count === null ? null : decode(buffer.subarray(0, count));
}

/** Does something, and tells what came of it. */
export type Scene = (conn: Deno.TlsConn) => Promise<unknown>;

/** All of them, in the words of a test's name. */
export const SCENES: Readonly<Record<string, Scene>> = {
  "tells its addresses": (conn) =>
    Promise.resolve([
      { ...conn.localAddr, port: 0 },
      { ...conn.remoteAddr, port: 0 },
    ]),
  "reads and writes": async (conn) => [
    await conn.write(encode("hi")),
    await read(conn),
  ],
  "reads into nothing and writes nothing": async (conn) => [
    await conn.read(new Uint8Array(0)),
    await conn.write(new Uint8Array(0)),
  ],
  "reads in pieces": async (conn) => {
    await conn.write(encode("hi"));
    const buffer = new Uint8Array(2);
    const counts = [await conn.read(buffer), await conn.read(buffer)];
    return [counts, await conn.read(buffer), decode(buffer)];
  },
  "answers two reads in order": async (conn) => {
    const reads = [read(conn), read(conn)];
    await conn.write(encode("hi"));
    const first = await reads[0];
    await conn.write(encode("hi"));
    return [first, await reads[1]];
  },
  "may write after the peer has ended": async (conn) => {
    await conn.write(encode("end"));
    const reads = [await read(conn), await read(conn), await read(conn)];
    return [reads, await outcome(() => conn.write(encode("more")))];
  },
  "may read after closeWrite()": async (conn) => [
    await outcome(() => conn.closeWrite()),
    await read(conn),
    await read(conn),
    await outcome(() => conn.write(encode("hi"))),
    await outcome(() => conn.closeWrite()),
  ],
  "does nothing after close()": async (conn) => {
    conn.close();
    return [
      await outcome(() => read(conn)),
      await outcome(() => conn.write(encode("hi"))),
      await outcome(() => conn.closeWrite()),
      await outcome(() => conn.handshake()),
      await outcome(() => conn.close()),
    ];
  },
  "ends a read with close()": async (conn) => {
    const reading = outcome(() => read(conn));
    await new Promise((resolve) => setTimeout(resolve, 5));
    conn.close();
    return await reading;
  },
  "is disposed of, also twice": async (conn) => {
    conn[Symbol.dispose]();
    conn[Symbol.dispose]();
    return await outcome(() => read(conn));
  },
  "has one readable and one writable": (conn) =>
    Promise.resolve([
      conn.readable === conn.readable,
      conn.writable === conn.writable,
    ]),
  "closes with its readable's end": async (conn) => {
    await conn.write(encode("end"));
    let text = "";
    for await (const chunk of conn.readable) text += decode(chunk);
    return [text, await outcome(() => conn.write(encode("hi")))];
  },
  "closes with its readable's cancel()": async (conn) => {
    await conn.readable.cancel();
    return [
      await outcome(() => conn.write(encode("hi"))),
      await outcome(() => conn.close()),
    ];
  },
  "closes with its writable's close()": async (conn) => {
    const writer = conn.writable.getWriter();
    await writer.write(encode("hi"));
    await writer.close();
    return [await outcome(() => read(conn)), await outcome(() => conn.close())];
  },
  "closes with its writable's abort()": async (conn) => {
    await conn.writable.abort();
    return [await outcome(() => read(conn)), await outcome(() => conn.close())];
  },
  "fills a buffer of the caller's": async (conn) => {
    await conn.write(encode("hi"));
    const reader = conn.readable.getReader({ mode: "byob" });
    const { value } = await reader.read(new Uint8Array(3));
    await reader.cancel();
    return decode(value!);
  },
  "streams what is large": async (conn) => {
    await conn.write(encode("big"));
    let length = 0;
    for await (const chunk of conn.readable) {
      length += chunk.length;
      assert(chunk.constructor === Uint8Array);
      if (length >= 300_000) break;
    }
    return length;
  },
  "reads what is large to its end": async (conn) => {
    await conn.write(encode("all"));
    const buffer = new Uint8Array(10_000);
    let length = 0;
    for (;;) {
      const count = await conn.read(buffer);
      if (count === null) return length;
      length += count;
    }
  },
  "streams what is large to its end": async (conn) => {
    await conn.write(encode("all"));
    let length = 0;
    for await (const chunk of conn.readable) length += chunk.length;
    return length;
  },
  "sends what is large": async (conn) => {
    const writer = conn.writable.getWriter();
    for (let round = 0; round < 10; round++) {
      await writer.write(new Uint8Array(100_000));
    }
    return await outcome(() => writer.close());
  },
  "is held and let go": (conn) => {
    const held = conn as Deno.TlsConn & { ref(): void; unref(): void };
    held.unref();
    held.ref();
    return Promise.resolve();
  },
};
