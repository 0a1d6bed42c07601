/**
 * Which options of `tls.connect` the adapters hand on.
 *
 * @module
 */
import { pickOptions } from "./options.ts";

/** Options that choose no other peer, bring no other trust and weaken nothing. */
const TLS_OPTIONS = [
  "ALPNProtocols",
  "allowHalfOpen",
  "autoSelectFamily",
  "autoSelectFamilyAttemptTimeout",
  "cert",
  "ciphers",
  "crl",
  "ecdhCurve",
  "family",
  "highWaterMark",
  "hints",
  "key",
  "keepAlive",
  "keepAliveInitialDelay",
  "localAddress",
  "localPort",
  "lookup",
  "maxVersion",
  "minDHSize",
  "minVersion",
  "noDelay",
  "passphrase",
  "pfx",
  "secureOptions",
  "sigalgs",
] as const;

/** What may be said about how TLS is spoken; as in `tls.connect`. */
export interface TlsOptions {
  /** The client's certificate chain in PEM, for servers that ask for one. */
  cert?: string | Uint8Array;
  /** The key of `cert` in PEM. */
  key?: string | Uint8Array;
  /** `cert` and `key` as PKCS#12; its certificates are not trusted. */
  pfx?: string | Uint8Array;
  /** Passphrase of `key` or `pfx`. */
  passphrase?: string;
  /** OpenSSL's cipher list. */
  ciphers?: string;
  /** Oldest TLS version, `TLSv1.2` or `TLSv1.3`. */
  minVersion?: "TLSv1.2" | "TLSv1.3";
  /** Newest TLS version, `TLSv1.2` or `TLSv1.3`. */
  maxVersion?: "TLSv1.2" | "TLSv1.3";
  /** Signature algorithms, colon-separated. */
  sigalgs?: string;
  /** Address family, 4 or 6; 0 takes both. */
  family?: number;
  /** Local address to connect from. */
  localAddress?: string;
  /** Resolves names; as in `node:net`. */
  // deno-lint-ignore no-explicit-any -- its many overloads are the runtime's
  lookup?: (...args: any[]) => void;
  /** Tries IPv6 and IPv4 addresses in turns (RFC 8305). */
  autoSelectFamily?: boolean;
}

/** Takes the options of `tls.connect` out of `taken`. */
export function pickTls(
  taken: Record<string, unknown>,
): Record<string, unknown> {
  return pickOptions(taken, TLS_OPTIONS);
}
