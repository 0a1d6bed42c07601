/**
 * `connectTls` and `startTls` beside the native ones: what a caller sees of a
 * connection has to be the same. On Deno alone.
 */
import { assert, assertEquals } from "@std/assert";
import {
  connectTls,
  startTls,
  verdictOf,
  verifyConn,
} from "../../../src/adapters/deno.ts";
import { mintChain, type MintedChain } from "../../../src/testing/mod.ts";
import type { Body } from "../harness.ts";
import { decode, outcome, type Scene, SCENES } from "./deno_scenes.ts";
import { serve, type Served } from "./servers.ts";
import { refusal } from "./ways.ts";

/** A server with a protocol of single words. */
function serveWords(chain: MintedChain): Promise<Served> {
  return serve(chain, {
    allowHalfOpen: true,
    ALPNProtocols: ["one", "two"],
    onSocket: (socket) => socket.on("end", () => socket.end("late")),
    onData: (socket, chunk) => {
      const word = decode(chunk);
      if (word === "hi") socket.write("hello");
      if (word === "end") socket.end("bye");
      if (word === "big") socket.write(new Uint8Array(300_000).fill(7));
      if (word === "all") socket.end(new Uint8Array(20_000_000));
    },
  });
}

type Open = (
  port: number,
  chain: MintedChain,
  alpnProtocols?: string[],
) => Promise<Deno.TlsConn>;

const NATIVE: Open = (port, { ca }, alpnProtocols) =>
  Deno.connectTls({
    hostname: "localhost",
    port,
    caCerts: [ca],
    alpnProtocols,
  });

const PINNED: Readonly<Record<string, Open>> = {
  connectTls: (port, { ca, policy }, alpnProtocols) =>
    connectTls(policy, {
      hostname: "localhost",
      port,
      caCerts: [ca],
      alpnProtocols,
    }),
  startTls: async (port, { ca, policy }, alpnProtocols) =>
    await startTls(
      policy,
      await Deno.connect({ hostname: "localhost", port }),
      {
        hostname: "localhost",
        caCerts: [ca],
        alpnProtocols,
      },
    ),
};

async function play(open: Open, scene: Scene, chain: MintedChain) {
  await using server = await serveWords(chain);
  const conn = await open(server.port, chain);
  await conn.handshake();
  const result = await scene(conn);
  conn[Symbol.dispose]();
  return result;
}

/** Registers the tests. */
export const denoConn: Body = (t) => {
  if (t.runtime !== "deno") return;

  for (const [name, open] of Object.entries(PINNED)) {
    t.feature(
      `${name}()`,
      `${name}() returns what the native one returns`,
      async () => {
        const chain = await mintChain();
        await using server = await serveWords(chain);
        const conn = await open(server.port, chain, ["two"]);
        assertEquals((await conn.handshake()).alpnProtocol, "two");
        assertEquals(verdictOf(conn)?.reason, "pinned");
        conn.close();
        const plain = await open(server.port, chain);
        assertEquals((await plain.handshake()).alpnProtocol, null);
        plain.close();
      },
    );

    for (const [words, scene] of Object.entries(SCENES)) {
      t.test(`a connection of ${name}() ${words}, as the native one does`, async () => {
        const chain = await mintChain();
        assertEquals(
          await play(open, scene, chain),
          await play(NATIVE, scene, chain),
        );
      });
    }

    t.test(`${name}() holds back a peer whose bytes nobody reads`, async () => {
      const chain = await mintChain();
      const listener = Deno.listenTls({
        hostname: "127.0.0.1",
        port: 0,
        cert: chain.pem,
        key: chain.keyPem,
      });
      let sent = 0;
      const sending = listener.accept().then(async (peer) => {
        try {
          while (sent < 1_000) {
            await peer.write(new Uint8Array(1_000_000));
            sent++;
          }
        } finally {
          peer.close();
        }
      });
      const conn = await open(listener.addr.port, chain);
      await conn.read(new Uint8Array(1));
      await new Promise((resolve) => setTimeout(resolve, 300));
      assert(sent < 100, `${sent} MB were taken in`);
      conn.close();
      await outcome(() => sending);
      listener.close();
    });

    t.test(`${name}() waits for a peer that does not read`, async () => {
      const chain = await mintChain();
      const listener = Deno.listenTls({
        hostname: "127.0.0.1",
        port: 0,
        cert: chain.pem,
        key: chain.keyPem,
      });
      const accepting = listener.accept().then(async (peer) => {
        await peer.handshake();
        return peer;
      });
      const conn = await open(listener.addr.port, chain);
      const peer = await accepting;
      let written = 0;
      const writing = (async () => {
        while (written < 1_000) {
          await conn.write(new Uint8Array(1_000_000));
          written++;
        }
      })();
      await Promise.race([
        outcome(() => writing),
        new Promise((resolve) => setTimeout(resolve, 300)),
      ]);
      assert(written < 100, `${written} MB were taken`);
      conn.close();
      assert(typeof await outcome(() => writing) === "string");
      peer.close();
      listener.close();
    });
  }

  t.test("connectTls() fails as the native one where nobody listens", async () => {
    const { policy, ca } = await mintChain();
    const target = { hostname: "127.0.0.1", port: 1 };
    assertEquals(
      await outcome(() => connectTls(policy, { ...target, ca })),
      await outcome(() => Deno.connectTls(target)),
    );
  });

  t.test("connectTls() ends with its signal", async () => {
    const { policy, ca } = await mintChain();
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const controller = new AbortController();
    const connecting = outcome(() =>
      connectTls(policy, {
        hostname: "127.0.0.1",
        port: listener.addr.port,
        ca,
        signal: controller.signal,
      })
    );
    const accepted = await listener.accept();
    controller.abort(new DOMException("mine", "AbortError"));
    assertEquals(await connecting, "throws AbortError");
    accepted.close();
    listener.close();
  });

  t.test("startTls() uses the TCP connection up, also by a refusal", async () => {
    const chain = await mintChain();
    const other = await mintChain();
    await using server = await serveWords(chain);
    const tcp = await Deno.connect({
      hostname: "localhost",
      port: server.port,
    });
    const code = await refusal(() =>
      startTls(other.policy, tcp, { hostname: "localhost", ca: chain.ca })
    );
    assertEquals(code, "ERR_CERTPIN_MISMATCH");
    assertEquals(await outcome(() => tcp.close()), "throws BadResource");
    assertEquals(server.received, 0);
  });

  t.feature(
    "verifyConn()",
    "verifyConn() evaluates a native connection by its leaf",
    async () => {
      const chain = await mintChain();
      const { policy, ca, pins } = chain;
      const hostname = "localhost";
      await using server = await serveWords(chain);
      const open = () => NATIVE(server.port, chain);
      const completed = {
        ...policy,
        certificates: [chain.intermediates[0].pem],
      };
      const conn = await open();
      const verdict = await verifyConn(completed, conn, { hostname, ca });
      assertEquals(verdict.reason, "pinned");
      assertEquals(verdict.path?.certificates.length, 3);
      assertEquals(verdictOf(conn), verdict);
      conn.close();
      // Deno shows the leaf alone: without the intermediate no path is found.
      const lacking = await open();
      assertEquals(
        await refusal(() => verifyConn(policy, lacking, { hostname, ca })),
        "ERR_CERTPIN_PATH_NO_ISSUER",
      );
      assertEquals(await outcome(() => lacking.close()), "throws BadResource");
      const wrong = await open();
      const others = {
        ...completed,
        hosts: { localhost: { pins: [pins.backup] } },
      };
      assertEquals(
        await refusal(() => verifyConn(others, wrong, { hostname, ca })),
        "ERR_CERTPIN_MISMATCH",
      );
      assertEquals(await outcome(() => wrong.close()), "throws BadResource");
      const misnamed = await open();
      const elsewhere = {
        ...completed,
        hosts: { "other.test": policy.hosts.localhost },
      };
      assertEquals(
        await refusal(() =>
          verifyConn(elsewhere, misnamed, { hostname: "other.test", ca })
        ),
        "ERR_CERTPIN_PATH_HOSTNAME",
      );
    },
  );

  t.test("verifyConn() refuses a connection that shows nothing, and closes it", async () => {
    const { policy, ca } = await mintChain();
    let closed = 0;
    const blank = {
      handshake: () => Promise.resolve({ alpnProtocol: null }),
      close: () => void closed++,
    } as unknown as Deno.TlsConn;
    assertEquals(
      await refusal(() =>
        verifyConn(policy, blank, { hostname: "x.test", ca })
      ),
      "ERR_CERTPIN_RUNTIME",
    );
    assertEquals(closed, 1);
  });
};
