/**
 * An HTTPS server on loopback with a few paths that tests need.
 */
import { Buffer } from "node:buffer";
import type { IncomingMessage, ServerResponse } from "node:http";
import * as https from "node:https";
import type { Socket } from "node:net";
import { gzipSync } from "node:zlib";
import { type Identity, listen, shut } from "./servers.ts";

/** A server that runs until it is disposed of. */
export interface HttpServed extends AsyncDisposable {
  readonly port: number;
  readonly requests: number;
  /** TLS connections that a request came over. */
  readonly connections: number;
  /** Calls back when a request for the path begins. */
  onRequest(path: string, act: () => void): void;
  /** Resolves when the client has gone from a response of the path. */
  closed(path: string): Promise<void>;
}

type Handler = (
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
) => void;

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

const HANDLERS: Readonly<Record<string, Handler>> = {
  async "/echo"(request, response) {
    const { method, headers } = request;
    try {
      const body = await textOf(request);
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ method, headers, body }));
    } catch {
      // The client has gone.
    }
  },
  "/redirect"(request, response, { searchParams }) {
    request.resume();
    response.writeHead(Number(searchParams.get("status") ?? 302), {
      location: searchParams.get("to")!,
    });
    response.end();
  },
  "/silent"() {},
  "/endless"(_, response) {
    response.writeHead(200);
    const timer = setInterval(() => response.write("more;"), 5);
    response.on("close", () => clearInterval(timer));
  },
  "/cookies"(_, response) {
    response.setHeader("set-cookie", ["a=1", "b=2"]);
    response.end("cookies");
  },
  "/empty"(_, response) {
    response.writeHead(204);
    response.end();
  },
  "/gzip"(_, response) {
    response.setHeader("content-encoding", "gzip");
    response.end(gzipSync("compressed"));
  },
};

/** Starts the server. */
export async function serveHttp(
  { pem, keyPem }: Identity,
  host?: string,
  options: https.ServerOptions = {},
): Promise<HttpServed> {
  let requests = 0;
  const ports = new Set<number | undefined>();
  const sockets = new Set<Socket>();
  const acts = new Map<string, () => void>();
  const gone = new Map<string, { promise: Promise<void>; done: () => void }>();
  const goneFrom = (path: string) => {
    let entry = gone.get(path);
    if (entry === undefined) {
      let done = () => {};
      const promise = new Promise<void>((resolve) => done = resolve);
      gone.set(path, entry = { promise, done });
    }
    return entry;
  };
  const server = https.createServer(
    { cert: pem, key: keyPem, ...options },
    (request, response) => {
      requests++;
      ports.add(request.socket.remotePort);
      request.on("error", () => {});
      response.on("error", () => {});
      const url = new URL(request.url!, "https://host");
      response.on("close", () => goneFrom(url.pathname).done());
      acts.get(url.pathname)?.();
      const handler = HANDLERS[url.pathname];
      if (handler !== undefined) handler(request, response, url);
      else response.writeHead(404).end();
    },
  );
  server.on("tlsClientError", () => {});
  server.on("clientError", (_, socket) => socket.destroy());
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
  });
  const port = await listen(server, host);
  return {
    port,
    get requests() {
      return requests;
    },
    get connections() {
      return ports.size;
    },
    onRequest: (path, act) => void acts.set(path, act),
    closed: (path) => goneFrom(path).promise,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections?.();
      await shut(server, sockets);
    },
  };
}
