/**
 * Requests that hold a connection for long: what a new policy, or a
 * connection that breaks, does to them.
 */
import { assert, assertEquals } from "@std/assert";
import * as https from "node:https";
import { createFetch } from "../../../src/adapters/deno.ts";
import { createAgent } from "../../../src/adapters/node.ts";
import { createPinner } from "../../../src/pinner/pinner.ts";
import { mintChain } from "../../../src/testing/mod.ts";
import type { Body } from "../harness.ts";
import { otherPins, settle } from "./pools.ts";
import { answerHttp, serve } from "./servers.ts";
import { refusal } from "./ways.ts";

const MISMATCH = "ERR_CERTPIN_MISMATCH";
const HEAD = "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n";

/** Registers the tests. */
export const held: Body = (t) => {
  t.test("createAgent(): a request that has its connection, but not begun, sends nothing after update()", async () => {
    const chain = await mintChain();
    for (const isWrong of [true, false]) {
      const pinner = createPinner(chain.policy);
      await using server = await serve(chain, { onData: answerHttp });
      const agent = createAgent(pinner, { ca: chain.ca, keepAlive: true });
      const { port } = server;
      const begin = (method: string) => {
        const request = https.request({
          host: "localhost",
          port,
          agent,
          method,
        });
        const answered = new Promise<void>((resolve, reject) => {
          request.on("error", reject);
          request.on("response", (response) => {
            response.on("end", resolve).resume();
          });
        });
        return { request, answered };
      };
      const first = begin("GET");
      first.request.end();
      await first.answered;
      await settle();
      const { received } = server;
      const { request, answered } = begin("POST");
      const code = refusal(() => answered);
      await settle();
      pinner.update(isWrong ? otherPins(chain) : chain.policy);
      request.end("secret");
      assertEquals(await code, isWrong ? MISMATCH : undefined);
      assertEquals(server.received === received, isWrong);
      agent.destroy();
    }
  });

  t.test("createFetch(): a request whose body comes late sends nothing after update()", async () => {
    const chain = await mintChain();
    for (const isWrong of [true, false]) {
      const pinner = createPinner(chain.policy);
      await using server = await serve(chain, { onData: answerHttp });
      await using fetch = createFetch(pinner, { ca: chain.ca });
      const url = `https://localhost:${server.port}/`;
      await (await fetch(url)).text();
      const { received } = server;
      let send = () => {};
      const body = new ReadableStream<Uint8Array>({
        start(controller) {
          send = () => {
            controller.enqueue(new TextEncoder().encode("secret"));
            controller.close();
          };
        },
      });
      const init = { method: "POST", body, duplex: "half" };
      const code = refusal(async () => {
        await (await fetch(url, init as RequestInit)).text();
      });
      await settle();
      pinner.update(isWrong ? otherPins(chain) : chain.policy);
      send();
      assertEquals(await code, isWrong ? MISMATCH : undefined);
      assertEquals(server.received === received, isWrong);
    }
  });

  t.test("createFetch(): update() ends a response that the new policy refuses, and no other", async () => {
    const chain = await mintChain();
    for (const isWrong of [true, false]) {
      const pinner = createPinner(chain.policy);
      let more = () => {};
      await using server = await serve(chain, {
        onData(socket) {
          socket.write(`${HEAD}x`);
          more = () => socket.write("y".repeat(999));
        },
      });
      await using fetch = createFetch(pinner, { ca: chain.ca });
      const response = await fetch(`https://localhost:${server.port}/`);
      const text = response.text();
      const failed = refusal(() => text);
      pinner.update(isWrong ? otherPins(chain) : chain.policy);
      await settle();
      more();
      assertEquals(await failed, isWrong ? MISMATCH : undefined);
      if (!isWrong) assertEquals((await text).length, 1000);
    }
  });

  t.test("createFetch(): a connection that breaks ends the response", async () => {
    const chain = await mintChain();
    await using server = await serve(chain, {
      onData(socket) {
        socket.write(`${HEAD}x`, () => socket.destroy());
      },
    });
    await using fetch = createFetch(chain.policy, { ca: chain.ca });
    const response = await fetch(`https://localhost:${server.port}/`);
    let failure: unknown;
    try {
      await response.text();
    } catch (error) {
      failure = error;
    }
    assert(failure instanceof TypeError);
  });
};
