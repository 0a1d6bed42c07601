/**
 * The one gate: every connection of every adapter passes here.
 *
 * It opens a TLS connection with the platform's validation on, reads the chain
 * off that very connection, has it evaluated, and hands the connection out only
 * after an allowing verdict. A refused connection is destroyed before anybody
 * could write to it.
 *
 * @module
 */
import type { Duplex } from "node:stream";
import * as tls from "node:tls";
import { type CertpinError, PathError } from "../errors.ts";
import { type CanonicalHost, canonicalHost } from "../host.ts";
import { MAX_POLICY_RACES } from "../limits.ts";
import {
  evaluateRoutine,
  nowOf,
  type Pinner,
  validUntil,
  type Verdict,
} from "../pinner/pinner.ts";
import type { Policy } from "../policy/policy.ts";
import { platformAnchors, type Trust } from "./trust.ts";
import {
  connectPlain,
  DenoTransport,
  NEEDS_DENO_TRANSPORT,
} from "./deno_transport.ts";
import { type LinkedCertificate, presentedChain } from "./chain.ts";
import { handshakeError, noChain, secured } from "./handshake.ts";
import { runWithBoth, runWithNodeCrypto } from "./node_crypto.ts";
import { openTunnel, type Proxy } from "./tunnel.ts";
import { rememberVerdict } from "./verdicts.ts";

/** A connection to open. */
export interface OpenRequest {
  /** Whom it must be: a DNS name or an IP literal, checked and pinned. */
  readonly hostname: string;
  /** Where to connect; by default `hostname`. */
  readonly host?: string;
  readonly port?: number;
  /** Already connected transport to run TLS over. */
  readonly transport?: Duplex;
  /** Proxy to tunnel through. */
  readonly proxy?: Proxy;
  /** Further options of `tls.connect`, without those that are refused. */
  readonly tls?: Readonly<Record<string, unknown>>;
  readonly signal?: AbortSignal;
}

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

  #steps(evaluated: Pick<Evaluated, "hostname" | "port" | "chain">) {
    return evaluateRoutine(this.pinner, {
      hostname: evaluated.hostname,
      port: evaluated.port,
      chain: evaluated.chain,
      anchors: this.trust.anchors,
      publicAnchors: platformAnchors(),
      platformValidated: true,
    });
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
  ): Promise<Evaluated> {
    const steps = () => this.#steps({ hostname, port, chain });
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
   * Opens a connection and has it evaluated.
   *
   * @returns The connection, validated by the platform and allowed by the
   * policy. Nothing has been written to it or read from it.
   * @throws {CertpinError} the verdict's error, or a `ConnectionError`
   * `ERR_CERTPIN_HANDSHAKE`, `ERR_CERTPIN_NO_CHAIN`. What fails before a byte
   * of TLS (a refused port, an unknown name, an abort) is thrown as it is.
   */
  async open(request: OpenRequest): Promise<tls.TLSSocket> {
    const { signal, proxy, port } = request;
    let hostname: CanonicalHost;
    try {
      signal?.throwIfAborted();
      hostname = canonicalHost(request.hostname);
    } catch (error) {
      // A refusal uses the transport up: nobody goes on in the clear.
      request.transport?.destroy();
      throw error;
    }
    const host = request.host ?? hostname.text;
    const given = proxy === undefined
      ? request.transport
      : await openTunnel(this, proxy, host, port!, signal);
    const transport = NEEDS_DENO_TRANSPORT
      ? new DenoTransport(
        given ?? await connectPlain({ host, port }, request.tls, signal),
      )
      : given;
    let socket: tls.TLSSocket;
    try {
      socket = tls.connect(this.#tlsOptions(request, hostname, transport));
    } catch (error) {
      // An option that node:tls does not take; the transport is ours to end.
      transport?.on("error", () => {});
      transport?.destroy();
      throw error;
    }
    if (transport instanceof DenoTransport) transport.carry(socket);
    let onAbort: (() => void) | undefined;
    const aborted = new Promise<never>((_, reject) => {
      onAbort = () => reject(signal?.reason);
      signal?.addEventListener("abort", onAbort);
      if (signal?.aborted) onAbort();
    });
    try {
      const admitted = this.#admit(socket, hostname, request, transport);
      admitted.catch(() => {});
      return await Promise.race([admitted, aborted]);
    } catch (error) {
      for (const ours of [socket, transport]) {
        // Nobody else holds it: what it still has to say goes nowhere.
        ours?.on("error", () => {});
        ours?.destroy();
      }
      throw error;
    } finally {
      if (onAbort) signal?.removeEventListener("abort", onAbort);
    }
  }

  #tlsOptions(
    { host, port, tls: more }: OpenRequest,
    hostname: CanonicalHost,
    transport: Duplex | undefined,
  ): tls.ConnectionOptions {
    return {
      ...more,
      ...(transport === undefined ? { port } : { socket: transport }),
      host: host ?? hostname.text,
      // An IP literal is no SNI name (RFC 6066, section 3); then `host` is matched.
      servername: hostname.kind === "dns" ? hostname.text : "",
      ...(this.trust.ca === undefined ? {} : { ca: [...this.trust.ca] }),
      rejectUnauthorized: true,
    };
  }

  async #admit(
    socket: tls.TLSSocket,
    hostname: CanonicalHost,
    { port }: OpenRequest,
    transport: Duplex | undefined,
  ): Promise<tls.TLSSocket> {
    await secured(socket, transport !== undefined);
    let failure: Error | undefined;
    const onError = (error: Error) => {
      failure ??= error;
    };
    socket.on("error", onError);
    try {
      if (socket.authorized !== true) {
        throw handshakeError(socket.authorizationError);
      }
      if (socket.isSessionReused()) {
        throw noChain("a resumed session shows no certificates");
      }
      const chain = presentedChain(
        socket.getPeerCertificate(true) as LinkedCertificate,
      );
      if (chain.length === 0) throw noChain("the peer shows no certificate");
      const evaluated = await this.#evaluate(hostname.text, port, chain);
      if (evaluated.verdict.decision !== "allow") {
        throw blocked(evaluated.verdict);
      }
      if (failure !== undefined) throw failure;
      if (socket.destroyed) {
        throw noChain("it was closed while it was evaluated");
      }
      this.#evaluated.set(socket, evaluated);
      rememberVerdict(socket, evaluated.verdict);
      // The policy may have changed since the last look at it.
      const refused = this.refusesReuse(socket);
      if (refused !== undefined) throw refused;
      return socket;
    } finally {
      socket.removeListener("error", onError);
    }
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
  // The contract sets it on every block; without one, refuse all the same.
  return verdict.error ??
    new PathError("ERR_CERTPIN_PATH_NO_ISSUER", "The connection was refused");
}
