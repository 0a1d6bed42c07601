/**
 * The record layer against every way to cut a good flight, against what breaks
 * its rules, and against floods.
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import type { Bytes } from "../../../src/crypto/routine.ts";
import { CertpinError, type ErrorCode } from "../../../src/errors.ts";
import {
  MAX_TLS_CERTIFICATE_MESSAGE_BYTES,
  MAX_TLS_CHANGE_CIPHER_SPECS,
  MAX_TLS_CIPHERTEXT_BYTES,
  MAX_TLS_IDLE_EVENTS,
  MAX_TLS_MESSAGE_BYTES,
  MAX_TLS_PLAINTEXT_BYTES,
  MAX_TLS_WARNINGS,
} from "../../../src/limits.ts";
import type { AlertName } from "../../../src/tls13/failure.ts";
import { HANDSHAKE } from "../../../src/tls13/messages.ts";
import type { TlsStream } from "../../../src/tls13/types.ts";
import { concat, uint, vector } from "../../../src/tls13/wire.ts";
import type { Body } from "../harness.ts";
import { random as seeded } from "../random.ts";
import { type ClientSettings, play, startClient } from "./play.ts";
import {
  ClientAlert,
  connectionPair,
  FLIGHT,
  rawMessage,
  recordHeader,
  type Script,
  TestServer,
} from "./server.ts";

const ALERT = 21;
const HANDSHAKE_RECORD = 22;
const DATA = 23;
const CCS = concat(recordHeader(20, 1), Uint8Array.of(1));

/** Pieces of these sizes, the last size as often as it takes. */
function cut(bytes: Bytes, ...sizes: readonly number[]): Bytes[] {
  const pieces: Bytes[] = [];
  let at = 0;
  for (let index = 0; at < bytes.length; index++) {
    const size = sizes[Math.min(index, sizes.length - 1)];
    pieces.push(bytes.slice(at, at + size));
    at += size;
  }
  return pieces;
}

async function expectGood(script: Script): Promise<void> {
  const { error, verdicts, isFinished } = await play(script);
  assertEquals(error, undefined);
  assertEquals([verdicts, isFinished], [1, true]);
}

/** A server and a client after a good handshake. */
async function connected(
  settings: ClientSettings = {},
  bufferBytes?: number,
): Promise<{ server: TestServer; tls: TlsStream }> {
  const { client, server: end } = connectionPair(bufferBytes);
  const server = new TestServer(end);
  const [tls] = await Promise.all([
    startClient(client, settings),
    server.handshake(),
  ]);
  return { server, tls };
}

/** Everything that the server sends, and what it ends with. */
async function readAll(
  tls: TlsStream,
): Promise<{ bytes: Bytes; code: ErrorCode | undefined }> {
  const parts: Uint8Array[] = [];
  try {
    for await (const part of tls.readable) parts.push(part);
  } catch (error) {
    if (!(error instanceof CertpinError)) throw error;
    return { bytes: concat(...parts), code: error.code };
  }
  return { bytes: concat(...parts), code: undefined };
}

/** The alert that the client sends next; data before it is passed over. */
async function nextAlert(server: TestServer): Promise<string | undefined> {
  for (;;) {
    // A client that has nothing to say may break the connection off.
    const record = await server.readRecord().catch(() => undefined);
    if (!record) return undefined;
    if (record.type === DATA || record.type === HANDSHAKE_RECORD) continue;
    assertEquals([record.type, record.isEncrypted], [ALERT, true]);
    return new ClientAlert(record).alert;
  }
}

/** What follows a good handshake: what the client reads, and what it answers. */
async function after(
  act: (server: TestServer) => Promise<void>,
  settings?: ClientSettings,
): Promise<{
  text: string;
  code: ErrorCode | undefined;
  alert: string | undefined;
}> {
  const { server, tls } = await connected(settings);
  const answered = nextAlert(server);
  const [{ bytes, code }] = await Promise.all([
    readAll(tls),
    act(server).catch(() => {}),
  ]);
  await tls.close();
  return { text: new TextDecoder().decode(bytes), code, alert: await answered };
}

const encode = (text: string) => new TextEncoder().encode(text);

/** Sends text and ends well. */
async function endWell(server: TestServer, text = "end"): Promise<void> {
  await server.send(DATA, encode(text));
  await server.sendAlert("close_notify", 1);
}

/** A KeyUpdate, after which the server uses its next keys. */
async function updateKeys(server: TestServer, request = 0): Promise<void> {
  await server.send(
    HANDSHAKE_RECORD,
    concat(
      Uint8Array.of(HANDSHAKE.key_update),
      vector(3, uint(request, 1)),
    ),
  );
  const next = await server.applicationSecrets!.server.next();
  server.applicationSecrets = { ...server.applicationSecrets!, server: next };
  await server.protectWrites(next);
}

const ticket = concat(
  Uint8Array.of(HANDSHAKE.new_session_ticket),
  vector(
    3,
    uint(7_200, 4),
    uint(1, 4),
    vector(1, uint(0, 1)),
    vector(2, uint(1, 1)),
    vector(2),
  ),
);

/** Something in the server's flight that breaks a rule of the record layer. */
interface RecordAttack {
  readonly name: string;
  readonly script: Script;
  readonly alert: AlertName;
  readonly isPlain?: boolean;
}

function recordAttacks(): RecordAttack[] {
  const inFlight = (
    name: string,
    alert: AlertName,
    make: (server: TestServer) => Promise<readonly Bytes[]>,
  ): RecordAttack => ({
    name,
    alert,
    script: {
      toRecords: async (contents, server) => {
        const sealed: Bytes[] = [];
        sealed.push(await server.seal(HANDSHAKE_RECORD, contents[0]));
        sealed.push(...await make(server));
        for (const content of contents.slice(1)) {
          sealed.push(await server.seal(HANDSHAKE_RECORD, content));
        }
        return sealed;
      },
    },
  });
  const before = (
    name: string,
    alert: AlertName,
    preamble: Uint8Array,
  ): RecordAttack => ({
    name,
    alert,
    script: { preamble },
    isPlain: true,
  });
  const plain = (type: number, content: Uint8Array, version?: number) =>
    concat(recordHeader(type, content.length, version), content);
  return [
    before(
      "data before the ServerHello",
      "unexpected_message",
      plain(DATA, uint(1, 1)),
    ),
    before(
      "HTTP instead of TLS",
      "unexpected_message",
      encode("HTTP/1.1 400 Bad Request\r\n\r\n"),
    ),
    before(
      "an unknown content type",
      "unexpected_message",
      plain(24, uint(1, 1)),
    ),
    before("content type 0", "unexpected_message", plain(0, uint(1, 1))),
    before(
      "another protocol's version",
      "protocol_version",
      plain(HANDSHAKE_RECORD, uint(2, 1), 0x0200),
    ),
    before(
      "an empty plain record",
      "unexpected_message",
      plain(HANDSHAKE_RECORD, new Uint8Array(0)),
    ),
    before(
      "a plain record that is too long",
      "record_overflow",
      recordHeader(HANDSHAKE_RECORD, MAX_TLS_PLAINTEXT_BYTES + 1),
    ),
    before(
      "a change_cipher_spec of 2",
      "unexpected_message",
      plain(20, uint(2, 1)),
    ),
    before(
      "a change_cipher_spec of two bytes",
      "unexpected_message",
      plain(20, uint(0x0101, 2)),
    ),
    before(
      "an empty change_cipher_spec",
      "unexpected_message",
      plain(20, new Uint8Array(0)),
    ),
    before("an alert of one byte", "decode_error", plain(ALERT, uint(2, 1))),
    before(
      "an alert of three bytes",
      "decode_error",
      plain(ALERT, uint(0x02280, 3)),
    ),
    before(
      "two alerts in one record",
      "decode_error",
      plain(ALERT, Uint8Array.of(1, 90, 1, 90)),
    ),
    before(
      "an alert of an unknown level",
      "illegal_parameter",
      plain(ALERT, Uint8Array.of(3, 40)),
    ),
    {
      name: "data after the ServerHello in its record",
      alert: "unexpected_message",
      script: { afterServerHello: Uint8Array.of(8, 0, 0, 2, 0, 0) },
      isPlain: true,
    },
    {
      name: "the beginning of a message after the ServerHello in its record",
      alert: "unexpected_message",
      script: { afterServerHello: Uint8Array.of(8) },
      isPlain: true,
    },
    inFlight(
      "a plain handshake record after the keys",
      "unexpected_message",
      () => Promise.resolve([plain(HANDSHAKE_RECORD, uint(8, 1))]),
    ),
    inFlight(
      "a plain alert after the keys",
      "unexpected_message",
      () => Promise.resolve([plain(ALERT, Uint8Array.of(2, 40))]),
    ),
    inFlight(
      "plain data after the keys",
      "bad_record_mac",
      () => Promise.resolve([plain(DATA, new Uint8Array(40))]),
    ),
    inFlight(
      "a record without room for a tag",
      "bad_record_mac",
      () => Promise.resolve([plain(DATA, new Uint8Array(16))]),
    ),
    inFlight(
      "an empty encrypted record's header",
      "bad_record_mac",
      () => Promise.resolve([plain(DATA, new Uint8Array(0))]),
    ),
    inFlight(
      "a record that is too long",
      "record_overflow",
      () => Promise.resolve([recordHeader(DATA, MAX_TLS_CIPHERTEXT_BYTES + 1)]),
    ),
    inFlight(
      "a record of zeros alone",
      "unexpected_message",
      async (server) => [
        await server.sealInner(new Uint8Array(20)),
      ],
    ),
    inFlight(
      "an inner content type 0x18",
      "unexpected_message",
      async (server) => [
        await server.seal(24, uint(1, 1)),
      ],
    ),
    inFlight(
      "an encrypted change_cipher_spec",
      "unexpected_message",
      async (server) => [
        await server.seal(20, uint(1, 1)),
      ],
    ),
    inFlight(
      "an empty handshake record",
      "unexpected_message",
      async (server) => [
        await server.seal(HANDSHAKE_RECORD, new Uint8Array(0)),
      ],
    ),
    inFlight("an empty alert", "unexpected_message", async (server) => [
      await server.seal(ALERT, new Uint8Array(0)),
    ]),
    inFlight(
      "more content than a record holds",
      "record_overflow",
      async (server) => [
        await server.seal(
          HANDSHAKE_RECORD,
          new Uint8Array(MAX_TLS_PLAINTEXT_BYTES + 1),
        ),
      ],
    ),
    inFlight(
      "more padding than a record holds",
      "record_overflow",
      async (server) => [
        await server.seal(
          HANDSHAKE_RECORD,
          uint(11, 1),
          MAX_TLS_PLAINTEXT_BYTES,
        ),
      ],
    ),
    inFlight(
      "data before the Finished",
      "unexpected_message",
      async (server) => [
        await server.seal(DATA, encode("early")),
      ],
    ),
    inFlight(
      "a record out of its sequence",
      "bad_record_mac",
      async (server) => {
        await server.seal(HANDSHAKE_RECORD, uint(1, 1));
        return [];
      },
    ),
    inFlight("a record twice", "bad_record_mac", async (server) => {
      const record = await server.seal(ALERT, Uint8Array.of(1, 90));
      return [record, record];
    }),
    inFlight(
      "a record with one bit flipped",
      "bad_record_mac",
      async (server) => {
        const record = await server.seal(ALERT, Uint8Array.of(1, 90));
        record[record.length - 1] ^= 1;
        return [record];
      },
    ),
    inFlight(
      "a record whose header's version differs",
      "bad_record_mac",
      async (server) => {
        const record = await server.seal(ALERT, Uint8Array.of(1, 90));
        // The header is authenticated.
        record[4] -= 1;
        return [record.slice(0, -1)];
      },
    ),
    {
      name: "an alert inside of a message",
      alert: "unexpected_message",
      script: {
        toRecords: async ([first, ...rest], server) => [
          await server.seal(HANDSHAKE_RECORD, first.subarray(0, 3)),
          await server.seal(ALERT, Uint8Array.of(1, 90)),
          await server.seal(
            HANDSHAKE_RECORD,
            concat(first.subarray(3), ...rest),
          ),
        ],
      },
    },
    {
      name: "data after the Finished under old keys",
      alert: "unexpected_message",
      script: {
        toContents: (all) => [concat(...all, ticket)],
      },
    },
  ];
}

/** The tests. */
export const tls13Records: Body = (t) => {
  t.test("openTls() reads a flight of any cut, byte by byte too", async () => {
    await expectGood({});
    // The bytes of the transport.
    for (const sizes of [[1], [2], [3], [5], [7, 64], [1000, 1]]) {
      await expectGood({ toChunks: (bytes) => cut(bytes, ...sizes) });
    }
    // The messages in records: all in one, one byte each, one cut anywhere.
    await expectGood({ toContents: (all) => [concat(...all)] });
    await expectGood({ toContents: (all) => cut(concat(...all), 1) });
    await expectGood({
      toContents: (all) => cut(concat(...all), 1),
      toChunks: (bytes) => cut(bytes, 1),
    });
    let length = 0;
    await expectGood({
      toContents: (all) => {
        const whole = concat(...all);
        length = whole.length;
        return [whole];
      },
    });
    for (let at = 1; at < length; at += at < 64 ? 1 : 37) {
      await expectGood({
        toContents: (all) => cut(concat(...all), at, length),
      });
    }
  }, 60_000);

  t.test(
    "openTls() reads a flight of random cuts, with padding and change_cipher_spec",
    async () => {
      const random = seeded(8446);
      for (let run = 0; run < 60; run++) {
        const sizes = Array.from({ length: 9 }, () => 1 + random.below(900));
        const chunks = Array.from({ length: 9 }, () => 1 + random.below(2_000));
        await expectGood({
          toRecords: async (contents, server) => {
            const records: Bytes[] = [];
            for (const content of cut(concat(...contents), ...sizes)) {
              if (random.below(3) === 0) records.push(CCS);
              records.push(
                await server.seal(HANDSHAKE_RECORD, content, random.below(300)),
              );
            }
            return records.length > 30
              ? records.filter((one) => one !== CCS)
              : records;
          },
          toChunks: (bytes) => cut(bytes, ...chunks),
        });
      }
    },
    60_000,
  );

  t.test("openTls() takes a record of the largest size, and no larger", async () => {
    // 2^14 bytes of content, whatever part of them is padding.
    const padded = (padding: number): Script => ({
      toRecords: async (contents, server) => [
        await server.seal(HANDSHAKE_RECORD, concat(...contents), padding),
      ],
    });
    let length = 0;
    await expectGood({
      toContents: (all) => {
        length = concat(...all).length;
        return all;
      },
    });
    // Signatures in DER differ in length by a few bytes.
    await expectGood(padded(MAX_TLS_PLAINTEXT_BYTES - length - 8));
    const over = await play(padded(MAX_TLS_PLAINTEXT_BYTES - length + 8));
    assertEquals([over.alert, over.verdicts], ["record_overflow", 0]);
  });

  t.test("openTls() refuses what breaks the rules of records", async () => {
    for (const { name, script, alert, isPlain = false } of recordAttacks()) {
      const {
        alert: seen,
        isAlertEncrypted,
        verdicts,
        isFinished,
        code,
        error,
      } = await play(script);
      assertEquals(
        { alert: seen, isAlertEncrypted, verdicts, isFinished, code },
        {
          alert,
          isAlertEncrypted: !isPlain,
          verdicts: 0,
          isFinished: false,
          code: "ERR_CERTPIN_TLS_PROTOCOL",
        },
        `${name}: ${error}`,
      );
    }
  }, 30_000);

  t.test("openTls() bounds change_cipher_specs and user_canceled", async () => {
    const many = (count: number): Script => ({
      preamble: concat(...new Array<Bytes>(count).fill(CCS)),
    });
    await expectGood(many(MAX_TLS_CHANGE_CIPHER_SPECS));
    const specs = await play(many(MAX_TLS_CHANGE_CIPHER_SPECS + 1));
    assertEquals([specs.alert, specs.verdicts], ["unexpected_message", 0]);

    const canceled = concat(recordHeader(ALERT, 2), Uint8Array.of(1, 90));
    const warnings = (count: number): Script => ({
      preamble: concat(...new Array<Bytes>(count).fill(canceled)),
    });
    await expectGood(warnings(MAX_TLS_WARNINGS));
    const flood = await play(warnings(MAX_TLS_WARNINGS + 1));
    assertEquals([flood.alert, flood.verdicts], ["unexpected_message", 0]);
  });

  t.test("openTls() bounds messages by what their header says", async () => {
    const huge = (type: number, length: number): Script => ({
      flight: [
        ...FLIGHT.slice(0, type === HANDSHAKE.certificate ? 1 : 0),
        () => concat(Uint8Array.of(type), uint(length, 3)),
      ],
    });
    for (
      const [type, most] of [
        [HANDSHAKE.encrypted_extensions, MAX_TLS_MESSAGE_BYTES],
        [HANDSHAKE.certificate, MAX_TLS_CERTIFICATE_MESSAGE_BYTES],
      ]
    ) {
      for (const length of [most + 1, 2 ** 24 - 1]) {
        const { alert, code, verdicts } = await play(huge(type, length));
        assertEquals(
          [alert, code, verdicts],
          ["illegal_parameter", "ERR_CERTPIN_TLS_PROTOCOL", 0],
        );
      }
      // As large as allowed, but never sent whole.
      const cutShort = await play(huge(type, most), {}, async (server) => {
        await server.sendFlight();
        await server.close();
      });
      assertEquals(cutShort.code, "ERR_CERTPIN_TLS_TRUNCATED");
    }
  });

  t.test("openTls() is ended by its signal while a server sends a byte at a time", async () => {
    const { client, server: end } = connectionPair(1);
    const server = new TestServer(end, { toContents: ([first]) => [first] });
    const controller = new AbortController();
    let verdicts = 0;
    const opening = startClient(client, {
      options: {
        signal: controller.signal,
        verify: () => {
          verdicts++;
          return Promise.resolve();
        },
      },
    });
    opening.catch(() => {});
    await server.sendFlight();
    // The largest record, of which each byte is a chunk of its own.
    await server.sendRaw(recordHeader(DATA, MAX_TLS_CIPHERTEXT_BYTES));
    for (let count = 0; count < 2_000; count++) {
      await server.sendRaw(Uint8Array.of(0));
    }
    const reason = new Error("too slow");
    controller.abort(reason);
    assertEquals(await opening.catch((error: unknown) => error), reason);
    assertEquals(verdicts, 0);
    // Nobody takes what still comes.
    await assertRejects(async () => {
      for (;;) await server.sendRaw(Uint8Array.of(0));
    });
  });

  t.test(
    "openTls() rejects with TLS_TRUNCATED wherever the transport ends",
    async () => {
      let whole = 0;
      const script = (end: number): Script => ({
        toChunks: (bytes) => {
          const left = Math.max(0, end - whole);
          whole += bytes.length;
          return left > 0 ? [bytes.slice(0, left)] : [];
        },
      });
      await play(script(Infinity));
      const total = whole;
      assert(total > 500);
      // A record, a header, a message: each is cut somewhere.
      for (let end = 0; end < total; end += end < 200 ? 5 : 61) {
        whole = 0;
        const { code, verdicts } = await play(
          script(end),
          {},
          async (server) => {
            await server.sendFlight();
            await server.close();
          },
        );
        // The signature's length differs from run to run.
        if (end > total - 12) break;
        assertEquals(
          [code, verdicts],
          ["ERR_CERTPIN_TLS_TRUNCATED", 0],
          `${end}`,
        );
      }
    },
    30_000,
  );

  t.test("readable closes after close_notify, and errors with TLS_TRUNCATED without", async () => {
    const good = await after((server) => endWell(server));
    assertEquals(good, { text: "end", code: undefined, alert: "close_notify" });
    const bad = await after(async (server) => {
      await server.send(DATA, encode("end"));
      await server.close();
    });
    assertEquals(bad, {
      text: "end",
      code: "ERR_CERTPIN_TLS_TRUNCATED",
      alert: undefined,
    });
    const inside = await after(async (server) => {
      const record = await server.seal(DATA, encode("end"));
      await server.sendRaw(record.slice(0, -1));
      await server.close();
    });
    assertEquals([inside.text, inside.code], ["", "ERR_CERTPIN_TLS_TRUNCATED"]);
    const broken = await after(async (server) => {
      await server.send(DATA, encode("end"));
      await server.abort(new Error("reset"));
    });
    assertEquals(broken.code, "ERR_CERTPIN_TLS_TRUNCATED");
  });

  t.test("readable ignores what follows close_notify", async () => {
    const { text, code } = await after(async (server) => {
      await endWell(server);
      await server.send(DATA, encode("more"));
    });
    assertEquals([text, code], ["end", undefined]);
  });

  t.test("readable errors with TLS_ALERT on the server's alert", async () => {
    for (const level of [1, 2]) {
      const { text, code } = await after(async (server) => {
        await server.send(DATA, encode("part"));
        await server.sendAlert("internal_error", level);
      });
      assertEquals([text, code], ["part", "ERR_CERTPIN_TLS_ALERT"]);
    }
  });

  t.test("readable takes KeyUpdates, and writable answers them once", async () => {
    const { server, tls } = await connected();
    const read = readAll(tls);
    await server.send(DATA, encode("a"));
    await updateKeys(server, 1);
    await updateKeys(server, 1);
    await server.send(DATA, encode("b"));
    await updateKeys(server);
    await endWell(server, "c");
    assertEquals(await read, {
      bytes: encode("abc"),
      code: undefined,
    });
    const writer = tls.writable.getWriter();
    const written = writer.write(encode("first"));
    const update = (await server.readRecord())!;
    assertEquals(
      update.content,
      Uint8Array.of(HANDSHAKE.key_update, 0, 0, 1, 0),
    );
    const next = await server.applicationSecrets!.client.next();
    await server.protectReads(next);
    assertEquals((await server.readRecord())!.content, encode("first"));
    await written;
    await writer.write(encode("second"));
    assertEquals((await server.readRecord())!.content, encode("second"));
    await tls.close();
  });

  t.test("readable takes KeyUpdates between records that were decrypted ahead", async () => {
    const expected: string[] = [];
    const { text, code } = await after(async (server) => {
      const records: Bytes[] = [];
      for (let round = 0; round < 40; round++) {
        for (let count = 0; count < round % 7; count++) {
          expected.push(`${round}.${count} `);
          records.push(await server.seal(DATA, encode(expected.at(-1)!)));
        }
        records.push(
          await server.seal(
            HANDSHAKE_RECORD,
            Uint8Array.of(HANDSHAKE.key_update, 0, 0, 1, 0),
          ),
        );
        const next = await server.applicationSecrets!.server.next();
        server.applicationSecrets = {
          ...server.applicationSecrets!,
          server: next,
        };
        await server.protectWrites(next);
      }
      await server.sendRaw(concat(...records));
      await endWell(server, "");
    });
    assertEquals([text, code], [expected.join(""), undefined]);
  });

  t.test("readable refuses KeyUpdates that are malformed or not at the end of a record", async () => {
    const keyUpdate = (...body: number[]) =>
      concat(
        Uint8Array.of(HANDSHAKE.key_update),
        vector(3, Uint8Array.of(...body)),
      );
    for (
      const [content, alert] of [
        [keyUpdate(2), "illegal_parameter"],
        [keyUpdate(), "decode_error"],
        [keyUpdate(0, 0), "decode_error"],
        [concat(keyUpdate(0), ticket), "unexpected_message"],
        [concat(keyUpdate(0), uint(4, 1)), "unexpected_message"],
      ] as const
    ) {
      const outcome = await after((server) =>
        server.send(HANDSHAKE_RECORD, content)
      );
      assertEquals(outcome, {
        text: "",
        code: "ERR_CERTPIN_TLS_PROTOCOL",
        alert,
      });
    }
  });

  t.test("readable refuses every other message after the handshake", async () => {
    for (const type of [0, 1, 2, 3, 5, 8, 11, 13, 15, 20, 25, 254]) {
      const outcome = await after(async (server) => {
        const raw = await rawMessage(type)(undefined!);
        await server.send(HANDSHAKE_RECORD, raw);
      });
      assertEquals(outcome, {
        text: "",
        code: "ERR_CERTPIN_TLS_PROTOCOL",
        alert: "unexpected_message",
      });
    }
  });

  t.test("readable checks tickets, and ignores them", async () => {
    const good = await after(async (server) => {
      await server.send(HANDSHAKE_RECORD, concat(ticket, ticket));
      for (const part of cut(ticket, 1)) {
        await server.send(HANDSHAKE_RECORD, part);
      }
      await endWell(server);
    });
    assertEquals([good.text, good.code], ["end", undefined]);
    for (
      const [body, alert] of [
        [new Uint8Array(8), "decode_error"],
        [concat(ticket.subarray(4), uint(0, 1)), "decode_error"],
        [
          concat(
            new Uint8Array(8),
            vector(1),
            vector(2, uint(1, 1)),
            vector(2, uint(42, 2), vector(2), uint(42, 2), vector(2)),
          ),
          "illegal_parameter",
        ],
      ] as const
    ) {
      const outcome = await after(async (server) => {
        const raw = await rawMessage(HANDSHAKE.new_session_ticket, body)(
          undefined!,
        );
        await server.send(HANDSHAKE_RECORD, raw);
      });
      assertEquals([outcome.code, outcome.alert], [
        "ERR_CERTPIN_TLS_PROTOCOL",
        alert,
      ]);
    }
  });

  t.test(
    "readable ends floods of everything that is no data, at named bounds",
    async () => {
      const floods: Record<string, (server: TestServer) => Promise<void>> = {
        "empty records": (server) => server.send(DATA, new Uint8Array(0)),
        "padding": (server) => server.send(DATA, new Uint8Array(0), 1_000),
        "KeyUpdates": (server) => updateKeys(server),
        "requests for KeyUpdates": (server) => updateKeys(server, 1),
        "tickets": (server) => server.send(HANDSHAKE_RECORD, ticket),
        "user_canceled": (server) => server.sendAlert("user_canceled", 1),
      };
      for (const [name, send] of Object.entries(floods)) {
        const most = name === "user_canceled"
          ? MAX_TLS_WARNINGS
          : MAX_TLS_IDLE_EVENTS;
        // Data between them starts the count again.
        const good = await after(async (server) => {
          for (let round = 0; round < 3; round++) {
            for (let count = 0; count < most; count++) await send(server);
            await server.send(DATA, encode("."));
          }
          await endWell(server);
        });
        assertEquals([good.text, good.code], ["...end", undefined], name);
        const bad = await after(async (server) => {
          for (let count = 0; count <= most; count++) await send(server);
        });
        assertEquals(
          [bad.text, bad.code, bad.alert],
          ["", "ERR_CERTPIN_TLS_PROTOCOL", "unexpected_message"],
          name,
        );
      }
    },
    30_000,
  );

  t.test("readable refuses what breaks the rules of records", async () => {
    const cases: Record<
      string,
      readonly [AlertName, (server: TestServer) => Promise<void>]
    > = {
      "a change_cipher_spec": [
        "unexpected_message",
        (server) => server.sendRaw(CCS),
      ],
      "a plain alert": [
        "unexpected_message",
        (server) =>
          server.sendRaw(concat(recordHeader(ALERT, 2), Uint8Array.of(2, 40))),
      ],
      "a flipped bit": ["bad_record_mac", async (server) => {
        const record = await server.seal(DATA, encode("data"));
        record[8] ^= 1;
        await server.sendRaw(record);
      }],
      "a record under old keys": ["bad_record_mac", async (server) => {
        await server.protectWrites(server.handshakeSecrets!.server);
        await server.send(DATA, encode("data"));
      }],
      "data inside of a message": ["unexpected_message", async (server) => {
        await server.send(HANDSHAKE_RECORD, ticket.subarray(0, 5));
        await server.send(DATA, encode("data"));
      }],
      "a Finished again": ["bad_record_mac", async (server) => {
        await server.protectWrites(server.handshakeSecrets!.server);
        await server.send(
          HANDSHAKE_RECORD,
          concat(Uint8Array.of(20), vector(3, new Uint8Array(32))),
        );
      }],
    };
    for (const [name, [alert, send]] of Object.entries(cases)) {
      // What came before is read; it stands before the breach in the order.
      const outcome = await after(async (server) => {
        await server.send(DATA, encode("before"));
        await send(server);
      });
      assertEquals(outcome, {
        text: "before",
        code: "ERR_CERTPIN_TLS_PROTOCOL",
        alert,
      }, name);
    }
  });

  t.test("writable updates its keys before their limit, and asks for the peer's", async () => {
    const recordsPerKey = 16;
    const { server, tls } = await connected({ profile: { recordsPerKey } });
    const writer = tls.writable.getWriter();
    const sent: string[] = [];
    const received: string[] = [];
    let updates = 0;
    const serving = (async () => {
      for (;;) {
        const record = await server.readRecord();
        if (!record || record.type === ALERT) return;
        if (record.type === DATA) {
          received.push(new TextDecoder().decode(record.content));
          continue;
        }
        updates++;
        const next = await server.applicationSecrets!.client.next();
        server.applicationSecrets = {
          ...server.applicationSecrets!,
          client: next,
        };
        await server.protectReads(next);
      }
    })();
    for (let count = 0; count < 100; count++) {
      sent.push(`${count}`);
      await writer.write(encode(`${count}`));
    }
    await writer.close();
    await serving;
    assertEquals(received, sent);
    // At most as many records as allowed under one key, less what is sent at once.
    assertEquals(updates, Math.floor((100 - 1) / (recordsPerKey - 7)));

    const other = await connected({ profile: { recordsPerKey } });
    const reading = readAll(other.tls);
    for (let count = 0; count < recordsPerKey; count++) {
      await other.server.send(DATA, encode("x"));
    }
    const asked = (await other.server.readRecord())!;
    assertEquals(
      asked.content,
      Uint8Array.of(HANDSHAKE.key_update, 0, 0, 1, 1),
    );
    await updateKeys(other.server);
    await endWell(other.server);
    assertEquals((await reading).bytes.length, recordsPerKey + 3);
    await other.tls.close();
  });
};
