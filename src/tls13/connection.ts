/**
 * An open connection: application data, and what comes between it (RFC 8446,
 * sections 4.6, 5.5 and 6.1).
 *
 * @module
 */
import type { Bytes } from "../crypto/routine.ts";
import { ConnectionError } from "../errors.ts";
import {
  MAX_TLS_IDLE_EVENTS,
  MAX_TLS_PARALLEL_RECORDS,
  MAX_TLS_PLAINTEXT_BYTES,
} from "../limits.ts";
import { isBytes } from "../x509/der.ts";
import { AlertReader } from "./alert_reader.ts";
import type { ByteSource } from "./byte_source.ts";
import {
  alertFor,
  type AlertName,
  alertReceived,
  ALERTS,
  refuse,
  truncated,
} from "./failure.ts";
import type { Session } from "./handshake.ts";
import type { TrafficSecret } from "./key_schedule.ts";
import {
  checkNewSessionTicket,
  encodeMessage,
  MessageBuffer,
  readKeyUpdate,
} from "./messages.ts";
import type { RecordReader, RecordWriter } from "./records.ts";
import { STATES } from "./states.ts";
import { endTransport, sendAlert } from "./transport.ts";
import type { TlsStream } from "./types.ts";
import { concat } from "./wire.ts";

/** Data that is encrypted together, in bytes. */
const BATCH_BYTES = MAX_TLS_PARALLEL_RECORDS * MAX_TLS_PLAINTEXT_BYTES;

/** Data that is given to the reader together, in bytes. */
const JOINED_BYTES = 4 * MAX_TLS_PLAINTEXT_BYTES;

/** What a connection stands on. */
export interface Transport {
  readonly source: ByteSource;
  readonly records: RecordReader;
  readonly writer: RecordWriter;
}

/** A {@linkcode TlsStream}. */
export class Connection implements TlsStream {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
  readonly alpnProtocol: string | null;
  readonly closed: Promise<void>;

  readonly #source: ByteSource;
  readonly #records: RecordReader;
  readonly #writer: RecordWriter;
  readonly #recordsPerKey: number;
  readonly #messages = new MessageBuffer();
  readonly #alerts = new AlertReader();
  #readSecret: TrafficSecret;
  #writeSecret: TrafficSecret;
  #owesKeyUpdate = false;
  #hasAskedForKeyUpdate = false;
  #idleEvents = 0;

  #readController!: ReadableByteStreamController;
  #writeController!: WritableStreamDefaultController;
  #settleClosed!: { resolve(): void; reject(reason: unknown): void };
  #hasReadAll = false;
  #hasWrittenAll = false;
  /** Set once the connection ends as a whole. */
  #ending: Promise<void> | undefined;
  readonly #ended: PromiseWithResolvers<never> = Promise.withResolvers();

  constructor(
    { source, records, writer }: Transport,
    { secrets, alpnProtocol }: Session,
    recordsPerKey: number,
  ) {
    this.#source = source;
    this.#records = records;
    this.#writer = writer;
    this.#recordsPerKey = recordsPerKey;
    this.#readSecret = secrets.server;
    this.#writeSecret = secrets.client;
    this.alpnProtocol = alpnProtocol;
    this.closed = new Promise((resolve, reject) => {
      this.#settleClosed = { resolve, reject };
    });
    // Nobody has to look at it.
    this.closed.catch(() => {});
    this.#ended.promise.catch(() => {});
    this.readable = new ReadableStream({
      type: "bytes",
      // The size of the buffers that workerd gives to default readers.
      autoAllocateChunkSize: JOINED_BYTES,
      start: (controller) => {
        this.#readController = controller;
      },
      pull: () => this.#pull(),
      cancel: async () => {
        this.#hasReadAll = true;
        await this.close();
      },
    }, { highWaterMark: MAX_TLS_PLAINTEXT_BYTES });
    this.writable = new WritableStream({
      start: (controller) => {
        this.#writeController = controller;
        // abort() below is called once no write is pending, which may be never.
        controller.signal?.addEventListener("abort", () => {
          this.#end(undefined, controller.signal.reason);
        }, { once: true });
      },
      write: (chunk) => this.#unlessEnded(this.#write(chunk)),
      close: () => this.#unlessEnded(this.#closeWritable()),
      abort: (reason) => this.#end(undefined, reason),
    });
  }

  close(): Promise<void> {
    return this.#end("close_notify");
  }

  async #pull(): Promise<void> {
    let data: Bytes | undefined;
    try {
      data = await this.#nextData();
    } catch (error) {
      if (this.#ending) return;
      this.#end(alertFor(error), error);
      return;
    }
    if (this.#ending) return;
    if (data) {
      this.#readController.enqueue(data);
      return;
    }
    this.#hasReadAll = true;
    this.#readController.close();
    // A BYOB reader that waits is told the end by an answer of its own.
    this.#readController.byobRequest?.respond(0);
    if (this.#hasWrittenAll) this.#finish();
  }

  /** The next data that is not empty; undefined after close_notify. */
  async #nextData(): Promise<Bytes | undefined> {
    for (;;) {
      const record = await this.#records.next();
      if (!record) throw truncated();
      if (record.type === "handshake") {
        this.#messages.push(record.content);
        await this.#readMessages();
        continue;
      }
      if (!this.#messages.isEmpty) {
        refuse("unexpected_message", "a record interrupts a handshake message");
      }
      if (record.type === "alert") {
        const description = this.#alerts.read(record.content);
        if (description === ALERTS.close_notify) return undefined;
        if (description !== undefined) throw alertReceived(description);
        continue;
      }
      if (record.content.length > 0) {
        this.#idleEvents = 0;
        this.#alerts.reset();
        const data = await this.#joinData(record.content);
        this.#askForKeyUpdate();
        return data;
      }
      this.#countIdleEvent();
    }
  }

  /** Joins data that has come already: streams cost more by the chunk than by the byte. */
  async #joinData(first: Bytes): Promise<Bytes> {
    const parts = [first];
    let length = first.length;
    while (length <= JOINED_BYTES - MAX_TLS_PLAINTEXT_BYTES) {
      const data = await this.#records.nextData();
      if (!data) break;
      parts.push(data);
      length += data.length;
    }
    return parts.length > 1 ? concat(...parts) : first;
  }

  /** A peer that sends what is not data must send data in between. */
  #countIdleEvent(): void {
    if (++this.#idleEvents > MAX_TLS_IDLE_EVENTS) {
      refuse(
        "unexpected_message",
        "it sends empty records or messages without data between them",
      );
    }
  }

  async #readMessages(): Promise<void> {
    for (;;) {
      const message = this.#messages.next(STATES.CONNECTED);
      if (!message) return;
      this.#countIdleEvent();
      if (message.name === "new_session_ticket") {
        checkNewSessionTicket(message.body);
        continue;
      }
      const isRequested = readKeyUpdate(message.body);
      // The keys change here (RFC 8446, section 5.1).
      if (!this.#messages.isEmpty) {
        refuse(
          "unexpected_message",
          "data follows its KeyUpdate under old keys",
        );
      }
      this.#readSecret = await this.#readSecret.next();
      this.#records.protect(await this.#readSecret.trafficKeys("decrypt"));
      this.#hasAskedForKeyUpdate = false;
      // It is answered before the next data, once for all requests until then:
      // a peer that does not read cannot make answers pile up.
      this.#owesKeyUpdate ||= isRequested;
    }
  }

  /** Asks the peer for new keys before AES-GCM's limit (RFC 8446, section 5.5). */
  #askForKeyUpdate(): void {
    if (
      this.#records.sequence < this.#recordsPerKey ||
      this.#hasAskedForKeyUpdate || this.#hasWrittenAll
    ) return;
    this.#hasAskedForKeyUpdate = true;
    this.#writer.inTurn(async () => {
      if (!this.#hasWrittenAll) await this.#updateKeys(true);
    }).catch((error) => this.#failWriting(error));
  }

  /** Sends a KeyUpdate and takes the next keys; in turn. */
  async #updateKeys(isRequested: boolean): Promise<void> {
    this.#owesKeyUpdate = false;
    const message = encodeMessage(
      "key_update",
      Uint8Array.of(isRequested ? 1 : 0),
    );
    this.#writer.defer(await this.#writer.seal("handshake", message));
    this.#writeSecret = await this.#writeSecret.next();
    this.#writer.protect(await this.#writeSecret.trafficKeys("encrypt"));
  }

  async #write(chunk: Uint8Array): Promise<void> {
    if (!isBytes(chunk)) {
      throw new TypeError(
        `Cannot send a chunk: expected a Uint8Array, got ${typeof chunk}`,
      );
    }
    for (let at = 0; at < chunk.length; at += BATCH_BYTES) {
      const batch = chunk.subarray(at, at + BATCH_BYTES);
      await this.#writer.inTurn(async () => {
        if (
          this.#owesKeyUpdate ||
          this.#writer.sequence + MAX_TLS_PARALLEL_RECORDS > this.#recordsPerKey
        ) await this.#updateKeys(false);
        await this.#writer.write(
          await this.#writer.seal("application_data", batch),
        );
      });
    }
  }

  /** Sends close_notify; what the peer still sends can be read. */
  async #closeWritable(): Promise<void> {
    if (this.#ending) return;
    this.#hasWrittenAll = true;
    await sendAlert(this.#writer, "close_notify");
    await this.#writer.flush();
    if (this.#hasReadAll) this.#finish();
  }

  /** Waits for a write, but not for a transport that never takes it. */
  async #unlessEnded(writing: Promise<void>): Promise<void> {
    await Promise.race([writing, this.#ended.promise]);
  }

  #failWriting(error: unknown): void {
    this.#hasWrittenAll = true;
    this.#writeController.error(error);
  }

  /** Both directions have ended by close_notify. */
  #finish(): void {
    this.#ending ??= endTransport(this.#source, this.#writer, {
      isOrderly: true,
      reason: undefined,
    }).then(this.#settleClosed.resolve);
  }

  /**
   * Ends the connection before both directions have ended; never rejects.
   *
   * @param alert What the peer is told.
   * @param error Why, if the connection fails.
   */
  #end(alert?: AlertName, error?: unknown): Promise<void> {
    return this.#ending ??= this.#breakOff(alert, error);
  }

  async #breakOff(
    alert: AlertName | undefined,
    error: unknown,
  ): Promise<void> {
    const reason = error ?? new ConnectionError(
      "ERR_CERTPIN_TLS_TRUNCATED",
      "The connection was closed here, before the server ended its data",
    );
    if (!this.#hasReadAll) this.#readController.error(reason);
    const isOrderly = alert !== undefined;
    // After close_notify nothing may be sent (RFC 8446, section 6.1).
    const mayTell = isOrderly && !this.#hasWrittenAll;
    this.#hasWrittenAll = true;
    // A stream that is being aborted errors by itself, and abort() succeeds.
    if (!this.#writeController.signal?.aborted) {
      this.#writeController.error(reason);
    }
    this.#ended.reject(reason);
    await endTransport(this.#source, this.#writer, {
      alert: mayTell ? alert : undefined,
      isOrderly,
      reason,
    });
    if (error !== undefined) this.#settleClosed.reject(error);
    else this.#settleClosed.resolve();
  }
}
