/**
 * axios and got, which follow redirects and proxies in ways of their own. On
 * Node, where they belong.
 */
import { assert, assertEquals } from "@std/assert";
import axios, { type AxiosRequestConfig } from "axios";
import got from "got";
import * as http from "node:http";
import type * as https from "node:https";
import { createAgent } from "../../../src/adapters/node.ts";
import { mintChain, type MintedChain } from "../../../src/testing/mod.ts";
import type { Body } from "../harness.ts";
import { withEnvironment } from "./environment.ts";
import { serveHttp } from "./http_server.ts";
import { serveProxy } from "./proxy_server.ts";
import { listen, shut } from "./servers.ts";
import { refusal } from "./ways.ts";

interface Library {
  readonly name: string;
  get(url: string, agent: https.Agent): Promise<unknown>;
}

const AXIOS: AxiosRequestConfig = { maxRedirects: 3 };

const LIBRARIES: readonly Library[] = [
  {
    name: "axios",
    get: (url, agent) =>
      axios.get(url, {
        ...AXIOS,
        httpsAgent: agent,
        httpAgent: agent,
        proxy: false,
      }),
  },
  {
    name: "got",
    get: (url, agent) =>
      got(url, { agent: { http: agent, https: agent }, retry: { limit: 0 } }),
  },
];

/** Runs with an agent that is destroyed afterwards. */
async function withAgent<T>(
  policy: MintedChain["policy"],
  ca: string,
  act: (agent: https.Agent) => Promise<T>,
): Promise<T> {
  const agent = createAgent(policy, { ca });
  try {
    return await act(agent);
  } finally {
    agent.destroy();
  }
}

/** Registers the tests. */
export const libraries: Body = (t) => {
  if (t.runtime !== "node") return;

  for (const { name, get } of LIBRARIES) {
    t.test(`${name} sends nothing to an impostor, nor to http: after a redirect`, async () => {
      const chain = await mintChain();
      const other = await mintChain();
      await using server = await serveHttp(chain);
      let plain = 0;
      const unsafe = http.createServer((_, response) => {
        plain++;
        response.end();
      });
      const port = await listen(unsafe);
      const base = `https://127.0.0.1:${server.port}`;
      const away = `${base}/redirect?to=http://127.0.0.1:${port}/`;
      const { ca } = chain;
      await withAgent(other.policy, ca, async (agent) => {
        assertEquals(
          await refusal(() => get(`${base}/echo`, agent)),
          "ERR_CERTPIN_MISMATCH",
        );
      });
      assertEquals(server.requests, 0);
      await withAgent(chain.policy, ca, async (agent) => {
        await get(`${base}/redirect?to=/echo`, agent);
        assertEquals(server.requests, 2);
        assertEquals(
          await refusal(() => get(away, agent)),
          "ERR_CERTPIN_PROTOCOL",
        );
        assertEquals(server.requests, 3);
      });
      assertEquals(plain, 0);
      await shut(unsafe, []);
    });

    t.test(`${name} ignores HTTPS_PROXY`, async () => {
      const chain = await mintChain();
      await using server = await serveHttp(chain);
      await using proxy = await serveProxy();
      const { url: HTTPS_PROXY } = proxy;
      await withEnvironment(
        { HTTPS_PROXY, https_proxy: HTTPS_PROXY },
        () =>
          withAgent(chain.policy, chain.ca, async (agent) => {
            await get(`https://127.0.0.1:${server.port}/echo`, agent);
          }),
      );
      assertEquals(proxy.asked, []);
      assertEquals(server.requests, 1);
    });
  }

  t.test("axios that makes an agent of its own for a proxy still pins", async () => {
    const chain = await mintChain();
    const other = await mintChain();
    await using server = await serveHttp(chain);
    await using proxy = await serveProxy();
    const { url: HTTPS_PROXY } = proxy;
    // By name: behind a proxy axios sends addresses as SNI, which Node 26 refuses.
    const url = `https://localhost:${server.port}/echo`;
    const { ca } = chain;
    const get = (policy: MintedChain["policy"]) =>
      withAgent(policy, ca, (httpsAgent) => axios.get(url, { httpsAgent }));
    const environment = { HTTPS_PROXY, https_proxy: HTTPS_PROXY, NO_PROXY: "" };
    await withEnvironment(environment, async () => {
      assertEquals(
        await refusal(() => get(other.policy)),
        "ERR_CERTPIN_MISMATCH",
      );
      assertEquals(server.requests, 0);
      await get(chain.policy);
    });
    assertEquals(server.requests, 1);
    assert(proxy.asked.length >= 1, "the proxy was asked");
  });
};
