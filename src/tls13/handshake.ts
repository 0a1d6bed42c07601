/**
 * The handshake of a client (RFC 8446, sections 2, 4 and appendix A.1), from
 * the ClientHello to the client's Finished, with the verdict before the latter.
 *
 * @module
 */
import type { Bytes } from "../crypto/routine.ts";
import { ConnectionError, PathError } from "../errors.ts";
import { type CanonicalHost, canonicalHost } from "../host.ts";
import { parseDer, recordOf } from "../x509/certificate.ts";
import { bytesEqual } from "../x509/der.ts";
import { KEY_USAGE } from "../x509/extensions.ts";
import type { CertificateRecord } from "../x509/record.ts";
import { AlertReader } from "./alert_reader.ts";
import {
  alertReceived,
  ALERTS,
  refuse,
  TlsFailure,
  truncated,
} from "./failure.ts";
import { createKeyShares, GROUPS, type KeyShare } from "./groups.ts";
import {
  KeySchedule,
  type TrafficSecret,
  type TrafficSecrets,
} from "./key_schedule.ts";
import { parseLeaf } from "./leaves.ts";
import {
  type CertificateRequest,
  type ClientHello,
  encodeCertificate,
  encodeClientHello,
  encodeMessage,
  type ExtensionEntry,
  type Message,
  MessageBuffer,
  readCertificate,
  readCertificateRequest,
  readCertificateVerify,
  readEncryptedExtensions,
  readServerHello,
  type ServerHello,
  VERSION_12,
  VERSION_13,
} from "./messages.ts";
import type { Profile } from "./profile.ts";
import {
  firstFlight,
  type RecordReader,
  type RecordWriter,
} from "./records.ts";
import {
  CERTIFICATE_ONLY_SCHEMES,
  ClientSigner,
  verifyCertificateVerify,
} from "./signatures.ts";
import { type Accepted, type State, STATES } from "./states.ts";
import type { Suite } from "./suites.ts";
import { Transcript } from "./transcript.ts";
import type { ClientCertificate, TlsOptions } from "./types.ts";
import { concat, uint, vector } from "./wire.ts";

const RANDOM_LENGTH = 32;
/** The end of a ServerHello's random says so if a server of TLS 1.3 was made to use an older version (section 4.1.3). */
const DOWNGRADE_SENTINEL = [0x44, 0x4f, 0x57, 0x4e, 0x47, 0x52, 0x44];
const EMPTY: Bytes = new Uint8Array(0);
/**
 * How servers without TLS 1.3 refuse a ClientHello: those that know
 * supported_versions by the first, older ones, which find no cipher suite of
 * theirs, by the second.
 */
const OLD_VERSION_ALERTS: ReadonlySet<number> = new Set([
  ALERTS.protocol_version,
  ALERTS.handshake_failure,
]);

/** What a handshake ends with. */
export interface Session {
  /** Of application data. */
  readonly secrets: TrafficSecrets;
  readonly alpnProtocol: string | null;
}

/** A client certificate that is fit for use. */
export interface PreparedCertificate {
  readonly chain: readonly Uint8Array[];
  readonly signer: ClientSigner;
}

/**
 * Reads a client certificate.
 *
 * @throws {ConnectionError} `ERR_CERTPIN_OPTION` if its key does not fit.
 * @throws {CertificateError} if the certificate cannot be read.
 */
export function prepareCertificate(
  { chain, key }: ClientCertificate,
): PreparedCertificate {
  const copies = chain.map((der) => new Uint8Array(der));
  const leaf = recordOf(parseDer(copies[0] ?? EMPTY));
  return { chain: copies, signer: new ClientSigner(leaf.publicKey, key) };
}

/**
 * ALPN's names as bytes; each has 1 to 255, all together 65,535 (RFC 7301,
 * section 3.1).
 */
function encodeProtocols(protocols: readonly string[]): Bytes[] {
  const encoder = new TextEncoder();
  const names = protocols.map((protocol) => encoder.encode(protocol));
  const isFit = names.every(({ length }) => length >= 1 && length <= 255);
  if (
    !isFit || names.reduce((sum, { length }) => sum + length + 1, 0) > 65_535
  ) {
    throw new ConnectionError(
      "ERR_CERTPIN_OPTION",
      "Cannot offer alpnProtocols: each name has 1 to 255 bytes, and all of them at most 65,535",
    );
  }
  return names;
}

/** One handshake; {@linkcode run} is called once. */
export class Handshake {
  readonly #records: RecordReader;
  readonly #writer: RecordWriter;
  readonly #profile: Profile;
  readonly #options: TlsOptions;
  readonly #host: CanonicalHost;
  readonly #protocols: readonly Bytes[];
  readonly #certificate: PreparedCertificate | undefined;
  readonly #messages = new MessageBuffer();
  readonly #alerts = new AlertReader();
  readonly #transcript = new Transcript();

  /** Checks the options; nothing is sent yet. */
  constructor(
    records: RecordReader,
    writer: RecordWriter,
    profile: Profile,
    options: TlsOptions,
  ) {
    this.#records = records;
    this.#writer = writer;
    this.#profile = profile;
    this.#options = options;
    this.#host = canonicalHost(options.hostname);
    this.#protocols = encodeProtocols(options.alpnProtocols ?? []);
    this.#certificate = options.clientCertificate &&
      prepareCertificate(options.clientCertificate);
  }

  /** Runs to the client's Finished. */
  async run(): Promise<Session> {
    const { hello, serverHello, suite, share, hasRetried } = await this
      .#sayHello();
    const schedule = await KeySchedule.from(
      suite,
      await share.agree(serverHello.keyShare!.share),
    );
    const secrets = await schedule.handshake(
      await this.#transcript.hash(suite),
    );
    const [readKeys, writeKeys] = await Promise.all([
      secrets.server.trafficKeys("decrypt"),
      secrets.client.trafficKeys("encrypt"),
    ]);
    this.#records.protect(readKeys);
    // From here on an alert is encrypted too.
    this.#writer.protect(writeKeys);
    if (!hasRetried) this.#writer.beginSecondFlight();

    const alpnProtocol = await this.#readEncryptedExtensions(hello);
    const { chain, request } = await this.#readCertificate(suite);
    await this.#readFinished(suite, secrets.server);

    const application = await schedule.application(
      await this.#transcript.hash(suite),
    );
    this.#records.finishHandshake();
    this.#records.protect(await application.server.trafficKeys("decrypt"));

    await this.#awaitVerdict(chain);
    await this.#finish(suite, secrets.client, request);
    this.#writer.protect(await application.client.trafficKeys("encrypt"));
    return { secrets: application, alpnProtocol };
  }

  /** From the ClientHello to the ServerHello, a HelloRetryRequest between them included. */
  async #sayHello(): Promise<{
    hello: ClientHello;
    serverHello: ServerHello;
    suite: Suite;
    share: KeyShare;
    hasRetried: boolean;
  }> {
    let shares = await createKeyShares(this.#profile.shares);
    let hello = this.#firstHello(shares);
    await this.#sendHello(hello, firstFlight);
    let answer = await this.#readServerHello(hello, "WAIT_SERVER_HELLO");
    const hasRetried = answer.serverHello.isRetry;
    if (hasRetried) {
      const { suite, serverHello } = answer;
      await this.#transcript.startAgain(suite);
      this.#transcript.add(answer.raw);
      if (!this.#messages.isEmpty) {
        refuse("unexpected_message", "data follows its HelloRetryRequest");
      }
      shares = await this.#sharesAfterRetry(serverHello, shares);
      hello = retriedHello(hello, shares, serverHello.cookie);
      this.#writer.beginSecondFlight();
      await this.#sendHello(
        hello,
        (raw) => this.#writer.seal("handshake", raw),
      );
      answer = await this.#readServerHello(hello, "WAIT_SECOND_SERVER_HELLO");
      if (answer.serverHello.isRetry) {
        refuse("unexpected_message", "it sent a second HelloRetryRequest");
      }
      if (answer.suite !== suite) {
        refuse(
          "illegal_parameter",
          "it changed the cipher suite after a HelloRetryRequest",
        );
      }
    }
    this.#transcript.add(answer.raw);
    // The keys change here (RFC 8446, section 5.1).
    if (!this.#messages.isEmpty) {
      refuse("unexpected_message", "data follows its ServerHello in clear");
    }
    const { serverHello, suite } = answer;
    if (!serverHello.keyShare) {
      refuse("missing_extension", "its ServerHello has no key_share");
    }
    const { group } = serverHello.keyShare;
    const share = shares.find((one) => GROUPS[one.group] === group);
    if (!share) {
      refuse("illegal_parameter", "it chose a group without a key share");
    }
    return { hello, serverHello, suite, share, hasRetried };
  }

  #firstHello(shares: readonly KeyShare[]): ClientHello {
    const { groups, schemes, suites } = this.#profile;
    const ids = schemes.map(({ id }) => id);
    const list = (numbers: readonly number[]) =>
      vector(2, ...numbers.map((number) => uint(number, 2)));
    const extensions: ExtensionEntry[] = [
      ["supported_versions", vector(1, uint(VERSION_13, 2))],
      ["supported_groups", list(groups.map((group) => GROUPS[group]))],
      ["signature_algorithms", list(ids)],
      [
        "signature_algorithms_cert",
        list([...ids, ...CERTIFICATE_ONLY_SCHEMES]),
      ],
      ["key_share", encodeShares(shares)],
    ];
    // No addresses (RFC 6066, section 3).
    if (this.#host.kind === "dns") {
      const name = new TextEncoder().encode(this.#host.text);
      extensions.unshift([
        "server_name",
        vector(2, Uint8Array.of(0), vector(2, name)),
      ]);
    }
    if (this.#protocols.length > 0) {
      extensions.push([
        "application_layer_protocol_negotiation",
        vector(2, ...this.#protocols.map((name) => vector(1, name))),
      ]);
    }
    return {
      random: crypto.getRandomValues(new Uint8Array(RANDOM_LENGTH)),
      // Looks like a resumption of TLS 1.2 (RFC 8446, appendix D.4).
      sessionId: crypto.getRandomValues(new Uint8Array(RANDOM_LENGTH)),
      suites: suites.map(({ id }) => id),
      extensions,
    };
  }

  async #sendHello(
    hello: ClientHello,
    toRecords: (raw: Bytes) => Bytes | Promise<Bytes>,
  ): Promise<void> {
    const raw = encodeClientHello(hello);
    this.#transcript.add(raw);
    await this.#send(() => toRecords(raw));
  }

  async #send(makeRecords: () => Bytes | Promise<Bytes>): Promise<void> {
    await this.#writer.inTurn(async () =>
      await this.#writer.write(await makeRecords())
    );
  }

  async #readServerHello(
    hello: ClientHello,
    state: "WAIT_SERVER_HELLO" | "WAIT_SECOND_SERVER_HELLO",
  ): Promise<{
    raw: Bytes;
    serverHello: ServerHello;
    suite: Suite;
  }> {
    const { body, raw } = await this.#receive(state);
    const serverHello = readServerHello(body);
    this.#checkVersion(serverHello);
    if (!bytesEqual(serverHello.sessionId, hello.sessionId)) {
      refuse("illegal_parameter", "its ServerHello has another session id");
    }
    if (serverHello.compression !== 0) {
      refuse("illegal_parameter", "its ServerHello chooses compression");
    }
    const suite = this.#profile.suites.find(({ id }) =>
      id === serverHello.suite
    );
    if (!suite) {
      refuse(
        "illegal_parameter",
        "it chose a cipher suite that was not offered",
      );
    }
    return { raw, serverHello, suite };
  }

  #checkVersion({ version, legacyVersion, random }: ServerHello): void {
    if (version === undefined) {
      const sentinel = random.subarray(RANDOM_LENGTH - 8);
      if (DOWNGRADE_SENTINEL.every((byte, at) => sentinel[at] === byte)) {
        refuse(
          "illegal_parameter",
          "it speaks TLS 1.3 and chose an older version: somebody between changed what was offered",
        );
      }
      throw oldVersion("protocol_version");
    }
    if (version !== VERSION_13 || legacyVersion !== VERSION_12) {
      refuse(
        "illegal_parameter",
        "its ServerHello chooses a version that was not offered",
      );
    }
  }

  /** Key shares for the second ClientHello (RFC 8446, section 4.1.4). */
  async #sharesAfterRetry(
    { keyShare, cookie }: ServerHello,
    shares: KeyShare[],
  ): Promise<KeyShare[]> {
    if (!keyShare) {
      if (!cookie) {
        refuse("illegal_parameter", "its HelloRetryRequest asks for nothing");
      }
      return shares;
    }
    const group = this.#profile.groups.find((name) =>
      GROUPS[name] === keyShare.group
    );
    if (!group || shares.some((share) => share.group === group)) {
      refuse(
        "illegal_parameter",
        "its HelloRetryRequest asks for a group that was not offered, or whose key share it has",
      );
    }
    return await createKeyShares([group]);
  }

  async #readEncryptedExtensions(hello: ClientHello): Promise<string | null> {
    const { body, raw } = await this.#receive("WAIT_ENCRYPTED_EXTENSIONS");
    this.#transcript.add(raw);
    const { alpnProtocol } = readEncryptedExtensions(
      body,
      hello.extensions.map(([name]) => name),
    );
    if (!alpnProtocol) return null;
    const chosen = this.#protocols.findIndex((name) =>
      bytesEqual(name, alpnProtocol)
    );
    if (chosen < 0) {
      refuse(
        "illegal_parameter",
        "it chose an ALPN protocol that was not offered",
      );
    }
    return this.#options.alpnProtocols![chosen];
  }

  /** From an optional CertificateRequest to the CertificateVerify. */
  async #readCertificate(suite: Suite): Promise<{
    chain: readonly Bytes[];
    request: CertificateRequest | undefined;
  }> {
    let request: CertificateRequest | undefined;
    let message: Message<"certificate" | "certificate_request"> = await this
      .#receive("WAIT_CERTIFICATE_OR_REQUEST");
    if (message.name === "certificate_request") {
      this.#transcript.add(message.raw);
      request = readCertificateRequest(message.body);
      if (request.context.length > 0) {
        refuse("illegal_parameter", "its CertificateRequest has a context");
      }
      message = await this.#receive("WAIT_CERTIFICATE");
    }
    this.#transcript.add(message.raw);
    const { context, chain } = readCertificate(message.body);
    if (context.length > 0) {
      refuse("illegal_parameter", "its Certificate has a context");
    }
    const leaf = await parseLeaf(chain[0]);
    checkKeyUsage(leaf);
    const transcriptHash = await this.#transcript.hash(suite);
    const proof = await this.#receive("WAIT_CERTIFICATE_VERIFY");
    const { scheme, signature } = readCertificateVerify(proof.body);
    await verifyCertificateVerify(
      leaf.publicKey,
      this.#profile.schemes,
      scheme,
      signature,
      transcriptHash,
    );
    this.#transcript.add(proof.raw);
    return { chain, request };
  }

  async #readFinished(suite: Suite, secret: TrafficSecret): Promise<void> {
    const [transcriptHash, key] = await Promise.all([
      this.#transcript.hash(suite),
      secret.finishedKey("verify"),
    ]);
    const { body, raw } = await this.#receive("WAIT_FINISHED");
    if (body.length !== suite.hashLength) {
      refuse("decode_error", `its Finished has ${body.length} bytes`);
    }
    // Compares in constant time.
    if (!await crypto.subtle.verify("HMAC", key, body, transcriptHash)) {
      refuse("decrypt_error", "its Finished does not fit the handshake");
    }
    this.#transcript.add(raw);
    // The keys change here (RFC 8446, section 5.1).
    if (!this.#messages.isEmpty) {
      refuse("unexpected_message", "data follows its Finished under old keys");
    }
  }

  async #awaitVerdict(chain: readonly Bytes[]): Promise<void> {
    const { signal } = this.#options;
    signal?.throwIfAborted();
    await this.#options.verify(chain);
    signal?.throwIfAborted();
  }

  /** The client's last flight, once the verdict allows it. */
  async #finish(
    suite: Suite,
    secret: TrafficSecret,
    request: CertificateRequest | undefined,
  ): Promise<void> {
    const flight: Bytes[] = [];
    const add = (raw: Bytes) => {
      this.#transcript.add(raw);
      flight.push(raw);
    };
    if (request) {
      const scheme = this.#certificate?.signer.choose(request.schemes);
      if (this.#certificate && !scheme) {
        refuse(
          "handshake_failure",
          "it takes no signature that the client certificate's key can make",
        );
      }
      add(encodeCertificate(
        request.context,
        this.#certificate?.chain ?? [],
      ));
      if (this.#certificate && scheme) {
        const transcriptHash = await this.#transcript.hash(suite);
        add(encodeMessage(
          "certificate_verify",
          await this.#certificate.signer.sign(scheme, transcriptHash),
        ));
      }
    }
    const [key, transcriptHash] = await Promise.all([
      secret.finishedKey("sign"),
      this.#transcript.hash(suite),
    ]);
    add(encodeMessage(
      "finished",
      new Uint8Array(await crypto.subtle.sign("HMAC", key, transcriptHash)),
    ));
    await this.#writer.inTurn(async () =>
      this.#writer.defer(
        await this.#writer.seal("handshake", concat(...flight)),
      )
    );
  }

  /** The next message, which must be one that the state takes. */
  async #receive<S extends State>(state: S): Promise<Message<Accepted<S>>> {
    const accepted: readonly Accepted<S>[] = STATES[state];
    for (;;) {
      const message = this.#messages.next(accepted);
      if (message) return message;
      const record = await this.#records.next();
      if (!record) throw truncated();
      if (record.type === "handshake") {
        this.#messages.push(record.content);
        continue;
      }
      if (!this.#messages.isEmpty) {
        refuse("unexpected_message", "a record interrupts a handshake message");
      }
      if (record.type === "application_data") {
        refuse("unexpected_message", "it sent data before its Finished");
      }
      const description = this.#alerts.read(record.content);
      if (description === undefined) continue;
      if (
        state === "WAIT_SERVER_HELLO" && OLD_VERSION_ALERTS.has(description)
      ) throw oldVersion(undefined);
      throw alertReceived(description);
    }
  }
}

/** The server speaks no TLS 1.3. */
function oldVersion(alert: "protocol_version" | undefined): TlsFailure {
  return new TlsFailure(
    "ERR_CERTPIN_TLS_VERSION",
    alert,
    "The server does not speak TLS 1.3, or shares no algorithm of it with this client; nothing older is spoken here",
  );
}

function encodeShares(shares: readonly KeyShare[]): Bytes {
  return vector(
    2,
    ...shares.map(({ group, publicKey }) =>
      concat(uint(GROUPS[group], 2), vector(2, publicKey))
    ),
  );
}

/** The second ClientHello: the first with other shares and the cookie (RFC 8446, section 4.1.2). */
function retriedHello(
  first: ClientHello,
  shares: readonly KeyShare[],
  cookie: Bytes | undefined,
): ClientHello {
  const extensions = first.extensions.map(([name, data]): ExtensionEntry =>
    name === "key_share" ? [name, encodeShares(shares)] : [name, data]
  );
  if (cookie) extensions.push(["cookie", vector(2, cookie)]);
  return { ...first, extensions };
}

/** A server of TLS 1.3 signs, so its key must be allowed to (RFC 8446, section 4.4.2.2). */
function checkKeyUsage(leaf: CertificateRecord): void {
  const { keyUsage } = leaf.decoded;
  if (keyUsage !== undefined && !(keyUsage & KEY_USAGE.digitalSignature)) {
    throw new PathError(
      "ERR_CERTPIN_PATH_KEY_USAGE",
      "The server's certificate cannot be used with TLS 1.3: its keyUsage lacks digitalSignature",
    );
  }
}
