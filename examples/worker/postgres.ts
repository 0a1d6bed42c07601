/**
 * One query to PostgreSQL, pinned: its STARTTLS, and as much of its protocol as
 * that takes.
 *
 * A driver can do the rest over the connection that `startTls` returns. It must
 * not start TLS itself.
 */
import { connect } from "cloudflare:sockets";
import { type PinnerSource, startTls } from "@certpin/certpin/workers";

/** The code of a request for TLS (PostgreSQL, "SSLRequest"). */
const SSL_REQUEST = 80_877_103;
/** Version 3.0 of the protocol. */
const PROTOCOL_VERSION = 196_608;
/** Longest message that is read, in bytes. */
const MAX_MESSAGE_BYTES = 1_000_000;

function packet(type: string, body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(type.length + 4 + body.length);
  bytes.set(new TextEncoder().encode(type));
  new DataView(bytes.buffer).setInt32(type.length, 4 + body.length);
  bytes.set(body, type.length + 4);
  return bytes;
}

function int32(...values: number[]): Uint8Array {
  const bytes = new Uint8Array(4 * values.length);
  const view = new DataView(bytes.buffer);
  values.forEach((value, index) => view.setInt32(4 * index, value));
  return bytes;
}

/** Each text with a zero after it. */
function texts(...values: string[]): Uint8Array {
  return new TextEncoder().encode(values.map((text) => `${text}\0`).join(""));
}

function join(...parts: Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** Asks for TLS, in the clear. */
async function requestTls(
  readable: ReadableStream<Uint8Array>,
  writable: WritableStream<Uint8Array>,
): Promise<void> {
  const writer = writable.getWriter();
  await writer.write(packet("", int32(SSL_REQUEST)));
  writer.releaseLock();
  const reader = readable.getReader();
  const { value } = await reader.read();
  reader.releaseLock();
  // More than one byte would be data that somebody put before TLS
  // (CVE-2021-23222).
  if (value?.length !== 1 || value[0] !== "S".charCodeAt(0)) {
    throw new Error("The server does not start TLS");
  }
}

/** The server's messages, one after another. */
async function* messagesOf(
  readable: ReadableStream<Uint8Array>,
): AsyncGenerator<{ type: string; body: DataView<ArrayBuffer> }> {
  const reader = readable.getReader();
  let rest = new Uint8Array();
  for (;;) {
    while (rest.length >= 5) {
      const length = new DataView(rest.buffer).getInt32(1);
      if (length < 4 || length > MAX_MESSAGE_BYTES) {
        throw new Error("The server sent a message of no possible length");
      }
      if (rest.length < 1 + length) break;
      const body = new DataView(rest.slice(5, 1 + length).buffer);
      yield { type: String.fromCharCode(rest[0]), body };
      rest = rest.slice(1 + length);
    }
    const { done, value } = await reader.read();
    if (done) throw new Error("The server ended the connection");
    rest = new Uint8Array(join(rest, value));
  }
}

/** The columns of a row, as text. */
function columnsOf(body: DataView<ArrayBuffer>): (string | null)[] {
  let at = 2;
  return Array.from({ length: body.getInt16(0) }, () => {
    const length = body.getInt32(at);
    at += 4;
    if (length < 0) return null;
    const bytes = new Uint8Array(body.buffer, at, length);
    at += length;
    return new TextDecoder().decode(bytes);
  });
}

/** A query, and the server that it goes to. */
export interface PostgresQuery {
  /** `postgres://user:password@host:port/name`. */
  readonly url: string;
  /** The roots to trust, as PEM. */
  readonly ca: string;
  readonly sql: string;
}

/** Opens a pinned connection, sends the query, and returns the rows as text. */
export async function queryPostgres(
  pins: PinnerSource,
  { url, ca, sql }: PostgresQuery,
): Promise<(string | null)[][]> {
  const { hostname, port, username, password, pathname } = new URL(url);
  const { readable, writable } = connect(
    { hostname, port: Number(port || 5432) },
    { secureTransport: "off", allowHalfOpen: true },
  );
  await requestTls(readable, writable);
  await using conn = await startTls(pins, { readable, writable }, {
    hostname,
    ca,
    alpnProtocols: ["postgresql"],
  });
  const writer = conn.writable.getWriter();
  await writer.write(packet(
    "",
    join(
      int32(PROTOCOL_VERSION),
      texts("user", username, "database", pathname.slice(1), ""),
    ),
  ));
  const rows: (string | null)[][] = [];
  let isAsked = false;
  for await (const { type, body } of messagesOf(conn.readable)) {
    if (type === "E") throw new Error("The server refused the query");
    if (type === "R" && body.getInt32(0) === 3) {
      // In the clear, but inside of TLS, and to the pinned server alone.
      await writer.write(packet("p", texts(decodeURIComponent(password))));
    } else if (type === "R" && body.getInt32(0) !== 0) {
      throw new Error("The server asks for a way of authentication we lack");
    } else if (type === "D") rows.push(columnsOf(body));
    else if (type === "Z" && isAsked) break;
    else if (type === "Z") {
      isAsked = true;
      await writer.write(packet("Q", texts(sql)));
    }
  }
  return rows;
}
