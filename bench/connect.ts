/**
 * What pinning adds to opening a connection.
 *
 * @module
 */
import * as tls from "node:tls";
import { createPinner, parseCertificates } from "../mod.ts";
import { connectTls } from "../src/adapters/deno.ts";
import { mintChain } from "../src/testing/mod.ts";
import { compare, type Report } from "./measure.ts";
import { startServer } from "./server.ts";

const HOSTNAME = "localhost";

function plainConnect(port: number, ca: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = tls.connect({
      host: "127.0.0.1",
      port,
      servername: HOSTNAME,
      ca,
    }, () => {
      socket.destroy();
      resolve();
    });
    socket.once("error", reject);
  });
}

/** Runs the benchmark. */
export async function benchConnect(): Promise<Report> {
  const chain = await mintChain({ hostnames: [HOSTNAME, "127.0.0.1"] });
  using server = await startServer(chain);
  const pinner = createPinner(chain.policy, {
    anchors: parseCertificates(chain.ca),
    onWarning: () => {},
  });
  const native = async () => {
    const connection = await Deno.connectTls({
      hostname: "127.0.0.1",
      port: server.port,
      caCerts: [chain.ca],
    });
    await connection.handshake();
    connection.close();
  };
  const pinned = async () => {
    const connection = await connectTls(pinner, {
      hostname: "127.0.0.1",
      port: server.port,
    });
    connection.close();
  };
  const measurements = await compare([
    {
      name: "node:tls connect",
      run: () => plainConnect(server.port, chain.ca),
    },
    { name: "certpin connectTls", run: pinned },
    { name: "Deno.connectTls", run: native },
  ], { rounds: 30, runs: 4 });
  return {
    name: "connect",
    title: "opening a TLS connection on loopback",
    measurements,
    goals: [],
  };
}
