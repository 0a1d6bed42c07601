/**
 * Two TLS servers with the same names in front of one plain service: `good`,
 * which the policy allows, and `impostor`, which the client's store trusts
 * all the same. Counts what each of them received after the handshake.
 *
 * Started with `node relay.mjs KIND`, with `good.pem`, `good.key`,
 * `impostor.pem` and `impostor.key` beside it. Prints the ports as one line of
 * JSON; each line of standard input is answered by the counts so far; ends with
 * its standard input.
 */
import { readFileSync } from "node:fs";
import net from "node:net";
import { createInterface } from "node:readline";
import tls from "node:tls";
import { SERVICES } from "./services.mjs";

const { alpn, start, startTls } = SERVICES[process.argv[2]];

function listen(server) {
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve(server.address().port));
  });
}

/** Joins two streams; an end or an error of one is one of the other. */
function join(one, other) {
  one.pipe(other).pipe(one);
  one.on("error", () => other.destroy());
  other.on("error", () => one.destroy());
}

const counts = {};

async function front(name, backendPort) {
  counts[name] = { connections: 0, handshakes: 0, bytes: 0 };
  const options = {
    cert: readFileSync(`${name}.pem`),
    key: readFileSync(`${name}.key`),
    ALPNProtocols: alpn,
  };
  const server = tls.createServer(options, (socket) => {
    counts[name].handshakes++;
    socket.on("data", (chunk) => counts[name].bytes += chunk.length);
    join(socket, net.connect(backendPort, "127.0.0.1"));
  });
  // A client that refuses us ends the handshake: that is what we look at.
  server.on("tlsClientError", () => {});
  const plain = net.createServer((socket) => {
    counts[name].connections++;
    socket.on("error", () => {});
    const upgrade = () => server.emit("connection", socket);
    if (startTls) startTls(socket, upgrade);
    else upgrade();
  });
  return await listen(plain);
}

const backendPort = await start(listen);
const ports = {
  good: await front("good", backendPort),
  impostor: await front("impostor", backendPort),
};
console.log(JSON.stringify(ports));
for await (const _ of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(counts));
}
process.exit();
