/**
 * Every bound over data that somebody else controls, with its unit. The bounds
 * of files that the command alone reads are in `cli/limits.ts`.
 *
 * @module
 */
import { quoteText } from "./text.ts";

/** Largest certificate, in bytes of DER. */
export const MAX_CERTIFICATE_BYTES = 65_536;
/** Largest PEM input, in UTF-16 code units or bytes. */
export const MAX_PEM_LENGTH = 8 * 1024 * 1024;
/** Most certificates in one call of `parseCertificates`. */
export const MAX_PARSED_CERTIFICATES = 4_096;
/** Most bytes of DER in a chain that a peer presents. */
export const MAX_CHAIN_BYTES = 256 * 1024;
/** Most DER values in such a chain, counted as in {@linkcode MAX_CERTIFICATE_VALUES}. */
export const MAX_CHAIN_VALUES = 16_384;
/** Deepest nesting of DER values in a certificate. */
export const MAX_DER_DEPTH = 32;
/** Most DER values in a certificate, what its extensions hold not counted. */
export const MAX_CERTIFICATE_VALUES = 2_048;
/** Most DER values in one extension, key or signature. */
export const MAX_DER_VALUES = 16_384;
/** Longest object identifier, in bytes of content; the arcs become big integers. */
export const MAX_OID_BYTES = 64;
/** Most extensions in a certificate. */
export const MAX_EXTENSIONS = 128;
/** Most names in a subjectAltName, subtrees in one list of nameConstraints, and purposes in an extKeyUsage. */
export const MAX_EXTENSION_ENTRIES = 8_192;
/** Most names, places, policies or qualifiers in one list of any other extension. */
export const MAX_REFERENCES = 256;
/** Largest RSA modulus, in bits; verifying costs grow with its square. */
export const MAX_RSA_MODULUS_BITS = 8_192;
/** Largest RSA modulus that every engine takes, in bits: Deno's ends there. */
export const MAX_COMMON_RSA_MODULUS_BITS = 4_096;
/** Smallest RSA modulus, in bits (CA/B Forum Baseline Requirements, 6.1.5). */
export const MIN_RSA_MODULUS_BITS = 2_048;
/** Largest RSA public exponent, in bytes; verifying costs grow with its length. */
export const MAX_RSA_EXPONENT_BYTES = 4;
/** Largest salt of an RSASSA-PSS signature, in bytes. */
export const MAX_PSS_SALT_BYTES = 512;
/** Longest pin text, in UTF-16 code units. */
export const MAX_PIN_LENGTH = 512;
/** Longest hostname given to the canonicaliser, in UTF-16 code units. */
export const MAX_HOSTNAME_LENGTH = 1_024;
/** Largest policy, in UTF-16 code units of JSON text. */
export const MAX_POLICY_LENGTH = 8 * 1024 * 1024;
/** Deepest nesting of a policy document. */
export const MAX_POLICY_DEPTH = 16;
/** Deepest nesting of what a policy's text holds under keys that are ignored. */
export const MAX_IGNORED_DEPTH = 1_000;
/** Most hosts in a policy. */
export const MAX_POLICY_HOSTS = 10_000;
/** Most pins of one host. */
export const MAX_POLICY_PINS = 256;
/** Most extra certificates in a policy. */
export const MAX_POLICY_CERTIFICATES = 256;
/** Most accepted findings in a policy. */
export const MAX_POLICY_ACCEPTS = 1_024;
/** Most problems listed in one `PolicyError`. */
export const MAX_POLICY_PROBLEMS = 100;
/** Parsed certificates that a pinner keeps, least recently used dropped first. */
export const MAX_CACHED_CERTIFICATES = 512;
/** Bytes of DER of these certificates; what is parsed takes a multiple. */
export const MAX_CACHED_CERTIFICATES_BYTES = 1024 * 1024;
/** Signature verdicts kept, least recently used dropped first. */
export const MAX_CACHED_SIGNATURES = 1_024;
/** Hostname and finding code pairs that a pinner remembers as already warned about. */
export const MAX_REMEMBERED_WARNINGS = 1_024;

/** Links followed from the leaf that a runtime shows; more than any chain that is let through. */
export const MAX_WALKED_CERTIFICATES = 1_024;
/** Texts of `ca` whose certificates are kept parsed, the oldest dropped first. */
export const MAX_CACHED_TRUSTS = 16;
/** Longest answer of a proxy to CONNECT, in bytes. */
export const MAX_PROXY_HEAD_BYTES = 16_384;
/** Most times that a verdict is taken again because the policy changed meanwhile. */
export const MAX_POLICY_RACES = 8;

/** Longest signed policy, in bytes of its compact serialization. */
export const MAX_SIGNED_POLICY_BYTES = 4 * 1024 * 1024;
/** Longest header of a signed policy, in characters of base64url. */
export const MAX_JWS_HEADER_LENGTH = 4_096;
/** Deepest nesting of the claims of a signed policy: they hold a policy. */
export const MAX_CLAIMS_DEPTH: number = MAX_POLICY_DEPTH + 1;
/** Most keys that a signed policy is verified with. */
export const MAX_UPDATE_KEYS = 16;
/** How far ahead of the clock a signed policy may be issued, in milliseconds. */
export const MAX_ISSUED_AHEAD_MS = 300_000;
/** Most bytes of the heads of one response, interim ones counted, and of its trailers. */
export const MAX_HTTP_HEAD_BYTES = 65_536;
/** Most header fields of a head, and of trailers. */
export const MAX_HTTP_FIELDS = 256;
/** Most interim responses (1xx) before a final one. */
export const MAX_HTTP_INTERIM_RESPONSES = 16;
/** Most bytes of chunk extensions in one body. */
export const MAX_HTTP_CHUNK_EXTENSION_BYTES = 16_384;
/** Most redirects that one fetch follows (Fetch, "HTTP-redirect fetch"). */
export const MAX_HTTP_REDIRECTS = 20;
/** Most content codings that are undone in one response. */
export const MAX_HTTP_CONTENT_CODINGS = 5;
/** Most bytes of a body that nobody wants, read so that its connection can be kept. */
export const MAX_HTTP_DRAINED_BYTES = 65_536;
/** Most bytes of a request's body that are held to send them again. */
export const MAX_HTTP_HELD_BYTES = 65_536;
/** Requests of a Worker whose connections one fetch remembers, the oldest dropped first. */
export const MAX_HTTP_SCOPES = 16;
/** Most connections that wait for requests, of one fetch. */
export const MAX_HTTP_IDLE_CONNECTIONS = 256;
/** Most bytes of content in a TLS record (RFC 8446, section 5.1). */
export const MAX_TLS_PLAINTEXT_BYTES = 16_384;
/** Most bytes of an encrypted TLS record (RFC 8446, section 5.2). */
export const MAX_TLS_CIPHERTEXT_BYTES = 16_640;
/** Largest TLS handshake message, Certificate excepted, in bytes. */
export const MAX_TLS_MESSAGE_BYTES = 128 * 1024;
/** Largest Certificate message, in bytes: a chain of the largest size, and its framing. */
export const MAX_TLS_CERTIFICATE_MESSAGE_BYTES = 320 * 1024;
/** Most change_cipher_spec records of a TLS server. */
export const MAX_TLS_CHANGE_CIPHER_SPECS = 32;
/** Most user_canceled alerts of a TLS server without data between them. */
export const MAX_TLS_WARNINGS = 4;
/** Most empty records, and most messages after the handshake, without data between them. */
export const MAX_TLS_IDLE_EVENTS = 32;
/** Most TLS records that are decrypted, or encrypted, at the same time. */
export const MAX_TLS_PARALLEL_RECORDS = 8;
/** Most TLS records sent or asked for under one key; a third of what AES-GCM allows (RFC 8446, section 5.5). */
export const MAX_TLS_RECORDS_PER_KEY = 2 ** 23;
/** Most TLS records received under one key: what AES-GCM allows, 2^24.5 (RFC 8446, section 5.5). */
export const MAX_TLS_RECEIVED_RECORDS_PER_KEY = 23_726_566;
/** Leaves of TLS 1.3 servers that are kept parsed, the least recently used dropped first. */
export const MAX_CACHED_TLS_LEAVES = 32;
/** Longest wait until the last alert is written, in milliseconds. */
export const MAX_TLS_ALERT_MILLISECONDS = 1_000;
/** Bytes of a response that may wait for a reader before the peer is held back. */
export const MAX_WAITING_BODY_BYTES = 64 * 1024;
/** Longest body of a `Request` that is kept to be sent again, in bytes. */
export const MAX_REPLAYED_BODY_BYTES = 16 * 1024 * 1024;

/** Longest time to fetch a signed policy, in milliseconds. */
export const MAX_UPDATE_MS = 10_000;
/** Longest time that a refused connection waits for a newer policy, in milliseconds. */
export const MAX_REFRESH_MS = 5_000;
/** Hosts whose last refresh on mismatch is remembered. */
export const MAX_REMEMBERED_REFRESHES = 1_024;
/** Most attempts to save while another process writes the same store. */
export const MAX_STORE_RACES = 3;

/** Reports that wait to be sent, the oldest dropped first. */
export const MAX_QUEUED_REPORTS = 256;
/** Their length as JSON, in UTF-16 code units: chains are as long as peers make them. */
export const MAX_QUEUED_REPORTS_LENGTH = 4 * 1024 * 1024;
/** Length of the reports in one request, in UTF-16 code units, unless one alone is longer. */
export const MAX_REPORT_BODY_LENGTH = 1024 * 1024;
/** How long a hostname and a chain are not reported again, in milliseconds: 24 hours. */
export const REPORT_REPEAT_MS = 86_400_000;
/** Hostnames and chains that are remembered as reported, the oldest dropped first. */
export const MAX_REMEMBERED_REPORTS = 1_024;
/** Their length, in UTF-16 code units. */
export const MAX_REMEMBERED_REPORTS_LENGTH = 4 * 1024 * 1024;
/** Longest time that a collector has to answer, in milliseconds. */
export const MAX_REPORT_MS = 10_000;
/** Longest pause after failures, in milliseconds: an hour. */
export const MAX_REPORT_BACKOFF_MS = 3_600_000;

/** The budgets of one path search. */
export interface Limits {
  /** Most certificates that a peer may present. Default 100. */
  readonly chainCertificates: number;
  /** Most certificates on a path, leaf and anchor counted. Default 16. */
  readonly pathCertificates: number;
  /**
   * Most intermediates on a path, counted as pathLenConstraint counts them:
   * self-issued ones not (RFC 5280, section 4.2.1.9). Default 14.
   */
  readonly intermediates: number;
  /** Most signatures verified in one search. Default 64. */
  readonly signatures: number;
  /** Most issuer candidates looked at in one search. Default 4,096. */
  readonly candidates: number;
  /**
   * Most names looked up among the name constraints of a CA in one search, each
   * constraint counted once for each CA that is tried. A name of many labels
   * counts as several. Default 65,536.
   */
  readonly nameConstraintComparisons: number;
}

/** The budgets where the caller says nothing. */
export const DEFAULT_LIMITS: Limits = Object.freeze({
  chainCertificates: 100,
  pathCertificates: 16,
  intermediates: 14,
  signatures: 64,
  candidates: 4_096,
  nameConstraintComparisons: 65_536,
});

/**
 * Fills in the defaults.
 *
 * @throws {RangeError} on an unknown name or a value that is not a whole number, zero included.
 */
export function resolveLimits(limits: Partial<Limits> = {}): Limits {
  const resolved: Record<string, number> = { ...DEFAULT_LIMITS };
  for (const [name, value] of Object.entries(limits)) {
    if (!Object.hasOwn(DEFAULT_LIMITS, name)) {
      throw new RangeError(
        `Cannot set the limit ${quoteText(name)}: no such limit`,
      );
    }
    if (value === undefined) continue;
    if (!Number.isSafeInteger(value) || value < 0) {
      throw new RangeError(
        `Cannot set the limit "${name}" to ${
          quoteText(String(value))
        }: it must be a whole number, not negative`,
      );
    }
    resolved[name] = value;
  }
  return resolved as unknown as Limits;
}
