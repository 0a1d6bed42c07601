/**
 * HTTP/2 over evaluated connections.
 */
import { assertEquals } from "@std/assert";
import * as http2 from "node:http2";
import { request } from "undici/index.js";
import { createFetch } from "../../../src/adapters/deno.ts";
import { connect, type createDispatcher } from "../../../src/adapters/node.ts";
import { mintChain, type MintedChain } from "../../../src/testing/mod.ts";
import type { Body } from "../harness.ts";
import { serveHttp2 } from "./http2_server.ts";
import { refusal, withDispatcher } from "./ways.ts";

const MISMATCH = "ERR_CERTPIN_MISMATCH";

/** Registers the tests. */
export const overHttp2: Body = (t) => {
  t.feature(
    "HTTP/2",
    "createDispatcher() speaks HTTP/2, many requests on one evaluated session",
    async () => {
      const chain = await mintChain();
      await using server = await serveHttp2(chain);
      const url = `https://localhost:${server.port}/`;
      const get = async (dispatcher: ReturnType<typeof createDispatcher>) => {
        const { body } = await request(url, { dispatcher });
        return await body.text();
      };
      const { ca } = chain;
      const other = await mintChain();
      await withDispatcher(
        other.policy,
        { ca, allowH2: true },
        async (dispatcher) => {
          assertEquals(await refusal(() => get(dispatcher)), MISMATCH);
        },
      );
      assertEquals(server.streams, 0);
      await withDispatcher(
        chain.policy,
        { ca, allowH2: true },
        async (dispatcher) => {
          const answers = await Promise.all(
            Array.from({ length: 10 }, () => get(dispatcher)),
          );
          assertEquals(answers, Array(10).fill("h2"));
        },
      );
      assertEquals(server.streams, 10);
    },
  );

  t.feature(
    "fetch over HTTP/2",
    "createFetch() speaks HTTP/2, bodies and aborts included",
    async () => {
      const chain = await mintChain();
      await using server = await serveHttp2(chain);
      const url = `https://localhost:${server.port}`;
      await using fetch = createFetch(chain.policy, {
        ca: chain.ca,
        allowH2: true,
      });
      const answer = await fetch(`${url}/`, { method: "POST", body: "sent" });
      assertEquals([answer.status, await answer.text()], [200, "h2 sent"]);
      const streamed = await fetch(`${url}/`, {
        method: "POST",
        body: new Blob(["streamed"]).stream(),
        duplex: "half",
      } as RequestInit);
      assertEquals(await streamed.text(), "h2 streamed");
      const controller = new AbortController();
      const endless = await fetch(`${url}/endless`, {
        signal: controller.signal,
      });
      const reader = endless.body!.getReader();
      await reader.read();
      controller.abort(new Error("mine"));
      const reading = (async () => {
        while (!(await reader.read()).done);
      })();
      assertEquals(await reading.catch(({ message }) => message), "mine");
    },
  );

  t.feature(
    "http2.connect()",
    "http2.connect() runs over a evaluated socket",
    async () => {
      const chain = await mintChain();
      await using server = await serveHttp2(chain);
      const open = (policy: MintedChain["policy"]) =>
        connect(policy, {
          host: "localhost",
          family: 4,
          port: server.port,
          ca: chain.ca,
          ALPNProtocols: ["h2"],
        });
      const other = await mintChain();
      assertEquals(await refusal(() => open(other.policy)), MISMATCH);
      const socket = await open(chain.policy);
      assertEquals(socket.alpnProtocol, "h2");
      const session = http2.connect(`https://localhost:${server.port}`, {
        createConnection: () => socket,
      });
      const answer = await new Promise<string>((resolve, reject) => {
        session.on("error", reject);
        const stream = session.request({ ":path": "/" });
        let text = "";
        stream.setEncoding("utf8");
        stream.on("data", (piece: string) => text += piece);
        stream.on("end", () => resolve(text));
        stream.end();
      });
      session.destroy();
      assertEquals(answer, "h2");
      assertEquals(server.streams, 1);
    },
  );
};
