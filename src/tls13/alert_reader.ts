/**
 * Alerts of the peer (RFC 8446, section 6).
 *
 * @module
 */
import type { Bytes } from "../crypto/routine.ts";
import { MAX_TLS_WARNINGS } from "../limits.ts";
import { ALERTS, refuse } from "./failure.ts";

/** Tells what an alert means, and counts those that mean nothing. */
export class AlertReader {
  #warnings = 0;

  /** Called when data has come: the count starts again. */
  reset(): void {
    this.#warnings = 0;
  }

  /**
   * The description of an alert that ends the connection; undefined for
   * user_canceled, which only announces a close_notify.
   */
  read(content: Bytes): number | undefined {
    if (content.length !== 2) {
      refuse("decode_error", `an alert has ${content.length} bytes`);
    }
    const [level, description] = content;
    if (level !== 1 && level !== 2) {
      refuse("illegal_parameter", `an alert has level ${level}`);
    }
    // In TLS 1.3 the level says nothing: all but these two end the connection.
    if (description !== ALERTS.user_canceled) return description;
    if (++this.#warnings > MAX_TLS_WARNINGS) {
      refuse("unexpected_message", "it sent too many user_canceled alerts");
    }
    return undefined;
  }
}
