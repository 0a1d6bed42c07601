/**
 * One pinned fetch against servers of every temper, for as long as one likes.
 *
 * Servers answer, stall, reset, truncate and talk nonsense; certificates
 * change; a name leads to the true server and to an impostor in turns; the
 * policy is updated meanwhile. Every request ends as it should, the impostor
 * gets no byte, and nothing piles up.
 */
import { assert, assertEquals } from "@std/assert";
import * as net from "node:net";
import process from "node:process";
import { gzipSync } from "node:zlib";
import { createFetch } from "../../../src/adapters/deno.ts";
import { CertpinError } from "../../../src/errors.ts";
import { createPinner } from "../../../src/pinner/pinner.ts";
import { mintChain, renewLeaf } from "../../../src/testing/mod.ts";
import {
  collector,
  openDescriptors,
  openHandles,
} from "../adapters/resources.ts";
import { listen, serve, shut } from "../adapters/servers.ts";
import { lookup } from "../adapters/ways.ts";
import type { Body } from "../harness.ts";
import { everything } from "../skip.ts";
import { type RawServer, serveRaw } from "./raw_server.ts";

/** Requests in the cut that every run has, and in the long cut. */
const REQUESTS = everything() ? 8_000 : 600;
const AT_ONCE = 16;
/** How often a request stalls until its caller gives up, in milliseconds. */
const PATIENCE_MS = 30;
/** What the heap may have grown by from the second quarter to the last. */
const MAX_GROWTH = 1.15;
/** Descriptors and handles that may be there more than before. */
const SLACK = 8;
/** Guard against hangs, in milliseconds. */
const HANG_MS = 300_000;

/** What a soak found. */
export interface SoakResult {
  /** How often each kind of request was made. */
  readonly kinds: Readonly<Record<string, number>>;
  /** Application bytes that the impostor got. */
  readonly impostorBytes: number;
  /** Handshakes that the impostor finished. */
  readonly impostorHandshakes: number;
  /** The heap in bytes at each quarter, where it can be collected. */
  readonly heap: readonly number[];
}

/** When a soak ends: after so many requests, or at a time. */
export interface SoakOptions {
  /** Most requests. */
  readonly requests: number;
  /** Milliseconds since the epoch. Default: no limit. */
  readonly until?: number;
}

/** Lets connections through to one of two ports in turns. */
async function takeTurns(
  ports: readonly [number, number],
): Promise<AsyncDisposable & { readonly port: number }> {
  let count = 0;
  const sockets = new Set<net.Socket>();
  const relay = net.createServer((socket) => {
    const to = net.connect(ports[count++ % 2], "127.0.0.1");
    for (const one of [socket, to]) {
      sockets.add(one);
      one.on("error", () => {});
      one.on("close", () => {
        sockets.delete(one);
        socket.destroy();
        to.destroy();
      });
    }
    socket.pipe(to);
    to.pipe(socket);
  });
  const port = await listen(relay);
  return { port, [Symbol.asyncDispose]: () => shut(relay, sockets) };
}

function setUp(server: RawServer): void {
  server.on("/slow", async (_, reply) => {
    await new Promise((resolve) => setTimeout(resolve, 5));
    reply.respond({ body: "slow" });
  });
  server.on("/gzip", (_, reply) =>
    reply.respond({
      headers: { "content-encoding": "gzip" },
      body: gzipSync("packed"),
    }));
  server.on(
    "/large",
    (_, reply) => reply.respond({ body: new Uint8Array(200_000) }),
  );
  server.on(
    "/redirect",
    (_, reply) =>
      reply.respond({ status: 302, headers: { location: "/there" } }),
  );
  server.on(
    "/echo",
    async (request, reply) => reply.respond({ body: await request.body }),
  );
  server.on("/stall", () => new Promise(() => {}));
  server.on("/stall-in-body", (_, reply) => {
    reply.write("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nsome");
    return new Promise(() => {});
  });
  server.on("/reset", (_, reply) => void reply.socket.destroy());
  server.on(
    "/truncate",
    (_, reply) =>
      reply.end("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort"),
  );
  server.on("/nonsense", (_, reply) => reply.end("no HTTP at all\r\n\r\n"));
  server.on(
    "/broken-gzip",
    (_, reply) =>
      reply.respond({
        headers: { "content-encoding": "gzip" },
        body: "no gzip",
      }),
  );
}

/** How a request ended, in a word: its text, the error's name, or the refusal's code. */
async function endOf(attempt: () => Promise<string>): Promise<string> {
  try {
    return await attempt();
  } catch (error) {
    const { name, cause } = error as Error;
    return cause instanceof CertpinError ? cause.code : name;
  }
}

/** Runs it; rejects where a request does not end as it should. */
export async function soak(
  { requests, until = Infinity }: SoakOptions,
): Promise<SoakResult> {
  const hostnames = ["true.test", "changing.test"];
  const chain = await mintChain({ hostnames });
  const renewed = await renewLeaf(chain);
  const impostorChain = await mintChain({ hostnames });
  await using server = await serveRaw(chain);
  await using after = await serveRaw(renewed);
  await using impostor = await serve(impostorChain);
  await using turns = await takeTurns([server.port, impostor.port]);
  setUp(server);
  const { hosts } = chain.policy;
  const refusing = {
    ...chain.policy,
    hosts: {
      ...hosts,
      "changing.test": impostorChain.policy.hosts["changing.test"],
    },
  };
  const pinner = createPinner(chain.policy, { onWarning: () => {} });
  const fetch = createFetch(pinner, {
    ca: chain.ca + impostorChain.ca,
    allowH2: false,
    lookup,
  });
  const at = (host: string, port: number, path: string) =>
    `https://${host}:${port}${path}`;
  const text = async (path: string, init?: RequestInit) =>
    await (await fetch(at("true.test", server.port, path), init)).text();
  const patient = () => ({ signal: AbortSignal.timeout(PATIENCE_MS) });
  const kinds: Record<
    string,
    { ends: readonly string[]; act(): Promise<string> }
  > = {
    answer: { ends: ["ok"], act: () => text("/") },
    slow: { ends: ["slow"], act: () => text("/slow") },
    gzip: { ends: ["packed"], act: () => text("/gzip") },
    large: {
      ends: ["200000"],
      act: async () => String((await text("/large")).length),
    },
    redirect: { ends: ["ok"], act: () => text("/redirect") },
    echo: {
      ends: ["sent"],
      act: () => text("/echo", { method: "POST", body: "sent" }),
    },
    stall: { ends: ["TimeoutError"], act: () => text("/stall", patient()) },
    "stall in the body": {
      ends: ["TimeoutError"],
      act: () => text("/stall-in-body", patient()),
    },
    reset: {
      ends: ["TypeError"],
      act: () => text("/reset", { method: "POST" }),
    },
    truncate: { ends: ["TypeError"], act: () => text("/truncate") },
    nonsense: { ends: ["TypeError"], act: () => text("/nonsense") },
    "broken gzip": { ends: ["TypeError"], act: () => text("/broken-gzip") },
    cancel: {
      ends: ["cancelled"],
      async act() {
        const response = await fetch(at("true.test", server.port, "/large"));
        await response.body!.cancel();
        return "cancelled";
      },
    },
    "another certificate": {
      ends: ["ok"],
      act: async () =>
        await (await fetch(at("true.test", after.port, "/"))).text(),
    },
    impostor: {
      ends: ["ERR_CERTPIN_MISMATCH"],
      act: async () =>
        await (await fetch(at("true.test", impostor.port, "/secret"))).text(),
    },
    "true or impostor": {
      // A kept connection leads to the true server.
      ends: ["ok", "ERR_CERTPIN_MISMATCH"],
      act: async () =>
        await (await fetch(at("true.test", turns.port, "/"), {
          headers: { connection: "close" },
        })).text(),
    },
  };
  const names = Object.keys(kinds);
  const counts: Record<string, number> = {};
  let started = 0;
  let isFailed = false;
  const worker = async (end: number) => {
    while (started < end && Date.now() < until && !isFailed) {
      const name = names[started++ % names.length];
      counts[name] = (counts[name] ?? 0) + 1;
      const found = await endOf(kinds[name].act);
      if (!kinds[name].ends.includes(found)) {
        isFailed = true;
        throw new Error(`"${name}" ended with ${found}`);
      }
    }
  };
  // Alone: what starts after update() has returned must follow the new policy.
  const updater = async (end: number) => {
    for (
      let round = 0;
      started < end && Date.now() < until && !isFailed;
      round++
    ) {
      const isAllowed = round % 2 === 0;
      pinner.update(isAllowed ? chain.policy : refusing);
      const found = await endOf(async () =>
        await (await fetch(at("changing.test", server.port, "/"))).text()
      );
      assertEquals(found, isAllowed ? "ok" : "ERR_CERTPIN_MISMATCH");
      counts["policy updated"] = (counts["policy updated"] ?? 0) + 1;
    }
  };
  const heap: number[] = [];
  const collect = collector();
  try {
    for (let quarter = 1; quarter <= 4; quarter++) {
      const end = requests * quarter / 4;
      await Promise.all([
        updater(end),
        ...Array.from({ length: AT_ONCE }, () => worker(end)),
      ]);
      await new Promise((resolve) => setTimeout(resolve, 50));
      server.forget();
      after.forget();
      collect?.();
      if (collect) heap.push(process.memoryUsage().heapUsed);
    }
  } finally {
    await fetch.close();
  }
  await server.idle();
  return {
    kinds: counts,
    impostorBytes: impostor.received,
    impostorHandshakes: impostor.handshakes,
    heap,
  };
}

/** Runs a soak, and fails where something went out or piled up. */
export async function soakAndCheck(
  options: SoakOptions,
  isLong: boolean,
): Promise<SoakResult> {
  const handles = openHandles();
  const descriptors = await openDescriptors();
  const result = await soak(options);
  assertEquals(result.impostorBytes, 0);
  assert(result.impostorHandshakes > 0, "the impostor was never reached");
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert(openHandles() <= handles + SLACK, "handles were left open");
  const left = await openDescriptors();
  if (descriptors !== undefined && left !== undefined) {
    assert(
      left <= descriptors + SLACK,
      `${left - descriptors} descriptors left`,
    );
  }
  const { heap } = result;
  // A short run is mostly what the engine compiles.
  if (isLong && heap.length === 4) {
    const growth = heap[3] / heap[1];
    assert(growth <= MAX_GROWTH, `the heap grew by ${growth}: ${heap}`);
  }
  return result;
}

/** Registers the test. */
export const fetchSoak: Body = (t) => {
  t.test(
    `fetch: ${REQUESTS} requests to servers of every temper end as they should`,
    async () => {
      await soakAndCheck({ requests: REQUESTS }, everything());
    },
    HANG_MS,
  );
};
