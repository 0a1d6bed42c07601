/**
 * A look at the certificates that a server presents. Nothing is trusted and
 * nothing is sent: the connection ends as soon as it has been looked at.
 *
 * @module
 */
import * as net from "node:net";
import * as tls from "node:tls";
import { ConnectionError } from "@certpin/certpin";
import {
  type LinkedCertificate,
  presentedChain,
  requireRuntime,
} from "@certpin/certpin/internal/tls";
import { type StartTls, startTls } from "./starttls.ts";

/** Where to look. */
export interface ProbeRequest {
  /** The canonical name or address; sent as SNI where it is a name. */
  readonly hostname: string;
  readonly port: number;
  /** Where to connect instead of to the hostname. */
  readonly address?: { readonly host: string; readonly port?: number };
  readonly starttls?: StartTls;
  /** Anchors that the platform validates by; left out, its own. */
  readonly ca?: readonly string[];
  readonly timeoutMilliseconds: number;
}

/** What was seen. */
export interface Probe {
  /** DER, the leaf first. */
  readonly presented: readonly Uint8Array[];
  /** Why the platform's own validation refuses; undefined where it does not. */
  readonly platformRefusal: string | undefined;
}

function handshakeError(why: string, cause?: unknown): ConnectionError {
  return new ConnectionError("ERR_CERTPIN_HANDSHAKE", why, { cause });
}

/** Resolves with the event; rejects with an error or the end of the socket. */
function reached(
  socket: net.Socket,
  event: "connect" | "secureConnect",
): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once(event, resolve);
    socket.once("error", reject);
    socket.once("close", () => reject(new Error("the connection was closed")));
  });
}

function withoutCode(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

async function open(
  request: ProbeRequest,
  own: (socket: net.Socket) => void,
): Promise<tls.TLSSocket> {
  const { hostname, port, address, starttls, ca } = request;
  const where = {
    host: address?.host ?? hostname,
    port: address?.port ?? port,
  };
  let transport: { socket: net.Socket } | typeof where = where;
  if (starttls !== undefined) {
    const socket = net.connect(where);
    own(socket);
    await reached(socket, "connect");
    await startTls(socket, starttls);
    transport = { socket };
  }
  const secure = tls.connect({
    ...transport,
    // An address is no SNI name (RFC 6066, section 3).
    servername: net.isIP(hostname) ? "" : hostname,
    checkServerIdentity: (_, certificate) =>
      tls.checkServerIdentity(hostname, certificate),
    ...(ca === undefined ? {} : { ca: [...ca] }),
    // We only look; nothing is sent and nothing rests on it.
    rejectUnauthorized: false,
  });
  own(secure);
  await reached(secure, "secureConnect");
  return secure;
}

/**
 * Looks at a server.
 *
 * @throws {ConnectionError} `ERR_CERTPIN_HANDSHAKE` where no TLS connection
 * comes about in time, `ERR_CERTPIN_NO_CHAIN`, `ERR_CERTPIN_RUNTIME`.
 */
export async function probe(request: ProbeRequest): Promise<Probe> {
  requireRuntime();
  const { timeoutMilliseconds } = request;
  let owned: net.Socket | undefined;
  let stop: (why: Error) => void = () => {};
  const stopped = new Promise<never>((_, reject) => stop = reject);
  stopped.catch(() => {});
  const timer = setTimeout(
    () => stop(new Error(`no answer within ${timeoutMilliseconds / 1000} s`)),
    timeoutMilliseconds,
  );
  try {
    const opening = open(request, (socket) => {
      // Whatever it still has to say goes nowhere.
      socket.on("error", () => {});
      owned = socket;
    });
    opening.catch(() => {});
    const socket = await Promise.race([opening, stopped]);
    const presented = presentedChain(
      socket.getPeerCertificate(true) as LinkedCertificate,
    );
    if (presented.length === 0) {
      throw new ConnectionError(
        "ERR_CERTPIN_NO_CHAIN",
        "The server shows no certificate",
      );
    }
    const platformRefusal = socket.authorized
      ? undefined
      : String(socket.authorizationError ?? "not authorized");
    return { presented, platformRefusal };
  } catch (error) {
    if (error instanceof ConnectionError) throw error;
    throw handshakeError(`Cannot connect: ${withoutCode(error)}`, error);
  } finally {
    clearTimeout(timer);
    // The TLS socket ends what it runs over; Node crashes where both are ended.
    owned?.destroy();
  }
}
