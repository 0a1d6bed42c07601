/**
 * Aborts, failures and connections.
 */
import * as net from "node:net";
import { listen, shut } from "../adapters/servers.ts";
import { type BehaviourGroup, outcome, turn } from "./behaviour.ts";

class Mine extends Error {
  override name = "Mine";
}

const MINE = { threw: "Mine" };
const REFUSED = { threw: "TypeError" };

/** Pieces of a body that ends if nobody cancels it. */
const MAX_PULLS = 1_000;

/** A port that nobody listens on. */
async function closedPort(): Promise<number> {
  const server = net.createServer();
  const port = await listen(server);
  await shut(server, []);
  return port;
}

/** The group. */
export const aborts: BehaviourGroup = {
  title: "Aborts, failures, connections",
  behaviours: [
    {
      name: "rejects with the signal's reason before anything is sent",
      expected: [MINE, 0],
      async observe({ fetch, url, server }) {
        const signal = AbortSignal.abort(new Mine());
        const error = await outcome(() => fetch(url, { signal }));
        return [error, server.requests.length];
      },
    },
    {
      name: "rejects with an AbortError where no reason is said",
      expected: { threw: "AbortError" },
      observe: ({ fetch, url }) =>
        outcome(() => fetch(url, { signal: AbortSignal.abort() })),
    },
    {
      name: "rejects with a TimeoutError after a timeout",
      expected: { threw: "TimeoutError" },
      observe: ({ fetch, url, server }) =>
        outcome(async () => {
          server.on("/", () => {});
          return (await fetch(`${url}/`, { signal: AbortSignal.timeout(20) }))
            .status;
        }),
    },
    {
      name: "rejects in the turn of the abort",
      expected: MINE,
      observe: ({ fetch, url }) =>
        outcome(async () => {
          const controller = new AbortController();
          const running = fetch(url, { signal: controller.signal });
          controller.abort(new Mine());
          return (await running).status;
        }),
    },
    {
      name: "rejects while it waits for the headers",
      expected: MINE,
      observe: ({ fetch, url, server }) =>
        outcome(async () => {
          const controller = new AbortController();
          server.on("/", () => controller.abort(new Mine()));
          return (await fetch(`${url}/`, { signal: controller.signal })).status;
        }),
    },
    {
      name: "fails the body that is being read",
      expected: MINE,
      observe: ({ fetch, url, server }) =>
        outcome(async () => {
          const controller = new AbortController();
          server.on("/", (_, reply) =>
            reply.write("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nsome"));
          const response = await fetch(`${url}/`, {
            signal: controller.signal,
          });
          setTimeout(() =>
            controller.abort(new Mine()), 10);
          return await response.text();
        }),
    },
    {
      name: "fails a body that nobody reads yet",
      expected: MINE,
      observe: ({ fetch, url, server }) =>
        outcome(async () => {
          const controller = new AbortController();
          server.on("/", (_, reply) =>
            reply.write("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nsome"));
          const response = await fetch(`${url}/`, {
            signal: controller.signal,
          });
          controller.abort(new Mine());
          await turn();
          return await response.text();
        }),
    },
    {
      name: "does not fail a body that was read",
      expected: "ok",
      async observe({ fetch, url }) {
        const controller = new AbortController();
        const response = await fetch(url, { signal: controller.signal });
        const text = await response.text();
        controller.abort(new Mine());
        await turn();
        return text;
      },
    },
    {
      name: "cancels the stream that is being sent",
      expected: [MINE, true],
      async observe({ fetch, url, server }) {
        const controller = new AbortController();
        const cancelled = Promise.withResolvers<boolean>();
        server.on("/", () => controller.abort(new Mine()));
        let pulls = 0;
        const body = new ReadableStream({
          async pull(stream) {
            await turn();
            // A fetch that never cancels must not keep the process alive.
            if (pulls++ === MAX_PULLS) stream.close();
            else stream.enqueue(new Uint8Array(10));
          },
          cancel: () => cancelled.resolve(true),
        });
        const { signal } = controller;
        const init = {
          method: "POST",
          body,
          duplex: "half",
          signal,
        } as RequestInit;
        const error = await outcome(() => fetch(`${url}/`, init));
        return [error, await cancelled.promise];
      },
    },
    {
      name: "cancels the stream of a call that comes after the abort",
      expected: [MINE, true],
      async observe({ fetch, url }) {
        let isCancelled = false;
        const body = new ReadableStream({
          cancel() {
            isCancelled = true;
          },
        });
        const signal = AbortSignal.abort(new Mine());
        const init = {
          method: "POST",
          body,
          duplex: "half",
          signal,
        } as RequestInit;
        const error = await outcome(() => fetch(url, init));
        await turn();
        return [error, isCancelled];
      },
    },
    {
      name: "leaves the stream of a wrong call alone",
      expected: [REFUSED, false],
      async observe({ fetch, url }) {
        const body = new ReadableStream();
        const init = { body, duplex: "half" } as RequestInit;
        return [await outcome(() => fetch(url, init)), body.locked];
      },
    },
    {
      name: "ends one of two requests, not the other",
      expected: [MINE, "late"],
      async observe({ fetch, url, server }) {
        const controller = new AbortController();
        server.on("/abort", () => controller.abort(new Mine()));
        server.on("/", async (_, reply) => {
          await new Promise((resolve) => setTimeout(resolve, 60));
          reply.respond({ body: "late" });
        });
        const { signal } = controller;
        return await Promise.all([
          outcome(() => fetch(`${url}/abort`, { signal })),
          outcome(async () => await (await fetch(`${url}/`)).text()),
        ]);
      },
    },
    {
      name: "rejects where nobody listens",
      expected: [true, true],
      async observe({ fetch }) {
        const port = await closedPort();
        const error = await fetch(`https://localhost:${port}/`).catch((e) => e);
        return [error instanceof TypeError, error.name === "TypeError"];
      },
    },
    {
      name: "says a cause where nobody listens",
      expected: true,
      async observe({ fetch }) {
        const port = await closedPort();
        const error = await fetch(`https://localhost:${port}/`).catch((e) => e);
        return error.cause !== undefined;
      },
    },
    {
      name: "rejects where the peer speaks no TLS",
      expected: REFUSED,
      observe: ({ fetch }) =>
        outcome(async () => {
          const sockets = new Set<net.Socket>();
          const plain = net.createServer((socket) => {
            sockets.add(socket);
            socket.on("error", () => {});
            socket.end("HTTP/1.1 400 Bad Request\r\n\r\n");
          });
          const port = await listen(plain);
          try {
            return (await fetch(`https://localhost:${port}/`)).status;
          } finally {
            await shut(plain, sockets);
          }
        }),
    },
    {
      name: "rejects where the connection is cut before the headers",
      expected: REFUSED,
      observe: ({ fetch, url, server }) =>
        outcome(async () => {
          server.on("/", (_, reply) => void reply.socket.destroy());
          return (await fetch(`${url}/`, { method: "POST", body: "x" })).status;
        }),
    },
    {
      name: "uses a connection again",
      expected: ["ok", "ok", 1],
      async observe({ fetch, url, server }) {
        const texts: string[] = [];
        for (let round = 0; round < 2; round++) {
          texts.push(await (await fetch(url)).text());
          await turn();
        }
        return [...texts, server.connections];
      },
    },
    {
      name: "opens another connection after connection: close",
      expected: ["bye", "ok", 2],
      async observe({ fetch, url, server }) {
        server.on("/close", (_, reply) => {
          reply.respond({ headers: { connection: "close" }, body: "bye" });
          reply.end();
        });
        const first = await (await fetch(`${url}/close`)).text();
        await turn();
        return [first, await (await fetch(url)).text(), server.connections];
      },
    },
    {
      name: "asks again on a connection that the server had closed",
      expected: ["ok", "ok"],
      async observe({ fetch, url, server }) {
        let isClosing = false;
        server.on("/", (request, reply) => {
          // Closed in the moment when the second request comes.
          if (isClosing && request.connection === 0) reply.socket.destroy();
          else reply.respond({ body: "ok" });
        });
        const first = await (await fetch(`${url}/`)).text();
        await turn();
        isClosing = true;
        return [first, await (await fetch(`${url}/`)).text()];
      },
    },
    {
      name: "does not send a POST again by itself",
      expected: ["ok", REFUSED, 2],
      async observe({ fetch, url, server }) {
        let isClosing = false;
        server.on("/", async (request, reply) => {
          await request.body;
          if (isClosing) reply.socket.destroy();
          else reply.respond({ body: "ok" });
        });
        const post = () =>
          outcome(async () =>
            await (await fetch(`${url}/`, { method: "POST", body: "x" })).text()
          );
        const first = await post();
        await turn();
        isClosing = true;
        const second = await post();
        return [first, second, server.requests.length];
      },
    },
    {
      name: "opens connections side by side",
      expected: [20, true],
      async observe({ fetch, url, server }) {
        server.on("/", async (_, reply) => {
          await new Promise((resolve) => setTimeout(resolve, 50));
          reply.respond({ body: "ok" });
        });
        const all = await Promise.all(
          Array.from(
            { length: 20 },
            async () => await (await fetch(`${url}/`)).text(),
          ),
        );
        return [
          all.filter((text) => text === "ok").length,
          server.connections > 1,
        ];
      },
    },
    {
      name: "answers 100 requests at the same time",
      expected: 100,
      async observe({ fetch, url }) {
        const all = await Promise.all(
          Array.from(
            { length: 100 },
            async (_, at) => await (await fetch(`${url}/${at}`)).text(),
          ),
        );
        return all.filter((text) => text === "ok").length;
      },
    },
    {
      name: "keeps each answer with its request",
      expected: true,
      async observe({ fetch, url, server }) {
        for (let at = 0; at < 40; at++) {
          server.on(`/${at}`, async (_, reply) => {
            await new Promise((resolve) => setTimeout(resolve, (at * 7) % 20));
            reply.respond({ body: String(at) });
          });
        }
        const all = await Promise.all(
          Array.from(
            { length: 40 },
            async (_, at) =>
              await (await fetch(`${url}/${at}`)).text() === String(at),
          ),
        );
        return all.every(Boolean);
      },
    },
  ],
};
