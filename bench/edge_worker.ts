/**
 * The Worker of the edge's benchmark: the same request by certpin's TLS and by
 * the runtime's own.
 */
import { connect } from "cloudflare:sockets";
import { createPinner, type Pinner } from "../mod.ts";
import { connectTls } from "../src/adapters/workers.ts";

/** What the benchmark asks for. */
export interface Ask {
  readonly how: "pinned" | "native";
  readonly port: number;
  /** Connections, one after another. */
  readonly count: number;
  /** Bytes of the body that each brings. */
  readonly bytes: number;
}

interface Environment {
  readonly CA: string;
  readonly POLICY: string;
}

interface Conn {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
  close(): Promise<void>;
}

const HOSTNAME = "localhost";

let pinner: Pinner | undefined;

async function open({ how, port }: Ask, env: Environment): Promise<Conn> {
  if (how === "native") {
    return connect({ hostname: HOSTNAME, port }, { secureTransport: "on" });
  }
  pinner ??= createPinner(env.POLICY, { onWarning: () => {} });
  return await connectTls(pinner, { hostname: HOSTNAME, port, ca: env.CA });
}

async function ask(conn: Conn, bytes: number): Promise<void> {
  const writer = conn.writable.getWriter();
  await writer.write(
    new TextEncoder().encode(`GET /${bytes} HTTP/1.1\r\nhost: x\r\n\r\n`),
  );
  const reader = conn.readable.getReader();
  for (let got = 0; got < bytes;) {
    const { done, value } = await reader.read();
    if (done) throw new Error("The server ended early");
    got += value.length;
  }
  await conn.close();
}

export default {
  async fetch(request: Request, env: Environment): Promise<Response> {
    const asked: Ask = await request.json();
    for (let at = 0; at < asked.count; at++) {
      await ask(await open(asked, env), asked.bytes);
    }
    return new Response("done");
  },
};
