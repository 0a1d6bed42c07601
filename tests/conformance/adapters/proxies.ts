/**
 * Proxies that are named explicitly, and client certificates.
 */
import { assert, assertEquals } from "@std/assert";
import * as https from "node:https";
import * as net from "node:net";
import { request } from "undici/index.js";
import {
  connect,
  createAgent,
  type DispatcherOptions,
} from "../../../src/adapters/node.ts";
import {
  mintCertificate,
  mintChain,
  type MintedChain,
} from "../../../src/testing/mod.ts";
import type { Body } from "../harness.ts";
import { serveHttp } from "./http_server.ts";
import { serveProxy } from "./proxy_server.ts";
import { listen, serve, shut } from "./servers.ts";
import { refusal, withDispatcher } from "./ways.ts";

const MISMATCH = "ERR_CERTPIN_MISMATCH";

/** Registers the tests. */
export const proxies: Body = (t) => {
  for (const isTls of [false, true]) {
    const kind = isTls ? "CONNECT proxy over TLS" : "CONNECT proxy";
    t.feature(
      kind,
      `a ${kind} is tunnelled through, and the origin is evaluated`,
      async () => {
        const chain = await mintChain();
        await using server = await serveHttp(chain);
        await using proxy = await serveProxy(isTls ? chain : undefined);
        const { ca } = chain;
        const target = { host: "127.0.0.1", port: server.port, ca };
        const options = { ca, proxy: proxy.url };
        const expected = `127.0.0.1:${server.port} Basic ${btoa("user:p@ss")}`;
        const ways = (policy: MintedChain["policy"]) => [
          async () => {
            const socket = await connect(policy, {
              ...target,
              proxy: proxy.url,
            });
            socket.destroy();
          },
          () =>
            withDispatcher(policy, options, async (dispatcher) => {
              const url = `https://127.0.0.1:${server.port}/echo`;
              await (await request(url, { dispatcher })).body.text();
            }),
          () => {
            const agent = createAgent(policy, options);
            return new Promise<void>((resolve, reject) => {
              https.get(
                `https://127.0.0.1:${server.port}/echo`,
                { agent },
                (response) => response.on("end", resolve).resume(),
              ).on("error", reject);
            }).finally(() => agent.destroy());
          },
        ];
        // Right pins for the proxy's name, wrong ones for the origin's.
        const wrong = { ...chain.policy, hosts: { ...chain.policy.hosts } };
        wrong.hosts["127.0.0.1"] = { pins: [{ pin: chain.pins.backup }] };
        for (const way of ways(wrong)) {
          assertEquals(await refusal(way), MISMATCH);
        }
        assertEquals(server.requests, 0);
        for (const way of ways(chain.policy)) {
          await way();
        }
        assertEquals(server.requests, 2);
        assertEquals(proxy.asked, Array(6).fill(expected));
        if (!isTls) return;
        // And the proxy needs an entry of its own.
        const unlisted = { ...chain.policy, hosts: { ...chain.policy.hosts } };
        delete unlisted.hosts.localhost;
        for (const way of ways(unlisted)) {
          assertEquals(await refusal(way), "ERR_CERTPIN_UNLISTED");
        }
        assertEquals(proxy.asked.length, 6);
      },
    );
  }

  t.test("a proxy that refuses, hangs up or babbles ends the connection", async () => {
    const chain = await mintChain();
    const answers = [
      "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n",
      "",
      "HTTP/1.1 200 OK\r\nx: " + "y".repeat(100_000),
      "\u0016\u0003\u0001",
    ];
    for (const answer of answers) {
      const proxy = net.createServer((socket) => {
        socket.on("error", () => {});
        socket.once("data", () => socket.end(answer));
      });
      const port = await listen(proxy);
      const code = await refusal(() =>
        connect(chain.policy, {
          host: "127.0.0.1",
          port: 1,
          ca: chain.ca,
          proxy: `http://127.0.0.1:${port}`,
        })
      );
      assertEquals(code, "ERR_CERTPIN_PROXY", answer.slice(0, 20));
      await shut(proxy, []);
    }
  });

  t.feature(
    "client certificates",
    "a client certificate is sent, and the verdict still comes first",
    async () => {
      const chain = await mintChain();
      const client = await mintCertificate({
        subject: "client",
        issuer: chain.root,
        extendedKeyUsage: ["clientAuth"],
      });
      const names: unknown[] = [];
      await using server = await serve(chain, {
        requestCert: true,
        rejectUnauthorized: true,
        ca: chain.ca,
        onSocket: (socket) => names.push(socket.authorized),
      });
      const { ca } = chain;
      const mine = { ca, cert: client.pem, key: client.key.pem };
      const get = (policy: MintedChain["policy"], options: DispatcherOptions) =>
        withDispatcher(policy, options, async (dispatcher) => {
          const url = `https://127.0.0.1:${server.port}/`;
          await (await request(url, { dispatcher })).body.text();
        });
      const other = await mintChain();
      assertEquals(await refusal(() => get(other.policy, mine)), MISMATCH);
      assertEquals(server.received, 0);
      assert(await refusal(() => get(chain.policy, { ca })) !== undefined);
      assertEquals(server.received, 0);
      await get(chain.policy, mine);
      assert(server.received > 0);
      assert(names.every((authorized) => authorized === true));
    },
  );
};
