/**
 * Pins that were given as certificates: hashed at first use.
 *
 * @module
 */
import type { CryptoRoutine } from "../crypto/routine.ts";
import { fingerprintsRoutine } from "../pins/fingerprint.ts";
import { digestOf, setPinDigest } from "../pins/value.ts";
import type { PinRule } from "./record.ts";

/** Hashes the certificates that pins were given as, those that are not hashed yet. */
export function* hashCertificatePins(
  rules: readonly PinRule[],
): CryptoRoutine<void> {
  for (const { pin, certificate } of rules) {
    if (certificate === undefined || digestOf(pin) !== undefined) continue;
    const { of, hash } = pin;
    const [digest] = yield* fingerprintsRoutine([certificate], of, hash);
    setPinDigest(pin, digest);
  }
}
