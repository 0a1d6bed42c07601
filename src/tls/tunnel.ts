/**
 * Tunnels through a proxy that was named explicitly (HTTP `CONNECT`).
 *
 * @module
 */
import { Buffer } from "node:buffer";
import * as net from "node:net";
import type { Duplex } from "node:stream";
import { ConnectionError } from "../errors.ts";
import { canonicalHost } from "../host.ts";
import { MAX_PROXY_HEAD_BYTES } from "../limits.ts";
import { discard } from "./handshake.ts";
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

function proxyError(what: string, cause?: unknown): ConnectionError {
  return new ConnectionError("ERR_CERTPIN_PROXY", `The proxy ${what}`, {
    cause,
  });
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
        fail(
          proxyError(`sent more than ${MAX_PROXY_HEAD_BYTES} bytes of headers`),
        );
      }
    };
    const onError = (error: Error) =>
      fail(proxyError(`ended the connection: ${error.message}`, error));
    const onEnd = () => fail(proxyError("closed the connection"));
    // deno-lint-ignore no-explicit-any -- listeners of several shapes
    const listeners: readonly (readonly [string, (...args: any[]) => void])[] =
      [["data", onData], ["error", onError], ["end", onEnd], ["close", onEnd]];
    for (const [event, listener] of listeners) socket.on(event, listener);
  });
}

/** The address of a proxy, as `tls.connect` and `net.connect` take it. */
export function proxyAddress(
  { url }: Proxy,
): { readonly host: string; readonly port: number; readonly isTls: boolean } {
  const isTls = url.protocol === "https:";
  const port = Number(url.port || (isTls ? 443 : 80));
  return { host: url.hostname.replace(/^\[(.*)\]$/, "$1"), port, isTls };
}

/**
 * Asks a connected proxy for a tunnel to `host:port` (RFC 9110, 9.3.6).
 *
 * @returns The same stream; what comes out of it is the peer's, and not
 * verified. It is destroyed where this fails.
 * @throws {ConnectionError} `ERR_CERTPIN_PROXY` if the proxy refuses, closes
 * the connection, or answers with something else than HTTP.
 */
export async function requestTunnel<Stream extends Duplex>(
  stream: Stream,
  { url }: Proxy,
  target: { readonly host: string; readonly port: number },
  signal: AbortSignal,
): Promise<Stream> {
  const onAbort = () => stream.destroy(signal.reason);
  try {
    signal.throwIfAborted();
    signal.addEventListener("abort", onAbort);
    const { text } = canonicalHost(target.host);
    const authority = `${net.isIPv6(text) ? `[${text}]` : text}:${target.port}`;
    const lines = [`CONNECT ${authority} HTTP/1.1`, `Host: ${authority}`];
    if (url.username !== "") {
      const [user, password] = [url.username, url.password]
        .map(decodeURIComponent);
      const login = Buffer.from(`${user}:${password}`).toString("base64");
      lines.push(`Proxy-Authorization: Basic ${login}`);
    }
    stream.write(`${lines.join("\r\n")}\r\n\r\n`);
    const [status] = (await readHead(stream)).split("\r\n", 1);
    if (!/^HTTP\/1\.[01] 2\d\d(?: |$)/.test(status)) {
      throw proxyError(`refused the tunnel: ${escapeText(status)}`);
    }
    return stream;
  } catch (error) {
    discard(stream);
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
