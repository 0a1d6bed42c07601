/**
 * The server of the benchmarks, run by Node in a process of its own, so that
 * it takes no time from what is measured. `/12` answers with 12 bytes; each
 * name that it is asked for gets a chain of its own.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import * as https from "node:https";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { createSecureContext, type SecureContext } from "node:tls";

interface Served {
  readonly name: string;
  readonly cert: string;
  readonly key: string;
}

const [main, ...named]: Served[] = JSON.parse(
  readFileSync(process.argv[2], "utf8"),
);
const contexts = new Map<string, SecureContext>(
  named.map((
    { name, cert, key },
  ) => [name, createSecureContext({ cert, key })]),
);
const bodies = new Map<string, Uint8Array>();

function bodyOf(path: string): Uint8Array {
  let body = bodies.get(path);
  if (body === undefined) {
    body = new Uint8Array(Number(path.slice(1)) || 0).fill(120);
    bodies.set(path, body);
  }
  return body;
}

const server = https.createServer({
  cert: main.cert,
  key: main.key,
  SNICallback: (name, done) => done(null, contexts.get(name)),
}, (request, response) => {
  request.on("end", () => {
    const body = bodyOf(request.url!);
    response.writeHead(200, {
      "content-type": "application/octet-stream",
      "content-length": body.length,
    });
    response.end(body);
  });
  request.resume();
});
server.keepAliveTimeout = 0;
server.on("tlsClientError", () => {});
server.listen(0, "127.0.0.1", () => {
  console.log((server.address() as AddressInfo).port);
});
// It ends with whoever started it.
process.stdin.on("end", () => process.exit());
process.stdin.resume();
