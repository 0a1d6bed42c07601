/**
 * A proxy on loopback that tunnels and remembers what it was asked for.
 */
import * as http from "node:http";
import * as https from "node:https";
import * as net from "node:net";
import { type Identity, listen, shut } from "./servers.ts";

/** A proxy that runs until it is disposed of. */
export interface ProxyServed extends AsyncDisposable {
  readonly url: string;
  /** What was asked for, with the credentials. */
  readonly asked: readonly string[];
}

/** A proxy for CONNECT, over TLS where an identity is given. */
export async function serveProxy(identity?: Identity): Promise<ProxyServed> {
  const asked: string[] = [];
  const sockets = new Set<net.Socket>();
  const server = identity
    ? https.createServer({ cert: identity.pem, key: identity.keyPem })
    : http.createServer();
  server.on("connection", (socket: net.Socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
  });
  server.on("tlsClientError", () => {});
  server.on("connect", (request, socket, head) => {
    const { url = "", headers } = request;
    asked.push(`${url} ${headers["proxy-authorization"] ?? ""}`.trim());
    const port = Number(url.slice(url.lastIndexOf(":") + 1));
    const upstream = net.connect({ host: "127.0.0.1", port }, () => {
      socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
      upstream.write(head);
      upstream.pipe(socket);
      socket.pipe(upstream);
    });
    sockets.add(upstream);
    upstream.on("error", () => socket.destroy());
    socket.on("error", () => upstream.destroy());
    socket.on("close", () => upstream.destroy());
  });
  const port = await listen(server);
  return {
    url: `${identity ? "https" : "http"}://user:p%40ss@localhost:${port}`,
    asked,
    [Symbol.asyncDispose]: () => shut(server, sockets),
  };
}
