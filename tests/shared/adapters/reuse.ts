/**
 * Connections that live longer than what allowed them.
 */
import { assert, assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import { once } from "node:events";
import * as https from "node:https";
import * as tls from "node:tls";
import { request } from "undici/index.js";
import { createFetch } from "../../../src/adapters/deno.ts";
import {
  checkServerIdentity,
  connect,
  createAgent,
  createDispatcher,
} from "../../../src/adapters/node.ts";
import { createPinner, type Pinner } from "../../../src/pinner.ts";
import {
  mintChain,
  type MintedChain,
  type MintedPolicy,
} from "../../../src/testing/mod.ts";
import type { Body } from "../harness.ts";
import { serveHttp2 } from "./http2_server.ts";
import { serve, type Served } from "./servers.ts";
import { codeOf, refusal } from "./ways.ts";

/** The same hosts with one pin that nothing matches. */
function otherPins({ policy, pins }: MintedChain): MintedPolicy {
  const hosts: MintedPolicy["hosts"] = {};
  for (const hostname of Object.keys(policy.hosts)) {
    hosts[hostname] = { pins: [{ pin: pins.backup }] };
  }
  return { ...policy, hosts };
}

function expiring({ policy }: MintedChain, expiresAt: Date): MintedPolicy {
  const hosts: MintedPolicy["hosts"] = {};
  for (const [hostname, host] of Object.entries(policy.hosts)) {
    hosts[hostname] = { ...host, expiresAt: expiresAt.toISOString() };
  }
  return { ...policy, hosts };
}

/** A pool of connections, whichever adapter keeps it. */
interface Pool {
  readonly name: string;
  open(pinner: Pinner, ca: string): {
    get(server: Served): Promise<void>;
    close(): unknown;
  };
}

const POOLS: readonly Pool[] = [
  {
    name: "createFetch()",
    open(pinner, ca) {
      const fetch = createFetch(pinner, { ca });
      return {
        get: async ({ port }) => {
          await (await fetch(`https://127.0.0.1:${port}/`)).text();
        },
        close: () => fetch.close(),
      };
    },
  },
  {
    name: "createDispatcher()",
    open(pinner, ca) {
      const dispatcher = createDispatcher(pinner, { ca, connections: 1 });
      return {
        get: async ({ port }) => {
          const { body } = await request(`https://127.0.0.1:${port}/`, {
            dispatcher,
          });
          await body.text();
        },
        close: () => dispatcher.destroy(),
      };
    },
  },
  {
    name: "createAgent()",
    open(pinner, ca) {
      const agent = createAgent(pinner, { ca, keepAlive: true, maxSockets: 1 });
      return {
        get: ({ port }) =>
          new Promise((resolve, reject) => {
            https.get(
              `https://127.0.0.1:${port}/`,
              { agent },
              (response) => response.on("end", resolve).resume(),
            ).on("error", reject);
          }),
        close: () => agent.destroy(),
      };
    },
  },
];

/** Lets a connection go back into its pool. */
function settle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 20));
}

/** One request over a connection of Node's own; returns its last session. */
async function exchangePlain(options: tls.ConnectionOptions): Promise<Buffer> {
  const socket = tls.connect(options);
  let session = Buffer.alloc(0);
  socket.on("session", (latest) => session = latest);
  socket.write("GET / HTTP/1.1\r\n\r\n");
  await once(socket, "data");
  await settle();
  socket.destroy();
  return session;
}

/** Registers the tests. */
export const reuse: Body = (t) => {
  for (const { name, open } of POOLS) {
    t.test(`${name} starts no request on a pooled connection that update() made wrong`, async () => {
      const chain = await mintChain();
      const pinner = createPinner(chain.policy);
      await using server = await serve(chain);
      const pool = open(pinner, chain.ca);
      await pool.get(server);
      await settle();
      await pool.get(server);
      await settle();
      assert(server.handshakes <= 2, "connections are kept");
      const { received } = server;
      pinner.update(otherPins(chain));
      assertEquals(
        await refusal(() => pool.get(server)),
        "ERR_CERTPIN_MISMATCH",
      );
      assertEquals(server.received, received);
      pinner.update(chain.policy);
      await pool.get(server);
      assert(server.received > received);
      await pool.close();
    });

    t.test(`${name} keeps a pooled connection that a new policy allows too`, async () => {
      const chain = await mintChain();
      const pinner = createPinner(chain.policy);
      await using server = await serve(chain);
      const pool = open(pinner, chain.ca);
      for (let round = 0; round < 4; round++) {
        await pool.get(server);
        await settle();
        pinner.update(chain.policy);
      }
      assert(server.handshakes <= 2, `${server.handshakes} handshakes`);
      await pool.close();
    });

    t.test(`${name} starts no request on a pooled connection after expiresAt`, async () => {
      const chain = await mintChain();
      let now = Date.now();
      const expiresAt = new Date(now + 3_600_000);
      const pinner = createPinner(expiring(chain, expiresAt), {
        now: () => new Date(now),
      });
      await using server = await serve(chain);
      const pool = open(pinner, chain.ca);
      await pool.get(server);
      await settle();
      now = expiresAt.getTime() - 1_000;
      await pool.get(server);
      await settle();
      const { received } = server;
      now = expiresAt.getTime() + 1_000;
      assertEquals(
        await refusal(() => pool.get(server)),
        "ERR_CERTPIN_EXPIRED",
      );
      assertEquals(server.received, received);
      await pool.close();
    });

    t.test(`${name} starts no request on a pooled connection after the path's notAfter`, async () => {
      const start = Date.now();
      const chain = await mintChain({
        intermediates: [{ notAfter: new Date(start + 3_600_000) }],
      });
      let now = start;
      const pinner = createPinner(chain.policy, { now: () => new Date(now) });
      await using server = await serve(chain);
      const pool = open(pinner, chain.ca);
      await pool.get(server);
      await settle();
      const { received } = server;
      now = start + 3_599_000;
      await pool.get(server);
      await settle();
      assert(server.received > received);
      const before = server.received;
      now = start + 3_602_000;
      assertEquals(
        await refusal(() => pool.get(server)),
        "ERR_CERTPIN_PATH_EXPIRED",
      );
      assertEquals(server.received, before);
      await pool.close();
    });
  }

  t.test("a request queued behind another is judged when it starts", async () => {
    const chain = await mintChain();
    const pinner = createPinner(chain.policy);
    let release = () => {};
    await using server = await serve(chain, {
      onData: (socket) => {
        release = () =>
          socket.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
      },
    });
    const dispatcher = createDispatcher(pinner, {
      ca: chain.ca,
      connections: 1,
    });
    const url = `https://127.0.0.1:${server.port}/`;
    const first = request(url, { dispatcher });
    while (server.received === 0) await settle();
    const second = refusal(() => request(url, { dispatcher }));
    const { received } = server;
    pinner.update(otherPins(chain));
    release();
    await (await first).body.text();
    assertEquals(await second, "ERR_CERTPIN_MISMATCH");
    assertEquals(server.received, received);
    await dispatcher.destroy();
  });

  t.test("a session of HTTP/2 that update() made wrong ends with what runs on it", async () => {
    const chain = await mintChain();
    const pinner = createPinner(chain.policy);
    await using server = await serveHttp2(chain);
    const { ca } = chain;
    const dispatcher = createDispatcher(pinner, { ca, allowH2: true });
    const url = `https://localhost:${server.port}`;
    const get = async (path: string) => {
      const { body } = await request(url + path, { dispatcher });
      return body;
    };
    const endless = await get("/endless");
    const running = refusal(() => endless.text());
    pinner.update(chain.policy);
    assertEquals(await (await get("/")).text(), "h2");
    assertEquals(server.streams, 2);
    pinner.update(otherPins(chain));
    const code = "ERR_CERTPIN_MISMATCH";
    assertEquals(await refusal(() => get("/")), code);
    assertEquals(server.streams, 2);
    assert(await running !== undefined);
    await dispatcher.destroy();
  });

  t.test("requests that wait for one connection hear of its refusal", async () => {
    const chain = await mintChain();
    const pinner = createPinner(chain.policy);
    let release: (() => void) | undefined;
    await using server = await serve(chain, {
      onData: (socket) => {
        release = () =>
          socket.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
      },
    });
    const { ca } = chain;
    const agent = createAgent(pinner, { ca, keepAlive: true, maxSockets: 1 });
    let errors = 0;
    const get = () =>
      new Promise<void>((resolve, reject) => {
        https.get(
          `https://127.0.0.1:${server.port}/`,
          { agent },
          (response) => response.on("end", resolve).resume(),
        ).on("error", (error) => {
          errors++;
          reject(error);
        });
      });
    const first = get();
    while (release === undefined) await settle();
    const waiting = [1, 2, 3].map(() => refusal(get));
    await settle();
    const { received } = server;
    pinner.update(otherPins(chain));
    release();
    await first;
    const code = "ERR_CERTPIN_MISMATCH";
    assertEquals(await Promise.all(waiting), [code, code, code]);
    assertEquals(server.received, received);
    await settle();
    assertEquals(errors, 3);
    agent.destroy();
  });

  t.test("update() during a handshake counts", async () => {
    const chain = await mintChain();
    for (const isWrong of [true, false]) {
      const pinner = createPinner(chain.policy);
      await using server = await serve(chain, {
        // Chosen in the middle of the handshake: from now on other pins hold.
        SNICallback: (_name, done) => {
          pinner.update(isWrong ? otherPins(chain) : chain.policy);
          done(null);
        },
      });
      const code = await refusal(async () => {
        const socket = await connect(pinner, {
          host: "127.0.0.1",
          servername: "localhost",
          port: server.port,
          ca: chain.ca,
        });
        socket.destroy();
      });
      assertEquals(code, isWrong ? "ERR_CERTPIN_MISMATCH" : undefined);
      assertEquals(server.received, 0);
    }
  });

  t.test("update() while a connection is judged counts", async () => {
    const chain = await mintChain();
    for (const isWrong of [true, false]) {
      let asked = 0;
      const pinner: Pinner = createPinner(chain.policy, {
        now: () => {
          // The first look at the clock is inside the first judgement.
          if (asked++ === 0) {
            queueMicrotask(() =>
              pinner.update(isWrong ? otherPins(chain) : chain.policy)
            );
          }
          return new Date();
        },
      });
      await using server = await serve(chain);
      const code = await refusal(async () => {
        const socket = await connect(pinner, {
          host: "127.0.0.1",
          port: server.port,
          ca: chain.ca,
        });
        socket.destroy();
      });
      assertEquals(code, isWrong ? "ERR_CERTPIN_MISMATCH" : undefined);
    }
  });

  for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
    t.test(`no adapter resumes a session over ${version}`, async () => {
      const chain = await mintChain();
      let resumed = 0;
      await using server = await serve(chain, {
        minVersion: version,
        maxVersion: version,
        onSocket: (socket) => {
          if (socket.isSessionReused()) resumed++;
        },
      });
      for (const { open } of POOLS) {
        const pinner = createPinner(chain.policy);
        for (let round = 0; round < 2; round++) {
          const pool = open(pinner, chain.ca);
          await pool.get(server);
          await settle();
          await pool.close();
        }
      }
      assertEquals(resumed, 0);
      // Node itself resumes here, so the server would have seen it.
      if (t.runtime !== "node") return;
      const { port } = server;
      const plain = { host: "127.0.0.1", port, ca: chain.ca };
      await exchangePlain({ ...plain, session: await exchangePlain(plain) });
      assertEquals(resumed, 1);
    });
  }

  t.test("the hook refuses a peer whose certificates are not shown", () => {
    const policy = { version: 1, hosts: {} };
    const hook = checkServerIdentity(policy, { ca: [] });
    const error = hook("localhost", {} as tls.PeerCertificate);
    assertEquals(codeOf(error), "ERR_CERTPIN_NO_CHAIN");
  });
};
