/**
 * How many connections an agent opens, and how long any adapter waits for one.
 */
import { assert, assertEquals } from "@std/assert";
import * as https from "node:https";
import * as net from "node:net";
import {
  connect,
  createAgent,
  createDispatcher,
} from "../../../src/adapters/node.ts";
import { createFetch } from "../../../src/adapters/deno.ts";
import { CONNECT_TIMEOUT_MS } from "../../../src/tls/deadline.ts";
import { mintChain } from "../../../src/testing/mod.ts";
import { request } from "undici/index.js";
import type { Body } from "../harness.ts";
import { otherPins, settle } from "./pools.ts";
import { listen, serve, shut } from "./servers.ts";
import { rejection } from "./stage.ts";
import { lookup, refusal, waysOf } from "./ways.ts";

/** Milliseconds that an adapter is given where nothing ever comes. */
const SHORT_MS = 50;
/** Milliseconds that are enough for a connection to loopback. */
const LONG_MS = 8_000;

/** The codes of a missed deadline: node:net's, undici's, Deno's class. */
function isTimeout(error: unknown): boolean {
  const { code, name, cause } = error as Error & { code?: string };
  return code === "ETIMEDOUT" || code === "UND_ERR_CONNECT_TIMEOUT" ||
    name === "TimedOut" || (cause !== undefined && isTimeout(cause));
}

/** A server that takes connections and never says anything. */
async function serveSilence(): Promise<{ port: number } & AsyncDisposable> {
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.resume();
  });
  const port = await listen(server);
  return { port, [Symbol.asyncDispose]: () => shut(server, sockets) };
}

function get(port: number, agent: https.Agent, host = "localhost") {
  return new Promise<void>((resolve, reject) => {
    https.get(
      { host, port, agent, lookup } as https.RequestOptions,
      (response) => response.on("end", resolve).resume(),
    ).on("error", reject);
  });
}

/** Registers the tests. */
export const limits: Body = (t) => {
  for (const keepAlive of [false, true]) {
    t.test(`createAgent({ keepAlive: ${keepAlive} }) opens at most maxSockets connections to a host`, async () => {
      const chain = await mintChain();
      for (const maxSockets of [1, 3, undefined]) {
        let most = 0;
        await using server = await serve(chain, {
          onSocket: () => most = Math.max(most, server.open),
        });
        const agent = createAgent(chain.policy, {
          ca: chain.ca,
          keepAlive,
          maxSockets,
        });
        const gets = Array.from({ length: 10 }, () => get(server.port, agent));
        await Promise.all(gets);
        assertEquals(Object.keys(agent.requests), []);
        assert(most <= (maxSockets ?? 10), `${most} of ${maxSockets}`);
        if (keepAlive && maxSockets !== undefined) {
          assertEquals(server.handshakes, maxSockets);
        }
        if (maxSockets === undefined) assert(most > 3, `${most} at once`);
        agent.destroy();
      }
    });
  }

  t.test("createAgent() opens at most maxTotalSockets connections", async () => {
    const hostnames = ["localhost", "other.test"];
    const chain = await mintChain({ hostnames });
    for (const maxTotalSockets of [1, 2, undefined]) {
      let most = 0;
      await using server = await serve(chain, {
        onSocket: () => most = Math.max(most, server.open),
      });
      const agent = createAgent(chain.policy, {
        ca: chain.ca,
        lookup,
        maxTotalSockets,
      });
      await Promise.all(
        hostnames.flatMap((host) =>
          Array.from({ length: 5 }, () => get(server.port, agent, host))
        ),
      );
      assert(most <= (maxTotalSockets ?? 10), `${most}`);
      assert(server.handshakes >= 10);
      if (maxTotalSockets === undefined) assert(most > 2, `${most} at once`);
      agent.destroy();
    }
  });

  t.test("createAgent({ maxSockets }): each request that waits hears of its own refusal, and leaves no place taken", async () => {
    const chain = await mintChain();
    for (const isWrong of [true, false]) {
      await using server = await serve(chain);
      const policy = isWrong ? otherPins(chain) : chain.policy;
      const agent = createAgent(policy, { ca: chain.ca, maxSockets: 2 });
      const codes = await Promise.all(
        Array.from({ length: 9 }, () => refusal(() => get(server.port, agent))),
      );
      const expected = isWrong ? "ERR_CERTPIN_MISMATCH" : undefined;
      assertEquals(codes, Array(9).fill(expected));
      assertEquals(server.received > 0, !isWrong);
      await settle();
      assertEquals(Object.keys(agent.requests), []);
      assertEquals(Object.keys(agent.sockets), []);
      agent.destroy();
    }
  });

  t.test("a request of an agent that is destroyed while it connects ends at once, and makes place", async () => {
    const chain = await mintChain();
    await using silent = await serveSilence();
    await using server = await serve(chain);
    const agent = createAgent(chain.policy, {
      ca: chain.ca,
      maxTotalSockets: 1,
      connectTimeout: 0,
    });
    const request = https.get({ host: "localhost", port: silent.port, agent });
    const ended = rejection(
      new Promise((_, reject) => request.on("error", reject)),
    );
    const next = get(server.port, agent);
    await settle();
    assertEquals(server.handshakes, 0);
    request.destroy();
    assertEquals((await ended as { code?: string }).code, "ECONNRESET");
    await next;
    assertEquals(server.handshakes, 1);
    agent.destroy();
  });

  t.test("every adapter gives up a handshake that stalls, at its deadline", async () => {
    const chain = await mintChain();
    const { policy, ca } = chain;
    await using silent = await serveSilence();
    await using server = await serve(chain);
    for (const { name, send } of waysOf(t.runtime)) {
      if (name === "tlsOptions()") continue; // a hook: it opens nothing
      const target = (port: number) => ({ hostname: "localhost", port, ca });
      const connectTimeout = SHORT_MS;
      const error = await rejection(
        send(policy, target(silent.port), { connectTimeout }),
      );
      assert(isTimeout(error), `${name}: ${error}`);
      await send(policy, target(server.port), { connectTimeout: LONG_MS });
      await send(policy, target(server.port), { connectTimeout: 0 });
    }
    assertEquals(CONNECT_TIMEOUT_MS, 10_000);
  });

  t.test("the deadline counts while a name is looked up and while a proxy is silent", async () => {
    const chain = await mintChain();
    const { policy, ca } = chain;
    await using silent = await serveSilence();
    await using server = await serve(chain);
    const { port } = server;
    const url = `https://localhost:${port}/`;
    const stalls = [
      { lookup: () => {} },
      { proxy: `http://127.0.0.1:${silent.port}` },
      { proxy: `https://localhost:${silent.port}` },
    ];
    for (const stall of [...stalls, undefined]) {
      const connectTimeout = stall ? SHORT_MS : LONG_MS;
      const options = { ca, connectTimeout, ...stall };
      const attempts = [
        async () => {
          const where = { host: "localhost", port };
          (await connect(policy, { ...where, ...options })).destroy();
        },
        async () => {
          const agent = createAgent(policy, options);
          await get(port, agent).finally(() => agent.destroy());
        },
        async () => {
          const dispatcher = createDispatcher(policy, options);
          await request(url, { dispatcher }).then(({ body }) => body.dump())
            .finally(() => dispatcher.destroy());
        },
      ];
      if (stall === undefined || "lookup" in stall) {
        attempts.push(async () => {
          await using fetch = createFetch(policy, options);
          await (await fetch(url)).text();
        });
      }
      for (const attempt of attempts) {
        if (stall === undefined) await attempt();
        else {
          const error = await rejection(attempt());
          assert(isTimeout(error), `${JSON.stringify(stall)}: ${error}`);
        }
      }
    }
  });

  t.test("an agent connects by itself, whatever createConnection a request brings", async () => {
    const chain = await mintChain();
    for (const isWrong of [true, false]) {
      await using server = await serve(chain);
      const policy = isWrong ? otherPins(chain) : chain.policy;
      const agent = createAgent(policy, { ca: chain.ca });
      let calls = 0;
      const code = await refusal(() =>
        new Promise<void>((resolve, reject) => {
          https.get(
            {
              host: "localhost",
              port: server.port,
              agent,
              createConnection: () => {
                calls++;
                return net.connect(server.port, "127.0.0.1");
              },
            },
            (response) => response.on("end", resolve).resume(),
          ).on("error", reject);
        })
      );
      assertEquals(code, isWrong ? "ERR_CERTPIN_MISMATCH" : undefined);
      assertEquals(calls, 0);
      assertEquals(server.received > 0, !isWrong);
      agent.destroy();
    }
  });
};
