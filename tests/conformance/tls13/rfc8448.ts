/**
 * The layers against the traces of RFC 8448, byte for byte: key agreement, key
 * schedule, transcript, records, CertificateVerify, Finished.
 */
import { assert, assertEquals } from "@std/assert";
import { decodeHex } from "@std/encoding/hex";
import type { Bytes } from "../../../src/crypto/routine.ts";
import { importableSpki } from "../../../src/path/algorithms.ts";
import { ByteSource } from "../../../src/tls13/byte_source.ts";
import { TlsFailure } from "../../../src/tls13/failure.ts";
import {
  KeySchedule,
  type TrafficSecrets,
} from "../../../src/tls13/key_schedule.ts";
import {
  checkNewSessionTicket,
  encodeMessage,
  MessageBuffer,
  readCertificate,
  readCertificateVerify,
  readServerHello,
} from "../../../src/tls13/messages.ts";
import { RecordReader, RecordWriter } from "../../../src/tls13/records.ts";
import { signedContent } from "../../../src/tls13/signatures.ts";
import { SUITES } from "../../../src/tls13/suites.ts";
import { Transcript } from "../../../src/tls13/transcript.ts";
import { concat } from "../../../src/tls13/wire.ts";
import { parseDer, recordOf } from "../../../src/x509/certificate.ts";
import type { Body } from "../harness.ts";
import { RETRY, SIMPLE } from "./rfc8448_traces.ts";

const { subtle } = crypto;
const [SUITE] = SUITES;

function hex(text: string): Bytes {
  return new Uint8Array(decodeHex(text));
}

/** Reads the records of a trace. */
function recordsOf(...records: readonly string[]): RecordReader {
  const bytes = concat(...records.map(hex));
  return new RecordReader(
    new ByteSource(
      new ReadableStream<Uint8Array>({
        start(controller) {
          controller.enqueue(bytes);
          controller.close();
        },
      }),
    ),
  );
}

async function contentOf(records: RecordReader): Promise<Bytes> {
  const record = await records.next();
  assert(record);
  return record.content;
}

async function x25519(privateKey: Bytes, peer: Bytes): Promise<Bytes> {
  const pkcs8 = concat(hex("302e020100300506032b656e04220420"), privateKey);
  const algorithm = { name: "X25519" };
  const key = await subtle.importKey("pkcs8", pkcs8, algorithm, false, [
    "deriveBits",
  ]);
  const other = await subtle.importKey("raw", peer, algorithm, false, []);
  return new Uint8Array(
    await subtle.deriveBits({ ...algorithm, public: other }, key, 256),
  );
}

async function p256(
  privateKey: Bytes,
  publicKey: Bytes,
  peer: Bytes,
): Promise<Bytes> {
  const text = (bytes: Bytes) =>
    btoa(String.fromCharCode(...bytes)).replace(/\+/g, "-").replace(/\//g, "_")
      .replace(/=/g, "");
  const algorithm = { name: "ECDH", namedCurve: "P-256" };
  const key = await subtle.importKey(
    "jwk",
    {
      kty: "EC",
      crv: "P-256",
      x: text(publicKey.slice(1, 33)),
      y: text(publicKey.slice(33)),
      d: text(privateKey),
    },
    algorithm,
    false,
    ["deriveBits"],
  );
  const other = await subtle.importKey("raw", peer, algorithm, false, []);
  return new Uint8Array(
    await subtle.deriveBits({ ...algorithm, public: other }, key, 256),
  );
}

interface Replayed {
  readonly schedule: KeySchedule;
  readonly secrets: TrafficSecrets;
  readonly application: TrafficSecrets;
  /** Writes under the client's handshake keys. */
  readonly writer: RecordWriter;
}

/** From the ServerHello to the client's Finished, whose record must be the trace's. */
async function replay(
  transcript: Transcript,
  sharedSecret: Bytes,
  records: RecordReader,
  clientFinishedRecord: string,
): Promise<Replayed> {
  const schedule = await KeySchedule.from(SUITE, sharedSecret);
  const secrets = await schedule.handshake(await transcript.hash(SUITE));
  records.protect(await secrets.server.trafficKeys("decrypt"));
  const messages = new MessageBuffer();
  messages.push(await contentOf(records));

  transcript.add(messages.next(["encrypted_extensions"])!.raw);
  const certificate = messages.next(["certificate"])!;
  transcript.add(certificate.raw);
  const { chain } = readCertificate(certificate.body);
  const leaf = recordOf(parseDer(chain[0]));
  const proof = messages.next(["certificate_verify"])!;
  const { scheme, signature } = readCertificateVerify(proof.body);
  assertEquals(scheme, 0x0804);
  // RSA with 1,024 bits: WebCrypto verifies it, a path would refuse it.
  const key = await subtle.importKey(
    "spki",
    importableSpki(leaf.publicKey),
    { name: "RSA-PSS", hash: "SHA-256" },
    false,
    ["verify"],
  );
  assert(
    await subtle.verify(
      { name: "RSA-PSS", saltLength: 32 },
      key,
      signature,
      signedContent("server", await transcript.hash(SUITE)),
    ),
  );
  transcript.add(proof.raw);
  const finished = messages.next(["finished"])!;
  assert(
    await subtle.verify(
      "HMAC",
      await secrets.server.finishedKey("verify"),
      finished.body,
      await transcript.hash(SUITE),
    ),
  );
  transcript.add(finished.raw);
  assert(messages.isEmpty);

  const transcriptHash = await transcript.hash(SUITE);
  const application = await schedule.application(transcriptHash);
  const writer = new RecordWriter(new WritableStream());
  writer.protect(await secrets.client.trafficKeys("encrypt"));
  const own = encodeMessage(
    "finished",
    new Uint8Array(
      await subtle.sign(
        "HMAC",
        await secrets.client.finishedKey("sign"),
        transcriptHash,
      ),
    ),
  );
  assertEquals(await writer.seal("handshake", own), hex(clientFinishedRecord));
  return { schedule, secrets, application, writer };
}

/** The tests. */
export const tls13Rfc8448: Body = (t) => {
  t.test("RFC 8448, section 3: a simple handshake, byte for byte", async () => {
    const records = recordsOf(
      SIMPLE.serverHelloRecord,
      SIMPLE.flightRecord,
      SIMPLE.ticketRecord,
      SIMPLE.serverDataRecord,
      SIMPLE.serverAlertRecord,
    );
    const transcript = new Transcript();
    transcript.add(hex(SIMPLE.clientHello));
    const serverHello = await contentOf(records);
    transcript.add(serverHello);
    const { keyShare, version, suite } = readServerHello(
      serverHello.subarray(4),
    );
    assertEquals([version, suite], [0x0304, SUITE.id]);
    const transcriptHash = await transcript.hash(SUITE);
    const sharedSecret = await x25519(
      hex(SIMPLE.clientPrivate),
      keyShare!.share,
    );
    const { schedule, secrets, application, writer } = await replay(
      transcript,
      sharedSecret,
      records,
      SIMPLE.clientFinishedRecord,
    );
    assertEquals(
      await schedule.handshakeSecret("c hs traffic", transcriptHash),
      hex(SIMPLE.clientHandshakeSecret),
    );
    assertEquals(
      await schedule.handshakeSecret("s hs traffic", transcriptHash),
      hex(SIMPLE.serverHandshakeSecret),
    );
    assertEquals(
      await schedule.masterSecrets(
        ["c ap traffic", "s ap traffic"],
        await transcript.hash(SUITE),
      ),
      [
        hex(SIMPLE.clientApplicationSecret),
        hex(SIMPLE.serverApplicationSecret),
      ],
    );
    assertEquals(
      await secrets.server.expand("key", 16),
      hex(SIMPLE.serverHandshakeKey),
    );
    assertEquals(
      await secrets.server.expand("iv", 12),
      hex(SIMPLE.serverHandshakeIv),
    );

    const data = Uint8Array.from({ length: 50 }, (_, at) => at);
    records.finishHandshake();
    records.protect(await application.server.trafficKeys("decrypt"));
    const ticket = await contentOf(records);
    assertEquals(ticket[0], 4);
    checkNewSessionTicket(ticket.subarray(4));
    assertEquals(await records.next(), {
      type: "application_data",
      content: data,
    });
    assertEquals(await records.next(), {
      type: "alert",
      content: Uint8Array.of(1, 0),
    });
    assertEquals(await records.next(), undefined);

    writer.protect(await application.client.trafficKeys("encrypt"));
    assertEquals(
      await writer.seal("application_data", data),
      hex(SIMPLE.clientDataRecord),
    );
    assertEquals(
      await writer.seal("alert", Uint8Array.of(1, 0)),
      hex(SIMPLE.clientAlertRecord),
    );
  });

  t.test("RFC 8448, section 5: a HelloRetryRequest, byte for byte", async () => {
    const records = recordsOf(
      RETRY.retryRecord,
      RETRY.serverHelloRecord,
      RETRY.flightRecord,
    );
    const transcript = new Transcript();
    transcript.add(hex(RETRY.clientHello));
    const retry = await contentOf(records);
    const asked = readServerHello(retry.subarray(4));
    assertEquals([asked.isRetry, asked.keyShare!.group], [true, 0x0017]);
    assertEquals(asked.cookie?.length, 114);
    await transcript.startAgain(SUITE);
    transcript.add(retry);
    transcript.add(hex(RETRY.secondHello));
    const serverHello = await contentOf(records);
    transcript.add(serverHello);
    const { keyShare, isRetry } = readServerHello(serverHello.subarray(4));
    assertEquals(isRetry, false);
    await replay(
      transcript,
      await p256(
        hex(RETRY.clientPrivate),
        hex(RETRY.clientPublic),
        keyShare!.share,
      ),
      records,
      RETRY.clientFinishedRecord,
    );
  });

  t.test("a trace with one bit changed is not taken", async () => {
    const flight = SIMPLE.flightRecord;
    const changed = flight.slice(0, -1) + (flight.endsWith("a") ? "b" : "a");
    const records = recordsOf(SIMPLE.serverHelloRecord, changed);
    const transcript = new Transcript();
    transcript.add(hex(SIMPLE.clientHello));
    const serverHello = await contentOf(records);
    transcript.add(serverHello);
    const { keyShare } = readServerHello(serverHello.subarray(4));
    const sharedSecret = await x25519(
      hex(SIMPLE.clientPrivate),
      keyShare!.share,
    );
    let alert: string | undefined;
    try {
      await replay(
        transcript,
        sharedSecret,
        records,
        SIMPLE.clientFinishedRecord,
      );
    } catch (error) {
      if (!(error instanceof TlsFailure)) throw error;
      ({ alert } = error);
    }
    assertEquals(alert, "bad_record_mac");
  });
};
