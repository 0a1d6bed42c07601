/**
 * Tunnels through a proxy that was named explicitly (HTTP `CONNECT`).
 *
 * @module
 */
import { Buffer } from "node:buffer";
import * as net from "node:net";
import type { Duplex } from "node:stream";
import { ConnectionError } from "../errors.ts";
import { connectPlain } from "./deno_transport.ts";
import { canonicalHost } from "../host.ts";
import { MAX_PROXY_HEAD_BYTES } from "../limits.ts";
import { escapeText } from "../text.ts";

/** A proxy to tunnel through. */
export interface Proxy {
  readonly url: URL;
}

/**
 * Reads the option `proxy`.
 *
 * @throws {ConnectionError} `ERR_CERTPIN_OPTION` unless it is an `http:` or
 * `https:` URL.
 */
export function parseProxy(proxy: unknown): Proxy | undefined {
  if (proxy === undefined) return undefined;
  const text = String(proxy);
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== "http:" && url?.protocol !== "https:") {
    // Not quoted: it may hold a password.
    throw new ConnectionError(
      "ERR_CERTPIN_OPTION",
      'Cannot use the option "proxy": it must be an http: or https: URL',
    );
  }
  return { url };
}

function bare(hostname: string): string {
  return hostname.replace(/^\[(.*)\]$/, "$1");
}

/** Reads up to the empty line; puts back what comes after it. */
function readHead(socket: Duplex): Promise<string> {
  return new Promise((resolve, reject) => {
    let head = Buffer.alloc(0);
    const settle = (act: () => void) => {
      for (const [event, listener] of listeners) {
        socket.removeListener(event, listener);
      }
      socket.pause();
      act();
    };
    const fail = (error: Error) => settle(() => reject(error));
    const onData = (chunk: Buffer) => {
      head = Buffer.concat([head, chunk]);
      const end = head.indexOf("\r\n\r\n");
      if (end >= 0) {
        settle(() => {
          const rest = head.subarray(end + 4);
          if (rest.length > 0) socket.unshift(rest);
          resolve(head.subarray(0, end).toString("latin1"));
        });
      } else if (head.length > MAX_PROXY_HEAD_BYTES) {
        fail(new Error(`The proxy sent over ${MAX_PROXY_HEAD_BYTES} bytes`));
      }
    };
    const onEnd = () => fail(new Error("The proxy closed the connection"));
    // deno-lint-ignore no-explicit-any -- listeners of several shapes
    const listeners: readonly (readonly [string, (...args: any[]) => void])[] =
      [["data", onData], ["error", fail], ["end", onEnd], ["close", onEnd]];
    for (const [event, listener] of listeners) socket.on(event, listener);
  });
}

/** What of the gate a tunnel needs: connections that were evaluated. */
interface Opener {
  open(request: {
    hostname: string;
    port: number;
    tls: Readonly<Record<string, unknown>>;
    signal?: AbortSignal;
  }): Promise<Duplex>;
}

/**
 * Opens a tunnel to `host:port`. A proxy over TLS passes the gate itself, by
 * an entry of its own in the policy; what comes out of the tunnel is not
 * evaluated yet.
 */
export async function openTunnel(
  gate: Opener,
  { url }: Proxy,
  host: string,
  port: number,
  signal?: AbortSignal,
): Promise<Duplex> {
  const proxyHost = bare(url.hostname);
  const isTls = url.protocol === "https:";
  const proxyPort = Number(url.port || (isTls ? 443 : 80));
  const socket = isTls
    ? await gate.open({
      hostname: proxyHost,
      port: proxyPort,
      tls: { ALPNProtocols: ["http/1.1"] },
      signal,
    })
    : await connectPlain(
      { host: proxyHost, port: proxyPort },
      undefined,
      signal,
    );
  const onAbort = () => socket.destroy(signal!.reason);
  try {
    signal?.throwIfAborted();
    signal?.addEventListener("abort", onAbort, { once: true });
    const name = canonicalHost(host).text;
    const target = `${net.isIPv6(name) ? `[${name}]` : name}:${Number(port)}`;
    const lines = [`CONNECT ${target} HTTP/1.1`, `Host: ${target}`];
    if (url.username !== "") {
      const [user, password] = [url.username, url.password]
        .map(decodeURIComponent);
      const login = Buffer.from(`${user}:${password}`).toString("base64");
      lines.push(`Proxy-Authorization: Basic ${login}`);
    }
    socket.write(`${lines.join("\r\n")}\r\n\r\n`);
    const [status] = (await readHead(socket)).split("\r\n", 1);
    if (!/^HTTP\/1\.[01] 2\d\d(?: |$)/.test(status)) {
      throw new Error(`The proxy refused to connect: ${escapeText(status)}`);
    }
    return socket;
  } catch (error) {
    socket.on("error", () => {});
    socket.destroy();
    throw error;
  } finally {
    signal?.removeEventListener("abort", onAbort);
  }
}
