/**
 * Cipher suites (RFC 8446, appendix B.4), as far as WebCrypto has them.
 *
 * @module
 */

/** A cipher suite. */
export interface Suite {
  readonly id: number;
  readonly name: string;
  /** Of HKDF and of the transcript, as WebCrypto calls it. */
  readonly hash: "SHA-256" | "SHA-384";
  /** In bytes. */
  readonly hashLength: number;
  /** Of the AES key, in bytes. */
  readonly keyLength: number;
}

/** The suites that are offered, the preferred one first. */
export const SUITES: readonly Suite[] = [
  {
    id: 0x1301,
    name: "TLS_AES_128_GCM_SHA256",
    hash: "SHA-256",
    hashLength: 32,
    keyLength: 16,
  },
  {
    id: 0x1302,
    name: "TLS_AES_256_GCM_SHA384",
    hash: "SHA-384",
    hashLength: 48,
    keyLength: 32,
  },
];
