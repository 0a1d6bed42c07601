/**
 * The gate of the edge: every connection of its adapters passes here.
 *
 * It speaks TLS 1.3 itself, so the chain that it evaluates is the one that the
 * handshake rests on, and the verdict is taken before the client's Finished.
 *
 * @module
 */
import type { ByteStream } from "../byte_stream.ts";
import { runWithWebCrypto } from "../crypto/webcrypto.ts";
import { ConnectionError } from "../errors.ts";
import { type CanonicalHost, canonicalHost } from "../host.ts";
import type { OpenConnection } from "../http1/connection.ts";
import { MAX_POLICY_RACES } from "../limits.ts";
import type { AnchorStore } from "../path/anchors.ts";
import {
  evaluateRoutine,
  hasRefresher,
  isRefreshable,
  nowOf,
  type Pinner,
  refreshPolicy,
  validUntil,
  type Verdict,
} from "../pinner/pinner.ts";
import type { Policy } from "../policy/policy.ts";
import { timedOut, withDeadline } from "../tls/deadline.ts";
import {
  type ClientCertificate,
  openTls,
  type TlsStream,
} from "../tls13/client.ts";

/** Opens a raw connection. */
export type Connect = (
  address: { hostname: string; port: number },
  options: { signal: AbortSignal },
) => ByteStream | Promise<ByteStream>;

/** What every connection of one adapter shares. */
export interface EdgeGate {
  readonly pinner: Pinner;
  readonly anchors: AnchorStore;
  readonly clientCertificate?: ClientCertificate;
  /** Milliseconds for TCP, handshake and verdict; 0 is no limit. */
  readonly connectTimeout: number;
}

/** A connection to open. */
export interface EdgeRequest {
  /** The DNS name or IP literal that is checked and pinned. */
  readonly hostname: string;
  readonly port?: number;
  readonly alpnProtocols?: readonly string[];
  readonly signal?: AbortSignal;
  /** Opens the transport, which is used up, also by a refusal. */
  reach(host: CanonicalHost, signal: AbortSignal): Promise<ByteStream>;
}

/** A connection that was let through, and by what. */
export class EdgeConnection implements OpenConnection {
  readonly #gate: EdgeGate;
  readonly #hostname: string;
  readonly #port: number | undefined;
  #chain: readonly Uint8Array[] = [];
  #tls: TlsStream | undefined;
  #allowed: { verdict: Verdict; policy: Policy; until: number } | undefined;
  #evaluating: Promise<void> | undefined;

  private constructor(gate: EdgeGate, hostname: string, port?: number) {
    this.#gate = gate;
    this.#hostname = hostname;
    this.#port = port;
  }

  /**
   * Opens a connection.
   *
   * @throws {CertpinError} the verdict's error, or what {@linkcode openTls}
   * throws. A missed deadline is an error with the code `ETIMEDOUT`.
   */
  static async open(
    gate: EdgeGate,
    request: EdgeRequest,
  ): Promise<EdgeConnection> {
    const { port, alpnProtocols, signal } = request;
    const host = canonicalHost(request.hostname);
    const connection = new EdgeConnection(gate, host.text, port);
    const milliseconds = gate.connectTimeout;
    const ending = {
      milliseconds,
      onLate: () => timedOut(host.text, milliseconds),
      signals: [signal],
    };
    await withDeadline(ending, async (signal) => {
      signal.throwIfAborted();
      connection.#tls = await openTls(await request.reach(host, signal), {
        hostname: host.text,
        alpnProtocols,
        verify: async (chain) => {
          connection.#chain = chain.map((der) => der.slice());
          await connection.#evaluate(signal);
        },
        clientCertificate: gate.clientCertificate,
        signal,
      });
      await connection.#remainAllowed();
    });
    return connection;
  }

  /** The open TLS connection. */
  get stream(): TlsStream {
    return this.#tls!;
  }

  /** What it was let through by. */
  get verdict(): Verdict {
    return this.#allowed!.verdict;
  }

  get isStale(): boolean {
    return this.#allowed?.policy !== this.#gate.pinner.policy;
  }

  confirm(): true | Promise<void> {
    const { pinner } = this.#gate;
    const isValid = nowOf(pinner) < this.#allowed!.until;
    if (!this.isStale && isValid) return true;
    return this.#evaluating ??= this.#evaluate().finally(() => {
      this.#evaluating = undefined;
    });
  }

  async close(): Promise<void> {
    await this.#tls?.close();
  }

  /** The policy may have changed between the verdict and the end of the handshake. */
  async #remainAllowed(): Promise<void> {
    try {
      for (;;) {
        const answer = this.confirm();
        if (answer === true) return;
        await answer;
      }
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  /**
   * Evaluates what the connection shows.
   *
   * @param refreshUntil Lets a refusal that a newer policy might lift ask for
   * one first, and ends the wait for it.
   */
  async #evaluate(refreshUntil?: AbortSignal): Promise<void> {
    const { pinner, anchors } = this.#gate;
    const hostname = this.#hostname;
    const port = this.#port;
    const peer = { hostname, port, chain: this.#chain, anchors };
    const mayRefresh = refreshUntil !== undefined && hasRefresher(pinner);
    // A verdict counts only if the policy is still the one it was taken by.
    for (let race = 0; race < MAX_POLICY_RACES; race++) {
      const { policy } = pinner;
      const verdict = await runWithWebCrypto(
        evaluateRoutine(pinner, peer, mayRefresh),
      );
      if (mayRefresh && isRefreshable(verdict)) {
        await refreshPolicy(pinner, { hostname, port, policy }, refreshUntil);
        return await this.#evaluate();
      }
      if (pinner.policy !== policy) continue;
      if (verdict.decision === "block") throw verdict.error;
      this.#allowed = { verdict, policy, until: validUntil(verdict) };
      return;
    }
    throw new ConnectionError(
      "ERR_CERTPIN_HANDSHAKE",
      `Cannot evaluate the peer: the policy changed ${MAX_POLICY_RACES} times meanwhile`,
    );
  }
}

/** Ends a transport that nobody uses. */
export function discard(stream: ByteStream, reason: unknown): void {
  stream.readable.cancel(reason).catch(() => {});
  stream.writable.abort(reason).catch(() => {});
}

/** Opens a raw connection; one that comes after the abort is ended. */
export async function reach(
  connect: Connect,
  address: { hostname: string; port: number },
  signal: AbortSignal,
): Promise<ByteStream> {
  const connecting = (async () => await connect(address, { signal }))();
  const aborted = Promise.withResolvers<never>();
  const onAbort = () => {
    aborted.reject(signal.reason);
    connecting.then((late) => discard(late, signal.reason), () => {});
  };
  if (signal.aborted) onAbort();
  else signal.addEventListener("abort", onAbort);
  try {
    return await Promise.race([connecting, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
