/**
 * Which keys are of use as pins: those that a path may hold.
 *
 * @module
 */
import { CertificateError } from "@certpin/certpin";
import {
  type Bytes,
  classifyKey,
  readDer,
  readPublicKeyInfo,
} from "@certpin/certpin/internal";

/** Why no path may hold this key, so that its pin never matches; undefined where one may. */
export function whyUnusable(spki: Bytes): string | undefined {
  try {
    const kind = classifyKey(readPublicKeyInfo(readDer(spki)));
    return typeof kind === "string" ? kind : undefined;
  } catch (error) {
    if (error instanceof CertificateError) return error.message;
    throw error;
  }
}

/** What to do about it. */
export const USABLE_KEYS =
  "make an RSA key of 2048 bits or more, an EC key on P-256, P-384 or P-521, or an Ed25519 key";
