/**
 * A Worker that makes the requests which tests outside it ask for.
 */
import { connect as connectSocket } from "cloudflare:sockets";
import * as edge from "../../../src/adapters/edge.ts";
import * as workers from "../../../src/adapters/workers.ts";
import type { Visit } from "./refusals.ts";
import { toldOf, visit } from "./visit.ts";

/** Leads every name to loopback, where Workers would ask the DNS. */
const connect: edge.Connect = ({ port }) =>
  connectSocket({ hostname: "127.0.0.1", port }, {
    secureTransport: "off",
    allowHalfOpen: true,
  });

/** One fetch for all requests, as Workers would have it. */
let shared: edge.PinnedFetch | undefined;

interface Asked extends Visit {
  /** How many requests, one after another. */
  readonly count?: number;
  /** Path and query. */
  readonly path?: string;
  /** Bytes to send. */
  readonly bytes?: number;
}

function fetchOf({ policy, ca }: Asked): edge.PinnedFetch {
  return shared ??= workers.createFetch(policy, { ca, onWarning: () => {} });
}

function urlOf({ hostname, port, path = "/" }: Asked): string {
  return `https://${hostname}:${port}${path}`;
}

/** Asks several times, in a way that is never repeated, and tells what came. */
async function askOften(
  pinned: edge.PinnedFetch,
  asked: Asked,
): Promise<Response> {
  const texts: string[] = [];
  try {
    for (let index = 0; index < (asked.count ?? 1); index++) {
      const response = await pinned(urlOf(asked), { method: "POST", body: "" });
      texts.push(await response.text());
    }
    return Response.json({ texts });
  } catch (error) {
    return Response.json({ texts, ...toldOf(error) });
  }
}

function streamOf(bytes: number): ReadableStream<Uint8Array> {
  let left = bytes;
  return new ReadableStream({
    pull(controller) {
      if (left === 0) return controller.close();
      const length = Math.min(left, 10_000);
      left -= length;
      controller.enqueue(new Uint8Array(length).fill(left));
    },
  }, { highWaterMark: 0 });
}

const HANDLERS: Readonly<
  Record<string, (asked: Asked) => Promise<Response>>
> = {
  "/visit": async (asked) =>
    Response.json(
      await visit(asked, () =>
        edge.createFetch(asked.policy, {
          ca: asked.ca,
          connect,
          onWarning: () => {},
        })),
    ),
  "/shared": async (asked) => await askOften(fetchOf(asked), asked),
  "/pass": async (asked) => await fetchOf(asked)(urlOf(asked)),
  "/upload": async (asked) =>
    await fetchOf(asked)(urlOf(asked), {
      method: "POST",
      body: streamOf(asked.bytes!),
      duplex: "half",
    } as RequestInit),
  "/raw": async ({ hostname, port, policy, ca }) => {
    const conn = await workers.connectTls(policy, {
      hostname,
      port,
      ca,
      onWarning: () => {},
    });
    const writer = conn.writable.getWriter();
    await writer.write(
      new TextEncoder().encode(`GET / HTTP/1.1\r\nhost: x\r\n\r\n`),
    );
    const reader = conn.readable.getReader();
    const { value } = await reader.read();
    await conn.close();
    await conn.closed;
    return new Response(value as Uint8Array<ArrayBuffer>);
  },
  "/options": (asked) => {
    try {
      workers.createFetch(asked.policy, { ca: asked.ca, connect } as never);
      return Promise.resolve(Response.json({}));
    } catch (error) {
      const { code } = error as { code?: string };
      return Promise.resolve(Response.json({ code }));
    }
  },
};

interface Environment {
  readonly PLACES: {
    idFromName(name: string): unknown;
    get(id: unknown): { fetch(request: Request): Promise<Response> };
  };
}

export default {
  async fetch(request: Request, env: Environment): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname === "/object") {
      return await env.PLACES.get(env.PLACES.idFromName("one")).fetch(request);
    }
    const handler = HANDLERS[pathname];
    if (handler === undefined) return new Response("", { status: 404 });
    return await handler(await request.json());
  },
};

/** A Durable Object, with a fetch of its own. */
export class Place {
  #fetch: edge.PinnedFetch | undefined;

  async fetch(request: Request): Promise<Response> {
    const asked: Asked = await request.json();
    const { policy, ca } = asked;
    this.#fetch ??= workers.createFetch(policy, { ca, onWarning: () => {} });
    return await askOften(this.#fetch, asked);
  }
}
