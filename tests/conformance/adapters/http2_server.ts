/**
 * An HTTP/2 server on loopback that answers with what it was sent.
 */
import * as http2 from "node:http2";
import { type Identity, listen, shut } from "./servers.ts";

/** A server that runs until it is disposed of. */
export interface Http2Served extends AsyncDisposable {
  readonly port: number;
  readonly streams: number;
}

/** Starts the server; `/endless` never ends. */
export async function serveHttp2(
  { pem, keyPem }: Identity,
  options: http2.SecureServerOptions = {},
): Promise<Http2Served> {
  let streams = 0;
  const sessions = new Set<http2.ServerHttp2Session>();
  const server = http2.createSecureServer({
    cert: pem,
    key: keyPem,
    ...options,
  });
  server.on("session", (session) => {
    sessions.add(session);
    session.on("error", () => {});
    session.on("close", () => sessions.delete(session));
  });
  server.on("stream", (stream: http2.ServerHttp2Stream, headers) => {
    streams++;
    stream.on("error", () => {});
    stream.respond({ ":status": 200 });
    if (headers[":path"] === "/endless") {
      const timer = setInterval(() => stream.write("more;"), 5);
      stream.on("close", () => clearInterval(timer));
      return;
    }
    let body = "";
    stream.setEncoding("utf8");
    stream.on("data", (piece: string) => body += ` ${piece}`);
    stream.on("end", () => stream.end(`h2${body}`));
  });
  server.on("tlsClientError", () => {});
  const port = await listen(server);
  return {
    port,
    get streams() {
      return streams;
    },
    async [Symbol.asyncDispose]() {
      for (const session of sessions) session.destroy();
      await shut(server, []);
    },
  };
}
