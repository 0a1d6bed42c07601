/**
 * TLS servers on loopback that end with the test.
 */
import * as net from "node:net";
import * as tls from "node:tls";
import type { MintedChain } from "../../src/testing/mod.ts";

/** A running server. */
export interface Running {
  readonly port: number;
  /** Application bytes that clients have sent. */
  readonly received: () => number;
  stop(): Promise<void>;
}

async function listen(
  server: net.Server,
  sockets: Set<net.Socket>,
  received: () => number,
): Promise<Running> {
  server.on("connection", (socket: net.Socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) =>
    server.listen(0, "127.0.0.1", () => resolve())
  );
  const { port } = server.address() as net.AddressInfo;
  return {
    port,
    received,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/** Serves a chain, and whatever else is to be sent with it. */
export function serve(
  chain: Pick<MintedChain, "pem" | "keyPem">,
  extraPem = "",
): Promise<Running> {
  let bytes = 0;
  const server = tls.createServer(
    { cert: chain.pem + extraPem, key: chain.keyPem },
    (socket) => {
      socket.on("error", () => {});
      socket.on("data", (data) => {
        bytes += data.length;
        socket.end("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
      });
    },
  );
  server.on("tlsClientError", () => {});
  return listen(server, new Set(), () => bytes);
}

/** Accepts connections and never says a word; counts them. */
export async function serveSilence(): Promise<
  Running & { readonly total: () => number }
> {
  let total = 0;
  const server = net.createServer((socket) => {
    socket.resume();
    total++;
  });
  const running = await listen(server, new Set(), () => 0);
  return { ...running, total: () => total };
}

/** Speaks a plain-text prelude, then TLS. */
export function servePrelude(
  chain: Pick<MintedChain, "pem" | "keyPem">,
  greeting: string,
  answers: readonly [request: RegExp, answer: string, upgrade: boolean][],
): Promise<Running> {
  const secureContext = tls.createSecureContext({
    cert: chain.pem,
    key: chain.keyPem,
  });
  const server = net.createServer((socket) => {
    if (greeting) socket.write(greeting);
    const onData = (data: Uint8Array) => {
      const text = new TextDecoder("latin1").decode(data);
      const found = answers.find(([request]) => request.test(text));
      if (found === undefined) return void socket.destroy();
      const [, answer, upgrade] = found;
      if (upgrade) socket.off("data", onData);
      socket.write(answer);
      if (!upgrade) return;
      const secure = new tls.TLSSocket(socket, {
        isServer: true,
        secureContext,
      });
      secure.on("error", () => {});
    };
    socket.on("data", onData);
    socket.on("error", () => {});
  });
  return listen(server, new Set(), () => 0);
}

/** Runs `body` with servers that end with it. */
export async function withServers(
  starting: readonly Promise<Running>[],
  body: (servers: readonly Running[]) => Promise<void>,
): Promise<void> {
  const servers = await Promise.all(starting);
  try {
    await body(servers);
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
  }
}
