/**
 * The record layer (RFC 8446, section 5).
 *
 * @module
 */
import type { Bytes } from "../crypto/routine.ts";
import {
  MAX_TLS_CHANGE_CIPHER_SPECS,
  MAX_TLS_CIPHERTEXT_BYTES,
  MAX_TLS_PARALLEL_RECORDS,
  MAX_TLS_PLAINTEXT_BYTES,
  MAX_TLS_RECEIVED_RECORDS_PER_KEY,
} from "../limits.ts";
import type { ByteSource } from "./byte_source.ts";
import { refuse, TlsFailure, truncated } from "./failure.ts";
import type { TrafficKeys } from "./key_schedule.ts";
import { concat } from "./wire.ts";

/** Content types (RFC 8446, section 5.1). */
export const CONTENT = {
  change_cipher_spec: 20,
  alert: 21,
  handshake: 22,
  application_data: 23,
} as const;

/** The content types that reach the layers above. */
export type ContentName = "alert" | "handshake" | "application_data";

const HEADER_LENGTH = 5;
const TAG_LENGTH = 16;
const LEGACY_VERSION = 0x0303;

const NAMES: Readonly<Record<number, ContentName>> = {
  [CONTENT.alert]: "alert",
  [CONTENT.handshake]: "handshake",
  [CONTENT.application_data]: "application_data",
};

/** What a record holds. */
export interface TlsRecord {
  readonly type: ContentName;
  readonly content: Bytes;
}

function header(type: number, version: number, length: number): Bytes {
  return Uint8Array.of(
    type,
    version >> 8,
    version & 0xff,
    length >> 8,
    length & 0xff,
  );
}

/** Keys of one direction, with their count of records. */
class Protection {
  /** Records so far: the next sequence number. */
  sequence = 0;
  readonly #keys: TrafficKeys;

  constructor(keys: TrafficKeys) {
    this.#keys = keys;
  }

  /** The next nonce (RFC 8446, section 5.3). */
  #nonce(): Bytes {
    const nonce = this.#keys.iv.slice();
    let sequence = this.sequence++;
    for (let at = nonce.length - 1; sequence > 0; at--) {
      nonce[at] ^= sequence & 0xff;
      sequence = Math.floor(sequence / 256);
    }
    return nonce;
  }

  async encrypt(additionalData: Bytes, plaintext: Bytes): Promise<Bytes> {
    const algorithm = { name: "AES-GCM", iv: this.#nonce(), additionalData };
    return new Uint8Array(
      await crypto.subtle.encrypt(algorithm, this.#keys.key, plaintext),
    );
  }

  /** Undefined if it cannot be decrypted. */
  decrypt(
    additionalData: Bytes,
    ciphertext: Bytes,
  ): Promise<Bytes | undefined> {
    const algorithm = { name: "AES-GCM", iv: this.#nonce(), additionalData };
    return crypto.subtle.decrypt(algorithm, this.#keys.key, ciphertext)
      .then((inner) => new Uint8Array(inner), () => undefined);
  }
}

/** An encrypted record, being decrypted. */
interface Sealed {
  readonly header: Bytes;
  readonly ciphertext: Bytes;
  opened: Promise<Bytes | undefined>;
}

/** Reads records. */
export class RecordReader {
  readonly #source: ByteSource;
  #protection: Protection | undefined;
  #ahead: Sealed[] = [];
  /** What stands after the records ahead, if it is no record to decrypt. */
  #refusal: TlsFailure | undefined;
  #parallel = 1;
  #isFirst = true;
  #takesChangeCipherSpec = true;
  #changeCipherSpecs = 0;

  constructor(source: ByteSource) {
    this.#source = source;
  }

  /** Records that were read under these keys, those ahead included. */
  get sequence(): number {
    return this.#protection?.sequence ?? 0;
  }

  /**
   * Takes new keys for what follows. Records that were decrypted ahead with the
   * old ones are decrypted again.
   */
  protect(keys: TrafficKeys): void {
    this.#protection = new Protection(keys);
    for (const sealed of this.#ahead) this.#open(sealed);
  }

  /** After the peer's Finished: no more change_cipher_spec, and records in parallel. */
  finishHandshake(): void {
    this.#takesChangeCipherSpec = false;
    this.#parallel = MAX_TLS_PARALLEL_RECORDS;
  }

  /**
   * The next record; undefined where the transport ended between records.
   *
   * @throws {TlsFailure} Also where it ended inside of one.
   */
  async next(): Promise<TlsRecord | undefined> {
    for (;;) {
      if (!this.#protection) {
        const record = this.#nextPlaintext();
        if (record) return record;
      } else {
        this.#decryptAhead();
        const sealed = this.#ahead[0];
        if (sealed) {
          this.#readAhead();
          const inner = await sealed.opened;
          this.#ahead.shift();
          if (!inner) refuse("bad_record_mac", "a record cannot be decrypted");
          return unwrap(inner);
        }
        if (this.#refusal) throw this.#refusal;
      }
      if (!await this.#more()) {
        if (this.#source.length > 0) throw truncated();
        return undefined;
      }
    }
  }

  /**
   * The next record's data, if the record is there and holds data; whatever
   * else it may be is left for {@linkcode next}.
   */
  async nextData(): Promise<Bytes | undefined> {
    if (!this.#protection) return undefined;
    this.#decryptAhead();
    const sealed = this.#ahead[0];
    const inner = await sealed?.opened;
    const isData = inner !== undefined && inner.length > 1 &&
      inner.length <= MAX_TLS_PLAINTEXT_BYTES + 1 &&
      inner[inner.length - 1] === CONTENT.application_data;
    if (!isData) return undefined;
    this.#ahead.shift();
    return inner.subarray(0, -1);
  }

  /** Reads on while records are decrypted, once most of what came is used. */
  #readAhead(): void {
    if (this.#parallel > 1 && this.#source.length < MAX_TLS_CIPHERTEXT_BYTES) {
      this.#source.readAhead();
    }
  }

  async #more(): Promise<boolean> {
    try {
      return await this.#source.more();
    } catch (cause) {
      throw truncated({ cause });
    }
  }

  #decryptAhead(): void {
    while (!this.#refusal && this.#ahead.length < this.#parallel) {
      let sealed: Sealed | undefined;
      try {
        sealed = this.#takeSealed();
      } catch (error) {
        if (!(error instanceof TlsFailure)) throw error;
        // It counts once the records before it were read.
        this.#refusal = error;
        return;
      }
      if (!sealed) return;
      this.#ahead.push(sealed);
    }
  }

  #open(sealed: Sealed): void {
    const protection = this.#protection!;
    if (protection.sequence >= MAX_TLS_RECEIVED_RECORDS_PER_KEY) {
      refuse(
        "internal_error",
        "it sent more records under one key than AES-GCM allows",
      );
    }
    sealed.opened = protection.decrypt(sealed.header, sealed.ciphertext);
  }

  /** The next record's header, once its content is there too. */
  #peekHeader(most: number): { type: number; length: number } | undefined {
    const source = this.#source;
    for (;;) {
      if (source.length < HEADER_LENGTH) {
        // A wrong type need not wait for its length.
        if (source.length > 0) this.#checkType(source.peek(0));
        return undefined;
      }
      const type = source.peek(0);
      this.#checkType(type);
      const major = source.peek(1);
      // legacy_record_version is to be ignored; what has another first byte is
      // no TLS (RFC 8446, sections 5.1 and 5.2).
      const minor = source.peek(2);
      if (major !== 3 || (!this.#isFirst && minor !== 3)) {
        refuse("protocol_version", "a record has an unknown version");
      }
      const length = source.peek(3) * 256 + source.peek(4);
      if (type === CONTENT.change_cipher_spec) {
        if (length !== 1) {
          refuse("unexpected_message", "a change_cipher_spec is malformed");
        }
        if (source.length < HEADER_LENGTH + 1) return undefined;
        this.#dropChangeCipherSpec(source.take(HEADER_LENGTH + 1)[5]);
        continue;
      }
      if (length > most) {
        refuse("record_overflow", `a record has ${length} bytes`);
      }
      if (source.length < HEADER_LENGTH + length) return undefined;
      this.#isFirst = false;
      return { type, length };
    }
  }

  #checkType(type: number): void {
    if (type === CONTENT.change_cipher_spec && this.#takesChangeCipherSpec) {
      return;
    }
    const isExpected = this.#protection
      ? type === CONTENT.application_data
      : type === CONTENT.handshake || type === CONTENT.alert;
    if (!isExpected) {
      refuse(
        "unexpected_message",
        this.#protection || type in NAMES || type === CONTENT.change_cipher_spec
          ? `a record of type ${type} stands where it must not`
          : "it answered with something other than TLS",
      );
    }
  }

  /** Middlebox compatibility mode (RFC 8446, section 5 and appendix D.4). */
  #dropChangeCipherSpec(value: number): void {
    if (value !== 1) {
      refuse("unexpected_message", "a change_cipher_spec is malformed");
    }
    if (++this.#changeCipherSpecs > MAX_TLS_CHANGE_CIPHER_SPECS) {
      refuse("unexpected_message", "it sent too many change_cipher_specs");
    }
  }

  #nextPlaintext(): TlsRecord | undefined {
    const found = this.#peekHeader(MAX_TLS_PLAINTEXT_BYTES);
    if (!found) return undefined;
    this.#source.take(HEADER_LENGTH);
    const content = this.#source.take(found.length);
    if (content.length === 0) {
      refuse("unexpected_message", "a record is empty");
    }
    return { type: NAMES[found.type], content };
  }

  #takeSealed(): Sealed | undefined {
    const found = this.#peekHeader(MAX_TLS_CIPHERTEXT_BYTES);
    if (!found) return undefined;
    const head = this.#source.take(HEADER_LENGTH);
    const ciphertext = this.#source.take(found.length);
    if (ciphertext.length <= TAG_LENGTH) {
      refuse("bad_record_mac", "a record is too short to be encrypted");
    }
    const sealed = { header: head, ciphertext, opened: Promise.resolve(head) };
    this.#open(sealed);
    return sealed;
  }
}

/** From a TLSInnerPlaintext to what it holds (RFC 8446, sections 5.2 and 5.4). */
function unwrap(inner: Bytes): TlsRecord {
  if (inner.length > MAX_TLS_PLAINTEXT_BYTES + 1) {
    refuse("record_overflow", `a record holds ${inner.length} bytes`);
  }
  let end = inner.length - 1;
  while (end >= 0 && inner[end] === 0) end--;
  if (end < 0) refuse("unexpected_message", "a record has no content type");
  const type = NAMES[inner[end]];
  if (!type) {
    refuse("unexpected_message", `a record holds content type ${inner[end]}`);
  }
  if (end === 0 && type !== "application_data") {
    refuse("unexpected_message", `a record with ${type} is empty`);
  }
  return { type, content: inner.subarray(0, end) };
}

/**
 * Writes records, in the order of the calls. Nothing else may write to the
 * transport.
 */
export class RecordWriter {
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  #protection: Protection | undefined;
  #isSecondFlight = false;
  #deferred: Bytes | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  #written: Promise<void> = Promise.resolve();
  readonly #failed: PromiseWithResolvers<never> = Promise.withResolvers();

  constructor(writable: WritableStream<Uint8Array>) {
    this.#writer = writable.getWriter();
    this.#failed.promise.catch(() => {});
  }

  /** Rejects once the transport fails to write; never resolves. */
  get failed(): Promise<never> {
    return this.#failed.promise;
  }

  /** Records that were sent under these keys. */
  get sequence(): number {
    return this.#protection?.sequence ?? 0;
  }

  /** Takes new keys for what follows. */
  protect(keys: TrafficKeys): void {
    this.#protection = new Protection(keys);
  }

  /** Runs what sends records that belong together after all that came before. */
  inTurn<T>(act: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(act);
    this.#turn = result.catch(() => {});
    return result;
  }

  /**
   * Content as records, encrypted once there are keys. The second flight, be it
   * an alert alone, begins with a change_cipher_spec: middlebox compatibility
   * mode (RFC 8446, appendix D.4).
   */
  async seal(type: ContentName, content: Uint8Array): Promise<Bytes> {
    const sealing: (Bytes | Promise<Bytes>)[] = [];
    if (this.#isSecondFlight) sealing.push(CHANGE_CIPHER_SPEC);
    this.#isSecondFlight = false;
    let at = 0;
    do {
      const part = content.subarray(at, at + MAX_TLS_PLAINTEXT_BYTES);
      sealing.push(this.#sealOne(type, part));
      at += MAX_TLS_PLAINTEXT_BYTES;
    } while (at < content.length);
    return concat(...await Promise.all(sealing));
  }

  async #sealOne(type: ContentName, part: Uint8Array): Promise<Bytes> {
    const protection = this.#protection;
    if (!protection) {
      return concat(header(CONTENT[type], LEGACY_VERSION, part.length), part);
    }
    const head = header(
      CONTENT.application_data,
      LEGACY_VERSION,
      part.length + 1 + TAG_LENGTH,
    );
    const inner = new Uint8Array(part.length + 1);
    inner.set(part);
    inner[part.length] = CONTENT[type];
    return concat(head, await protection.encrypt(head, inner));
  }

  /**
   * Hands records to the transport. It returns when the transport takes them,
   * which is before they are sent: an error may come with the next call.
   *
   * @throws {TlsFailure} `ERR_CERTPIN_TLS_TRUNCATED` if the transport fails.
   */
  async write(...records: readonly Bytes[]): Promise<void> {
    await this.#written;
    const all = concat(this.#deferred ?? new Uint8Array(0), ...records);
    this.#forgetDeferred();
    if (all.length === 0) return;
    this.#written = this.#writer.write(all).catch((cause) => {
      throw truncated({ cause });
    });
    this.#written.catch(this.#failed.reject);
  }

  /**
   * Hands records to the transport with those that come next, or by themselves
   * if none come at once. It saves a packet, and with Nagle's algorithm the wait
   * for its acknowledgement.
   */
  defer(records: Bytes): void {
    this.#deferred = concat(this.#deferred ?? new Uint8Array(0), records);
    this.#timer ??= setTimeout(() => {
      this.inTurn(() => this.write()).catch(() => {});
    }, 0);
  }

  #forgetDeferred(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#deferred = undefined;
  }

  /** What is sealed next begins the second flight. */
  beginSecondFlight(): void {
    this.#isSecondFlight = true;
  }

  /** Waits until everything is written. */
  async flush(): Promise<void> {
    await this.inTurn(async () => {
      await this.write();
      await this.#written;
    });
  }

  /** Ends the transport's writable half after what was written. */
  async close(): Promise<void> {
    await this.#writer.close();
  }

  /** Ends the transport's writable half at once. */
  async abort(reason: unknown): Promise<void> {
    this.#forgetDeferred();
    await this.#writer.abort(reason);
  }
}

const CHANGE_CIPHER_SPEC: Bytes = concat(
  header(CONTENT.change_cipher_spec, LEGACY_VERSION, 1),
  Uint8Array.of(1),
);

/** A first ClientHello as records: their version is 0x0301 (RFC 8446, section 5.1). */
export function firstFlight(clientHello: Bytes): Bytes {
  const records: Bytes[] = [];
  for (let at = 0; at < clientHello.length; at += MAX_TLS_PLAINTEXT_BYTES) {
    const part = clientHello.subarray(at, at + MAX_TLS_PLAINTEXT_BYTES);
    records.push(header(CONTENT.handshake, 0x0301, part.length), part);
  }
  return concat(...records);
}
