/**
 * The edge adapters over real TLS: options, verdicts, deadlines, updates.
 */
import { assert, assertEquals } from "@std/assert";
import * as net from "node:net";
import {
  type ByteStream,
  connectTls,
  createFetch,
  type EdgeFetchOptions,
  startTls,
  verdictOf,
} from "../../../src/adapters/edge.ts";
import { createPinner } from "../../../src/pinner/pinner.ts";
import { mintChain, type MintedChain } from "../../../src/testing/mod.ts";
import { parseCertificates } from "../../../src/x509/certificate.ts";
import { type HttpServed, serveHttp } from "../adapters/http_server.ts";
import { listen, serve, shut } from "../adapters/servers.ts";
import type { Harness } from "../harness.ts";
import { connectLoopback } from "./tcp.ts";

interface Scene extends AsyncDisposable {
  readonly chain: MintedChain;
  readonly server: HttpServed;
  readonly url: string;
  readonly options: EdgeFetchOptions;
}

const HOSTNAMES = ["localhost", "other.test"];

async function open(
  given: Parameters<typeof serveHttp>[2] = {},
): Promise<Scene> {
  const chain = await mintChain({ hostnames: HOSTNAMES });
  const server = await serveHttp(chain, undefined, given);
  return {
    chain,
    server,
    url: `https://localhost:${server.port}`,
    options: { ca: chain.ca, connect: connectLoopback, onWarning: () => {} },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("Nothing was thrown");
}

/** The code of an error, or of the cause of a `TypeError`. */
async function codeOf(promise: Promise<unknown>): Promise<unknown> {
  const error = await rejection(promise) as { code?: string; cause?: object };
  const told = error instanceof TypeError ? error.cause : error;
  return (told as { code?: string } | undefined)?.code;
}

/** A policy that refuses the chain of a scene. */
function refusing({ pins }: MintedChain) {
  return {
    version: 1,
    hosts: { localhost: { pins: [{ pin: pins.backup }] } },
  } as const;
}

function fetching(t: Harness): void {
  t.test("the edge's fetch tells its verdict, of clones too", async () => {
    await using scene = await open();
    await using pinned = createFetch(scene.chain.policy, scene.options);
    const response = await pinned(`${scene.url}/cookies`);
    assertEquals(verdictOf(response)?.reason, "pinned");
    assertEquals(verdictOf(response.clone()), verdictOf(response));
    assertEquals(await response.text(), "cookies");
    assert(!verdictOf(new Response()));
  });

  t.test("the edge's fetch keeps connections, and refuses after close()", async () => {
    await using scene = await open();
    const pinned = createFetch(scene.chain.policy, scene.options);
    for (let round = 0; round < 3; round++) {
      await (await pinned(`${scene.url}/cookies`)).text();
    }
    assertEquals(scene.server.connections, 1);
    await pinned.close();
    assert(await rejection(pinned(scene.url)) instanceof TypeError);
  });

  t.test("the edge's fetch asks for https alone, on each hop", async () => {
    await using scene = await open();
    await using pinned = createFetch(scene.chain.policy, scene.options);
    const { url } = scene;
    const plain = `http://localhost:${scene.server.port}/cookies`;
    const redirect = `${url}/redirect?to=${encodeURIComponent(plain)}`;
    for (const wrong of [plain, redirect, "ws://localhost/", "data:,x"]) {
      assertEquals(await codeOf(pinned(wrong)), "ERR_CERTPIN_PROTOCOL", wrong);
    }
    const right = `${url}/redirect?to=${encodeURIComponent(`${url}/cookies`)}`;
    assertEquals(await (await pinned(right)).text(), "cookies");
  });

  t.test("each hop of a redirect is checked by its own host", async () => {
    await using scene = await open();
    const { chain, options, server, url } = scene;
    const other = `https://other.test:${server.port}/cookies`;
    const redirect = `${url}/redirect?to=${encodeURIComponent(other)}`;
    await using both = createFetch(chain.policy, options);
    const response = await both(redirect);
    assertEquals(verdictOf(response)?.hostname, "other.test");
    assertEquals([response.url, response.redirected], [other, true]);
    await response.text();
    const policy = {
      version: 1,
      hosts: {
        "localhost": { pins: [{ pin: chain.pins.leaf }] },
        "other.test": { pins: [{ pin: chain.pins.backup }] },
      },
    } as const;
    await using one = createFetch(policy, options);
    assertEquals(await codeOf(one(redirect)), "ERR_CERTPIN_MISMATCH");
  });

  t.test("an update that refuses ends what waits and what runs", async () => {
    await using scene = await open();
    const { chain, options, url } = scene;
    const { ca: _, connect, onWarning: __, ...rest } = options;
    const pinner = createPinner(chain.policy, { onWarning: () => {} });
    await using pinned = createFetch(pinner, {
      ...rest,
      ca: chain.ca,
      connect,
    });
    await (await pinned(`${url}/cookies`)).text();
    const running = await pinned(`${url}/endless`);
    pinner.update(structuredClone(chain.policy));
    await (await pinned(`${url}/cookies`)).text();
    // One waited, and was allowed again; the other is busy.
    assertEquals(scene.server.connections, 2);
    const requests = scene.server.requests;
    pinner.update(refusing(chain));
    const failed = rejection(running.text());
    assertEquals(
      await codeOf(pinned(`${url}/cookies`)),
      "ERR_CERTPIN_MISMATCH",
    );
    assert(await failed instanceof Error);
    await scene.server.closed("/endless");
    assertEquals(scene.server.requests, requests);
  });

  t.test("no pooled connection takes a request after its pins expire", async () => {
    await using scene = await open();
    const { chain, options, url } = scene;
    const expiresAt = new Date(Date.now() + 60_000).toISOString();
    const policy = {
      version: 1,
      hosts: { localhost: { pins: [{ pin: chain.pins.leaf }], expiresAt } },
    } as const;
    let ahead = 0;
    await using pinned = createFetch(policy, {
      ...options,
      now: () => new Date(Date.now() + ahead),
    });
    await (await pinned(`${url}/cookies`)).text();
    await (await pinned(`${url}/cookies`)).text();
    assertEquals(scene.server.connections, 1);
    ahead = 61_000;
    const requests = scene.server.requests;
    assertEquals(await codeOf(pinned(`${url}/cookies`)), "ERR_CERTPIN_EXPIRED");
    assertEquals(scene.server.requests, requests);
  });

  t.test("a client certificate is shown to a server that asks", async () => {
    const client = await mintChain({
      hostnames: ["client.test"],
      leaf: { extendedKeyUsage: ["clientAuth"] },
    });
    await using scene = await open({
      ca: client.ca,
      requestCert: true,
      rejectUnauthorized: true,
    });
    const { chain, options, url } = scene;
    const pair = { cert: client.pem, key: client.keyPem };
    await using shown = createFetch(chain.policy, { ...options, ...pair });
    assertEquals(await (await shown(`${url}/cookies`)).text(), "cookies");
    await using none = createFetch(chain.policy, options);
    await rejection(none(`${url}/cookies`));
    assertEquals(scene.server.requests, 1);
    const key = await crypto.subtle.importKey(
      "pkcs8",
      Uint8Array.from(
        atob(client.keyPem.replace(/-----.*?-----|\s/g, "")),
        (character) => character.charCodeAt(0),
      ),
      { name: "ECDSA", namedCurve: "P-256" },
      false,
      ["sign"],
    );
    await using handle = createFetch(chain.policy, {
      ...options,
      cert: client.pem,
      key,
    });
    assertEquals(await (await handle(`${url}/cookies`)).text(), "cookies");
  });
}

function options(t: Harness): void {
  t.test("the edge refuses options that it does not know, or that weaken it", async () => {
    await using scene = await open();
    const { chain, options } = scene;
    const wrong: Record<string, unknown>[] = [
      { rejectUnauthorized: false },
      { checkServerIdentity: () => undefined },
      { session: new Uint8Array() },
      { dispatcher: {} },
      { caCerts: [chain.ca] },
      { unknown: 1 },
      { connectTimout: 1 },
      { connectTimeout: "10" },
      { connectTimeout: -1 },
      { connectTimeout: NaN },
      { keepAliveTimeout: Infinity },
      { connect: "tcp" },
      { connect: undefined },
      { ca: undefined },
      { cert: chain.pem },
      { key: chain.keyPem },
      { cert: chain.pem, key: "none" },
      { cert: chain.pem, key: chain.keyPem + chain.keyPem },
      { hostname: "localhost" },
    ];
    for (const more of wrong) {
      let code: string | undefined;
      try {
        createFetch(chain.policy, { ...options, ...more });
      } catch (error) {
        code = (error as { code?: string }).code;
      }
      assertEquals(code, "ERR_CERTPIN_OPTION", Object.keys(more).join());
    }
    createFetch(chain.policy, { ...options, connectTimeout: 0 });
    const pinner = createPinner(chain.policy);
    const besidePinner = { ca: chain.ca, connect: connectLoopback };
    createFetch(pinner, besidePinner);
    let code: string | undefined;
    try {
      createFetch(pinner, { ...besidePinner, now: () => new Date() });
    } catch (error) {
      code = (error as { code?: string }).code;
    }
    assertEquals(code, "ERR_CERTPIN_OPTION");
  });

  t.test("the edge's fetch refuses ways around it in a request", async () => {
    await using scene = await open();
    await using pinned = createFetch(scene.chain.policy, scene.options);
    for (const name of ["dispatcher", "client", "tls", "proxy", "unix"]) {
      const init = { [name]: {} } as RequestInit;
      assertEquals(
        await codeOf(pinned(`${scene.url}/cookies`, init)),
        "ERR_CERTPIN_OPTION",
      );
    }
    assertEquals(scene.server.requests, 0);
    await (await pinned(`${scene.url}/cookies`, {})).text();
  });

  t.test("the pinner's anchors do not count beside ca", async () => {
    await using scene = await open();
    const { chain, options, url } = scene;
    const other = await mintChain({ name: "other" });
    const anchors = parseCertificates(chain.ca);
    await using pinned = createFetch(chain.policy, {
      ...options,
      ca: other.ca,
      anchors,
    });
    assertEquals(
      await codeOf(pinned(`${url}/cookies`)),
      "ERR_CERTPIN_PATH_NO_ISSUER",
    );
    await using right = createFetch(chain.policy, options);
    await (await right(`${url}/cookies`)).text();
  });
}

/** A server that takes connections and says nothing. */
async function silent(): Promise<
  AsyncDisposable & { port: number; ended: Promise<void> }
> {
  const ended = Promise.withResolvers<void>();
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("data", () => {});
    socket.on("close", () => ended.resolve());
  });
  const port = await listen(server);
  return {
    port,
    ended: ended.promise,
    [Symbol.asyncDispose]: () => shut(server, sockets),
  };
}

function phases(t: Harness): void {
  const never = new Promise<never>(() => {});

  t.test("connectTimeout ends a connection that does not come, and one that says nothing", async () => {
    const chain = await mintChain();
    await using server = await silent();
    const url = `https://localhost:${server.port}/`;
    const options = { ca: chain.ca, connectTimeout: 50 };
    await using lost = createFetch(chain.policy, {
      ...options,
      connect: () => never,
    });
    assertEquals(await codeOf(lost(url)), "ETIMEDOUT");
    await using mute = createFetch(chain.policy, {
      ...options,
      connect: connectLoopback,
    });
    assertEquals(await codeOf(mute(url)), "ETIMEDOUT");
    await server.ended;
  });

  t.test("an abort ends the handshake with its reason", async () => {
    const chain = await mintChain();
    await using server = await silent();
    const reason = new Error("enough");
    const controller = new AbortController();
    const conn = connectTls(chain.policy, {
      ca: chain.ca,
      hostname: "localhost",
      port: server.port,
      signal: controller.signal,
      connect: async (address, options) => {
        setTimeout(() => controller.abort(reason), 20);
        return await connectLoopback(address, options);
      },
    });
    assertEquals(await rejection(conn), reason);
    await server.ended;
    const early = { ca: chain.ca, connect: () => never };
    const pinned = createFetch(chain.policy, early);
    const signal = AbortSignal.abort(reason);
    assertEquals(
      await rejection(pinned(`https://localhost:${server.port}/`, { signal })),
      reason,
    );
  });

  t.test("a connection that comes after the abort is ended", async () => {
    const chain = await mintChain();
    await using server = await silent();
    const controller = new AbortController();
    const late = Promise.withResolvers<void>();
    const conn = connectTls(chain.policy, {
      ca: chain.ca,
      hostname: "localhost",
      port: server.port,
      signal: controller.signal,
      connect: async (address, options) => {
        const stream = await connectLoopback(address, options);
        controller.abort(new Error("enough"));
        await late.promise;
        return stream;
      },
    });
    await rejection(conn);
    late.resolve();
    await server.ended;
  });

  t.test("what connect throws is thrown", async () => {
    const chain = await mintChain();
    const thrown = new Error("unreachable");
    const conn = connectTls(chain.policy, {
      ca: chain.ca,
      hostname: "localhost",
      port: 1,
      connect: () => {
        throw thrown;
      },
    });
    assertEquals(await rejection(conn), thrown);
  });
}

function connections(t: Harness): void {
  t.test("connectTls() gives a connection that reads, writes and closes in order", async () => {
    const chain = await mintChain({ hostnames: ["localhost"] });
    await using server = await serve(chain, {
      ALPNProtocols: ["x", "y"],
      onData: (socket, chunk) => void socket.write(chunk),
    });
    await using conn = await connectTls(chain.policy, {
      ca: chain.ca,
      connect: connectLoopback,
      hostname: "localhost",
      port: server.port,
      alpnProtocols: ["y"],
    });
    assertEquals(conn.alpnProtocol, "y");
    assertEquals(verdictOf(conn)?.reason, "pinned");
    const writer = conn.writable.getWriter();
    const reader = conn.readable.getReader();
    await writer.write(new TextEncoder().encode("hello"));
    let text = "";
    while (text.length < 5) {
      text += new TextDecoder().decode((await reader.read()).value);
    }
    assertEquals([text, server.text], ["hello", "hello"]);
    await conn.close();
    await conn.closed;
  });

  t.test("startTls() goes on over a connection that spoke before", async () => {
    const chain = await mintChain({ hostnames: ["localhost"] });
    await using server = await serve(chain, {
      onData: (socket, chunk) => void socket.write(chunk),
    });
    const stream = await connectLoopback(
      { hostname: "localhost", port: server.port },
      { signal: new AbortController().signal },
    );
    await using conn = await startTls(chain.policy, stream, {
      ca: chain.ca,
      hostname: "localhost",
    });
    const writer = conn.writable.getWriter();
    await writer.write(new TextEncoder().encode("hello"));
    const { value } = await conn.readable.getReader().read();
    assertEquals(new TextDecoder().decode(value), "hello");
  });

  t.test("a refusal of startTls() uses the connection up", async () => {
    const chain = await mintChain({ hostnames: ["localhost"] });
    const right = { ca: chain.ca, hostname: "localhost" };
    const wrong: readonly object[] = [
      { ...right, hostname: "a..b" },
      { ...right, unknown: 1 },
      { ...right, signal: AbortSignal.abort(new Error("enough")) },
      { ...right, hostname: "other.test" },
    ];
    for (const options of wrong) {
      let ended = 0;
      const stream: ByteStream = {
        readable: new ReadableStream({
          // A server that ends as soon as it is asked.
          pull: (controller) => controller.close(),
          cancel: () => void ended++,
        }, { highWaterMark: 0 }),
        writable: new WritableStream({
          abort: () => void ended++,
          close: () => void ended++,
        }),
      };
      await rejection(startTls(chain.policy, stream, options as never));
      await new Promise((resolve) => setTimeout(resolve, 0));
      assert(ended >= 1, JSON.stringify(options));
    }
  });
}

/** All of them. */
export function edgeAdapter(t: Harness): void {
  fetching(t);
  options(t);
  phases(t);
  connections(t);
}
