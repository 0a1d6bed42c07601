/**
 * What each error code means, and what to do: the text of `docs/codes.md`.
 *
 * The type makes it complete: a code without a meaning does not compile.
 *
 * @module
 */
import type { ErrorCode } from "../../src/errors.ts";

/** One code, for people. */
export interface Meaning {
  /** What is so. */
  readonly means: string;
  /** What to do about it. */
  readonly remedy: string;
  /** Where the rule comes from. */
  readonly source?: string;
}

/** Every code. */
export const MEANINGS: Readonly<Record<ErrorCode, Meaning>> = {
  ERR_CERTPIN_CERTIFICATE_PEM: {
    means: "The PEM text holds no certificate, or is broken",
    remedy:
      "Give the text from `-----BEGIN CERTIFICATE-----` to its end, whole",
    source: "RFC 7468",
  },
  ERR_CERTPIN_CERTIFICATE_DER: {
    means: "The bytes are not one certificate in strict DER",
    remedy: "Look at it with `openssl asn1parse`; ask its issuer for a new one",
    source: "X.690; RFC 5280, 4.1",
  },
  ERR_CERTPIN_CERTIFICATE_VERSION: {
    means: "The version is not 1, 2 or 3",
    remedy: "Reissue it as version 3",
    source: "RFC 5280, 4.1.2.1",
  },
  ERR_CERTPIN_CERTIFICATE_FOREIGN: {
    means: "An object that `parseCertificates` did not make was given",
    remedy: "Parse it; a copy or a look-alike is refused",
  },
  ERR_CERTPIN_KEY_FORMAT: {
    means: "A file holds no key, CSR or certificate that can be read",
    remedy:
      "Convert it to PEM or DER: PKCS#8, PKCS#1, SEC1, SPKI, PKCS#10 or PKCS#12",
  },
  ERR_CERTPIN_KEY_ALGORITHM: {
    means: "TLS certificates do not use this kind of key",
    remedy: "Make an EC (P-256, P-384, P-521), RSA or Ed25519 key",
  },
  ERR_CERTPIN_KEY_ENCRYPTION: {
    means: "The key is encrypted in a way that is weak or unknown",
    remedy: "Encrypt it again with PBES2: `openssl pkcs8 -topk8 -v2 aes256`",
    source: "RFC 8018",
  },
  ERR_CERTPIN_KEY_PASSPHRASE: {
    means: "The passphrase is missing or wrong",
    remedy: "Give it on the terminal, or as the command's help says",
  },
  ERR_CERTPIN_POLICY_INVALID: {
    means: "The policy is not valid; `problems` lists every error",
    remedy:
      "Fix the places that the pointers name; an editor helps if it knows the schema",
  },
  ERR_CERTPIN_PIN_INVALID: {
    means: "A pin has an unknown format, or a digest of the wrong length",
    remedy: "Print it with `certpin pin`",
  },
  ERR_CERTPIN_PIN_HASH: {
    means: "A pin is made with SHA-1 or MD5",
    remedy: "Make it again with SHA-256, 384 or 512",
  },
  ERR_CERTPIN_PIN_FORMAT: {
    means: "The requested style cannot express this pin",
    remedy: "Choose another style: `curl` and `okhttp` have only SPKI hashes",
  },
  ERR_CERTPIN_HOST_INVALID: {
    means: "A hostname is not valid",
    remedy: "Give a DNS name or an IP literal, without scheme, port or path",
  },
  ERR_CERTPIN_UNLISTED: {
    means: "The host has no pin set, and `unlisted` is `deny`",
    remedy: "Add the host; or let unlisted hosts pass with a valid path",
  },
  ERR_CERTPIN_EXPIRED: {
    means: "The pin set is past its `expiresAt`, and `onExpiry` is `block`",
    remedy: "Ship a policy with renewed pins",
  },
  ERR_CERTPIN_DOCUMENT_SYNTAX: {
    means: "The configuration of another tool cannot be read",
    remedy: "Fix the file at the place that the message names",
  },
  ERR_CERTPIN_DOCUMENT_ENTITY: {
    means: "An XML file declares entities, which are never expanded",
    remedy: "Remove the document type declaration",
  },
  ERR_CERTPIN_PATH_EMPTY_CHAIN: {
    means: "The peer presented no certificate",
    remedy: "Configure the server's certificate",
  },
  ERR_CERTPIN_PATH_NO_ISSUER: {
    means: "No known certificate is the issuer, or no anchor is reached",
    remedy:
      "Configure the server to send its intermediates; or list them in the policy's `certificates`; or trust the root with `ca` or `anchors`",
    source: "RFC 5280, 6.1.3 (a)(4)",
  },
  ERR_CERTPIN_PATH_ALGORITHM: {
    means:
      "A signature or a key is too weak or unknown: SHA-1, MD5, DSA, RSA under 2048 bits, a curve without a name",
    remedy: "Reissue the certificate",
    source: "CA/B Forum Baseline Requirements, 6.1.5 and 7.1.3",
  },
  ERR_CERTPIN_PATH_SIGNATURE: {
    means: "A signature was not made by the key of the supposed issuer",
    remedy: "Look for another certificate of the same name in the chain",
    source: "RFC 5280, 6.1.3 (a)(1)",
  },
  ERR_CERTPIN_PATH_VERSION: {
    means: "A certificate of version 1 or 2",
    remedy:
      'Reissue it with extensions; for a root of your own, set `"profile": "private"`',
    source: "RFC 5280, 4.1.2.1",
  },
  ERR_CERTPIN_PATH_SERIAL: {
    means: "A serial number is zero, negative or too long",
    remedy:
      'Reissue the certificate; for a CA of your own, `"profile": "private"` allows zero and long ones',
    source: "RFC 5280, 4.1.2.2",
  },
  ERR_CERTPIN_PATH_EXTENSION: {
    means: "An extension is malformed, repeated, missing or in the wrong place",
    remedy:
      'Reissue as the message says; for a CA of your own, `"profile": "private"` allows what only public CAs must do',
    source: "RFC 5280, 4.2",
  },
  ERR_CERTPIN_PATH_CRITICAL_EXTENSION: {
    means: "A critical extension is unknown",
    remedy: "Reissue the certificate without it, or mark it not critical",
    source: "RFC 5280, 4.2 and 6.1.4 (o)",
  },
  ERR_CERTPIN_PATH_NOT_YET_VALID: {
    means: "A certificate is not valid yet",
    remedy: "Check the clock first",
    source: "RFC 5280, 6.1.3 (a)(2)",
  },
  ERR_CERTPIN_PATH_EXPIRED: {
    means: "A certificate is not valid any more",
    remedy: "Renew it; check the clock",
    source: "RFC 5280, 6.1.3 (a)(2)",
  },
  ERR_CERTPIN_PATH_NOT_CA: {
    means: "An issuer is not a CA",
    remedy:
      "If it is your chain: use the CA's certificate. If not: this is an attack",
    source: "RFC 5280, 6.1.4 (k)",
  },
  ERR_CERTPIN_PATH_LENGTH: {
    means: "More CAs stand below a CA than its pathLenConstraint allows",
    remedy: "Issue from a CA that may have CAs below it",
    source: "RFC 5280, 6.1.4 (l) and (m)",
  },
  ERR_CERTPIN_PATH_KEY_USAGE: {
    means: "A key is used for what its keyUsage does not allow",
    remedy: "Reissue: `keyCertSign` for CAs",
    source: "RFC 5280, 6.1.4 (n)",
  },
  ERR_CERTPIN_PATH_EXTENDED_KEY_USAGE: {
    means: "A certificate is not for TLS servers",
    remedy: "Reissue with `serverAuth`",
    source: "RFC 5280, 4.2.1.12",
  },
  ERR_CERTPIN_PATH_NAME_CONSTRAINTS: {
    means: "A name is outside of what a CA on the path may issue for",
    remedy: "Issue from a CA that may",
    source: "RFC 5280, 6.1.3 (b) and (c)",
  },
  ERR_CERTPIN_PATH_HOSTNAME: {
    means: "The hostname is not in the leaf's subjectAltName",
    remedy: "Reissue with the name; a CN alone does not count",
    source: "RFC 9525, 6",
  },
  ERR_CERTPIN_PATH_LEAF_IS_CA: {
    means: "The server's own certificate is a CA's",
    remedy: "Issue a certificate for the server",
    source: "CA/B Forum Baseline Requirements, 7.1.2.7",
  },
  ERR_CERTPIN_MISMATCH: {
    means: "The path is valid, but no required pin matches it",
    remedy: "See [reading a refusal](refusals.md#a-mismatch)",
  },
  ERR_CERTPIN_ROOT_ONLY: {
    means: "Only pins of roots match, and `rootOnly` is `deny`",
    remedy: "Pin the leaf or an intermediate too",
  },
  ERR_CERTPIN_LIMIT_CERTIFICATE_SIZE: {
    means: "A certificate, a key file or a PEM text is too large",
    remedy: "Real ones are smaller: check where it comes from",
  },
  ERR_CERTPIN_LIMIT_CHAIN_LENGTH: {
    means:
      "The peer's chain is too long: more than `chainCertificates`, 256 KiB or 16,384 DER values",
    remedy: "Configure the server to send only its own chain",
  },
  ERR_CERTPIN_LIMIT_PATH_WORK: {
    means: "The search for a path used up one of its budgets",
    remedy:
      "Configure the server to send fewer certificates; or raise the budget in `limits`",
  },
  ERR_CERTPIN_LIMIT_POLICY_SIZE: {
    means: "A policy, or another tool's configuration, is too large",
    remedy: "Split it by program",
  },
  ERR_CERTPIN_RUNTIME: {
    means: "This runtime, or this version, does not show the peer's chain",
    remedy: "Use Deno 2.8, Node 22.19, Bun 1.4 or later",
  },
  ERR_CERTPIN_OPTION: {
    means: "An option would weaken or bypass the check",
    remedy: "Remove the option that the message names",
  },
  ERR_CERTPIN_PROTOCOL: {
    means: "A URL, or a redirect to one, is not `https:` or `wss:`",
    remedy: "Only TLS can be pinned: fix the URL, or handle redirects yourself",
  },
  ERR_CERTPIN_NO_CHAIN: {
    means:
      "This connection showed no certificates, for example because its session was resumed",
    remedy: "Let certpin open the connection",
  },
  ERR_CERTPIN_PROXY: {
    means: "The proxy refused the tunnel, or did not answer in HTTP",
    remedy: "Check the proxy's URL, and its user name and password",
    source: "RFC 9110, 9.3.6",
  },
  ERR_CERTPIN_HANDSHAKE: {
    means:
      "The runtime's own TLS refused the peer, or the connection ended before it was verified; the error is the `cause`",
    remedy: "Look at the chain with `certpin inspect`",
  },
  ERR_CERTPIN_UPDATE_SIGNATURE: {
    means: "No known key signed it, or the header names another algorithm",
    remedy: "Compare the client's `keys` with the key that signs",
    source: "RFC 7515, 5.2; RFC 8725, 3.1",
  },
  ERR_CERTPIN_UPDATE_ROLLBACK: {
    means:
      "Its sequence is lower than the newest that was accepted, or the same with other bytes",
    remedy: "Sign again with a higher sequence",
  },
  ERR_CERTPIN_UPDATE_EXPIRED: {
    means: "Its `expiresAt` has passed",
    remedy: "Sign and publish it again; do this regularly",
    source: "RFC 7519, 4.1.4",
  },
  ERR_CERTPIN_UPDATE_NOT_YET_VALID: {
    means: "It was issued more than 5 minutes ahead of the clock",
    remedy: "Set the clock of the client, or of the machine that signs",
  },
  ERR_CERTPIN_UPDATE_AUDIENCE: {
    means: "It is for another audience",
    remedy: "Compare the client's `audience` with that of the file at `url`",
    source: "RFC 7519, 4.1.3",
  },
  ERR_CERTPIN_UPDATE_MALFORMED: {
    means:
      "It is not a valid signed policy: wrong type, broken text, or an invalid policy",
    remedy: "Look at the file with `certpin verify`; the `cause` says more",
    source: "RFC 7515, 7.1; RFC 8725, 3.11",
  },
  ERR_CERTPIN_UPDATE_SIZE: {
    means: "It is longer than 4 MiB",
    remedy: "Split the policy by program",
  },
  ERR_CERTPIN_HTTP_PROTOCOL: {
    means:
      "A response is not HTTP/1.1, or two parsers could read it differently",
    remedy:
      "The message says what was wrong: fix the server, or the proxy in front of it",
  },
  ERR_CERTPIN_TLS_VERSION: {
    means:
      "The server does not support TLS 1.3; `./edge` supports nothing older",
    remedy: "Enable TLS 1.3 on the server",
    source: "RFC 8446, 4.1.3 and 4.2.1",
  },
  ERR_CERTPIN_TLS_ALERT: {
    means:
      "The server ended the connection with an alert; the message names it",
    remedy: "Look in the server's log for the same moment",
    source: "RFC 8446, 6",
  },
  ERR_CERTPIN_TLS_PROTOCOL: {
    means: "The server, or somebody on the network, broke the rules of TLS 1.3",
    remedy: "Check that the port speaks TLS; then report the message",
    source: "RFC 8446",
  },
  ERR_CERTPIN_TLS_TRUNCATED: {
    means:
      "The connection ended without close_notify: the data may be incomplete",
    remedy: "Try again; do not use the data",
    source: "RFC 8446, 6.1",
  },
  ERR_CERTPIN_UPDATE_FETCH: {
    means:
      "The policy could not be fetched: no connection, another status than 200, a redirect, or a timeout",
    remedy: "Look at `url`; the `cause` says more",
  },
  ERR_CERTPIN_UPDATE_STORE: {
    means:
      "The store cannot be read or written, or its content cannot be verified",
    remedy:
      "Check the file's permissions; the next update replaces content that cannot be verified",
  },
  ERR_CERTPIN_UPDATE_MAX_AGE: {
    means:
      "The policy in force is older than `maxAge`, or its `expiresAt` has passed",
    remedy: "Publish a newer policy, and let the client reach it",
  },
};
