/**
 * Pinned connections for Deno.
 *
 * `connectTls` has the options and the result of `Deno.connectTls`, not its
 * engine: the native connection has no public way to the certificates that the
 * peer presented. `node:tls`, as Deno brings it, shows the whole chain, so the
 * connections here are made with it.
 *
 * @example
 * ```ts ignore
 * import { createFetch } from "@certpin/certpin/deno";
 * import policy from "./pins.json" with { type: "json" };
 *
 * await using fetch = createFetch(policy);
 * const response = await fetch("https://api.example.com/");
 * ```
 *
 * @module
 */
import { ConnectionError } from "../errors.ts";
import type { PinnerOptions, Verdict } from "../pinner/pinner.ts";
import { type CertificateInput, resolveTrust } from "../tls/trust.ts";
import { type LinkedCertificate, presentedChain } from "../tls/chain.ts";
import { handshakeError } from "../tls/handshake.ts";
import {
  CERTIFICATES,
  FLAG,
  kindOf,
  MILLISECONDS,
  type OptionsOf,
  PINNER_OPTIONS,
  type PinnerSource,
  PORT,
  readOptions,
  resolvePinner,
  type Shape,
  SIGNAL,
  TEXT,
  TEXTS,
} from "../tls/options.ts";
import { requireRuntime } from "../tls/runtime.ts";
import { TcpDuplex } from "../tls/tcp_duplex.ts";
import { nativeError, PinnedTlsConn } from "./tls_conn.ts";
import { rememberVerdict, verdictOf } from "../tls/verdicts.ts";
import { Gate } from "../tls/gate.ts";
import { openConnection } from "../tls/open.ts";

export { verdictOf };
export type { CertificateInput, PinnerSource };

/** What {@linkcode connectTls} and {@linkcode startTls} share. */
export interface TlsConnOptions extends PinnerOptions {
  /**
   * PEM certificates trusted beside the platform's store. Where the store
   * cannot be listed (no `--allow-sys`), they are trusted alone.
   */
  caCerts?: string[];
  /** Certificates trusted instead of the platform's store. */
  ca?: CertificateInput;
  /** Protocols to offer (ALPN), most wanted first. */
  alpnProtocols?: string[];
  /** The client's certificate chain in PEM, for servers that ask for one. */
  cert?: string;
  /** The key of `cert` in PEM. */
  key?: string;
  /** As in `Deno.connectTls`. */
  keyFormat?: "pem";
  /** Aborts connecting and evaluating; afterwards it has no effect. */
  signal?: AbortSignal;
  /**
   * Milliseconds for TCP, handshake and verdict together. Default 10,000; 0 is
   * no limit.
   */
  connectTimeout?: number;
}

/**
 * Options of {@linkcode connectTls}: those of `Deno.connectTls` but
 * `unsafelyDisableHostnameVerification`, those of `createPinner` (unless a
 * pinner is given), `ca` and `signal`.
 */
export interface ConnectTlsOptions extends TlsConnOptions {
  /** Port to connect to. */
  port: number;
  /** Name or IP literal to connect to, checked and pinned. Default `127.0.0.1`. */
  hostname?: string;
  /** Tries IPv6 and IPv4 addresses in turns (RFC 8305). Default true. */
  autoSelectFamily?: boolean;
  /** Milliseconds between two such tries. Default 250. */
  autoSelectFamilyAttemptDelay?: number;
}

/** Options of {@linkcode startTls}. */
export interface StartTlsOptions extends TlsConnOptions {
  /** Name or IP literal of the peer, checked and pinned. Default `127.0.0.1`. */
  hostname?: string;
}

/** Options of {@linkcode verifyConn}. */
export interface VerifyConnOptions extends PinnerOptions {
  /** Name or IP literal that the connection was opened with. */
  hostname: string;
  /** Certificates trusted instead of the platform's store. */
  ca?: CertificateInput;
}

/** What `connectTls` and `startTls` share. */
const CONN = {
  alpnProtocols: TEXTS,
  ca: CERTIFICATES,
  caCerts: TEXTS,
  cert: TEXT,
  connectTimeout: MILLISECONDS,
  hostname: TEXT,
  key: TEXT,
  keyFormat: kindOf<"pem">('"pem"', (value) => value === "pem"),
  signal: SIGNAL,
} as const satisfies Shape;

/** What `connectTls` has beside them. */
const ADDRESS = {
  autoSelectFamily: FLAG,
  autoSelectFamilyAttemptDelay: MILLISECONDS,
  port: PORT,
} as const satisfies Shape;

const VERIFY = { ca: CERTIFICATES, hostname: TEXT } as const satisfies Shape;

function gateOf(
  source: PinnerSource,
  options: OptionsOf<typeof PINNER_OPTIONS>,
  ca: CertificateInput | undefined,
  caCerts?: string[],
): Gate {
  requireRuntime();
  const pinner = resolvePinner(source, options);
  return new Gate(pinner, resolveTrust(pinner, ca, caCerts));
}

/** A connection to make, its options read. */
interface ConnPlan {
  readonly gate: Gate;
  readonly conn: OptionsOf<typeof CONN>;
  readonly address?: OptionsOf<typeof ADDRESS, "port">;
  /** The connection below, which is used up. */
  readonly tcp?: Deno.TcpConn;
}

/** In the words of `tls.connect`; what is missing is left out. */
function tlsOptionsOf({ conn, address }: ConnPlan) {
  const options = {
    ALPNProtocols: conn.alpnProtocols,
    cert: conn.cert,
    key: conn.key,
    autoSelectFamily: address?.autoSelectFamily,
    autoSelectFamilyAttemptTimeout: address?.autoSelectFamilyAttemptDelay,
    allowHalfOpen: true,
  };
  return Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined),
  );
}

/** Not `async`: each turn after the verdict is one in which the policy may change. */
function openConn(makePlan: () => ConnPlan): Promise<Deno.TlsConn> {
  return new Promise((resolve, reject) => {
    const plan = makePlan();
    const { gate, conn, address, tcp } = plan;
    openConnection(gate, {
      hostname: conn.hostname ?? "127.0.0.1",
      port: address?.port,
      transport: tcp && new TcpDuplex(tcp),
      tls: tlsOptionsOf(plan),
      // As on the native connection, its end is read after the last byte.
      mayHaveEnded: true,
      signals: [conn.signal],
      connectTimeout: conn.connectTimeout,
    }, (socket) => {
      const opened = new PinnedTlsConn(socket, tcp);
      rememberVerdict(opened, verdictOf(socket)!);
      resolve(opened);
    }).catch((error) => reject(nativeError(error)));
  });
}

/**
 * Connects, verifies and pins: `Deno.connectTls` with a policy in front.
 *
 * When the promise resolves, the platform has validated the peer, a path to an
 * anchor has been verified, the policy allows it, and not one application byte
 * has been sent. The handshake is over, so `handshake()` resolves at once.
 *
 * It differs from the native one in this: `node:tls` does not tell a peer that
 * cuts the connection from one that ends it, so a missing `close_notify` is
 * the end of the stream, not an error.
 *
 * @example
 * ```ts ignore
 * import { connectTls } from "@certpin/certpin/deno";
 * import policy from "./pins.json" with { type: "json" };
 *
 * using conn = await connectTls(policy, { hostname: "example.com", port: 443 });
 * await conn.write(new TextEncoder().encode("HEAD / HTTP/1.0\r\n\r\n"));
 * ```
 * @param pinner A pinner, or a policy (also as JSON text).
 * @param options Where to connect to, and what to trust.
 * @returns An object of the shape of `Deno.TlsConn`.
 * @throws {PinMismatchError} `ERR_CERTPIN_MISMATCH`, `ERR_CERTPIN_ROOT_ONLY`
 * @throws {PathError} where no valid path leads to an anchor.
 * @throws {PolicyError} `ERR_CERTPIN_UNLISTED`, `ERR_CERTPIN_EXPIRED`, or the
 * policy's own problems.
 * @throws {ConnectionError} `ERR_CERTPIN_HANDSHAKE` where the platform refuses
 * the peer, `ERR_CERTPIN_OPTION`, `ERR_CERTPIN_NO_CHAIN`, `ERR_CERTPIN_RUNTIME`.
 */
export function connectTls(
  pinner: PinnerSource,
  options: ConnectTlsOptions,
): Promise<Deno.TlsConn> {
  return openConn(() => {
    const read = readOptions(options, {
      pinner: PINNER_OPTIONS,
      conn: CONN,
      address: ADDRESS,
    }, { required: ["port"] });
    const { conn, address } = read;
    const gate = gateOf(pinner, read.pinner, conn.ca, conn.caCerts);
    return { gate, conn, address };
  });
}

/**
 * Starts TLS on a TCP connection, verifies and pins: `Deno.startTls` with a
 * policy in front. The TCP connection is used up, also by a refusal.
 *
 * @param pinner A pinner, or a policy (also as JSON text).
 * @param conn A connection whose peer waits for the TLS handshake.
 * @param options Whom to expect, and what to trust.
 * @returns An object of the shape of `Deno.TlsConn`.
 * @throws {CertpinError} as {@linkcode connectTls} does.
 */
export function startTls(
  pinner: PinnerSource,
  conn: Deno.TcpConn,
  options: StartTlsOptions = {},
): Promise<Deno.TlsConn> {
  return openConn(() => {
    const read = readOptions(options, { pinner: PINNER_OPTIONS, conn: CONN });
    const { ca, caCerts } = read.conn;
    const gate = gateOf(pinner, read.pinner, ca, caCerts);
    return { gate, conn: read.conn, tcp: conn };
  });
}

function closeQuietly(conn: Deno.Conn): void {
  try {
    conn.close();
  } catch {
    // Closed already.
  }
}

interface ShownCertificate {
  readonly raw?: unknown;
}

/** The runtime's own, undocumented way to the peer's certificate. */
function shownChain(conn: Deno.TlsConn): readonly Uint8Array[] {
  for (
    let part: object | null = conn;
    part !== null;
    part = Object.getPrototypeOf(part)
  ) {
    for (const symbol of Object.getOwnPropertySymbols(part)) {
      if (symbol.description !== "getPeerCertificate") continue;
      const show = (conn as unknown as Record<symbol, unknown>)[symbol];
      if (typeof show !== "function") continue;
      const leaf = show.call(conn) as ShownCertificate | null;
      return presentedChain(leaf as LinkedCertificate | null);
    }
  }
  return [];
}

/**
 * Evaluates a connection that the native `Deno.connectTls` has opened.
 *
 * Awaits the handshake. Deno shows the leaf alone, so the path is completed
 * from the policy's `certificates` and the anchors. Only what is written after
 * this promise resolves is protected: bytes written before have left already.
 * Prefer {@linkcode connectTls}.
 *
 * It takes the runtime's word that the chain was validated: where Deno runs
 * with `--unsafely-ignore-certificate-errors`, give `ca`, so that the path is
 * verified to an anchor here.
 *
 * @param pinner A pinner, or a policy (also as JSON text).
 * @param conn The connection; closed where it is refused.
 * @param options The name it was opened with, and what to trust.
 * @returns The allowing verdict.
 * @throws {CertpinError} the verdict's error, or a `ConnectionError`
 * `ERR_CERTPIN_RUNTIME` where the runtime shows nothing.
 */
export async function verifyConn(
  pinner: PinnerSource,
  conn: Deno.TlsConn,
  options: VerifyConnOptions,
): Promise<Verdict> {
  try {
    const read = readOptions(
      options,
      { pinner: PINNER_OPTIONS, verify: VERIFY },
      { required: ["hostname"] },
    );
    const gate = gateOf(pinner, read.pinner, read.verify.ca);
    await conn.handshake().catch((error) => {
      throw handshakeError(error);
    });
    const chain = shownChain(conn);
    if (chain.length === 0) {
      throw new ConnectionError(
        "ERR_CERTPIN_RUNTIME",
        "Cannot verify the connection: this runtime does not expose its certificate; use connectTls",
      );
    }
    const verdict = await gate.evaluate(read.verify.hostname, chain);
    rememberVerdict(conn, verdict);
    return verdict;
  } catch (error) {
    closeQuietly(conn);
    throw error;
  }
}

export {
  createFetch,
  type FetchOptions,
  type PinnedFetch,
} from "./fetch/fetch.ts";
