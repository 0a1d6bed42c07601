/**
 * Connections that go well: every suite, group and signature, client
 * certificates, the streams, aborts. With refusals where one thing differs.
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import type { Bytes } from "../../../src/crypto/routine.ts";
import {
  type CertificateError,
  CertpinError,
  ConnectionError,
  PathError,
} from "../../../src/errors.ts";
import { MAX_TLS_PLAINTEXT_BYTES } from "../../../src/limits.ts";
import { type GroupName, GROUPS, hasMlKem } from "../../../src/tls13/groups.ts";
import { EXTENSION } from "../../../src/tls13/messages.ts";
import { signedContent } from "../../../src/tls13/signatures.ts";
import { SUITES } from "../../../src/tls13/suites.ts";
import type { ClientCertificate, TlsStream } from "../../../src/tls13/types.ts";
import { concat, uint, vector } from "../../../src/tls13/wire.ts";
import {
  type KeyType,
  mintCertificate,
  mintChain,
  mintKey,
} from "../../../src/testing/mod.ts";
import { ecdsaToP1363 } from "../../../src/path/algorithms.ts";
import type { Body } from "../harness.ts";
import { type ClientSettings, play, startClient } from "./play.ts";
import {
  certificateRequest,
  ClientAlert,
  connectionPair,
  DEFAULT_SIGNATURES,
  FLIGHT,
  type HelloFields,
  HOSTNAME,
  identityOf,
  type Script,
  type SeenHello,
  TestServer,
} from "./server.ts";

const ALERT = 21;
const DATA = 23;
const encode = (text: string) => new TextEncoder().encode(text);

/** A server and a client after a good handshake. */
async function connected(
  settings: ClientSettings = {},
  script: Script = {},
  bufferBytes?: number,
): Promise<{ server: TestServer; tls: TlsStream }> {
  const { client, server: end } = connectionPair(bufferBytes);
  const server = new TestServer(end, script);
  const [tls] = await Promise.all([
    startClient(client, settings),
    server.handshake(),
  ]);
  return { server, tls };
}

/** The server sends back what it gets, until the client ends. */
async function echo(server: TestServer): Promise<void> {
  for (;;) {
    const record = await server.readRecord();
    if (!record || record.type === ALERT) break;
    await server.send(DATA, record.content);
  }
  await server.sendAlert("close_notify", 1);
}

async function readAll(tls: TlsStream): Promise<Bytes> {
  const parts: Uint8Array[] = [];
  for await (const part of tls.readable) parts.push(part);
  return concat(...parts);
}

async function endServer(server: TestServer): Promise<void> {
  await server.send(DATA, encode("all"));
  await server.sendAlert("close_notify", 1);
  await server.close();
}

/** The server asks for a client certificate with these schemes. */
function asking(...schemes: readonly number[]): Script {
  const request = certificateRequest([[
    EXTENSION.signature_algorithms,
    vector(2, ...schemes.map((scheme) => uint(scheme, 2))),
  ]]);
  return { flight: [FLIGHT[0], request, ...FLIGHT.slice(1)] };
}

/** Verifies the client's CertificateVerify with the key of its certificate. */
async function verifyClient(
  type: KeyType,
  spki: Bytes,
  body: Bytes,
  transcriptHash: Bytes,
): Promise<boolean> {
  const [, making] = DEFAULT_SIGNATURES[type]!;
  const key = await crypto.subtle.importKey(
    "spki",
    spki,
    making.import,
    false,
    ["verify"],
  );
  const signature = body.slice(4);
  const raw = type === "P-256" || type === "P-384" || type === "P-521"
    ? ecdsaToP1363(signature, type)!
    : signature;
  return await crypto.subtle.verify(
    making.sign,
    key,
    raw,
    signedContent("client", transcriptHash),
  );
}

async function importSigningKey(
  type: KeyType,
  pkcs8: Bytes,
): Promise<CryptoKey> {
  const [, making] = DEFAULT_SIGNATURES[type]!;
  return await crypto.subtle.importKey("pkcs8", pkcs8, making.import, false, [
    "sign",
  ]);
}

/** What the server is shown by a client with this certificate. */
async function shown(
  clientCertificate: ClientCertificate | undefined,
  script: Script,
): Promise<Awaited<ReturnType<TestServer["readFinished"]>>> {
  const { client, server: end } = connectionPair();
  const server = new TestServer(end, script);
  const options = clientCertificate ? { clientCertificate } : {};
  const [tls, seen] = await Promise.all([
    startClient(client, { options }),
    server.sendFlight().then(() => server.readFinished()),
  ]);
  await tls.close();
  return seen;
}

const CLIENT_KEYS: readonly KeyType[] = [
  "P-256",
  "P-384",
  "P-521",
  "Ed25519",
  "RSA-2048",
];

/** The tests. */
export const tls13Connections: Body = (t) => {
  t.test("openTls() speaks every suite with every group", async () => {
    const groups: GroupName[] = ["X25519", "P-256", "P-384"];
    if (await hasMlKem()) groups.unshift("X25519MLKEM768");
    for (const suite of SUITES) {
      for (const group of groups) {
        const hasShare = group.startsWith("X25519");
        const { server, tls } = await connected({}, {
          suite,
          group,
          ...!hasShare && { retries: [(fields: HelloFields) => fields] },
        });
        const echoed = echo(server);
        const writer = tls.writable.getWriter();
        await writer.write(encode(`${suite.name} ${group}`));
        await writer.close();
        assertEquals(await readAll(tls), encode(`${suite.name} ${group}`));
        await echoed;
        await tls.closed;
      }
    }
  });

  t.test("openTls() offers the hybrid group first where the runtime has ML-KEM", async () => {
    let hello: SeenHello | undefined;
    await play({}, {}, async (server) => {
      hello = await server.readHello();
      await server.sendAlert("internal_error");
    });
    const expected = await hasMlKem()
      ? [GROUPS.X25519MLKEM768, GROUPS.X25519]
      : [GROUPS.X25519];
    assertEquals([...hello!.shares.keys()], expected);
    const offered = hello!.extensions.get(EXTENSION.supported_groups)!;
    assertEquals(
      offered,
      vector(
        2,
        ...[...expected, GROUPS["P-256"], GROUPS["P-384"]]
          .map((id) => uint(id, 2)),
      ),
    );
    assertEquals(
      hello!.shares.get(GROUPS.X25519MLKEM768)?.length ?? 1_216,
      1_216,
    );
  });

  t.test("openTls() offers RSA PKCS#1 for certificates alone", async () => {
    let hello: SeenHello | undefined;
    await play({}, {}, async (server) => {
      hello = await server.readHello();
      await server.sendAlert("internal_error");
    });
    const list = (name: keyof typeof EXTENSION) => {
      const data = hello!.extensions.get(EXTENSION[name])!;
      return Array.from(
        { length: (data.length - 2) / 2 },
        (_, at) => data[2 + 2 * at] * 256 + data[3 + 2 * at],
      );
    };
    const pkcs1 = [0x0401, 0x0501, 0x0601];
    const handshake = list("signature_algorithms");
    assertEquals(handshake.filter((id) => pkcs1.includes(id)), []);
    assertEquals(list("signature_algorithms_cert"), [...handshake, ...pkcs1]);
    assert(handshake.every((id) => (id & 0xff00) !== 0x0200), "SHA-1");
  });

  t.test("openTls() takes every kind of key that it offers", async () => {
    for (const type of Object.keys(DEFAULT_SIGNATURES) as KeyType[]) {
      const identity = await identityOf(type);
      const { error, verdicts } = await play({ identity });
      assertEquals([error, verdicts], [undefined, 1], type);
    }
  }, 30_000);

  t.test("openTls() gives the chain as presented to the verdict", async () => {
    const { chain } = (await identityOf()).chain;
    let seen: readonly Uint8Array[] = [];
    const { error } = await play({}, {
      options: {
        verify: (presented) => {
          seen = presented;
          return Promise.resolve();
        },
      },
    });
    assertEquals(error, undefined);
    assertEquals(seen, chain);
  });

  t.test("openTls() demands digitalSignature of a leaf with a keyUsage", async () => {
    const identity = await identityOf();
    for (
      const [keyUsage, isGood] of [
        [["digitalSignature"], true],
        [["digitalSignature", "keyEncipherment"], true],
        [["keyEncipherment"], false],
        [["keyAgreement"], false],
        [false, true],
      ] as const
    ) {
      const chain = await mintChain({
        hostnames: [HOSTNAME],
        leaf: { key: identity.chain.leaf.key, keyUsage },
      });
      const outcome = await play({ identity: { ...identity, chain } });
      assertEquals(outcome.isFinished, isGood);
      if (isGood) continue;
      assert(outcome.error instanceof PathError);
      assertEquals(
        [outcome.code, outcome.alert, outcome.verdicts],
        ["ERR_CERTPIN_PATH_KEY_USAGE", "bad_certificate", 0],
      );
    }
  });

  t.test("openTls() answers a HelloRetryRequest with the same hello, the share and the cookie", async () => {
    const hellos: SeenHello[] = [];
    const { client, server: end } = connectionPair();
    const server = new TestServer(end, {
      group: "P-384",
      retries: [(fields) => ({
        ...fields,
        extensions: [
          ...fields.extensions,
          [EXTENSION.cookie, vector(2, encode("cookie"))],
        ],
      })],
    });
    const readHello = server.readHello.bind(server);
    server.readHello = async () => {
      const hello = await readHello();
      hellos.push(hello);
      return hello;
    };
    const [tls] = await Promise.all([startClient(client), server.handshake()]);
    await tls.close();
    const [first, second] = hellos;
    assertEquals(hellos.length, 2);
    assertEquals(
      [second.random, second.sessionId, second.suites],
      [first.random, first.sessionId, first.suites],
    );
    assertEquals([...second.shares.keys()], [GROUPS["P-384"]]);
    assertEquals(
      second.extensions.get(EXTENSION.cookie),
      vector(2, encode("cookie")),
    );
    for (const [type, data] of first.extensions) {
      if (type === EXTENSION.key_share) continue;
      assertEquals(second.extensions.get(type), data);
    }
    assertEquals(second.extensions.size, first.extensions.size + 1);
  });

  t.test("openTls() agrees on a protocol by ALPN, or on none", async () => {
    const alpn = EXTENSION.application_layer_protocol_negotiation;
    const choosing = (name: string): Script => ({
      flight: [
        (context) => {
          assertEquals(
            context.hello.extensions.get(alpn),
            vector(2, vector(1, encode("h2")), vector(1, encode("http/1.1"))),
          );
          const data = vector(2, vector(1, encode(name)));
          const list = concat(uint(alpn, 2), vector(2, data));
          return concat(Uint8Array.of(8), vector(3, vector(2, list)));
        },
        ...FLIGHT.slice(1),
      ],
    });
    const options = { alpnProtocols: ["h2", "http/1.1"] };
    for (const name of options.alpnProtocols) {
      const { tls } = await connected({ options }, choosing(name));
      assertEquals(tls.alpnProtocol, name);
      await tls.close();
    }
    const { tls } = await connected({ options });
    assertEquals(tls.alpnProtocol, null);
    await tls.close();
  });

  t.test(
    "openTls() shows a client certificate of every kind, by PKCS#8 or CryptoKey",
    async () => {
      for (const type of CLIENT_KEYS) {
        const key = await mintKey(type);
        const leaf = await mintCertificate({ key, subject: "client" });
        const [scheme] = DEFAULT_SIGNATURES[type]!;
        for (
          const own of [key.pkcs8, await importSigningKey(type, key.pkcs8)]
        ) {
          const seen = await shown(
            { chain: [leaf.der], key: own },
            asking(0x0403, 0x0503, 0x0603, 0x0807, 0x0804),
          );
          assertEquals(
            seen.map(({ name }) => name),
            ["certificate", "certificate_verify", "finished"],
            type,
          );
          assertEquals(
            seen[0].raw.slice(4),
            concat(vector(1), vector(3, vector(3, leaf.der), vector(2))),
          );
          const body = seen[1].raw.slice(4);
          assertEquals(body[0] * 256 + body[1], scheme);
          assert(
            await verifyClient(type, key.spki, body, seen[1].transcriptHash),
            type,
          );
        }
      }
    },
    30_000,
  );

  t.test("openTls() answers with an empty Certificate if it has none", async () => {
    const seen = await shown(undefined, asking(0x0403));
    assertEquals(seen.map(({ name }) => name), ["certificate", "finished"]);
    assertEquals(seen[0].raw.slice(4), concat(vector(1), vector(3)));
    const unasked = await shown(undefined, {});
    assertEquals(unasked.map(({ name }) => name), ["finished"]);
  });

  t.test("openTls() refuses a client certificate whose key cannot sign", async () => {
    const key = await mintKey("P-256");
    const other = await mintKey("P-256");
    const p384 = await mintKey("P-384");
    const leaf = await mintCertificate({ key, subject: "client" });
    const good = { chain: [leaf.der], key: key.pkcs8 };
    const options = (clientCertificate: ClientCertificate) => ({
      options: { clientCertificate },
    });
    const asked = asking(0x0403);
    assertEquals((await play(asked, options(good))).error, undefined);

    const foreign = await play(asked, options({ ...good, key: other.pkcs8 }));
    assertEquals(
      [foreign.code, foreign.isFinished, foreign.isAlertEncrypted],
      ["ERR_CERTPIN_OPTION", false, true],
    );
    const kinds = await play(
      asked,
      options({ ...good, key: await importSigningKey("P-384", p384.pkcs8) }),
    );
    assertEquals([kinds.code, kinds.verdicts], ["ERR_CERTPIN_OPTION", 0]);
    const garbage = await play(
      asked,
      options({ ...good, key: new Uint8Array(40) }),
    );
    assertEquals([garbage.code, garbage.isFinished], [
      "ERR_CERTPIN_OPTION",
      false,
    ]);
    const empty = await play(asked, options({ ...good, chain: [] }));
    assertEquals(
      (empty.error as CertificateError).code,
      "ERR_CERTPIN_CERTIFICATE_DER",
    );
    const shared = await play(asking(0x0807), options(good));
    assertEquals(
      [shared.code, shared.alert, shared.isFinished],
      ["ERR_CERTPIN_TLS_PROTOCOL", "handshake_failure", false],
    );
  });

  t.test("openTls() sends nothing until the verdict, and holds what comes before it", async () => {
    const key = await mintKey("P-256");
    const leaf = await mintCertificate({ key, subject: "client" });
    const { client, server: end } = connectionPair();
    const server = new TestServer(end, asking(0x0403));
    const verdict = Promise.withResolvers<void>();
    const asked = Promise.withResolvers<void>();
    const opening = startClient(client, {
      options: {
        clientCertificate: { chain: [leaf.der], key: key.pkcs8 },
        verify: () => {
          asked.resolve();
          return verdict.promise;
        },
      },
    });
    await server.sendFlight();
    // 0.5-RTT data: sent by the server before it has heard the client's Finished.
    await server.send(DATA, encode("early"));
    await asked.promise;
    let record: unknown;
    const reading = server.readFinished().then((seen) => record = seen);
    // Everything that could be sent would have been sent by now.
    for (let turn = 0; turn < 50; turn++) {
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    assertEquals(record, undefined);
    verdict.resolve();
    await reading;
    const tls = await opening;
    const reader = tls.readable.getReader();
    assertEquals((await reader.read()).value, encode("early"));
    await tls.close();
  });

  t.test("openTls() reads no more than its buffer while the verdict is awaited", async () => {
    const { client, server: end } = connectionPair(1);
    const server = new TestServer(end);
    const verdict = Promise.withResolvers<void>();
    const opening = startClient(client, {
      options: { verify: () => verdict.promise },
    });
    await server.sendFlight();
    let sent = 0;
    const data = new Uint8Array(MAX_TLS_PLAINTEXT_BYTES);
    const flooding = (async () => {
      for (; sent < 200; sent++) await server.send(DATA, data);
    })().catch(() => {});
    for (let turn = 0; turn < 200; turn++) {
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    assert(sent <= 3, `${sent} records`);
    verdict.reject(new Error("refused"));
    await assertRejects(() => opening, Error, "refused");
    await flooding;
  });

  t.test("streams carry megabytes both ways, whole and in order", async () => {
    const { server, tls } = await connected();
    const echoed = echo(server);
    const size = 3 * 1024 * 1024 + 7;
    const sent = new Uint8Array(size);
    for (let at = 0; at < size; at++) sent[at] = (at * 2_654_435_761) >>> 13;
    const writing = (async () => {
      const writer = tls.writable.getWriter();
      let at = 0;
      for (let step = 1; at < size; step = (step * 7) % 300_007) {
        await writer.write(sent.subarray(at, at + step));
        at += step;
      }
      await writer.close();
    })();
    const received = await readAll(tls);
    await writing;
    await echoed;
    assertEquals(received.length, size);
    assert(received.every((byte, at) => byte === sent[at]));
    await tls.closed;
  }, 60_000);

  t.test("readable is a byte stream: BYOB readers of any size work", async () => {
    const { server, tls } = await connected();
    await server.send(DATA, encode("hello, "));
    await server.send(DATA, encode("world"));
    await server.sendAlert("close_notify", 1);
    const reader = tls.readable.getReader({ mode: "byob" });
    let text = "";
    for (;;) {
      const { done, value } = await reader.read(new Uint8Array(3));
      if (done) break;
      assert(value.length >= 1 && value.length <= 3);
      text += new TextDecoder().decode(value);
    }
    assertEquals(text, "hello, world");
    await tls.close();
  });

  t.test("readable reads ahead of its consumer by a bound", async () => {
    const { server, tls } = await connected({}, {}, 1);
    let sent = 0;
    const data = new Uint8Array(MAX_TLS_PLAINTEXT_BYTES);
    const flooding = (async () => {
      for (; sent < 400; sent++) await server.send(DATA, data);
    })().catch(() => {});
    for (let turn = 0; turn < 300; turn++) {
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    assert(sent <= 16, `${sent} records`);
    const before = sent;
    const reader = tls.readable.getReader();
    for (let count = 0; count < 20; count++) await reader.read();
    assert(sent > before);
    await tls.close();
    await flooding;
  });

  t.test("writable waits for a server that does not read", async () => {
    const { tls } = await connected({}, {}, 1);
    const writer = tls.writable.getWriter();
    let written = 0;
    const flooding = (async () => {
      for (; written < 400; written++) {
        await writer.write(new Uint8Array(MAX_TLS_PLAINTEXT_BYTES));
      }
    })().catch(() => {});
    for (let turn = 0; turn < 300; turn++) {
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    assert(written <= 3, `${written} chunks`);
    await writer.abort(new Error("enough"));
    await flooding;
  });

  t.test("writable refuses what is not a Uint8Array", async () => {
    const { tls } = await connected();
    const writer = tls.writable.getWriter();
    await assertRejects(
      () => writer.write("text" as unknown as Uint8Array),
      TypeError,
    );
    await tls.close();
  });

  t.test("openTls() rejects if the transport cannot write, whatever it reads", async () => {
    const cause = new Error("broken pipe");
    const opening = startClient({
      readable: new ReadableStream(),
      writable: new WritableStream({
        write() {
          throw cause;
        },
      }),
    });
    const error = await opening.catch((error: unknown) => error);
    assert(error instanceof ConnectionError);
    assertEquals(
      [error.code, error.cause],
      ["ERR_CERTPIN_TLS_TRUNCATED", cause],
    );
  });

  t.test("a failing write leaves what the server has sent to be read", async () => {
    const { client, server: end } = connectionPair();
    const server = new TestServer(end);
    let isBroken = false;
    const writer = client.writable.getWriter();
    const writable = new WritableStream<Uint8Array>({
      async write(chunk) {
        if (isBroken) throw new Error("broken pipe");
        await writer.write(chunk);
      },
    });
    const [tls] = await Promise.all([
      startClient({ readable: client.readable, writable }),
      server.handshake(),
    ]);
    isBroken = true;
    const writing = tls.writable.getWriter();
    const errors: unknown[] = [];
    // A write returns when the transport takes it: the next one tells.
    for (let count = 0; count < 3; count++) {
      await writing.write(encode("x")).catch((error) => errors.push(error));
    }
    assert(errors.length > 0);
    const [error] = errors;
    assert(error instanceof ConnectionError);
    assertEquals(error.code, "ERR_CERTPIN_TLS_TRUNCATED");
    await endServer(server);
    assertEquals(await readAll(tls), encode("all"));
    await tls.close();
  });

  t.test("closing writable sends close_notify, and leaves readable open", async () => {
    const { server, tls } = await connected();
    const writer = tls.writable.getWriter();
    await writer.write(encode("last"));
    await writer.close();
    assertEquals((await server.readRecord())!.content, encode("last"));
    assertEquals((await server.readRecord())!.content, Uint8Array.of(1, 0));
    await server.send(DATA, encode("answer"));
    await server.sendAlert("close_notify", 1);
    assertEquals(await readAll(tls), encode("answer"));
    await tls.closed;
  });

  t.test("closing writable after the server's end closes the connection", async () => {
    const { server, tls } = await connected();
    await endServer(server);
    assertEquals(await readAll(tls), encode("all"));
    const writer = tls.writable.getWriter();
    await writer.write(encode("last"));
    await writer.close();
    await tls.closed;
    assertEquals((await server.readRecord())!.content, encode("last"));
    assertEquals((await server.readRecord())!.content, Uint8Array.of(1, 0));
    assertEquals(await server.readRecord(), undefined);
  });

  t.test("close() after the server's end closes the connection", async () => {
    const { server, tls } = await connected();
    await endServer(server);
    assertEquals(await readAll(tls), encode("all"));
    await tls.close();
    await tls.closed;
    assertEquals((await server.readRecord())!.content, Uint8Array.of(1, 0));
    assertEquals(await server.readRecord(), undefined);
  });

  t.test("close() sends close_notify, ends both streams, and can be called again", async () => {
    const { server, tls } = await connected();
    const reader = tls.readable.getReader();
    const writer = tls.writable.getWriter();
    const reading = reader.read().catch((error: unknown) => error);
    await tls.close();
    await tls.close();
    await tls.closed;
    const seen = (await server.readRecord())!;
    assertEquals(seen.content, Uint8Array.of(1, 0));
    assertEquals(await server.readRecord(), undefined);
    // A read that was cut short must not look like the server's end.
    const error = await reading;
    assert(error instanceof ConnectionError);
    assertEquals(error.code, "ERR_CERTPIN_TLS_TRUNCATED");
    await assertRejects(() => writer.write(encode("more")));
  });

  t.test("cancelling readable ends the connection", async () => {
    const { server, tls } = await connected();
    await tls.readable.cancel();
    await tls.closed;
    assertEquals((await server.readRecord())!.content, Uint8Array.of(1, 0));
    assertEquals(await server.readRecord(), undefined);
  });

  t.test("aborting writable ends the connection without close_notify", async () => {
    const { server, tls } = await connected();
    const reason = new Error("aborted");
    await tls.writable.abort(reason);
    await assertRejects(() => tls.closed, Error, "aborted");
    await assertRejects(
      () => tls.readable.getReader().read(),
      Error,
      "aborted",
    );
    assertEquals(await server.readRecord().catch(() => undefined), undefined);
  });

  t.test("closed rejects with what ended the connection", async () => {
    const { server, tls } = await connected();
    await server.sendAlert("internal_error");
    const error = await tls.closed.catch((error: unknown) => error);
    assert(error instanceof ConnectionError);
    assertEquals(error.code, "ERR_CERTPIN_TLS_ALERT");
  });

  t.test("openTls() ends with the reason of its signal, in every phase", async () => {
    const phases: Record<string, (server: TestServer) => Promise<void>> = {
      "before the ServerHello": (server) => server.readHello().then(() => {}),
      "before the flight": async (server) => {
        await server.sendFlight();
      },
    };
    for (const [name, act] of Object.entries(phases)) {
      const { client, server: end } = connectionPair();
      const controller = new AbortController();
      let verdicts = 0;
      const opening = startClient(client, {
        options: {
          signal: controller.signal,
          verify: () => {
            verdicts++;
            return new Promise(() => {});
          },
        },
      });
      const script: Script = name === "before the flight"
        ? { toContents: ([first]) => [first] }
        : {};
      const server = new TestServer(end, script);
      await act(server);
      const reason = new Error("aborted");
      controller.abort(reason);
      assertEquals(
        await opening.catch((error: unknown) => error),
        reason,
        name,
      );
      assertEquals(verdicts, 0);
      // Nothing of an alert, nothing of a Finished.
      await assertRejects(() => server.readRecord(), Error, "aborted");
    }

    const { client, server: end } = connectionPair();
    const controller = new AbortController();
    const asked = Promise.withResolvers<void>();
    const opening = startClient(client, {
      options: {
        signal: controller.signal,
        verify: () => {
          asked.resolve();
          return new Promise(() => {});
        },
      },
    });
    const server = new TestServer(end);
    await server.sendFlight();
    await asked.promise;
    const reason = new Error("aborted");
    controller.abort(reason);
    assertEquals(await opening.catch((error: unknown) => error), reason);

    const early = connectionPair();
    const aborted = startClient(early.client, {
      options: { signal: AbortSignal.abort(reason) },
    });
    assertEquals(await aborted.catch((error: unknown) => error), reason);
  });

  t.test("an abort after the verdict was asked lets no Finished out", async () => {
    const { client, server: end } = connectionPair();
    const controller = new AbortController();
    const verdict = Promise.withResolvers<void>();
    const asked = Promise.withResolvers<void>();
    const opening = startClient(client, {
      options: {
        signal: controller.signal,
        verify: () => {
          asked.resolve();
          return verdict.promise;
        },
      },
    });
    const server = new TestServer(end);
    await server.sendFlight();
    await asked.promise;
    const reason = new Error("aborted");
    controller.abort(reason);
    verdict.resolve();
    assertEquals(await opening.catch((error: unknown) => error), reason);
    await assertRejects(() => server.readFinished(), Error, "aborted");
  });

  t.test("openTls() ends a transport whose server does not read the last alert", async () => {
    const { client, server: end } = connectionPair(1);
    const server = new TestServer(end);
    const opening = startClient(client);
    await server.readHello();
    await server.sendRaw(new Uint8Array(64));
    const error = await opening.catch((error: unknown) => error);
    assert(error instanceof CertpinError);
    assertEquals(error.code, "ERR_CERTPIN_TLS_PROTOCOL");
  });

  t.test("openTls() refuses options that it cannot send", async () => {
    for (
      const [options, code] of [
        [{ hostname: "a..example" }, "ERR_CERTPIN_HOST_INVALID"],
        [{ alpnProtocols: [""] }, "ERR_CERTPIN_OPTION"],
        [{ alpnProtocols: ["x".repeat(256)] }, "ERR_CERTPIN_OPTION"],
      ] as const
    ) {
      const { client, server: end } = connectionPair();
      const error = await startClient(client, { options })
        .catch((error: unknown) => error);
      assert(error instanceof CertpinError, String(error));
      assertEquals(error.code, code);
      // The server is not told anything: there is no connection yet.
      await new TestServer(end).readRecord().then(
        (record) => assertEquals(record, undefined),
        () => {},
      );
    }
  });

  t.test("openTls() passes on what a verdict throws, whatever it is", async () => {
    for (
      const [thrown, alert] of [
        [new TypeError("a bug"), "internal_error"],
        [new CertpinError("ERR_CERTPIN_EXPIRED", "expired"), "internal_error"],
        [new PathError("ERR_CERTPIN_PATH_NO_ISSUER", ""), "unknown_ca"],
        [new PathError("ERR_CERTPIN_PATH_EXPIRED", ""), "certificate_expired"],
        [new PathError("ERR_CERTPIN_PATH_HOSTNAME", ""), "bad_certificate"],
        ["a string", "internal_error"],
      ] as const
    ) {
      const outcome = await play({}, {
        options: { verify: () => Promise.reject(thrown) },
      });
      assertEquals(
        [outcome.error, outcome.alert, outcome.isAlertEncrypted],
        [thrown, alert, true],
      );
    }
    const sync = await play({}, {
      options: {
        verify: () => {
          throw new TypeError("thrown at once");
        },
      },
    });
    assert(sync.error instanceof TypeError);
  });

  t.test("a client that refuses tells an alert, not more", async () => {
    const { client, server: end } = connectionPair();
    const server = new TestServer(end);
    const opening = startClient(client, {
      options: { verify: () => Promise.reject(new Error("refused")) },
    });
    opening.catch(() => {});
    await server.sendFlight();
    const error = await server.readFinished().catch((error: unknown) => error);
    assert(error instanceof ClientAlert);
    assertEquals(error.record.content.length, 2);
    assertEquals(await server.readRecord(), undefined);
    await assertRejects(() => opening, Error, "refused");
  });
};
