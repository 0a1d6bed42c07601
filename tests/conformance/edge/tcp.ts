/**
 * Raw connections to loopback as web streams, on Deno, Node and Bun.
 */
import { once } from "node:events";
import * as net from "node:net";
import { Duplex } from "node:stream";
import type { ByteStream, Connect } from "../../../src/adapters/edge.ts";

/** A socket of `node:net` as web streams. */
export async function connectNode(port: number): Promise<ByteStream> {
  const socket = net.connect({ host: "127.0.0.1", port, allowHalfOpen: true });
  await once(socket, "connect");
  return Duplex.toWeb(socket) as ByteStream;
}

/** Leads every name to loopback. */
export const connectLoopback: Connect = async ({ port }) =>
  "Deno" in globalThis
    ? await Deno.connect({ hostname: "127.0.0.1", port })
    : await connectNode(port);
