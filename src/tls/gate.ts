/**
 * The one gate: every connection of every adapter passes here.
 *
 * It runs TLS with the platform's validation on, reads the chain off that very
 * connection, has it evaluated, and hands the connection over only after an
 * allowing verdict. A refused connection is destroyed before anybody could
 * write to it.
 *
 * @module
 */
import type { Duplex } from "node:stream";
import * as tls from "node:tls";
import { type CertpinError, PathError } from "../errors.ts";
import type { CanonicalHost } from "../host.ts";
import { MAX_POLICY_RACES } from "../limits.ts";
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
import { publicAnchors, type Trust } from "./trust.ts";
import { DenoTransport } from "./deno_transport.ts";
import { type LinkedCertificate, presentedChain } from "./chain.ts";
import {
  discard,
  handshakeError,
  HandshakeWatch,
  noChain,
} from "./handshake.ts";
import { runWithBoth, runWithNodeCrypto } from "./node_crypto.ts";
import { secureContextOf } from "./secure_context.ts";
import { rememberVerdict } from "./verdicts.ts";

/** A connection to let in. */
export interface AdmitRequest {
  /** The name or address that is checked and pinned. */
  readonly hostname: CanonicalHost;
  /** Where to connect. */
  readonly host: string;
  readonly port?: number;
  /** Connected transport to run TLS over; without one, `node:tls` connects. */
  readonly transport?: Duplex;
  /** Further options of `tls.connect`, without those that are refused. */
  readonly tls?: Readonly<Record<string, unknown>>;
  /** Whether a peer may have ended its side before the hand-over. */
  readonly mayHaveEnded?: boolean;
  /**
   * Whether a refusal asks for a newer policy first, and what becomes of the
   * connection meanwhile: `hold` evaluates it again, `reopen` destroys it and
   * throws {@linkcode PolicyRefreshed} if there is a newer policy.
   */
  readonly refresh?: "hold" | "reopen";
  readonly signal: AbortSignal;
}

/** Another policy is in force than the one that refused: a new connection may pass. */
export class PolicyRefreshed extends Error {}

/** What a connection was allowed by. */
interface Evaluated {
  readonly hostname: string;
  readonly port?: number;
  readonly chain: readonly Uint8Array[];
  policy: Policy;
  verdict: Verdict;
  /** Milliseconds since the epoch. */
  validUntil: number;
}

/** Opens connections, and evaluates them, for one pinner with one trust. */
export class Gate {
  readonly #evaluated = new WeakMap<object, Evaluated>();

  constructor(readonly pinner: Pinner, readonly trust: Trust) {}

  #steps(
    evaluated: Pick<Evaluated, "hostname" | "port" | "chain">,
    isPreliminary = false,
  ) {
    return evaluateRoutine(this.pinner, {
      hostname: evaluated.hostname,
      port: evaluated.port,
      chain: evaluated.chain,
      anchors: this.trust.anchors,
      publicAnchors: publicAnchors(),
      platformValidated: true,
    }, isPreliminary);
  }

  /** Evaluates at once; the policy cannot change meanwhile. */
  evaluateNow(
    hostname: string,
    port: number | undefined,
    chain: readonly Uint8Array[],
  ): Verdict {
    return runWithNodeCrypto(this.#steps({ hostname, port, chain }));
  }

  async #evaluate(
    hostname: string,
    port: number | undefined,
    chain: readonly Uint8Array[],
    isPreliminary = false,
  ): Promise<Evaluated> {
    const steps = () => this.#steps({ hostname, port, chain }, isPreliminary);
    const evaluatedAs = (verdict: Verdict): Evaluated => {
      const { policy } = this.pinner;
      const until = validUntil(verdict);
      return { hostname, port, chain, policy, verdict, validUntil: until };
    };
    // A verdict counts only if the policy is still the one it was taken by.
    for (let race = 0; race < MAX_POLICY_RACES; race++) {
      const { policy } = this.pinner;
      const verdict = await runWithBoth(steps());
      if (this.pinner.policy === policy) return evaluatedAs(verdict);
    }
    return evaluatedAs(runWithNodeCrypto(steps()));
  }

  /**
   * Evaluates what a connection shows. Where a newer policy might allow what
   * the one in force refuses, asks for one before the refusal stands.
   */
  async #evaluateOrRefresh(
    socket: tls.TLSSocket,
    { hostname: { text: hostname }, port, refresh, signal }: AdmitRequest,
    chain: readonly Uint8Array[],
  ): Promise<Evaluated> {
    if (refresh === undefined || !hasRefresher(this.pinner)) {
      return await this.#evaluate(hostname, port, chain);
    }
    const first = await this.#evaluate(hostname, port, chain, true);
    if (!isRefreshable(first.verdict)) return first;
    if (refresh === "reopen") discard(socket);
    const { policy } = first;
    await refreshPolicy(this.pinner, { hostname, port, policy }, signal);
    if (refresh === "reopen" && this.pinner.policy !== policy) {
      throw new PolicyRefreshed();
    }
    const second = await this.#evaluate(hostname, port, chain);
    if (refresh === "reopen" && second.verdict.decision === "allow") {
      throw new PolicyRefreshed();
    }
    return second;
  }

  /** Evaluates a chain that no connection of the gate presented. */
  async evaluate(
    hostname: string,
    chain: readonly Uint8Array[],
  ): Promise<Verdict> {
    const { verdict } = await this.#evaluate(hostname, undefined, chain);
    if (verdict.decision !== "allow") throw blocked(verdict);
    return verdict;
  }

  /**
   * Runs TLS, has the peer evaluated, and hands the connection to `take`.
   *
   * `take` is called in the very moment of the last check: no policy, clock or
   * event changes anything in between. Nothing has been written to the
   * connection or read from it. Whatever fails, the connection and its
   * transport are destroyed.
   *
   * @returns What `take` returns.
   * @throws {CertpinError} the verdict's error, or a `ConnectionError`
   * `ERR_CERTPIN_HANDSHAKE`, `ERR_CERTPIN_NO_CHAIN`. Failures before a byte of
   * TLS (a refused port, an unknown name, an abort) are thrown unchanged.
   */
  async admit<T>(
    request: AdmitRequest,
    take: (socket: tls.TLSSocket) => T,
  ): Promise<T> {
    const { transport, signal } = request;
    let socket: tls.TLSSocket | undefined;
    let onAbort = () => {};
    try {
      signal.throwIfAborted();
      // Its errors reach the TLS socket, which is watched.
      transport?.on("error", () => {});
      socket = tls.connect(this.#tlsOptions(request));
      const watch = new HandshakeWatch(socket, transport !== undefined);
      if (transport instanceof DenoTransport) transport.carry(socket);
      const aborted = new Promise<never>((_, reject) => {
        onAbort = () => reject(signal.reason);
        signal.addEventListener("abort", onAbort);
      });
      const admitted = this.#verify(socket, watch, request, take);
      admitted.catch(() => {});
      return await Promise.race([admitted, aborted]);
    } catch (error) {
      discard(socket);
      discard(transport);
      throw error;
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  #tlsOptions(
    { hostname, host, port, transport, tls: more }: AdmitRequest,
  ): tls.ConnectionOptions {
    return {
      ...more,
      ...(transport === undefined ? { port } : { socket: transport }),
      host,
      // An IP literal is no SNI name (RFC 6066, section 3); then `host` is matched.
      servername: hostname.kind === "dns" ? hostname.text : "",
      ...(this.trust.ca === undefined ? {} : { ca: [...this.trust.ca] }),
      ...secureContextOf(this.trust, more),
      rejectUnauthorized: true,
    };
  }

  async #verify<T>(
    socket: tls.TLSSocket,
    watch: HandshakeWatch,
    request: AdmitRequest,
    take: (socket: tls.TLSSocket) => T,
  ): Promise<T> {
    const { mayHaveEnded = false, signal } = request;
    await watch.secured;
    if (socket.authorized !== true) {
      throw handshakeError(socket.authorizationError);
    }
    if (socket.isSessionReused()) {
      throw noChain("a resumed session shows no certificates");
    }
    const chain = presentedChain(
      socket.getPeerCertificate(true) as LinkedCertificate,
    );
    if (chain.length === 0) {
      throw watch.failure(mayHaveEnded) ??
        noChain("the peer shows no certificate");
    }
    const evaluated = await this.#evaluateOrRefresh(socket, request, chain);
    if (evaluated.verdict.decision !== "allow") {
      throw this.#withHint(blocked(evaluated.verdict));
    }
    // From here to the end nothing is awaited.
    signal.throwIfAborted();
    const failure = watch.failure(mayHaveEnded);
    if (failure !== undefined) throw failure;
    this.#evaluated.set(socket, evaluated);
    rememberVerdict(socket, evaluated.verdict);
    // The policy may have changed since the last look at it.
    const refused = this.refusesReuse(socket);
    if (refused !== undefined) throw refused;
    watch.stop();
    return take(socket);
  }

  /** Says what to do where the runtime trusts more than it lists. */
  #withHint(error: CertpinError): CertpinError {
    const { ca, anchors } = this.trust;
    const isUnlisted = error.code === "ERR_CERTPIN_PATH_NO_ISSUER" &&
      ca === undefined && anchors !== undefined;
    if (!isUnlisted) return error;
    return new PathError(
      "ERR_CERTPIN_PATH_NO_ISSUER",
      `${error.message}. The runtime trusts this chain, but its list of anchors lacks the root (Deno does not list the roots of --cert): pass the root as the option "ca"`,
      { cause: error },
    );
  }

  /**
   * Why no further request may start on a connection; `undefined` where one may.
   *
   * Costs a comparison. Where the policy has changed or a deadline has passed,
   * the connection is evaluated again; the caller destroys what is refused.
   */
  refusesReuse(socket: Duplex): Error | undefined {
    const evaluated = this.#evaluated.get(socket);
    if (evaluated === undefined) return noChain("it did not pass the gate");
    if (socket.destroyed) return noChain("it is closed");
    const { policy } = this.pinner;
    if (
      evaluated.policy === policy && nowOf(this.pinner) <= evaluated.validUntil
    ) {
      return undefined;
    }
    const { hostname, port, chain } = evaluated;
    const verdict = this.evaluateNow(hostname, port, chain);
    if (verdict.decision !== "allow") return blocked(verdict);
    Object.assign(evaluated, {
      policy,
      verdict,
      validUntil: validUntil(verdict),
    });
    rememberVerdict(socket, verdict);
    return undefined;
  }

  /**
   * The synchronous hook for libraries that take only TLS options: evaluates what
   * `node:tls` shows it, by the same rules. Never throws.
   */
  hook(
    hostname?: string,
  ): (host: string, certificate: tls.PeerCertificate) => Error | undefined {
    return (host, certificate) => {
      try {
        const chain = presentedChain(certificate as LinkedCertificate);
        if (chain.length === 0) {
          return noChain("the runtime shows no certificate");
        }
        const verdict = this.evaluateNow(hostname ?? host, undefined, chain);
        return verdict.decision === "allow" ? undefined : blocked(verdict);
      } catch (error) {
        return error instanceof Error ? error : new Error(String(error));
      }
    };
  }
}

function blocked(verdict: Verdict): CertpinError {
  // Every block has one; without it, refuse all the same.
  return verdict.error ??
    new PathError("ERR_CERTPIN_PATH_NO_ISSUER", "The connection was refused");
}
