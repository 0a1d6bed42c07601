/**
 * Protocols over pinned connections: WebSocket, EventSource, proxies,
 * client certificates, and other libraries' own protocols.
 */
import { assert, assertEquals } from "@std/assert";
import { createHash } from "node:crypto";
import * as https from "node:https";
import type * as net from "node:net";
import type * as tls from "node:tls";
import {
  ErrorEvent,
  EventSource,
  fetch,
  interceptors,
  request,
  WebSocket,
} from "undici/index.js";
import { verdictOf } from "../../../src/adapters/deno.ts";
import {
  createAgent,
  type createDispatcher,
} from "../../../src/adapters/node.ts";
import { mintChain } from "../../../src/testing/mod.ts";
import { type Body, Refused } from "../harness.ts";
import { serveHttp } from "./http_server.ts";
import { serve } from "./servers.ts";
import { refusal, withDispatcher } from "./ways.ts";

const MISMATCH = "ERR_CERTPIN_MISMATCH";

/** Answers an upgrade to WebSocket, greets, and echoes short texts. */
export function upgradeWebSocket(socket: tls.TLSSocket, head: string): void {
  const key = /sec-websocket-key: (\S+)/i.exec(head)![1];
  const accept = createHash("sha1")
    .update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
    .digest("base64");
  socket.write(
    "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\n" +
      `connection: Upgrade\r\nsec-websocket-accept: ${accept}\r\n\r\n`,
  );
  socket.write(new Uint8Array([0x81, 2, 0x68, 0x69]));
}

/** What a WebSocket says first. */
function firstMessage(socket: WebSocket): Promise<string> {
  return new Promise<string>((resolve, reject) => {
    socket.addEventListener("message", ({ data }) => resolve(String(data)));
    socket.addEventListener(
      "error",
      (event) =>
        reject((event as { error?: Error }).error ?? new Error("refused")),
    );
  }).finally(() => socket.close());
}

/**
 * Deno 2.8 lets nobody extend its events as undici does: a WebSocket of undici
 * that fails ends the process.
 */
function lacksErrorEvents(): Refused | undefined {
  try {
    new ErrorEvent("error", {});
  } catch {
    return new Refused(
      "an error event of undici cannot be made, and ends the process",
    );
  }
}

/** Registers the tests. */
export const protocols: Body = (t) => {
  t.feature(
    "WebSocket",
    "undici's WebSocket runs over a evaluated connection",
    async () => {
      const defect = lacksErrorEvents();
      if (defect) return defect;
      const chain = await mintChain();
      await using server = await serve(chain, {
        onData: (socket, chunk) => {
          const head = new TextDecoder().decode(chunk);
          if (head.startsWith("GET ")) upgradeWebSocket(socket, head);
        },
      });
      const { ca } = chain;
      const url = `wss://localhost:${server.port}/`;
      const other = await mintChain();
      await withDispatcher(other.policy, { ca }, async (dispatcher) => {
        const socket = new WebSocket(url, { dispatcher });
        assert(await refusal(() => firstMessage(socket)) !== undefined);
      });
      assertEquals(server.received, 0);
      await withDispatcher(chain.policy, { ca }, async (dispatcher) => {
        assertEquals(
          await firstMessage(new WebSocket(url, { dispatcher })),
          "hi",
        );
        const plain = new WebSocket(url.replace("wss:", "ws:"), { dispatcher });
        const { received } = server;
        assert(await refusal(() => firstMessage(plain)) !== undefined);
        assertEquals(server.received, received);
      });
    },
  );

  t.feature(
    "EventSource",
    "undici's EventSource runs over a evaluated connection",
    async () => {
      const defect = lacksErrorEvents();
      if (defect) return defect;
      const chain = await mintChain();
      await using server = await serve(chain, {
        onData: (socket) => {
          socket.write(
            "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\ndata: hi\n\n",
          );
        },
      });
      const { ca } = chain;
      const first = async (dispatcher: ReturnType<typeof createDispatcher>) => {
        const source = new EventSource(`https://localhost:${server.port}/`, {
          node: { dispatcher },
        });
        try {
          return await new Promise<string>((resolve, reject) => {
            source.addEventListener("message", ({ data }) => resolve(data));
            source.addEventListener(
              "error",
              () => reject(new Error("refused")),
            );
          });
        } finally {
          source.close();
        }
      };
      const other = await mintChain();
      await withDispatcher(other.policy, { ca }, async (dispatcher) => {
        assert(await refusal(() => first(dispatcher)) !== undefined);
      });
      assertEquals(server.received, 0);
      await withDispatcher(chain.policy, { ca }, async (dispatcher) => {
        assertEquals(await first(dispatcher), "hi");
      });
    },
  );

  t.feature(
    "undici interceptors",
    "a dispatcher is composed with interceptors, each hop evaluated",
    async () => {
      const chain = await mintChain();
      await using server = await serveHttp(chain);
      const { policy, ca } = chain;
      await withDispatcher(policy, { ca }, async (dispatcher) => {
        const composed = dispatcher.compose(
          interceptors.redirect({ maxRedirections: 3 }),
        );
        const url = `https://127.0.0.1:${server.port}/redirect?to=/echo`;
        const { body, statusCode } = await request(url, {
          dispatcher: composed,
        });
        await body.text();
        assertEquals(statusCode, 200);
        assertEquals(server.requests, 2);
        const unsafe = await refusal(() =>
          request(
            `https://127.0.0.1:${server.port}/redirect?to=http://127.0.0.1:1/`,
            {
              dispatcher: composed,
            },
          )
        );
        assertEquals(unsafe, "ERR_CERTPIN_PROTOCOL");
      });
    },
  );

  t.feature(
    "undici fetch",
    "undici's own fetch runs over a dispatcher",
    async () => {
      const chain = await mintChain();
      await using server = await serveHttp(chain);
      const url = `https://127.0.0.1:${server.port}/echo`;
      const { ca } = chain;
      const other = await mintChain();
      await withDispatcher(other.policy, { ca }, async (dispatcher) => {
        assertEquals(await refusal(() => fetch(url, { dispatcher })), MISMATCH);
      });
      assertEquals(server.requests, 0);
      await withDispatcher(chain.policy, { ca }, async (dispatcher) => {
        const response = await fetch(url, { dispatcher });
        await response.text();
        assertEquals(response.status, 200);
      });
    },
  );

  t.feature(
    "node:https",
    "createAgent() serves node:https, kept alive",
    async () => {
      const chain = await mintChain();
      await using server = await serveHttp(chain);
      const get = (agent: https.Agent) =>
        new Promise<net.Socket>((resolve, reject) => {
          const sending = https.get(
            `https://127.0.0.1:${server.port}/echo`,
            { agent },
            (response) => {
              const { socket } = response;
              response.on("end", () => resolve(socket)).resume();
            },
          );
          sending.on("error", reject);
        });
      const { ca } = chain;
      const other = await mintChain();
      const wrong = createAgent(other.policy, { ca });
      assertEquals(await refusal(() => get(wrong)), MISMATCH);
      assertEquals(server.requests, 0);
      const agent = createAgent(chain.policy, { ca, keepAlive: true });
      for (let round = 0; round < 5; round++) {
        assertEquals(verdictOf(await get(agent))?.decision, "allow");
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      agent.destroy();
      assertEquals(server.connections, 1);
    },
  );
};
