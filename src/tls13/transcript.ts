/**
 * The transcript of the handshake (RFC 8446, section 4.4.1).
 *
 * WebCrypto hashes no stream, so the messages are kept. Their bounds bound it.
 *
 * @module
 */
import type { Bytes } from "../crypto/routine.ts";
import { digest } from "./key_schedule.ts";
import { encodeMessage } from "./messages.ts";
import type { Suite } from "./suites.ts";
import { concat } from "./wire.ts";

/** Messages of both sides, in order. */
export class Transcript {
  #messages: Bytes[] = [];

  /** Adds a message, header included. */
  add(raw: Bytes): void {
    this.#messages.push(raw);
  }

  /** Transcript-Hash of everything so far. */
  async hash(suite: Suite): Promise<Bytes> {
    if (this.#messages.length > 1) {
      this.#messages = [concat(...this.#messages)];
    }
    return await digest(suite, this.#messages[0]);
  }

  /** Puts message_hash in place of the first ClientHello, before a HelloRetryRequest is added. */
  async startAgain(suite: Suite): Promise<void> {
    this.#messages = [encodeMessage("message_hash", await this.hash(suite))];
  }
}
