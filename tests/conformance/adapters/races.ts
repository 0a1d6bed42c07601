/**
 * Policies that change while something runs, and sessions that are resumed.
 */
import { assert, assertEquals } from "@std/assert";
import type { Buffer } from "node:buffer";
import { once } from "node:events";
import * as https from "node:https";
import * as tls from "node:tls";
import { request } from "undici/index.js";
import {
  checkServerIdentity,
  connect,
  createAgent,
  createDispatcher,
} from "../../../src/adapters/node.ts";
import { createPinner, type Pinner } from "../../../src/pinner/pinner.ts";
import { mintChain } from "../../../src/testing/mod.ts";
import type { Body } from "../harness.ts";
import { serveHttp2 } from "./http2_server.ts";
import { expiring, otherPins, POOLS, settle } from "./pools.ts";
import { serve } from "./servers.ts";
import { codeOf, refusal } from "./ways.ts";

/** One request over a connection of Node's own; returns its last session. */
async function exchangePlain(
  options: tls.ConnectionOptions,
): Promise<Buffer | undefined> {
  const socket = tls.connect(options);
  let session: Buffer | undefined;
  socket.on("session", (latest) => session = latest);
  socket.write("GET / HTTP/1.1\r\n\r\n");
  await once(socket, "data");
  await settle();
  socket.destroy();
  return session;
}

/** Looks at the clock for one request, and some more. */
const CLOCK_LOOKS = 10;

const CODES = {
  expiry: "ERR_CERTPIN_EXPIRED",
  update: "ERR_CERTPIN_MISMATCH",
};

/** Registers the tests. */
export const races: Body = (t) => {
  t.test("update() ends a request that runs, and refuses the one queued behind it", async () => {
    const chain = await mintChain();
    const pinner = createPinner(chain.policy);
    await using server = await serve(chain, { onData() {} });
    const dispatcher = createDispatcher(pinner, {
      ca: chain.ca,
      connections: 1,
    });
    const url = `https://127.0.0.1:${server.port}/`;
    const first = refusal(() => request(url, { dispatcher }));
    while (server.received === 0) await settle();
    const second = refusal(() => request(url, { dispatcher }));
    const { received } = server;
    pinner.update(otherPins(chain));
    assertEquals(await first, "ERR_CERTPIN_MISMATCH");
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
    await using server = await serve(chain, { onData() {} });
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
    const first = refusal(get);
    while (server.received === 0) await settle();
    const waiting = [1, 2, 3].map(() => refusal(get));
    await settle();
    const { received } = server;
    pinner.update(otherPins(chain));
    const code = "ERR_CERTPIN_MISMATCH";
    assertEquals(await first, code);
    assertEquals(await Promise.all(waiting), [code, code, code]);
    assertEquals(server.received, received);
    await settle();
    assertEquals(errors, 4);
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

  t.test("update() while a connection is evaluated counts", async () => {
    const chain = await mintChain();
    for (const isWrong of [true, false]) {
      let asked = 0;
      const pinner: Pinner = createPinner(chain.policy, {
        now: () => {
          // The first look at the clock is inside the first evaluation.
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

  for (const { name, open } of POOLS) {
    t.test(`${name}: the clock or the policy may change at each look at the clock, and every request settles`, async () => {
      const chain = await mintChain();
      const start = Date.now();
      const until = new Date(start + 3_600_000);
      const allowed = expiring(chain, until);
      const refused = expiring({ ...chain, policy: otherPins(chain) }, until);
      for (const change of ["expiry", "update", "nothing"] as const) {
        const codes = new Set<string | undefined>();
        for (let look = 1; look <= CLOCK_LOOKS; look++) {
          let looks = 0;
          const pinner: Pinner = createPinner(allowed, {
            now() {
              looks++;
              if (looks === look && change === "update") pinner.update(refused);
              const isLate = looks >= look && change === "expiry";
              return new Date(start + (isLate ? 7_200_000 : 0));
            },
            onWarning: () => {},
          });
          await using server = await serve(chain);
          const pool = open(pinner, chain.ca);
          const code = await refusal(() => pool.get(server));
          await pool.close();
          codes.add(code);
          assertEquals(server.received > 0, code === undefined);
        }
        assertEquals(
          codes,
          new Set(
            change === "nothing" ? [undefined] : [CODES[change], undefined],
          ),
        );
      }
    });
  }

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
