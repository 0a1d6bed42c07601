/**
 * A relay before a TLS server: it sees what the client sends, record by record.
 */
import * as net from "node:net";
import { listen, shut } from "../adapters/servers.ts";

/** Record type of everything that is encrypted (RFC 8446, section 5.2). */
const APPLICATION_DATA = 23;
/** An encrypted alert: two bytes, the inner type, the tag. */
const ALERT_BYTES = 2 + 1 + 16;

/** What passed. */
export interface Witness extends AsyncDisposable {
  readonly port: number;
  /** Lengths of the client's encrypted records, alerts left out. */
  readonly sent: readonly number[];
  /** Encrypted alerts of the client. */
  readonly alerts: number;
  /** Connections that came. */
  readonly connections: number;
  /** Resolves when no connection is open. */
  quiet(): Promise<void>;
}

/** Starts a relay to a port of loopback. */
export async function witness(target: number): Promise<Witness> {
  const sent: number[] = [];
  let alerts = 0;
  let connections = 0;
  const open = new Set<net.Socket>();
  const waiting = new Set<() => void>();
  const server = net.createServer({ allowHalfOpen: true }, (client) => {
    connections++;
    const upstream = net.connect({
      host: "127.0.0.1",
      port: target,
      allowHalfOpen: true,
    });
    let rest = new Uint8Array();
    client.on("data", (chunk: Uint8Array) => {
      const joined = new Uint8Array(rest.length + chunk.length);
      joined.set(rest);
      joined.set(chunk, rest.length);
      rest = joined;
      while (rest.length >= 5) {
        const length = rest[3] * 256 + rest[4];
        if (rest.length < 5 + length) break;
        if (rest[0] === APPLICATION_DATA) {
          if (length === ALERT_BYTES) alerts++;
          else sent.push(length);
        }
        rest = rest.slice(5 + length);
      }
    });
    client.pipe(upstream);
    upstream.pipe(client);
    for (const [socket, other] of [[client, upstream], [upstream, client]]) {
      open.add(socket);
      socket.on("error", () => other.destroy());
      socket.on("close", () => {
        other.destroy();
        open.delete(socket);
        if (open.size === 0) { for (const done of waiting) done(); }
      });
    }
  });
  const port = await listen(server);
  return {
    port,
    sent,
    get alerts() {
      return alerts;
    },
    get connections() {
      return connections;
    },
    quiet: () =>
      new Promise<void>((resolve) => {
        if (open.size === 0) resolve();
        else waiting.add(resolve);
      }),
    [Symbol.asyncDispose]: () => shut(server, open),
  };
}
