/**
 * A TCP relay in front of a TLS server. It tells what passes, and does to the
 * client what a peer, or somebody in between, can do.
 */
import { randomBytes } from "node:crypto";
import * as net from "node:net";
import type { TLSSocket } from "node:tls";
import { listen, shut } from "./servers.ts";

/** What happens on the way from the TCP connection to the response. */
export type RelayEvent =
  | "connection"
  | "client hello"
  | "server hello"
  | "handshake"
  | "request"
  | "body";

/** What a peer can do to a connection. */
export type PeerAct = "FIN" | "RST" | "close_notify" | "garbage";

/** All of them. */
export const PEER_ACTS: readonly PeerAct[] = [
  "FIN",
  "RST",
  "close_notify",
  "garbage",
];

/** Bytes of garbage: more than the header of a TLS record. */
const GARBAGE_BYTES = 64;

/** A relay that runs until it is disposed of. */
export interface Relay extends AsyncDisposable {
  readonly port: number;
  /** Connections of clients that are open. */
  readonly open: number;
  /** Called for each event of the connections to come. */
  onEvent: (event: RelayEvent) => void;
  /** Whether the server is to pause in the middle of its response. */
  cutsBody: boolean;
  /** Does something to the newest connection. */
  act(act: PeerAct): void;
}

/** TLS sockets of a server by the port that they came from. */
export type SecureSockets = Map<number | undefined, TLSSocket>;

/** Relays by the port that they reach the server from. */
export type Relays = Map<number | undefined, Relay>;

/** Starts a relay to `port`. */
export async function relayTo(
  port: number,
  secure: SecureSockets,
  relays: Relays,
): Promise<Relay> {
  const clients = new Set<net.Socket>();
  const all = new Set<net.Socket>();
  let newest: { client: net.Socket; upstream: net.Socket } | undefined;
  const own = (socket: net.Socket) => {
    all.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => all.delete(socket));
  };
  const server = net.createServer({ allowHalfOpen: true }, (client) => {
    const upstream = net.connect({
      port,
      host: "127.0.0.1",
      allowHalfOpen: true,
    });
    newest = { client, upstream };
    upstream.on("connect", () => {
      const { localPort } = upstream;
      relays.set(localPort, relay);
      upstream.on("close", () => relays.delete(localPort));
    });
    for (const socket of [client, upstream]) own(socket);
    clients.add(client);
    client.on("close", () => {
      clients.delete(client);
      upstream.destroy();
    });
    upstream.on("close", () => client.destroySoon?.());
    client.on("end", () => upstream.end());
    upstream.on("end", () => client.end());
    client.once("data", () => relay.onEvent("client hello"));
    client.on("data", (chunk) => upstream.write(chunk));
    upstream.once("data", () => relay.onEvent("server hello"));
    upstream.on("data", (chunk) => {
      if (client.writable) client.write(chunk);
    });
    relay.onEvent("connection");
  });
  const relay: Relay = {
    port: await listen(server),
    get open() {
      return clients.size;
    },
    onEvent: () => {},
    cutsBody: false,
    act(act) {
      if (newest === undefined) return;
      const { client, upstream } = newest;
      if (act === "FIN") client.end();
      else if (act === "garbage") client.write(randomBytes(GARBAGE_BYTES));
      else if (act === "close_notify") {
        const socket = secure.get(upstream.localPort);
        // Before the handshake is over there is nothing to say it with.
        if (socket === undefined) client.end();
        else socket.end();
      } else if (typeof client.resetAndDestroy === "function") {
        client.resetAndDestroy();
      } else client.destroy();
    },
    [Symbol.asyncDispose]: () => shut(server, all),
  };
  return relay;
}
