/**
 * Handshake messages (RFC 8446, section 4): what a client writes and reads.
 *
 * Reading checks the shape of a message and which extensions it may hold;
 * whether their content fits what was offered is the handshake's matter.
 *
 * @module
 */
import type { Bytes } from "../crypto/routine.ts";
import {
  MAX_TLS_CERTIFICATE_MESSAGE_BYTES,
  MAX_TLS_MESSAGE_BYTES,
} from "../limits.ts";
import { bytesEqual } from "../x509/der.ts";
import { refuse } from "./failure.ts";
import { concat, uint, vector, WireReader } from "./wire.ts";

/** Handshake types (RFC 8446, appendix B.3). */
export const HANDSHAKE = {
  client_hello: 1,
  server_hello: 2,
  new_session_ticket: 4,
  encrypted_extensions: 8,
  certificate: 11,
  certificate_request: 13,
  certificate_verify: 15,
  finished: 20,
  key_update: 24,
  message_hash: 254,
} as const;

/** The name of a handshake type. */
export type HandshakeName = keyof typeof HANDSHAKE;

/** Extension types (RFC 8446, section 4.2). */
export const EXTENSION = {
  server_name: 0,
  supported_groups: 10,
  signature_algorithms: 13,
  application_layer_protocol_negotiation: 16,
  pre_shared_key: 41,
  early_data: 42,
  supported_versions: 43,
  cookie: 44,
  certificate_authorities: 47,
  oid_filters: 48,
  signature_algorithms_cert: 50,
  key_share: 51,
} as const;

/** The name of an extension. */
export type ExtensionName = keyof typeof EXTENSION;

/** TLS 1.3. */
export const VERSION_13 = 0x0304;
/** TLS 1.2, which legacy fields name. */
export const VERSION_12 = 0x0303;
const HEADER_LENGTH = 4;

/** A ServerHello with this random is a HelloRetryRequest (RFC 8446, section 4.1.3). */
export const HELLO_RETRY_RANDOM: Bytes = Uint8Array.of(
  ...[0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02],
  ...[0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e],
  ...[0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c],
);

/** One extension to send. */
export type ExtensionEntry = readonly [name: ExtensionName, data: Uint8Array];

/** A handshake message: header and body. */
export function encodeMessage(
  name: HandshakeName,
  ...body: readonly Uint8Array[]
): Bytes {
  return concat(Uint8Array.of(HANDSHAKE[name]), vector(3, ...body));
}

/** Extensions, as they stand in a message. */
export function encodeExtensions(entries: readonly ExtensionEntry[]): Bytes {
  return vector(
    2,
    ...entries.map(([name, data]) =>
      concat(uint(EXTENSION[name], 2), vector(2, data))
    ),
  );
}

/** What a ClientHello says. */
export interface ClientHello {
  readonly random: Bytes;
  readonly sessionId: Bytes;
  readonly suites: readonly number[];
  readonly extensions: readonly ExtensionEntry[];
}

/** Encodes a ClientHello, header included. */
export function encodeClientHello(hello: ClientHello): Bytes {
  return encodeMessage(
    "client_hello",
    uint(VERSION_12, 2),
    hello.random,
    vector(1, hello.sessionId),
    vector(2, ...hello.suites.map((id) => uint(id, 2))),
    vector(1, Uint8Array.of(0)),
    encodeExtensions(hello.extensions),
  );
}

/** Encodes a Certificate, header included. */
export function encodeCertificate(
  context: Uint8Array,
  chain: readonly Uint8Array[],
): Bytes {
  const entries = chain.map((der) =>
    concat(vector(3, der), encodeExtensions([]))
  );
  return encodeMessage(
    "certificate",
    vector(1, context),
    vector(3, ...entries),
  );
}

/** A message that was read. */
export interface Message<N extends HandshakeName = HandshakeName> {
  readonly name: N;
  readonly body: Bytes;
  /** Header and body, as the transcript takes it. */
  readonly raw: Bytes;
}

/**
 * Puts messages together from the content of records. It holds at most one
 * record more than the largest message.
 */
export class MessageBuffer {
  #parts: Bytes[] = [];
  #length = 0;

  /** Whether nothing is left over. */
  get isEmpty(): boolean {
    return this.#length === 0;
  }

  /** Adds the content of a record. */
  push(content: Bytes): void {
    this.#parts.push(content);
    this.#length += content.length;
  }

  /**
   * The next message, once it is whole. Its type and its length are checked as
   * soon as the header is there.
   *
   * @throws {TlsFailure} unexpected_message for a type other than `expected`,
   * illegal_parameter for a message above its bound.
   */
  next<N extends HandshakeName>(
    expected: readonly N[],
  ): Message<N> | undefined {
    if (this.#length < HEADER_LENGTH) {
      // A wrong type need not wait for its length.
      if (this.#length > 0) this.#name(this.#parts[0][0], expected);
      return undefined;
    }
    // What is not whole is joined only up to its header, so that a message in
    // many pieces is copied once.
    if (this.#parts[0].length < HEADER_LENGTH) this.#join();
    const [head] = this.#parts;
    const name = this.#name(head[0], expected);
    const length = head[1] * 65_536 + head[2] * 256 + head[3];
    const most = name === "certificate"
      ? MAX_TLS_CERTIFICATE_MESSAGE_BYTES
      : MAX_TLS_MESSAGE_BYTES;
    if (length > most) {
      refuse("illegal_parameter", `its ${name} has ${length} bytes`);
    }
    const end = HEADER_LENGTH + length;
    if (this.#length < end) return undefined;
    this.#join();
    const [whole] = this.#parts;
    this.#length -= end;
    this.#parts = this.#length > 0 ? [whole.subarray(end)] : [];
    return {
      name,
      body: whole.subarray(HEADER_LENGTH, end),
      raw: whole.subarray(0, end),
    };
  }

  #name<N extends HandshakeName>(type: number, expected: readonly N[]): N {
    const name = expected.find((one) => HANDSHAKE[one] === type);
    if (name === undefined) {
      refuse(
        "unexpected_message",
        `it sent a handshake message of type ${type} where ${
          expected.join(" or ")
        } belongs`,
      );
    }
    return name;
  }

  #join(): void {
    if (this.#parts.length > 1) this.#parts = [concat(...this.#parts)];
  }
}

/** Extensions that were read, by their number. */
type Extensions = ReadonlyMap<number, WireReader>;

const EXTENSION_NUMBERS: ReadonlySet<number> = new Set(
  Object.values(EXTENSION),
);

/**
 * Reads extensions.
 *
 * @param allowed Those that this message may hold.
 * @param unknown Whether others are ignored, as in a request of the server's,
 * or refused, as in an answer to what we offered.
 */
function readExtensions(
  reader: WireReader,
  what: string,
  allowed: readonly ExtensionName[],
  unknown: "ignored" | "refused",
): Extensions {
  const found = new Map<number, WireReader>();
  const list = reader.nested(2);
  while (list.left > 0) {
    const type = list.uint(2);
    const data = list.vector(2);
    if (found.has(type)) {
      refuse("illegal_parameter", `its ${what} has extension ${type} twice`);
    }
    found.set(type, new WireReader(data, `extension ${type} of ${what}`));
    if (allowed.some((name) => EXTENSION[name] === type)) continue;
    if (unknown === "ignored") {
      // RFC 8446, section 4.2: known, but not specified for this message.
      if (EXTENSION_NUMBERS.has(type)) {
        refuse("illegal_parameter", `its ${what} has extension ${type}`);
      }
    } else {
      refuse(
        "unsupported_extension",
        `its ${what} has extension ${type}, which was not asked for`,
      );
    }
  }
  return found;
}

/** The whole data of an extension, read by `read`; undefined where it is absent. */
function extension<T>(
  extensions: Extensions,
  name: ExtensionName,
  read: (reader: WireReader) => T,
): T | undefined {
  const reader = extensions.get(EXTENSION[name]);
  if (!reader) return undefined;
  const value = read(reader);
  reader.end();
  return value;
}

/** A ServerHello, which may be a HelloRetryRequest. */
export interface ServerHello {
  readonly isRetry: boolean;
  readonly random: Bytes;
  readonly legacyVersion: number;
  readonly sessionId: Bytes;
  readonly suite: number;
  readonly compression: number;
  /** What supported_versions selects; undefined without it: an older version. */
  readonly version: number | undefined;
  /** The group and, in a ServerHello, the share. */
  readonly keyShare:
    | { readonly group: number; readonly share: Bytes }
    | undefined;
  /** Of a HelloRetryRequest. */
  readonly cookie: Bytes | undefined;
}

/** Reads the body of a ServerHello. */
export function readServerHello(body: Bytes): ServerHello {
  const reader = new WireReader(body, "ServerHello");
  const legacyVersion = reader.uint(2);
  const random = reader.bytes(32);
  const isRetry = bytesEqual(random, HELLO_RETRY_RANDOM);
  const what = isRetry ? "HelloRetryRequest" : "ServerHello";
  const hello = {
    isRetry,
    random,
    legacyVersion,
    sessionId: reader.vector(1),
    suite: reader.uint(2),
    compression: reader.uint(1),
  };
  if (hello.sessionId.length > 32) {
    refuse("decode_error", `its ${what} has a session id of over 32 bytes`);
  }
  // Servers of TLS 1.2 may leave the extensions out, or send others: that such
  // a server speaks no TLS 1.3 is the better thing to say.
  if (reader.left === 0 || !selectsTls13(reader, body)) {
    return {
      ...hello,
      version: undefined,
      keyShare: undefined,
      cookie: undefined,
    };
  }
  const extensions = readExtensions(
    reader,
    what,
    isRetry
      ? ["supported_versions", "key_share", "cookie"]
      : ["supported_versions", "key_share"],
    "refused",
  );
  reader.end();
  return {
    ...hello,
    version: extension(extensions, "supported_versions", (r) => r.uint(2)),
    keyShare: extension(extensions, "key_share", (r) => ({
      group: r.uint(2),
      share: isRetry ? r.bytes(0) : r.vector(2, 1),
    })),
    cookie: extension(extensions, "cookie", (r) => r.vector(2, 1)),
  };
}

/** Whether supported_versions is among the extensions, without checking the others. */
function selectsTls13(reader: WireReader, body: Bytes): boolean {
  const list = new WireReader(
    body.subarray(body.length - reader.left),
    "ServerHello",
  ).nested(2);
  while (list.left > 0) {
    const type = list.uint(2);
    list.vector(2);
    if (type === EXTENSION.supported_versions) return true;
  }
  return false;
}

/** What EncryptedExtensions says. */
export interface EncryptedExtensions {
  /** The protocol that ALPN chose. */
  readonly alpnProtocol: Bytes | undefined;
}

/**
 * Reads the body of an EncryptedExtensions.
 *
 * @param offered The extensions of the ClientHello.
 */
export function readEncryptedExtensions(
  body: Bytes,
  offered: readonly ExtensionName[],
): EncryptedExtensions {
  const what = "EncryptedExtensions";
  const reader = new WireReader(body, what);
  const answers: ExtensionName[] = [
    "server_name",
    "application_layer_protocol_negotiation",
    "supported_groups",
  ];
  const extensions = readExtensions(
    reader,
    what,
    answers.filter((name) => offered.includes(name)),
    "refused",
  );
  reader.end();
  extension(extensions, "server_name", () => {});
  // A hint for a next connection, which is not used; only its shape counts.
  extension(extensions, "supported_groups", (r) => {
    if (r.vector(2, 2).length % 2 !== 0) {
      refuse("decode_error", "its supported_groups has an odd length");
    }
  });
  const alpnProtocol = extension(
    extensions,
    "application_layer_protocol_negotiation",
    (r) => {
      const list = r.nested(2);
      const protocol = list.vector(1, 1);
      list.end();
      return protocol;
    },
  );
  return { alpnProtocol };
}

/** What a CertificateRequest asks for. */
export interface CertificateRequest {
  readonly context: Bytes;
  /** Schemes that the client's CertificateVerify may use. */
  readonly schemes: readonly number[];
}

function readSchemes(reader: WireReader): number[] {
  const list = reader.nested(2, 2);
  const schemes: number[] = [];
  while (list.left > 0) schemes.push(list.uint(2));
  return schemes;
}

/** Reads the body of a CertificateRequest. */
export function readCertificateRequest(body: Bytes): CertificateRequest {
  const what = "CertificateRequest";
  const reader = new WireReader(body, what);
  const context = reader.vector(1);
  const extensions = readExtensions(reader, what, [
    "signature_algorithms",
    "signature_algorithms_cert",
    "certificate_authorities",
    "oid_filters",
  ], "ignored");
  reader.end();
  const schemes = extension(extensions, "signature_algorithms", readSchemes);
  extension(extensions, "signature_algorithms_cert", readSchemes);
  extension(extensions, "certificate_authorities", (r) => {
    const list = r.nested(2, 3);
    while (list.left > 0) list.vector(2, 1);
  });
  extension(extensions, "oid_filters", (r) => {
    const list = r.nested(2);
    while (list.left > 0) {
      list.vector(1, 1);
      list.vector(2);
    }
  });
  if (!schemes) {
    refuse("missing_extension", `its ${what} has no signature_algorithms`);
  }
  return { context, schemes };
}

/** What a server's Certificate says. */
export interface CertificateMessage {
  readonly context: Bytes;
  /** DER certificates, each a copy. */
  readonly chain: readonly Bytes[];
}

/** Reads the body of a Certificate. */
export function readCertificate(body: Bytes): CertificateMessage {
  const what = "Certificate";
  const reader = new WireReader(body, what);
  const context = reader.vector(1);
  const list = reader.nested(3);
  reader.end();
  const chain: Bytes[] = [];
  while (list.left > 0) {
    chain.push(list.vector(3, 1).slice());
    // None was asked for: no status_request, no signed_certificate_timestamp.
    readExtensions(list, what, [], "refused");
  }
  if (chain.length === 0) {
    refuse("decode_error", "its Certificate is empty");
  }
  return { context, chain };
}

/** What a CertificateVerify says. */
export interface CertificateVerify {
  readonly scheme: number;
  readonly signature: Bytes;
}

/** Reads the body of a CertificateVerify. */
export function readCertificateVerify(body: Bytes): CertificateVerify {
  const reader = new WireReader(body, "CertificateVerify");
  const scheme = reader.uint(2);
  const signature = reader.vector(2);
  reader.end();
  return { scheme, signature };
}

/** Checks the body of a NewSessionTicket, which is then ignored. */
export function checkNewSessionTicket(body: Bytes): void {
  const what = "NewSessionTicket";
  const reader = new WireReader(body, what);
  reader.bytes(8);
  reader.vector(1);
  reader.vector(2, 1);
  readExtensions(reader, what, ["early_data"], "ignored");
  reader.end();
}

/** Reads the body of a KeyUpdate: whether the peer asks for one. */
export function readKeyUpdate(body: Bytes): boolean {
  const reader = new WireReader(body, "KeyUpdate");
  const request = reader.uint(1);
  reader.end();
  if (request > 1) refuse("illegal_parameter", `its KeyUpdate says ${request}`);
  return request === 1;
}
