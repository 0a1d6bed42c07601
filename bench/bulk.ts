/**
 * Bulk data over `connectTls`, against Deno's own.
 *
 * @module
 */
import { connectTls } from "../src/adapters/deno.ts";
import { asRate, type Bench, type Context, type Row } from "./bench.ts";
import { compare } from "./measure.ts";

const BYTES = 16 * 1024 * 1024;
const GOAL = 0.9;
const AGAINST = "native `Deno.connectTls`";
const OPTIONS = { pairs: 9, count: 1 };

type Open = () => Promise<Deno.TlsConn>;
type Move = (conn: Deno.TlsConn) => Promise<void>;

const encoder = new TextEncoder();

async function ask(conn: Deno.TlsConn, head: string): Promise<void> {
  await conn.write(encoder.encode(`${head}\r\nhost: x\r\n\r\n`));
}

async function byRead(conn: Deno.TlsConn): Promise<void> {
  await ask(conn, `GET /${BYTES} HTTP/1.1`);
  const buffer = new Uint8Array(64 * 1024);
  for (let left = BYTES; left > 0;) {
    const count = await conn.read(buffer);
    if (count === null) throw new Error("The server ended early");
    left -= count;
  }
}

async function byReadable(conn: Deno.TlsConn): Promise<void> {
  await ask(conn, `GET /${BYTES} HTTP/1.1\r\nconnection: close`);
  let length = 0;
  for await (const chunk of conn.readable) length += chunk.length;
  if (length < BYTES) throw new Error("The server ended early");
}

async function byWrite(conn: Deno.TlsConn): Promise<void> {
  await ask(conn, `POST /2 HTTP/1.1\r\ncontent-length: ${BYTES}`);
  const chunk = new Uint8Array(64 * 1024);
  for (let left = BYTES; left > 0;) {
    left -= await conn.write(chunk.subarray(0, Math.min(left, chunk.length)));
  }
  await conn.read(chunk);
}

/** The benchmark. */
export const benchBulk: Bench = {
  name: "bulk",
  runtimes: ["deno"],
  async *run({ chain, port }: Context): AsyncGenerator<Row> {
    const where = { hostname: "127.0.0.1", port };
    const pinned: Open = () =>
      connectTls(chain.policy, { ...where, ca: chain.ca, onWarning() {} });
    const native: Open = () =>
      Deno.connectTls({ ...where, caCerts: [chain.ca] });
    const moving = (name: string, open: Open, move: Move) => ({
      name,
      async run(count: number) {
        for (let at = 0; at < count; at++) {
          const conn = await open();
          await move(conn);
          try {
            conn.close();
          } catch {
            // Its stream has closed it.
          }
        }
      },
    });
    const moves = {
      "`read()`": byRead,
      "`readable`": byReadable,
      "`write()`": byWrite,
    };
    for (const [name, move] of Object.entries(moves)) {
      yield asRate(
        `\`connectTls\`: 16 MiB through ${name}`,
        AGAINST,
        await compare(
          moving("connectTls", pinned, move),
          moving("native", native, move),
          OPTIONS,
        ),
        GOAL,
      );
    }
  },
};
