/**
 * The connections of a pool, evaluated again in the moment that the policy changes.
 *
 * A request may be bound to a connection long before its first byte. So after
 * an update no pooled connection lives on that the new policy refuses, nor
 * anything that runs on it.
 *
 * @module
 */
import type { TLSSocket } from "node:tls";
import { onUpdate } from "../pinner/pinner.ts";
import type { Gate } from "../tls/gate.ts";
import { discard } from "../tls/handshake.ts";

/** Keeps the connections of one gate that wait for requests or serve them. */
export class PooledConnections {
  readonly #gate: Gate;
  readonly #live = new Set<TLSSocket>();
  #stopListening: (() => void) | undefined;

  constructor(gate: Gate) {
    this.#gate = gate;
  }

  /**
   * Takes a connection that the gate has let through.
   *
   * @throws {CertpinError} where the policy has changed since, and refuses it;
   * then it is destroyed.
   */
  keep(socket: TLSSocket): TLSSocket {
    const refused = this.#gate.refusesReuse(socket);
    if (refused !== undefined) {
      discard(socket);
      throw refused;
    }
    // A broken TLS record is reported, and the socket stays open: pools wait
    // for its end. This also hears errors while no pool listens yet.
    socket.on("error", () => socket.destroy());
    this.#live.add(socket);
    this.#stopListening ??= onUpdate(
      this.#gate.pinner,
      () => this.#evaluateAgain(),
    );
    socket.once("close", () => this.#forget(socket));
    return socket;
  }

  #evaluateAgain(): void {
    for (const socket of [...this.#live]) {
      const refused = this.#gate.refusesReuse(socket);
      if (refused !== undefined && !socket.destroyed) socket.destroy(refused);
    }
  }

  #forget(socket: TLSSocket): void {
    this.#live.delete(socket);
    if (this.#live.size > 0) return;
    // A pinner may outlive its pools, and must not keep them.
    this.#stopListening?.();
    this.#stopListening = undefined;
  }
}
