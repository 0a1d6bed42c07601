/**
 * The states of a client (RFC 8446, appendix A.1): each names the messages that
 * it takes. Anything else is unexpected_message and the end.
 *
 * @module
 */
import type { HandshakeName } from "./messages.ts";

/** What each state takes. */
export const STATES = {
  /** After the ClientHello; a HelloRetryRequest is a ServerHello on the wire. */
  WAIT_SERVER_HELLO: ["server_hello"],
  /** After the ClientHello that answers a HelloRetryRequest. */
  WAIT_SECOND_SERVER_HELLO: ["server_hello"],
  /** After the ServerHello. */
  WAIT_ENCRYPTED_EXTENSIONS: ["encrypted_extensions"],
  /** After EncryptedExtensions. */
  WAIT_CERTIFICATE_OR_REQUEST: ["certificate", "certificate_request"],
  /** After a CertificateRequest. */
  WAIT_CERTIFICATE: ["certificate"],
  /** After the Certificate. */
  WAIT_CERTIFICATE_VERIFY: ["certificate_verify"],
  /** After the CertificateVerify. */
  WAIT_FINISHED: ["finished"],
  /** After both Finished. */
  CONNECTED: ["new_session_ticket", "key_update"],
} as const satisfies Record<string, readonly HandshakeName[]>;

/** A state. */
export type State = keyof typeof STATES;

/** The messages that a state takes. */
export type Accepted<S extends State> = (typeof STATES)[S][number];
