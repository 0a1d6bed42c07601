/**
 * What talks other checks past: the environment, callbacks that throw, writing
 * early, redirects that leave TLS.
 */
import { assert, assertEquals } from "@std/assert";
import * as http from "node:http";
import * as https from "node:https";
import * as net from "node:net";
import { request } from "undici/index.js";
import { createFetch, verdictOf } from "../../../src/adapters/deno.ts";
import {
  connect,
  createAgent,
  createDispatcher,
} from "../../../src/adapters/node.ts";
import { createPinner } from "../../../src/pinner/pinner.ts";
import { mintChain } from "../../../src/testing/mod.ts";
import type { Body } from "../harness.ts";
import { withEnvironment } from "./environment.ts";
import { listen, serve, shut } from "./servers.ts";
import { codeOf, refusal, waysOf } from "./ways.ts";

const quiet = {
  onWarning: () => {},
};

/** Registers the tests. */
export const hazards: Body = (t) => {
  t.test("NODE_TLS_REJECT_UNAUTHORIZED=0 lets no untrusted peer in", async () => {
    const chain = await mintChain();
    const { ca } = await mintChain();
    await using server = await serve(chain);
    const target = { hostname: "localhost", port: server.port };
    await withEnvironment({ NODE_TLS_REJECT_UNAUTHORIZED: "0" }, async () => {
      for (const { name, send } of waysOf(t.runtime)) {
        const code = await refusal(() => send(chain.policy, { ...target, ca }));
        assert(code !== undefined, `${name} connected`);
        assertEquals(server.received, 0, name);
      }
      for (const { send } of waysOf(t.runtime)) {
        await send(chain.policy, { ...target, ca: chain.ca });
      }
    });
  });

  t.test("proxies of the environment are ignored", async () => {
    const chain = await mintChain();
    await using server = await serve(chain);
    let proxied = 0;
    const proxy = net.createServer((socket) => {
      proxied++;
      socket.destroy();
    });
    const url = `http://127.0.0.1:${await listen(proxy)}`;
    await withEnvironment(
      {
        HTTPS_PROXY: url,
        https_proxy: url,
        ALL_PROXY: url,
        NODE_USE_ENV_PROXY: "1",
      },
      async () => {
        for (const { send } of waysOf(t.runtime)) {
          await send(chain.policy, {
            hostname: "localhost",
            port: server.port,
            ca: chain.ca,
          });
        }
      },
    );
    assertEquals(proxied, 0);
    await shut(proxy, []);
  });

  t.test("callbacks that throw change no verdict", async () => {
    const chain = await mintChain();
    const other = await mintChain();
    await using server = await serve(chain);
    const fail = () => {
      throw new Error("a callback of the caller");
    };
    const target = { hostname: "localhost", port: server.port, ca: chain.ca };
    for (const { name, send } of waysOf(t.runtime)) {
      const callbacks = { onWarning: fail, onReport: fail };
      const { received } = server;
      const code = await refusal(() =>
        send(createPinner(other.policy, callbacks), target)
      );
      assertEquals(code, "ERR_CERTPIN_MISMATCH", name);
      assertEquals(server.received, received, name);
      await send(createPinner(chain.policy, callbacks), target);
      assert(server.received > received, name);
    }
  });

  t.test("a clock that throws refuses", async () => {
    const chain = await mintChain();
    await using server = await serve(chain);
    const target = { hostname: "localhost", port: server.port, ca: chain.ca };
    for (const { name, send } of waysOf(t.runtime)) {
      const now = () => {
        throw new Error("no clock");
      };
      const code = await refusal(() =>
        send(createPinner(chain.policy, { ...quiet, now }), target)
      );
      assert(code !== undefined, `${name} connected`);
      assertEquals(server.received, 0, name);
    }
  });

  t.test("what is written with the request does not leave before the verdict", async () => {
    const chain = await mintChain();
    const other = await mintChain();
    await using server = await serve(chain);
    const url = `https://127.0.0.1:${server.port}/`;
    const { ca } = chain;
    for (
      const { policy, isAllowed } of [
        { policy: other.policy, isAllowed: false },
        { policy: chain.policy, isAllowed: true },
      ]
    ) {
      const agent = createAgent(policy, { ca });
      const viaAgent = await refusal(() =>
        new Promise<void>((resolve, reject) => {
          const sending = https.request(url, { agent, method: "POST" });
          sending.on("error", reject);
          sending.on(
            "response",
            (response) => response.on("end", resolve).resume(),
          );
          sending.flushHeaders();
          sending.write("early");
          sending.end("end");
        })
      );
      agent.destroy();
      const dispatcher = createDispatcher(policy, {
        ca,
        pipelining: 10,
        connections: 1,
      });
      const viaPipeline = await Promise.all(
        Array.from({ length: 5 }, () =>
          refusal(async () => {
            await (await request(url, { dispatcher })).body.text();
          })),
      );
      await dispatcher.destroy();
      const expected = isAllowed ? undefined : "ERR_CERTPIN_MISMATCH";
      assertEquals(viaAgent, expected);
      for (const code of viaPipeline) assertEquals(code, expected);
      assertEquals(server.received > 0, isAllowed);
    }
  });

  t.test("what the server sends first is there after the verdict", async () => {
    const chain = await mintChain();
    await using server = await serve(chain, {
      onSocket: (socket) => socket.write("220 ready\r\n"),
    });
    const socket = await connect(chain.policy, {
      host: "127.0.0.1",
      port: server.port,
      ca: chain.ca,
    });
    const [greeting] = await Promise.all([
      new Promise<string>((resolve) =>
        socket.once(
          "data",
          (chunk: Uint8Array) => resolve(new TextDecoder().decode(chunk)),
        )
      ),
    ]);
    socket.destroy();
    assertEquals(greeting, "220 ready\r\n");
    assertEquals(verdictOf(socket)?.reason, "pinned");
  });

  t.test("no redirect leaves TLS, and none is looked up", async () => {
    const chain = await mintChain();
    let plain = 0;
    const unsafe = http.createServer((_, response) => {
      plain++;
      response.end();
    });
    const port = await listen(unsafe);
    await using server = await serve(chain, {
      onData: (socket, chunk) => {
        const away = new TextDecoder().decode(chunk).startsWith("GET /away");
        const location = away ? `http://127.0.0.1:${port}/` : "/there";
        const done = new TextDecoder().decode(chunk).startsWith("GET /there");
        socket.write(
          done
            ? "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
            : `HTTP/1.1 302 Found\r\nlocation: ${location}\r\ncontent-length: 0\r\n\r\n`,
        );
      },
    });
    await using fetch = createFetch(chain.policy, { ca: chain.ca });
    const base = `https://127.0.0.1:${server.port}`;
    assertEquals(
      await refusal(() => fetch(`${base}/away`)),
      "ERR_CERTPIN_PROTOCOL",
    );
    assertEquals(plain, 0);
    const response = await fetch(`${base}/here`);
    assertEquals(await response.text(), "ok");
    assertEquals(response.redirected, true);
    await shut(unsafe, []);
  });

  t.test("a plain http: request fails before anything is looked up", async () => {
    const { policy, ca } = await mintChain();
    const code = "ERR_CERTPIN_PROTOCOL";
    const url = "http://name.invalid/";
    let looked = 0;
    const lookup = (_: string, __: object, done: (error: Error) => void) => {
      looked++;
      done(new Error("looked up"));
    };
    await using fetch = createFetch(policy, { ca, lookup });
    assertEquals(await refusal(() => fetch(url)), code);
    const dispatcher = createDispatcher(policy, { ca, lookup });
    assertEquals(await refusal(() => request(url, { dispatcher })), code);
    await dispatcher.destroy();
    const agent = createAgent(policy, { ca, lookup });
    const error = await new Promise((resolve) =>
      http.get(url, { agent, lookup } as unknown as http.RequestOptions)
        .on("error", resolve)
    );
    assertEquals(codeOf(error), code);
    agent.destroy();
    assertEquals(looked, 0);
  });

  t.test("each hop is checked by its own hostname, whatever the Host header says", async () => {
    const chain = await mintChain({ hostnames: ["localhost", "other.test"] });
    const { policy, ca, pins } = chain;
    policy.hosts["other.test"] = { pins: [{ pin: pins.backup }] };
    await using server = await serve(chain);
    const lookup = (
      _: string,
      o: { all?: boolean },
      done: (...a: unknown[]) => void,
    ) =>
      o?.all
        ? done(null, [{ address: "127.0.0.1", family: 4 }])
        : done(null, "127.0.0.1", 4);
    const agent = createAgent(policy, { ca, lookup });
    const dispatcher = createDispatcher(policy, { ca, lookup });
    const get = async (hostname: string, host: string) => {
      const url = `https://${hostname}:${server.port}/`;
      const headers = { host };
      const ways = [
        () =>
          new Promise<void>((resolve, reject) => {
            https.get(
              url,
              { agent, headers, lookup } as https.RequestOptions,
              (response) => {
                response.on("end", resolve).resume();
              },
            ).on("error", reject);
          }),
        async () => {
          await (await request(url, { dispatcher, headers })).body.text();
        },
      ];
      return await Promise.all(ways.map(refusal));
    };
    const wrong = "ERR_CERTPIN_MISMATCH";
    assertEquals(await get("localhost", "other.test"), [undefined, undefined]);
    const { received } = server;
    assertEquals(await get("other.test", "localhost"), [wrong, wrong]);
    assertEquals(server.received, received);
    agent.destroy();
    await dispatcher.destroy();
  });
};
