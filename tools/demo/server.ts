/**
 * A real TLS server on loopback that counts what reaches it.
 *
 * @module
 */
import type { MintedChain } from "../../src/testing/mod.ts";

const READ_BYTES = 16 * 1024;

/** One server. */
export interface CountingServer extends AsyncDisposable {
  /** Where it listens. */
  readonly url: string;
  /** Application bytes received so far, after TLS. */
  requestBytes(): number;
  /** TLS handshakes that a client finished. */
  handshakes(): number;
}

/** Starts a server that answers every HTTP request with `text`. */
export function serve(
  chain: MintedChain,
  text: string,
): CountingServer {
  const listener = Deno.listenTls({
    hostname: "127.0.0.1",
    port: 0,
    cert: chain.pem,
    key: chain.keyPem,
  });
  let bytes = 0;
  let handshakes = 0;
  const body = new TextEncoder().encode(text);
  const head = new TextEncoder().encode(
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\n" +
      `Content-Length: ${body.length}\r\nConnection: close\r\n\r\n`,
  );

  const answer = async (connection: Deno.TlsConn): Promise<void> => {
    const buffer = new Uint8Array(READ_BYTES);
    const decoder = new TextDecoder();
    let request = "";
    await connection.handshake();
    handshakes++;
    while (!request.includes("\r\n\r\n")) {
      const count = await connection.read(buffer);
      if (count === null) return;
      bytes += count;
      request += decoder.decode(buffer.subarray(0, count), { stream: true });
    }
    const writer = connection.writable.getWriter();
    await writer.write(head);
    await writer.write(body);
    await writer.close();
  };

  const open = new Set<Promise<void>>();
  const accepting = (async () => {
    for (;;) {
      let connection;
      try {
        connection = await listener.accept();
      } catch {
        return; // closed
      }
      const answered = answer(connection).catch(() => {
        // A client that refuses the certificate goes away: that is the point.
      }).finally(() => {
        try {
          connection.close();
        } catch {
          // The stream has closed it.
        }
        open.delete(answered);
      });
      open.add(answered);
    }
  })();

  return {
    url: `https://localhost:${listener.addr.port}/`,
    requestBytes: () => bytes,
    handshakes: () => handshakes,
    [Symbol.asyncDispose]: async () => {
      listener.close();
      await accepting;
      await Promise.all(open);
    },
  };
}
