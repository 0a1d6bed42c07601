/**
 * axios and got, which follow redirects and proxies in ways of their own. On
 * Node, where they belong.
 */
import { assert, assertEquals } from "@std/assert";
import axios, { type AxiosRequestConfig } from "axios";
import got from "got";
import * as http from "node:http";
import * as http2 from "node:http2";
import type * as https from "node:https";
import * as tls from "node:tls";
import http2Wrapper from "http2-wrapper";
import { WebSocket } from "ws";
import {
  connect,
  createAgent,
  createFetch,
} from "../../../src/adapters/node.ts";
import { mintChain, type MintedChain } from "../../../src/testing/mod.ts";
import type { Body } from "../harness.ts";
import { withEnvironment } from "./environment.ts";
import { serveHttp2 } from "./http2_server.ts";
import { serveHttp } from "./http_server.ts";
import { serveProxy } from "./proxy_server.ts";
import { upgradeWebSocket } from "./protocols.ts";
import { listen, serve, shut } from "./servers.ts";
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

interface OverHttp2 {
  readonly name: string;
  /** Sends a request that ignores the agent, where the library does that. */
  bypass?(url: string, agent: https.Agent, ca: string): Promise<unknown>;
  /** Sends it over a connection that has passed the gate. */
  safe(
    url: string,
    policy: MintedChain["policy"],
    ca: string,
  ): Promise<unknown>;
}

function connectHttp2(
  url: string,
  policy: MintedChain["policy"],
  ca: string,
): Promise<tls.TLSSocket> {
  const { hostname: host, port } = new URL(url);
  const ALPNProtocols = ["h2"];
  return connect(policy, { host, port: Number(port), ca, ALPNProtocols });
}

const OVER_HTTP2: readonly OverHttp2[] = [
  {
    name: "axios with httpVersion 2",
    bypass: (url, httpsAgent, ca) =>
      axios.get(url, {
        httpVersion: 2,
        httpsAgent,
        http2Options: { ca, sessionTimeout: 10 },
      }),
    async safe(url, policy, ca) {
      const socket = await connectHttp2(url, policy, ca);
      const createConnection = () => socket;
      await axios.get(url, {
        httpVersion: 2,
        http2Options: { createConnection, sessionTimeout: 10 },
      });
    },
  },
  {
    name: "http2-wrapper (got before 16)",
    async bypass(url, agent, ca) {
      await new Promise((resolve, reject) => {
        http2Wrapper.auto(url, { agent: { https: agent }, ca }, (response) => {
          response.on("end", resolve).resume();
        }).then((request) => request.on("error", reject).end(), reject);
      });
      http2Wrapper.globalAgent.destroy();
    },
    async safe(url, policy, ca) {
      const socket = await connectHttp2(url, policy, ca);
      const h2session = http2.connect(url, { createConnection: () => socket });
      await new Promise((resolve, reject) => {
        http2Wrapper.request(url, { h2session }, (response) => {
          response.on("end", resolve).resume();
        }).on("error", reject).end();
      });
      h2session.close();
    },
  },
  {
    name: "got over HTTP/2",
    async safe(url, policy, ca) {
      const socket = await connectHttp2(url, policy, ca);
      const h2session = http2.connect(url, { createConnection: () => socket });
      await got(url, { h2session, retry: { limit: 0 } });
      h2session.close();
    },
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

  for (const { name, bypass, safe } of OVER_HTTP2) {
    t.test(`${name}: what goes round the agent is documented, and the way beside it is safe`, async () => {
      const chain = await mintChain();
      const other = await mintChain();
      const { ca } = chain;
      await using server = await serveHttp2(chain);
      const url = `https://localhost:${server.port}/`;
      // An impostor, to the policy; trusted, to the machine.
      await withAgent(other.policy, ca, async (agent) => {
        if (bypass !== undefined) {
          await bypass(url, agent, ca);
          assertEquals(
            server.streams,
            1,
            "no bypass any more: change the docs",
          );
        }
      });
      const before = server.streams;
      assertEquals(
        await refusal(() => safe(url, other.policy, ca)),
        "ERR_CERTPIN_MISMATCH",
      );
      assertEquals(server.streams, before);
      await safe(url, chain.policy, ca);
      assertEquals(server.streams, before + 1);
    });
  }

  t.test("got with http2: true takes the agent all the same, over HTTP/1.1", async () => {
    const chain = await mintChain();
    const other = await mintChain();
    await using overHttp2 = await serveHttp2(chain, { allowHTTP1: true });
    await using server = await serveHttp(chain);
    const get = (policy: MintedChain["policy"], port: number) =>
      withAgent(policy, chain.ca, async (https) => {
        const { httpVersion } = await got(`https://localhost:${port}/echo`, {
          agent: { https },
          http2: true,
          retry: { limit: 0 },
          https: { certificateAuthority: chain.ca },
        });
        assertEquals(httpVersion, "1.1");
      });
    for (const { port } of [overHttp2, server]) {
      assertEquals(
        await refusal(() => get(other.policy, port)),
        "ERR_CERTPIN_MISMATCH",
      );
    }
    assertEquals([overHttp2.streams, server.requests], [0, 0]);
    await get(chain.policy, server.port);
    assertEquals(server.requests, 1);
  });

  t.test("axios' adapter fetch goes round the agent, and is safe with env.fetch", async () => {
    const chain = await mintChain();
    const other = await mintChain();
    const { ca } = chain;
    await using server = await serveHttp(chain);
    const url = `https://localhost:${server.port}/echo`;
    const { getCACertificates, setDefaultCACertificates } = tls as
      & typeof tls
      & { setDefaultCACertificates(list: readonly string[]): void };
    const defaults = getCACertificates("default");
    setDefaultCACertificates([...defaults, ca]);
    try {
      await withAgent(other.policy, ca, async (httpsAgent) => {
        await axios.get(url, { adapter: "fetch", httpsAgent });
      });
      assertEquals(server.requests, 1, "no bypass any more: change the docs");
      const send = async (policy: MintedChain["policy"]) => {
        await using fetch = createFetch(policy, { ca });
        const api = axios.create({ adapter: "fetch", env: { fetch } });
        const { data } = await api.post(url, { a: 1 });
        assertEquals(data.body, `{"a":1}`);
      };
      assertEquals(
        await refusal(() => send(other.policy)),
        "ERR_CERTPIN_MISMATCH",
      );
      assertEquals(server.requests, 1);
      await send(chain.policy);
      assertEquals(server.requests, 2);
    } finally {
      setDefaultCACertificates(defaults);
    }
  });

  t.test("ws connects through the agent", async () => {
    const chain = await mintChain();
    const other = await mintChain();
    await using server = await serve(chain, {
      onData: (socket, chunk) =>
        upgradeWebSocket(socket, new TextDecoder().decode(chunk)),
    });
    const open = (policy: MintedChain["policy"]) =>
      withAgent(
        policy,
        chain.ca,
        (agent) =>
          new Promise<void>((resolve, reject) => {
            const socket = new WebSocket(`wss://localhost:${server.port}/`, {
              agent,
            });
            socket.on("error", reject);
            socket.on("message", () => {
              socket.terminate();
              resolve();
            });
          }),
      );
    assertEquals(
      await refusal(() => open(other.policy)),
      "ERR_CERTPIN_MISMATCH",
    );
    assertEquals(server.received, 0);
    await open(chain.policy);
    assert(server.received > 0);
  });

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
