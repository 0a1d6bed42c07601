/**
 * TLS servers on loopback that count what reaches them.
 */
import type { AddressInfo, Server, Socket } from "node:net";
import * as tls from "node:tls";

/** What a server presents. */
export interface Identity {
  /** Certificates as PEM, leaf first. */
  readonly pem: string;
  /** The leaf's key as PEM. */
  readonly keyPem: string;
}

/** A server that runs until it is disposed of. */
export interface Served extends AsyncDisposable {
  readonly port: number;
  /** TLS connections that were established. */
  readonly handshakes: number;
  /** Application bytes that arrived, over all connections. */
  readonly received: number;
  /** Connections that are open now. */
  readonly open: number;
  /** What arrived, as text. */
  readonly text: string;
}

/** Answers each request head with 200 and `ok`, and keeps the connection. */
export function answerHttp(socket: tls.TLSSocket, chunk: Uint8Array): void {
  const held = socket as tls.TLSSocket & { head?: string };
  held.head = (held.head ?? "") + new TextDecoder().decode(chunk);
  for (;;) {
    const end = held.head.indexOf("\r\n\r\n");
    if (end < 0) return;
    held.head = held.head.slice(end + 4);
    socket.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
  }
}

/** Waits until a server listens on a free port of loopback. */
export async function listen(
  server: Pick<Server, "listen" | "address" | "once">,
  host = "127.0.0.1",
): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, host, () => resolve());
  });
  return (server.address() as AddressInfo).port;
}

/** Closes a server and whatever is connected to it. */
export async function shut(
  server: Pick<Server, "close">,
  sockets: Iterable<Socket>,
): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  for (const socket of sockets) socket.destroy();
  await closed;
}

/** Options of {@linkcode serve}. */
export interface ServeOptions extends tls.TlsOptions {
  /** Called for each connection. */
  onSocket?: (socket: tls.TLSSocket) => void;
  /** Called for each piece of data. Default {@linkcode answerHttp}. */
  onData?: (socket: tls.TLSSocket, chunk: Uint8Array) => void;
}

/** Starts a server that counts connections and application bytes. */
export async function serve(
  { pem, keyPem }: Identity,
  { onSocket, onData = answerHttp, ...options }: ServeOptions = {},
): Promise<Served> {
  let handshakes = 0;
  let received = 0;
  let text = "";
  const raw = new Set<Socket>();
  const live = new Set<tls.TLSSocket>();
  const server = tls.createServer(
    { cert: pem, key: keyPem, ...options },
    (socket) => {
      handshakes++;
      live.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => live.delete(socket));
      socket.on("data", (chunk: Uint8Array) => {
        received += chunk.length;
        text += new TextDecoder().decode(chunk);
        onData(socket, chunk);
      });
      onSocket?.(socket);
    },
  );
  server.on("tlsClientError", (_, socket) => socket.destroy());
  server.on("connection", (socket: Socket) => {
    raw.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => raw.delete(socket));
  });
  const port = await listen(server);
  return {
    port,
    get handshakes() {
      return handshakes;
    },
    get received() {
      return received;
    },
    get open() {
      return live.size;
    },
    get text() {
      return text;
    },
    [Symbol.asyncDispose]: () => shut(server, [...live, ...raw]),
  };
}
