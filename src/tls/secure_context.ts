/**
 * OpenSSL's context of a trust, kept: reading `ca` into one anew for each
 * connection costs as much as the rest of the handshake.
 *
 * @module
 */
import { createSecureContext, type SecureContext } from "node:tls";
import type { Trust } from "./trust.ts";

/** Options of `tls.connect` that become a part of the context. */
const CONTEXT_OPTIONS = [
  "cert",
  "ciphers",
  "crl",
  "ecdhCurve",
  "key",
  "maxVersion",
  "minVersion",
  "passphrase",
  "pfx",
  "secureOptions",
  "sigalgs",
] as const;

const contexts = new WeakMap<Trust, SecureContext>();

/**
 * The option `secureContext` for a connection that sets nothing but the trust.
 *
 * The platform's own store is left to the platform: it may be replaced while
 * the program runs.
 */
export function secureContextOf(
  trust: Trust,
  options: Readonly<Record<string, unknown>> | undefined,
): { secureContext?: SecureContext } {
  if (trust.ca === undefined) return {};
  if (CONTEXT_OPTIONS.some((name) => options?.[name] !== undefined)) return {};
  let secureContext = contexts.get(trust);
  if (secureContext === undefined) {
    secureContext = createSecureContext({ ca: [...trust.ca] });
    contexts.set(trust, secureContext);
  }
  return { secureContext };
}
