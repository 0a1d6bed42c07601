/**
 * Alerts (RFC 8446, section 6), and the errors that send one.
 *
 * @module
 */
import {
  CertificateError,
  ConnectionError,
  LimitError,
  PathError,
  PinMismatchError,
  PolicyError,
} from "../errors.ts";

/** Alert descriptions and their numbers (RFC 8446, section 6; RFC 7301). */
export const ALERTS = {
  close_notify: 0,
  unexpected_message: 10,
  bad_record_mac: 20,
  decryption_failed: 21,
  record_overflow: 22,
  decompression_failure: 30,
  handshake_failure: 40,
  no_certificate: 41,
  bad_certificate: 42,
  unsupported_certificate: 43,
  certificate_revoked: 44,
  certificate_expired: 45,
  certificate_unknown: 46,
  illegal_parameter: 47,
  unknown_ca: 48,
  access_denied: 49,
  decode_error: 50,
  decrypt_error: 51,
  protocol_version: 70,
  insufficient_security: 71,
  internal_error: 80,
  inappropriate_fallback: 86,
  user_canceled: 90,
  no_renegotiation: 100,
  missing_extension: 109,
  unsupported_extension: 110,
  unrecognized_name: 112,
  bad_certificate_status_response: 113,
  unknown_psk_identity: 115,
  certificate_required: 116,
  no_application_protocol: 120,
} as const;

/** The name of an alert. */
export type AlertName = keyof typeof ALERTS;

const NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(ALERTS).map(([name, number]) => [number, name]),
);

/** The name of an alert, or its number where it has none. */
export function alertName(description: number): string {
  return NAMES.get(description) ?? `number ${description}`;
}

/** A failure of the connection, and the alert that tells the peer. */
export class TlsFailure extends ConnectionError {
  /** What the peer is told; undefined where it must not be told anything. */
  readonly alert: AlertName | undefined;

  constructor(
    code: ConnectionError["code"],
    alert: AlertName | undefined,
    message: string,
    options?: ErrorOptions,
  ) {
    super(code, message, options);
    this.alert = alert;
  }
}

/** Ends the connection because the peer broke the protocol. */
export function refuse(alert: AlertName, message: string): never {
  throw new TlsFailure(
    "ERR_CERTPIN_TLS_PROTOCOL",
    alert,
    `The server broke TLS 1.3: ${message}`,
  );
}

/** The transport ended without close_notify. */
export function truncated(options?: ErrorOptions): TlsFailure {
  return new TlsFailure(
    "ERR_CERTPIN_TLS_TRUNCATED",
    undefined,
    "The connection ended without close_notify: what was read may be cut short",
    options,
  );
}

/** The peer's own alert. */
export function alertReceived(description: number): TlsFailure {
  return new TlsFailure(
    "ERR_CERTPIN_TLS_ALERT",
    undefined,
    `The server ended the connection with the alert ${alertName(description)}`,
  );
}

/** The alert that fits an error, whoever threw it (RFC 8446, section 6.2). */
export function alertFor(error: unknown): AlertName | undefined {
  if (error instanceof TlsFailure) return error.alert;
  if (error instanceof CertificateError) return "bad_certificate";
  if (error instanceof PathError) {
    switch (error.code) {
      case "ERR_CERTPIN_PATH_NO_ISSUER":
        return "unknown_ca";
      case "ERR_CERTPIN_PATH_EXPIRED":
        return "certificate_expired";
      default:
        return "bad_certificate";
    }
  }
  return error instanceof PinMismatchError || error instanceof LimitError ||
      error instanceof PolicyError
    ? "certificate_unknown"
    : "internal_error";
}
