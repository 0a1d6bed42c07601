/**
 * Which options of `tls.connect` the adapters hand on.
 *
 * @module
 */
import { FLAG, passed, pickOptions, type Shape, TEXTS } from "./options.ts";

/** Options that choose no other peer, bring no other trust and weaken nothing. */
export const TLS_OPTIONS = {
  autoSelectFamily: FLAG,
  autoSelectFamilyAttemptTimeout: passed<number>(),
  cert: passed<string | Uint8Array>(),
  ciphers: passed<string>(),
  crl: passed<unknown>(),
  ecdhCurve: passed<string>(),
  family: passed<number>(),
  highWaterMark: passed<number>(),
  hints: passed<number>(),
  key: passed<string | Uint8Array>(),
  keepAlive: passed<boolean>(),
  keepAliveInitialDelay: passed<number>(),
  localAddress: passed<string>(),
  localPort: passed<number>(),
  lookup: passed<TlsOptions["lookup"]>(),
  maxVersion: passed<string>(),
  minDHSize: passed<number>(),
  minVersion: passed<string>(),
  noDelay: passed<boolean>(),
  passphrase: passed<string>(),
  pfx: passed<string | Uint8Array>(),
  secureOptions: passed<number>(),
  sigalgs: passed<string>(),
} as const satisfies Shape;

/** Options that belong to one connection. */
export const CONNECTION_OPTIONS = {
  ALPNProtocols: TEXTS,
  allowHalfOpen: FLAG,
} as const satisfies Shape;

const NAMES = [TLS_OPTIONS, CONNECTION_OPTIONS].flatMap(Object.keys);

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

/** The options of `tls.connect` that are handed on, among others. */
export function pickTls(options: object): Record<string, unknown> {
  return pickOptions(options, NAMES);
}
