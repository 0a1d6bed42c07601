/**
 * A TLS 1.3 server that does what a script says, message by message, right or
 * wrong. It runs wherever WebCrypto and web streams are, without sockets.
 */
import type { Bytes } from "../../../src/crypto/routine.ts";
import { alertName, ALERTS } from "../../../src/tls13/failure.ts";
import { type GroupName, GROUPS } from "../../../src/tls13/groups.ts";
import {
  digest,
  KeySchedule,
  type TrafficKeys,
  type TrafficSecret,
  type TrafficSecrets,
} from "../../../src/tls13/key_schedule.ts";
import {
  encodeMessage,
  EXTENSION,
  HANDSHAKE,
  type HandshakeName,
  HELLO_RETRY_RANDOM,
} from "../../../src/tls13/messages.ts";
import {
  ecdsaToDer,
  importablePkcs8,
  signedContent,
} from "../../../src/tls13/signatures.ts";
import { type Suite, SUITES } from "../../../src/tls13/suites.ts";
import type { ByteStream } from "../../../src/tls13/types.ts";
import { concat, uint, vector, WireReader } from "../../../src/tls13/wire.ts";
import {
  type KeyType,
  mintChain,
  type MintedChain,
  sharedKey,
} from "../../../src/testing/mod.ts";

const { subtle } = crypto;

/** What an in-memory connection holds in each direction, in bytes, as TCP does. */
const BUFFER_BYTES = 256 * 1024;

/** Two ends of an in-memory connection. */
export function connectionPair(
  bufferBytes: number = BUFFER_BYTES,
): { client: ByteStream; server: ByteStream } {
  const pipe = () =>
    new TransformStream<Uint8Array, Uint8Array>(
      undefined,
      undefined,
      new ByteLengthQueuingStrategy({ highWaterMark: bufferBytes }),
    );
  const up = pipe();
  const down = pipe();
  return {
    client: { readable: down.readable, writable: up.writable },
    server: { readable: up.readable, writable: down.writable },
  };
}

/** How a signature is made; WebCrypto's own words. */
export interface SignatureMaking {
  readonly import: Parameters<SubtleCrypto["importKey"]>[2];
  readonly sign: Parameters<SubtleCrypto["sign"]>[0];
}

/** A chain and how its leaf's key signs. */
export interface Identity {
  readonly chain: MintedChain;
  /** The number of the signature scheme. */
  readonly scheme: number;
  readonly making: SignatureMaking;
}

const ecdsa = (namedCurve: string, hash: string): SignatureMaking => ({
  import: { name: "ECDSA", namedCurve },
  sign: { name: "ECDSA", hash },
});

/** RSA-PSS with any hash and salt. */
export const rsaPss = (hash: string, saltLength: number): SignatureMaking => ({
  import: { name: "RSA-PSS", hash },
  sign: { name: "RSA-PSS", saltLength },
});

/** RSA PKCS#1 with any hash. */
export const rsaPkcs1 = (hash: string): SignatureMaking => ({
  import: { name: "RSASSA-PKCS1-v1_5", hash },
  sign: { name: "RSASSA-PKCS1-v1_5" },
});

/** How each kind of key signs by default. */
export const DEFAULT_SIGNATURES: Partial<
  Record<KeyType, readonly [scheme: number, making: SignatureMaking]>
> = {
  "P-256": [0x0403, ecdsa("P-256", "SHA-256")],
  "P-384": [0x0503, ecdsa("P-384", "SHA-384")],
  "P-521": [0x0603, ecdsa("P-521", "SHA-512")],
  Ed25519: [0x0807, {
    import: { name: "Ed25519" },
    sign: { name: "Ed25519" },
  }],
  "RSA-2048": [0x0804, rsaPss("SHA-256", 32)],
  "RSA-PSS-2048": [0x0809, rsaPss("SHA-256", 32)],
};

export const HOSTNAME = "server.example";

const identities = new Map<KeyType, Promise<Identity>>();

/** A server's chain with a key of this kind, minted once. */
export function identityOf(type: KeyType = "P-256"): Promise<Identity> {
  let identity = identities.get(type);
  if (!identity) {
    identity = mintIdentity(type);
    identities.set(type, identity);
  }
  return identity;
}

async function mintIdentity(type: KeyType): Promise<Identity> {
  const found = DEFAULT_SIGNATURES[type];
  if (!found) throw new TypeError(`No signature is known for ${type}`);
  const key = await sharedKey(type, "tls13 server");
  const chain = await mintChain({
    hostnames: [HOSTNAME],
    leaf: { key },
  });
  return { chain, scheme: found[0], making: found[1] };
}

/** Signs, in the encoding of TLS. */
export async function sign(
  pkcs8: Uint8Array,
  making: SignatureMaking,
  content: Bytes,
): Promise<Bytes> {
  const key = await subtle.importKey(
    "pkcs8",
    importablePkcs8(pkcs8),
    making.import,
    false,
    ["sign"],
  );
  const signature = new Uint8Array(
    await subtle.sign(making.sign, key, content),
  );
  const { name } = making.sign as { name: string };
  return name === "ECDSA" ? ecdsaToDer(signature) : signature;
}

/** A ClientHello as the server reads it. */
export interface SeenHello {
  readonly raw: Bytes;
  readonly random: Bytes;
  readonly sessionId: Bytes;
  readonly suites: readonly number[];
  readonly extensions: ReadonlyMap<number, Bytes>;
  readonly shares: ReadonlyMap<number, Bytes>;
}

function readClientHello(raw: Bytes): SeenHello {
  const reader = new WireReader(raw.subarray(4), "ClientHello");
  reader.uint(2);
  const random = reader.bytes(32);
  const sessionId = reader.vector(1);
  const suiteList = reader.nested(2);
  const suites: number[] = [];
  while (suiteList.left > 0) suites.push(suiteList.uint(2));
  reader.vector(1);
  const list = reader.nested(2);
  reader.end();
  const extensions = new Map<number, Bytes>();
  while (list.left > 0) {
    const type = list.uint(2);
    if (extensions.has(type)) throw new Error(`Extension ${type} twice`);
    extensions.set(type, list.vector(2));
  }
  const shares = new Map<number, Bytes>();
  const shareList = new WireReader(
    extensions.get(EXTENSION.key_share) ?? new Uint8Array(2),
    "key_share",
  ).nested(2);
  while (shareList.left > 0) shares.set(shareList.uint(2), shareList.vector(2));
  return { raw, random, sessionId, suites, extensions, shares };
}

/** An extension in a message, by its number. */
export type RawExtension = readonly [type: number, data: Uint8Array];

/** Extensions as they stand in a message, in this order and as often. */
export function rawExtensions(extensions: readonly RawExtension[]): Bytes {
  return vector(
    2,
    ...extensions.map(([type, data]) => concat(uint(type, 2), vector(2, data))),
  );
}

/** The fields of a ServerHello or a HelloRetryRequest. */
export interface HelloFields {
  readonly legacyVersion: number;
  readonly random: Uint8Array;
  readonly sessionId: Uint8Array;
  readonly suite: number;
  readonly compression: number;
  readonly extensions: readonly RawExtension[];
  /** After the extensions. */
  readonly trailer?: Uint8Array;
}

function encodeHello(fields: HelloFields): Bytes {
  return encodeMessage(
    "server_hello",
    uint(fields.legacyVersion, 2),
    fields.random,
    vector(1, fields.sessionId),
    uint(fields.suite, 2),
    Uint8Array.of(fields.compression),
    rawExtensions(fields.extensions),
    fields.trailer ?? new Uint8Array(0),
  );
}

/** What a message of the server's flight is built from. */
export interface Context {
  readonly suite: Suite;
  readonly identity: Identity;
  readonly secrets: TrafficSecrets;
  /** Transcript-Hash of everything before this message. */
  readonly transcriptHash: Bytes;
  readonly hello: SeenHello;
}

/** Builds one message, header included. */
export type Builder = (context: Context) => Bytes | Promise<Bytes>;

export const encryptedExtensions =
  (extensions: readonly RawExtension[] = []): Builder => () =>
    encodeMessage("encrypted_extensions", rawExtensions(extensions));

/** What differs in a Certificate. */
export interface CertificateScript {
  readonly context?: Uint8Array;
  readonly chain?: readonly Uint8Array[];
  /** Of the first entry. */
  readonly extensions?: readonly RawExtension[];
}

export const certificate =
  (script: CertificateScript = {}): Builder => ({ identity }) =>
    encodeMessage(
      "certificate",
      vector(1, script.context ?? new Uint8Array(0)),
      vector(
        3,
        ...(script.chain ?? identity.chain.chain).map((der, at) =>
          concat(
            vector(3, der),
            rawExtensions(at === 0 ? script.extensions ?? [] : []),
          )
        ),
      ),
    );

/** What differs in a CertificateVerify. */
export interface VerifyScript {
  readonly scheme?: number;
  readonly pkcs8?: Uint8Array;
  readonly making?: SignatureMaking;
  readonly side?: "server" | "client";
  /** Changes the transcript hash. */
  readonly transcriptHash?: (hash: Bytes) => Bytes;
  /** Changes what is signed. */
  readonly content?: (content: Bytes) => Bytes;
  /** Changes the signature. */
  readonly signature?: (signature: Bytes) => Uint8Array;
}

export const certificateVerify =
  (script: VerifyScript = {}): Builder =>
  async ({ identity, transcriptHash }) => {
    const hash = script.transcriptHash?.(transcriptHash) ?? transcriptHash;
    const content = signedContent(script.side ?? "server", hash);
    const signature = await sign(
      script.pkcs8 ?? identity.chain.leaf.key.pkcs8,
      script.making ?? identity.making,
      script.content?.(content) ?? content,
    );
    return encodeMessage(
      "certificate_verify",
      uint(script.scheme ?? identity.scheme, 2),
      vector(2, script.signature?.(signature) ?? signature),
    );
  };

export const finished =
  (change: (verifyData: Bytes) => Uint8Array = (same) => same): Builder =>
  async ({ secrets, transcriptHash }) => {
    const key = await secrets.server.finishedKey("sign");
    const verifyData = await subtle.sign("HMAC", key, transcriptHash);
    return encodeMessage("finished", change(new Uint8Array(verifyData)));
  };

export const certificateRequest = (
  extensions: readonly RawExtension[] = [
    [
      EXTENSION.signature_algorithms,
      vector(2, uint(0x0403, 2), uint(0x0804, 2)),
    ],
  ],
  context: Uint8Array = new Uint8Array(0),
): Builder =>
() =>
  encodeMessage(
    "certificate_request",
    vector(1, context),
    rawExtensions(extensions),
  );

/** Any message. */
export const rawMessage =
  (type: number, body: Uint8Array = new Uint8Array(0)): Builder => () =>
    concat(Uint8Array.of(type), vector(3, body));

/** A server's flight after its ServerHello, as it should be. */
export const FLIGHT: readonly Builder[] = [
  encryptedExtensions(),
  certificate(),
  certificateVerify(),
  finished(),
];

/** What the server does; everything has a default, which is right. */
export interface Script {
  readonly identity?: Identity;
  readonly suite?: Suite;
  /** Of the ServerHello; with `retries`, what they ask for. */
  readonly group?: GroupName;
  /** HelloRetryRequests before the ServerHello. */
  readonly retries?: readonly ((fields: HelloFields) => HelloFields)[];
  /** Goes on after the last HelloRetryRequest without waiting for an answer. */
  readonly impatient?: boolean;
  readonly serverHello?: (fields: HelloFields) => HelloFields;
  /** Plain bytes before the ServerHello. */
  readonly preamble?: Uint8Array;
  /** Follows the ServerHello in its record. */
  readonly afterServerHello?: Uint8Array;
  readonly flight?: readonly Builder[];
  /** The flight's bytes as the contents of records. Default: a record a message. */
  readonly toContents?: (messages: readonly Bytes[]) => readonly Bytes[];
  /** Changes the flight on its way, record by record. */
  readonly toRecords?: (
    contents: readonly Bytes[],
    server: TestServer,
  ) => Promise<readonly Bytes[]>;
  /** Changes all bytes on their way. */
  readonly toChunks?: (bytes: Bytes) => readonly Bytes[];
}

/** A record that the client sent. */
export interface SeenRecord {
  readonly type: number;
  readonly isEncrypted: boolean;
  readonly content: Bytes;
}

const LEGACY_VERSION = 0x0303;

/** The header of a record. */
export function recordHeader(
  type: number,
  length: number,
  version = LEGACY_VERSION,
): Bytes {
  return concat(Uint8Array.of(type), uint(version, 2), uint(length, 2));
}

/** One direction's keys, with their sequence number. */
class Sealer {
  #sequence = 0;
  constructor(readonly keys: TrafficKeys) {}

  nonce(): Bytes {
    const nonce = this.keys.iv.slice();
    uint(this.#sequence++, 6).forEach((byte, at) => nonce[at + 6] ^= byte);
    return nonce;
  }
}

/** The server. */
export class TestServer {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #script: Script;
  #received: Bytes = new Uint8Array(0);
  #read: Sealer | undefined;
  #write: Sealer | undefined;
  #transcript: Bytes = new Uint8Array(0);
  /** Of the handshake, once there are any. */
  handshakeSecrets: TrafficSecrets | undefined;
  /** Of application data, once there are any. */
  applicationSecrets: TrafficSecrets | undefined;
  suite: Suite;

  constructor(stream: ByteStream, script: Script = {}) {
    this.#reader = stream.readable.getReader();
    this.#writer = stream.writable.getWriter();
    this.#script = script;
    this.suite = script.suite ?? SUITES[0];
  }

  /** Sends bytes as they are. */
  async sendRaw(bytes: Bytes): Promise<void> {
    for (const chunk of this.#script.toChunks?.(bytes) ?? [bytes]) {
      await this.#writer.write(chunk);
    }
  }

  /** A record under the present keys, or plain. */
  async seal(type: number, content: Uint8Array, padding = 0): Promise<Bytes> {
    const inner = concat(content, Uint8Array.of(type), new Uint8Array(padding));
    return await this.sealInner(inner, type, content);
  }

  /** A record around any TLSInnerPlaintext. */
  async sealInner(
    inner: Bytes,
    type = 22,
    content: Uint8Array = inner,
  ): Promise<Bytes> {
    if (!this.#write) {
      return concat(recordHeader(type, content.length), content);
    }
    const header = recordHeader(23, inner.length + 16);
    const sealed = await subtle.encrypt(
      { name: "AES-GCM", iv: this.#write.nonce(), additionalData: header },
      this.#write.keys.key,
      inner,
    );
    return concat(header, new Uint8Array(sealed));
  }

  /** Sends one record. */
  async send(type: number, content: Uint8Array, padding = 0): Promise<void> {
    await this.sendRaw(await this.seal(type, content, padding));
  }

  /** Sends an alert. */
  async sendAlert(name: keyof typeof ALERTS, level = 2): Promise<void> {
    await this.send(21, Uint8Array.of(level, ALERTS[name]));
  }

  /** Ends the server's half of the transport. */
  async close(): Promise<void> {
    await this.#writer.close();
  }

  /** Breaks the transport. */
  async abort(reason: unknown): Promise<void> {
    await Promise.all([
      this.#writer.abort(reason),
      this.#reader.cancel(reason),
    ]);
  }

  async protectWrites(secret: TrafficSecret): Promise<void> {
    this.#write = new Sealer(await secret.trafficKeys("encrypt"));
  }

  async protectReads(secret: TrafficSecret): Promise<void> {
    this.#read = new Sealer(await secret.trafficKeys("decrypt"));
  }

  async #fill(length: number): Promise<boolean> {
    while (this.#received.length < length) {
      const { done, value } = await this.#reader.read();
      if (done) return false;
      this.#received = concat(this.#received, value);
    }
    return true;
  }

  /** The next record of the client; undefined at its end. */
  async readRecord(): Promise<SeenRecord | undefined> {
    if (!await this.#fill(5)) return undefined;
    const length = this.#received[3] * 256 + this.#received[4];
    if (!await this.#fill(5 + length)) throw new Error("A record is cut short");
    const header = this.#received.slice(0, 5);
    const content = this.#received.slice(5, 5 + length);
    this.#received = this.#received.slice(5 + length);
    const type = header[0];
    if (type !== 23) return { type, isEncrypted: false, content };
    if (!this.#read) throw new Error("The client encrypts too early");
    const inner = new Uint8Array(
      await subtle.decrypt(
        { name: "AES-GCM", iv: this.#read.nonce(), additionalData: header },
        this.#read.keys.key,
        content,
      ),
    );
    return {
      type: inner[inner.length - 1],
      isEncrypted: true,
      content: inner.subarray(0, -1),
    };
  }

  /** The next plain handshake message of the client; a change_cipher_spec before it is dropped. */
  async #readPlainMessage(): Promise<Bytes> {
    let message: Bytes = new Uint8Array(0);
    for (;;) {
      const record = await this.readRecord();
      if (!record) throw new Error("The client has gone");
      if (record.type === 20) continue;
      if (record.type !== 22) {
        throw new ClientAlert(record);
      }
      message = concat(message, record.content);
      if (message.length < 4) continue;
      const length = 4 + message[1] * 65_536 + message[2] * 256 + message[3];
      if (message.length === length) return message;
    }
  }

  /** Reads a ClientHello into the transcript. */
  async readHello(): Promise<SeenHello> {
    const hello = readClientHello(await this.#readPlainMessage());
    this.#transcript = concat(this.#transcript, hello.raw);
    return hello;
  }

  #helloFields(hello: SeenHello, keyShare: Uint8Array): HelloFields {
    return {
      legacyVersion: LEGACY_VERSION,
      random: crypto.getRandomValues(new Uint8Array(32)),
      sessionId: hello.sessionId,
      suite: this.suite.id,
      compression: 0,
      extensions: [
        [EXTENSION.supported_versions, uint(0x0304, 2)],
        [EXTENSION.key_share, keyShare],
      ],
    };
  }

  /** From the ClientHello to the server's Finished. */
  async sendFlight(): Promise<void> {
    const script = this.#script;
    const identity = script.identity ?? await identityOf();
    const group = script.group ?? "X25519";
    let hello = await this.readHello();
    if (script.preamble) await this.sendRaw(new Uint8Array(script.preamble));
    for (const [index, change] of (script.retries ?? []).entries()) {
      const isLast = index === script.retries!.length - 1;
      if (index === 0) {
        this.#transcript = encodeMessage(
          "message_hash",
          await digest(this.suite, this.#transcript),
        );
      }
      const fields = this.#helloFields(hello, uint(GROUPS[group], 2));
      const raw = encodeHello(
        change({ ...fields, random: HELLO_RETRY_RANDOM }),
      );
      this.#transcript = concat(this.#transcript, raw);
      await this.send(22, raw);
      if (!isLast || !script.impatient) hello = await this.readHello();
    }
    const { share, secret } = await agree(group, hello.shares);
    const fields = this.#helloFields(
      hello,
      concat(uint(GROUPS[group], 2), vector(2, share)),
    );
    const serverHello = encodeHello(script.serverHello?.(fields) ?? fields);
    this.#transcript = concat(this.#transcript, serverHello);
    const schedule = await KeySchedule.from(this.suite, secret);
    const secrets = await schedule.handshake(await this.#hash());
    this.handshakeSecrets = secrets;
    await this.send(
      22,
      concat(serverHello, script.afterServerHello ?? new Uint8Array(0)),
    );
    await this.protectReads(secrets.client);
    await this.protectWrites(secrets.server);
    const messages: Bytes[] = [];
    for (const build of script.flight ?? FLIGHT) {
      const message = await build({
        suite: this.suite,
        identity,
        secrets,
        transcriptHash: await this.#hash(),
        hello,
      });
      this.#transcript = concat(this.#transcript, message);
      messages.push(message);
    }
    const contents = script.toContents?.(messages) ?? messages;
    const records = script.toRecords
      ? await script.toRecords(contents, this)
      : await this.#sealAll(contents);
    this.applicationSecrets = await schedule.application(await this.#hash());
    await this.sendRaw(concat(...records));
    await this.protectWrites(this.applicationSecrets.server);
  }

  async #sealAll(contents: readonly Bytes[]): Promise<Bytes[]> {
    const records: Bytes[] = [];
    for (const content of contents) records.push(await this.seal(22, content));
    return records;
  }

  async #hash(): Promise<Bytes> {
    return await digest(this.suite, this.#transcript);
  }

  /**
   * Reads until the client's Finished, and checks it; then the keys are those
   * of application data. Throws a {@linkcode ClientAlert} at an alert.
   */
  async readFinished(): Promise<readonly SeenMessage[]> {
    const seen: SeenMessage[] = [];
    let buffer: Bytes = new Uint8Array(0);
    for (;;) {
      const record = await this.readRecord();
      if (!record) throw new Error("The client has gone");
      if (record.type === 20) continue;
      if (record.type !== 22) throw new ClientAlert(record);
      if (!record.isEncrypted) throw new Error("A plain handshake message");
      buffer = concat(buffer, record.content);
      while (buffer.length >= 4) {
        const length = 4 + buffer[1] * 65_536 + buffer[2] * 256 + buffer[3];
        if (buffer.length < length) break;
        const raw = buffer.slice(0, length);
        buffer = buffer.slice(length);
        const name = (Object.keys(HANDSHAKE) as HandshakeName[])
          .find((one) => HANDSHAKE[one] === raw[0])!;
        seen.push({ name, raw, transcriptHash: await this.#hash() });
        if (name === "finished") {
          const key = await this.handshakeSecrets!.client.finishedKey("verify");
          const isRight = await subtle.verify(
            "HMAC",
            key,
            raw.slice(4),
            await this.#hash(),
          );
          if (!isRight) throw new Error("The client's Finished is wrong");
          if (buffer.length > 0) throw new Error("Data follows Finished");
          await this.protectReads(this.applicationSecrets!.client);
          return seen;
        }
        this.#transcript = concat(this.#transcript, raw);
      }
    }
  }

  /** The whole handshake, as a server that finds nothing wrong. */
  async handshake(): Promise<void> {
    await this.sendFlight();
    await this.readFinished();
  }
}

/** A handshake message of the client, and the transcript before it. */
export interface SeenMessage {
  readonly name: HandshakeName;
  readonly raw: Bytes;
  readonly transcriptHash: Bytes;
}

/** The client sent something other than what the handshake goes on with. */
export class ClientAlert extends Error {
  /** The alert; undefined if it was none. */
  readonly alert: string | undefined;
  readonly isEncrypted: boolean;

  constructor(readonly record: SeenRecord) {
    const isAlert = record.type === 21 && record.content.length === 2;
    const name = isAlert ? alertName(record.content[1]) : undefined;
    super(`The client sent ${name ?? `a record of type ${record.type}`}`);
    this.alert = name;
    this.isEncrypted = record.isEncrypted;
  }
}

const PEER_ALGORITHMS = {
  X25519: { name: "X25519" },
  "P-256": { name: "ECDH", namedCurve: "P-256" },
  "P-384": { name: "ECDH", namedCurve: "P-384" },
} as const;

/** What engines with ML-KEM have beyond the types of today. */
interface Encapsulation {
  importKey(
    format: "raw-public",
    key: Bytes,
    algorithm: { name: string },
    extractable: boolean,
    usages: readonly string[],
  ): Promise<CryptoKey>;
  encapsulateBits(
    algorithm: { name: string },
    key: CryptoKey,
  ): Promise<{ sharedKey: ArrayBuffer; ciphertext: ArrayBuffer }>;
}

/** The server's share for what the client sent, and the secret; zeros without a share. */
async function agree(
  group: GroupName,
  shares: ReadonlyMap<number, Bytes>,
): Promise<{ share: Bytes; secret: Bytes }> {
  const theirs = shares.get(GROUPS[group]);
  if (group === "X25519MLKEM768") {
    if (!theirs) throw new Error("The client sent no hybrid share");
    const engine: unknown = subtle;
    const algorithm = { name: "ML-KEM-768" };
    const key = await (engine as Encapsulation).importKey(
      "raw-public",
      theirs.slice(0, 1184),
      algorithm,
      false,
      ["encapsulateBits"],
    );
    const { sharedKey: first, ciphertext } = await (engine as Encapsulation)
      .encapsulateBits(algorithm, key);
    const second = await agree(
      "X25519",
      new Map([[GROUPS.X25519, theirs.slice(1184)]]),
    );
    return {
      share: concat(new Uint8Array(ciphertext), second.share),
      secret: concat(new Uint8Array(first), second.secret),
    };
  }
  const algorithm = PEER_ALGORITHMS[group];
  const pair = await subtle.generateKey(algorithm, false, [
    "deriveBits",
  ]) as CryptoKeyPair;
  const share = new Uint8Array(await subtle.exportKey("raw", pair.publicKey));
  if (!theirs) return { share, secret: new Uint8Array(32) };
  const peer = await subtle.importKey("raw", theirs, algorithm, false, []);
  const secret = await subtle.deriveBits(
    { name: algorithm.name, public: peer },
    pair.privateKey,
    group === "P-384" ? 384 : 256,
  );
  return { share, secret: new Uint8Array(secret) };
}
