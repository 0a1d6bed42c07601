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
import type { PinnerOptions } from "../pinner.ts";
import type { CertificateInput } from "./anchors.ts";
import { resolveTrust } from "./anchors.ts";
import { type PinnerSource, resolvePinner, takeOptions } from "./options.ts";
import { requireRuntime } from "./runtime.ts";
import { nativeError, PinnedTlsConn } from "./tls_conn.ts";
import { Gate, rememberVerdict, verdictOf } from "./tls_gate.ts";

export { verdictOf };
export type { CertificateInput, PinnerSource };

/**
 * Options of {@linkcode connectTls}: those of `Deno.connectTls` but
 * `unsafelyDisableHostnameVerification`, those of `createPinner` (unless a
 * pinner is given), and `ca`, `servername` and `signal`.
 */
export interface ConnectTlsOptions extends PinnerOptions {
  /** Port to connect to. */
  port: number;
  /** Name or IP literal to connect to, checked and pinned. Default `127.0.0.1`. */
  hostname?: string;
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
  /** Tries IPv6 and IPv4 addresses in turns (RFC 8305). Default true. */
  autoSelectFamily?: boolean;
  /** Milliseconds between two such tries. Default 250. */
  autoSelectFamilyAttemptDelay?: number;
  /** Aborts connecting and judging; afterwards it has no effect. */
  signal?: AbortSignal;
}

function tlsOptions(taken: Record<string, unknown>): Record<string, unknown> {
  const { alpnProtocols, cert, key, autoSelectFamily } = taken;
  const delay = taken.autoSelectFamilyAttemptDelay;
  return {
    allowHalfOpen: true,
    ...(alpnProtocols === undefined ? {} : { ALPNProtocols: alpnProtocols }),
    ...(cert === undefined ? {} : { cert, key }),
    ...(autoSelectFamily === undefined ? {} : { autoSelectFamily }),
    ...(delay === undefined ? {} : { autoSelectFamilyAttemptTimeout: delay }),
  };
}

/**
 * Connects, verifies and pins: `Deno.connectTls` with a policy in front.
 *
 * When the promise resolves, the platform has validated the peer, a path to an
 * anchor has been verified, the policy allows it, and not one application byte
 * has been sent. The handshake is over, so `handshake()` resolves at once.
 *
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
export async function connectTls(
  pinner: PinnerSource,
  options: ConnectTlsOptions,
): Promise<Deno.TlsConn> {
  requireRuntime();
  const taken = takeOptions(options);
  const resolved = resolvePinner(pinner, taken);
  const trust = resolveTrust(
    resolved,
    taken.ca as CertificateInput | undefined,
    taken.caCerts as string[] | undefined,
  );
  const gate = new Gate(resolved, trust);
  const socket = await gate.open({
    hostname: (taken.hostname ?? "127.0.0.1") as string,
    port: taken.port as number,
    tls: tlsOptions(taken),
    signal: taken.signal as AbortSignal | undefined,
  }).catch((error) => {
    throw nativeError(error);
  });
  const conn = new PinnedTlsConn(socket);
  rememberVerdict(conn, verdictOf(socket)!);
  return conn;
}

export { createFetch, type FetchOptions, type PinnedFetch } from "./fetch.ts";
