/**
 * Each layer of the TLS 1.3 client by itself.
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import type { Bytes, CurveName } from "../../../src/crypto/routine.ts";
import {
  CertificateError,
  type CertpinError,
  ConnectionError,
  LimitError,
  PathError,
  PinMismatchError,
} from "../../../src/errors.ts";
import { ecdsaToP1363 } from "../../../src/path/algorithms.ts";
import { AlertReader } from "../../../src/tls13/alert_reader.ts";
import { ByteSource } from "../../../src/tls13/byte_source.ts";
import { alertFor, TlsFailure } from "../../../src/tls13/failure.ts";
import {
  createKeyShares,
  type GroupName,
  supportedGroups,
} from "../../../src/tls13/groups.ts";
import { hkdfLabel, TrafficSecret } from "../../../src/tls13/key_schedule.ts";
import {
  encodeMessage,
  HANDSHAKE,
  type HandshakeName,
  MessageBuffer,
} from "../../../src/tls13/messages.ts";
import { RecordReader, RecordWriter } from "../../../src/tls13/records.ts";
import { ecdsaToDer } from "../../../src/tls13/signatures.ts";
import { type State, STATES } from "../../../src/tls13/states.ts";
import { SUITES } from "../../../src/tls13/suites.ts";
import { concat, uint, vector, WireReader } from "../../../src/tls13/wire.ts";
import type { Body } from "../harness.ts";
import { random as seeded } from "../random.ts";

function streamOf(chunks: readonly Uint8Array[]): ReadableStream<Uint8Array> {
  const left = [...chunks];
  return new ReadableStream({
    pull(controller) {
      const chunk = left.shift();
      if (chunk) controller.enqueue(chunk);
      else controller.close();
    },
  }, { highWaterMark: 0 });
}

/** The alert that a function refuses with. */
function alertOf(act: () => unknown): string | undefined {
  const error = assertThrows(act, TlsFailure) as unknown as TlsFailure;
  return error.alert;
}

/** The tests. */
export const tls13Layers: Body = (t) => {
  t.test("wire: what is written is read", () => {
    const bytes = concat(
      uint(0x0102030405, 5),
      vector(1),
      vector(2, Uint8Array.of(7), Uint8Array.of(8)),
      vector(3, Uint8Array.of(9)),
    );
    assertEquals(
      [...bytes],
      [1, 2, 3, 4, 5, 0, 0, 2, 7, 8, 0, 0, 1, 9],
    );
    const reader = new WireReader(bytes, "test");
    assertEquals(reader.uint(5), 0x0102030405);
    assertEquals(reader.vector(1), new Uint8Array(0));
    assertEquals(reader.nested(2).bytes(2), Uint8Array.of(7, 8));
    assertEquals(reader.left, 4);
    assertEquals(reader.vector(3, 1), Uint8Array.of(9));
    reader.end();
  });

  t.test("wire: what is cut short or left over is a decode_error", () => {
    const bytes = Uint8Array.of(0, 2, 1);
    const read = () => new WireReader(bytes, "test");
    assertEquals(alertOf(() => read().uint(4)), "decode_error");
    assertEquals(alertOf(() => read().bytes(4)), "decode_error");
    assertEquals(alertOf(() => read().vector(2)), "decode_error");
    assertEquals(alertOf(() => read().vector(1, 1)), "decode_error");
    assertEquals(alertOf(() => read().end()), "decode_error");
    assertThrows(() => vector(1, new Uint8Array(256)), RangeError);
    assertEquals(vector(1, new Uint8Array(255)).length, 256);
  });

  t.test("ByteSource gives the same bytes, however they come", async () => {
    const random = seeded(5_246);
    const all = random.bytes(5_000);
    for (let run = 0; run < 40; run++) {
      const chunks: Uint8Array[] = [];
      for (let at = 0; at < all.length;) {
        const size = random.below(run % 2 === 0 ? 4 : 900);
        chunks.push(all.subarray(at, at + size));
        at += size;
      }
      const source = new ByteSource(streamOf(chunks));
      const taken: Bytes[] = [];
      let left = all.length;
      while (left > 0) {
        const size = Math.min(left, 1 + random.below(300));
        while (source.length < size) assert(await source.more());
        assertEquals(source.peek(0), all[all.length - left]);
        taken.push(source.take(size));
        left -= size;
      }
      // Nothing that was taken has changed since.
      assertEquals(concat(...taken), all);
      assertEquals([await source.more(), await source.more()], [false, false]);
    }
  });

  t.test("ByteSource reads one chunk at a time, and only when asked", async () => {
    let pulls = 0;
    const source = new ByteSource(
      new ReadableStream({
        pull(controller) {
          pulls++;
          controller.enqueue(new Uint8Array(10));
        },
      }, { highWaterMark: 0 }),
    );
    assertEquals(pulls, 0);
    source.readAhead();
    source.readAhead();
    await source.more();
    assertEquals([pulls, source.length], [1, 10]);
    await source.more();
    assertEquals([pulls, source.length], [2, 20]);
  });

  t.test("MessageBuffer puts messages together from any pieces", () => {
    const random = seeded(4_446);
    const names: HandshakeName[] = ["certificate", "finished", "key_update"];
    for (let run = 0; run < 100; run++) {
      const messages = Array.from(
        { length: 1 + random.below(5) },
        () => encodeMessage(random.pick(names), random.bytes(random.below(70))),
      );
      const whole = concat(...messages);
      const buffer = new MessageBuffer();
      const read: Bytes[] = [];
      for (let at = 0; at < whole.length;) {
        const size = 1 + random.below(9);
        buffer.push(whole.slice(at, at + size));
        at += size;
        for (
          let message = buffer.next(names);
          message;
          message = buffer.next(names)
        ) {
          assertEquals(message.raw.subarray(4), message.body);
          assertEquals(HANDSHAKE[message.name], message.raw[0]);
          read.push(message.raw);
        }
      }
      assertEquals(read, messages);
      assert(buffer.isEmpty);
    }
  });

  t.test("MessageBuffer refuses a type before the message is whole", () => {
    const buffer = new MessageBuffer();
    buffer.push(Uint8Array.of(HANDSHAKE.finished));
    assertEquals(
      alertOf(() => buffer.next(["certificate"])),
      "unexpected_message",
    );
    assertEquals(buffer.next(["finished"]), undefined);
  });

  t.test("every state takes messages of its own, and no two the same", () => {
    const states = Object.keys(STATES) as State[];
    assertEquals(states.length, 8);
    for (const state of states) {
      const names: readonly HandshakeName[] = STATES[state];
      assert(names.length > 0);
      assert(names.every((name) => HANDSHAKE[name] !== undefined));
    }
    // What a server must never send is in none of them.
    const all: readonly HandshakeName[] = states.flatMap((state) => [
      ...STATES[state],
    ]);
    assert(!all.includes("client_hello"));
    assert(!all.includes("message_hash"));
  });

  t.test("key schedule: labels, and secrets after a KeyUpdate, for both suites", async () => {
    assertEquals(
      [...hkdfLabel("key", new Uint8Array(0), 16)],
      [0, 16, 9, ...new TextEncoder().encode("tls13 key"), 0],
    );
    for (const suite of SUITES) {
      const secret = Uint8Array.from(
        { length: suite.hashLength },
        (_, at) => at,
      );
      const traffic = await TrafficSecret.from(suite, secret);
      // HKDF-Expand of one block, computed another way: HKDF-Extract would give
      // the secret, so HMAC stands in for it here.
      const key = await crypto.subtle.importKey(
        "raw",
        secret,
        { name: "HMAC", hash: suite.hash },
        false,
        ["sign"],
      );
      const info = hkdfLabel(
        "traffic upd",
        new Uint8Array(0),
        suite.hashLength,
      );
      const expected = new Uint8Array(
        await crypto.subtle.sign("HMAC", key, concat(info, Uint8Array.of(1))),
      );
      assertEquals(
        await traffic.expand("traffic upd", suite.hashLength),
        expected,
      );
      const next = await traffic.next();
      const direct = await TrafficSecret.from(suite, expected);
      assertEquals(
        await next.expand("key", suite.keyLength),
        await direct.expand("key", suite.keyLength),
      );
      const keys = await next.trafficKeys("encrypt");
      assertEquals([keys.key.extractable, keys.iv.length], [false, 12]);
      assertEquals(keys.key.algorithm.name, "AES-GCM");
      assertEquals(
        (keys.key.algorithm as AesKeyAlgorithm).length,
        8 * suite.keyLength,
      );
    }
  });

  t.test("groups: both sides agree, and shares are fresh", async () => {
    for (const group of await supportedGroups()) {
      if (group === "X25519MLKEM768") continue;
      const [ours] = await createKeyShares([group]);
      const [theirs] = await createKeyShares([group]);
      assert(
        !ours.publicKey.every((byte, at) => byte === theirs.publicKey[at]),
      );
      assertEquals(
        await ours.agree(theirs.publicKey),
        await theirs.agree(ours.publicKey),
      );
    }
    // The hybrid shares X25519's key pair, so that it costs one.
    const groups: GroupName[] = [...await supportedGroups()];
    if (groups[0] === "X25519MLKEM768") {
      const [hybrid, x25519] = await createKeyShares([groups[0], "X25519"]);
      assertEquals(hybrid.publicKey.slice(-32), x25519.publicKey);
    }
  });

  t.test("signatures: P1363 to DER and back", () => {
    const random = seeded(1_363);
    const sizes: Readonly<Record<CurveName, number>> = {
      "P-256": 32,
      "P-384": 48,
      "P-521": 66,
    };
    for (const [curve, size] of Object.entries(sizes)) {
      for (let run = 0; run < 200; run++) {
        const raw = random.bytes(2 * size);
        // Numbers of every length, with every first bit.
        raw.fill(0, 0, random.below(size));
        raw.fill(0, size, size + random.below(size));
        if (curve === "P-521") raw[0] &= 1;
        assertEquals(ecdsaToP1363(ecdsaToDer(raw), curve as CurveName), raw);
      }
    }
  });

  t.test("records: what is sealed is opened, at every length and key", async () => {
    for (const suite of SUITES) {
      const secret = await TrafficSecret.from(
        suite,
        new Uint8Array(suite.hashLength).fill(7),
      );
      const writer = new RecordWriter(new WritableStream());
      writer.protect(await secret.trafficKeys("encrypt"));
      const lengths = [1, 2, 255, 256, 16_383, 16_384, 16_385, 40_000];
      const sealed: Bytes[] = [];
      for (const length of lengths) {
        sealed.push(
          await writer.seal("application_data", new Uint8Array(length).fill(1)),
        );
      }
      const reader = new RecordReader(new ByteSource(streamOf(sealed)));
      reader.protect(await secret.trafficKeys("decrypt"));
      reader.finishHandshake();
      let total = 0;
      let count = 0;
      for (
        let record = await reader.next();
        record;
        record = await reader.next()
      ) {
        assert(record.content.every((byte) => byte === 1));
        assert(record.content.length <= 16_384);
        total += record.content.length;
        count++;
      }
      assertEquals(total, lengths.reduce((sum, length) => sum + length));
      assertEquals([count, writer.sequence, reader.sequence], [11, 11, 11]);
    }
  });

  t.test("alerts: the level says nothing, the description everything", () => {
    const reader = new AlertReader();
    for (const level of [1, 2]) {
      assertEquals(reader.read(Uint8Array.of(level, 0)), 0);
      assertEquals(reader.read(Uint8Array.of(level, 40)), 40);
      assertEquals(reader.read(Uint8Array.of(level, 255)), 255);
      assertEquals(reader.read(Uint8Array.of(level, 90)), undefined);
    }
    assertEquals(
      alertOf(() => reader.read(Uint8Array.of(0, 0))),
      "illegal_parameter",
    );
    assertEquals(alertOf(() => reader.read(Uint8Array.of(1))), "decode_error");
  });

  t.test("alerts: each kind of error has its own", () => {
    const mismatch = { hostname: "", observed: [], configured: [] };
    const cases: readonly (readonly [CertpinError | Error, string])[] = [
      [
        new CertificateError("ERR_CERTPIN_CERTIFICATE_DER", ""),
        "bad_certificate",
      ],
      [new PathError("ERR_CERTPIN_PATH_NO_ISSUER", ""), "unknown_ca"],
      [new PathError("ERR_CERTPIN_PATH_EXPIRED", ""), "certificate_expired"],
      [new PathError("ERR_CERTPIN_PATH_SIGNATURE", ""), "bad_certificate"],
      [
        new PinMismatchError("ERR_CERTPIN_MISMATCH", "", mismatch),
        "certificate_unknown",
      ],
      [
        new LimitError("ERR_CERTPIN_LIMIT_CHAIN_LENGTH", ""),
        "certificate_unknown",
      ],
      [new ConnectionError("ERR_CERTPIN_OPTION", ""), "internal_error"],
      [new Error(""), "internal_error"],
    ];
    for (const [error, alert] of cases) assertEquals(alertFor(error), alert);
  });
};
