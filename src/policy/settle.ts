/**
 * Pins that were given as certificates: hashed at first use.
 *
 * @module
 */
import type { Steps } from "../crypto/steps.ts";
import { fingerprintsSteps } from "../pins/fingerprint.ts";
import { digestOf, settlePin } from "../pins/value.ts";
import type { PinRule } from "./record.ts";

/** Hashes the certificates that pins were given as, those that are not hashed yet. */
export function* settleSteps(rules: readonly PinRule[]): Steps<void> {
  for (const { pin, certificate } of rules) {
    if (certificate === undefined || digestOf(pin) !== undefined) continue;
    const { of, hash } = pin;
    const [digest] = yield* fingerprintsSteps([certificate], of, hash);
    settlePin(pin, digest);
  }
}
