/**
 * A plain HTTP server on loopback that answers as a test tells it.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import * as http from "node:http";
import type { Socket } from "node:net";
import { listen, shut } from "../adapters/servers.ts";

/** Answers one request. */
export type Answer = (
  response: ServerResponse,
  request: IncomingMessage,
) => unknown;

/** A server that runs until it is disposed of. */
export interface UpdateServer extends AsyncDisposable {
  readonly url: string;
  /** Requests so far. */
  readonly requests: number;
  /** What the next requests are answered with. */
  answer: Answer;
}

/** Answers with a text. */
export function text(body: string): Answer {
  return (response) => response.end(body);
}

/** Starts it. */
export async function serveUpdates(answer: Answer): Promise<UpdateServer> {
  let requests = 0;
  const sockets = new Set<Socket>();
  const server = http.createServer((request, response) => {
    requests++;
    response.on("error", () => {});
    request.resume();
    served.answer(response, request);
  });
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
  });
  const port = await listen(server);
  const served: UpdateServer = {
    url: `http://127.0.0.1:${port}/policy.jws`,
    get requests() {
      return requests;
    },
    answer,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections?.();
      await shut(server, sockets);
    },
  };
  return served;
}
