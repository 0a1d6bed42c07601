/**
 * An HTTPS server that writes exactly what a test says, byte by byte.
 *
 * It reads requests itself, so that nothing of a server library stands between
 * what a client sends and what a test sees.
 */
import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import * as tls from "node:tls";
import { type Identity, listen, shut } from "../adapters/servers.ts";

/** A request as it came. */
export interface RawRequest {
  readonly method: string;
  /** As in the request line. */
  readonly target: string;
  /** Names in lower case, in the order in which they came. */
  readonly headers: readonly (readonly [string, string])[];
  /** Which connection it came over, counted from 0. */
  readonly connection: number;
  /** All headers of a name, or `null`. */
  header(name: string): string | null;
  /** The whole body, its transfer coding undone; rejects if it is cut off. */
  readonly body: Promise<Uint8Array>;
  /** The whole body as text. */
  text(): Promise<string>;
}

/** How a test answers. */
export interface RawReply {
  readonly socket: tls.TLSSocket;
  /** Writes as it is; text is Latin-1. */
  write(data: string | Uint8Array): void;
  /** Writes a whole response. */
  respond(response?: RawResponse): void;
  /** Ends the connection. */
  end(data?: string | Uint8Array): void;
}

/** A response with a body of known length. */
export interface RawResponse {
  readonly status?: number | string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

/** Answers one request. */
export type RawHandler = (
  request: RawRequest,
  reply: RawReply,
) => void | Promise<void>;

/** A server that runs until it is disposed of. */
export interface RawServer extends AsyncDisposable {
  readonly port: number;
  /** All requests whose head has come. */
  readonly requests: readonly RawRequest[];
  /** Connections that were opened. */
  readonly connections: number;
  /** Connections that are open now. */
  readonly open: number;
  /** Sets how paths that begin so are answered; the latest fit counts. */
  on(path: string, handler: RawHandler): void;
  /** Drops the requests that have come. */
  forget(): void;
  /** Resolves when no connection is open. */
  idle(): Promise<void>;
}

/** Reads bytes as they come, for one connection. */
class Incoming {
  #held = Buffer.alloc(0);
  #isEnded = false;
  #wake = () => {};

  push(chunk: Uint8Array): void {
    this.#held = Buffer.concat([this.#held, chunk]);
    this.#wake();
  }

  end(): void {
    this.#isEnded = true;
    this.#wake();
  }

  async #more(): Promise<void> {
    if (this.#isEnded) throw new Error("The client has gone");
    await new Promise<void>((resolve) => this.#wake = resolve);
  }

  async until(mark: string): Promise<string> {
    for (;;) {
      const at = this.#held.indexOf(mark);
      if (at >= 0) {
        const found = this.#held.subarray(0, at).toString("latin1");
        this.#held = this.#held.subarray(at + mark.length);
        return found;
      }
      await this.#more();
    }
  }

  async take(length: number): Promise<Uint8Array> {
    while (this.#held.length < length) await this.#more();
    const taken = this.#held.subarray(0, length);
    this.#held = this.#held.subarray(length);
    return taken;
  }
}

async function readBody(
  incoming: Incoming,
  header: (name: string) => string | null,
): Promise<Uint8Array> {
  const length = header("content-length");
  if (length !== null) return await incoming.take(Number(length));
  if (header("transfer-encoding") !== "chunked") return new Uint8Array();
  const chunks: Uint8Array[] = [];
  for (;;) {
    const size = parseInt(await incoming.until("\r\n"), 16);
    if (size > 0) chunks.push(await incoming.take(size));
    await incoming.until("\r\n");
    if (size === 0) return Buffer.concat(chunks);
  }
}

function replyOn(socket: tls.TLSSocket): RawReply {
  const bytes = (data: string | Uint8Array) =>
    typeof data === "string" ? Buffer.from(data, "latin1") : data;
  return {
    socket,
    write: (data) => void socket.write(bytes(data)),
    end: (data) =>
      void (data === undefined ? socket.end() : socket.end(bytes(data))),
    respond({ status = 200, headers = {}, body = "" } = {}) {
      const content = typeof body === "string" ? Buffer.from(body) : body;
      const line = typeof status === "string" ? status : `${status} Said`;
      const more = Object.entries(headers)
        .map(([name, value]) => `${name}: ${value}\r\n`).join("");
      const head =
        `HTTP/1.1 ${line}\r\ncontent-length: ${content.length}\r\n${more}\r\n`;
      socket.write(Buffer.concat([bytes(head), content]));
    },
  };
}

/** Starts the server. Paths that no test has set are answered with `ok`. */
export async function serveRaw(
  { pem, keyPem }: Identity,
  host?: string,
): Promise<RawServer> {
  const handlers = new Map<string, RawHandler>();
  const requests: RawRequest[] = [];
  const live = new Set<Socket>();
  const waiting: (() => void)[] = [];
  let connections = 0;
  const find = (target: string): RawHandler => {
    const [path] = target.split("?");
    return handlers.get(path) ?? (async (request, reply) => {
      await request.body;
      reply.respond({ body: "ok" });
    });
  };
  const talk = async (socket: tls.TLSSocket) => {
    const connection = connections++;
    const incoming = new Incoming();
    socket.on("data", (chunk: Uint8Array) => incoming.push(chunk));
    socket.on("end", () => incoming.end());
    socket.on("close", () => incoming.end());
    for (;;) {
      const head = await incoming.until("\r\n\r\n");
      const [line, ...lines] = head.split("\r\n");
      const [method, target] = line.split(" ");
      const headers = lines.map((text) => {
        const at = text.indexOf(":");
        return [
          text.slice(0, at).toLowerCase(),
          text.slice(at + 1).trim(),
        ] as const;
      });
      const header = (name: string) => {
        const found = headers.filter(([one]) => one === name);
        return found.length === 0
          ? null
          : found.map(([, value]) => value).join(", ");
      };
      const body = readBody(incoming, header);
      body.catch(() => {});
      const text = async () => Buffer.from(await body).toString();
      const request = {
        method,
        target,
        headers,
        connection,
        header,
        body,
        text,
      };
      requests.push(request);
      await find(target)(request, replyOn(socket));
      await body;
    }
  };
  const server = tls.createServer({ cert: pem, key: keyPem }, (socket) => {
    socket.on("error", () => {});
    // The client has gone, or a test has said so.
    talk(socket).catch(() => {});
  });
  server.on("tlsClientError", (_, socket) => socket.destroy());
  server.on("connection", (socket: Socket) => {
    live.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => {
      live.delete(socket);
      if (live.size === 0) waiting.splice(0).forEach((act) => act());
    });
  });
  const port = await listen(server, host);
  return {
    port,
    requests,
    get connections() {
      return connections;
    },
    get open() {
      return live.size;
    },
    forget: () => void requests.splice(0),
    on: (path, handler) => void handlers.set(path, handler),
    idle: () =>
      live.size === 0
        ? Promise.resolve()
        : new Promise<void>((resolve) => waiting.push(resolve)),
    [Symbol.asyncDispose]: () => shut(server, live),
  };
}
