/**
 * Refresh on mismatch: a connection that is refused for its pins asks for a
 * newer policy before anything was sent, and the request goes on.
 */
import { assert, assertEquals } from "@std/assert";
import { once } from "node:events";
import * as https from "node:https";
import * as net from "node:net";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { request } from "undici/index.js";
import { connectTls, createFetch } from "../../../src/adapters/deno.ts";
import * as edge from "../../../src/adapters/edge.ts";
import {
  connect,
  createAgent,
  createDispatcher,
} from "../../../src/adapters/node.ts";
import { MAX_REFRESH_MS } from "../../../src/limits.ts";
import { createPinner, type Pinner } from "../../../src/pinner/pinner.ts";
import {
  mintChain,
  type MintedChain,
  type MintedPolicy,
} from "../../../src/testing/mod.ts";
import {
  createUpdater,
  memoryStore,
  signPolicy,
  type UpdaterOptions,
} from "../../../src/updates/mod.ts";
import { parseCertificates } from "../../../src/x509/certificate.ts";
import { otherPins, settle } from "../adapters/pools.ts";
import { type Identity, listen, serve, shut } from "../adapters/servers.ts";
import { refusal } from "../adapters/ways.ts";
import { connectLoopback } from "../edge/tcp.ts";
import type { Body, RuntimeName } from "../harness.ts";
import { AUDIENCE, hurrying, KEYS } from "./scene.ts";

/** Requests that wait at once over the adapter that most programs use. */
const MANY = 200;
/** Over each of the others. */
const SOME = 24;

/** Two keys of one server, an impostor, and the time before the first is gone. */
const OLD = await mintChain({ name: "old" });
const NEW = await mintChain({ name: "new" });
const IMPOSTOR = await mintChain({ name: "impostor" });
/** The platform trusts all of them: only the pins tell them apart. */
const CA = OLD.ca + NEW.ca + IMPOSTOR.ca;
const ANCHORS = parseCertificates(CA);

const MISMATCH = "ERR_CERTPIN_MISMATCH";

/** A server that keeps the body of each request. */
async function serveBodies({ pem, keyPem }: Identity) {
  const bodies: string[] = [];
  const sockets = new Set<Socket>();
  const server = https.createServer(
    { cert: pem, key: keyPem },
    (incoming, response) => {
      let body = "";
      incoming.on("data", (chunk) => body += new TextDecoder().decode(chunk));
      incoming.on("end", () => {
        bodies.push(body);
        response.end(`got ${body}`);
      });
    },
  );
  server.on("tlsClientError", () => {});
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
  });
  const port = await listen(server);
  return {
    port,
    bodies,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections?.();
      await shut(server, sockets);
    },
  };
}

/** Forwards connections, each after something was done between its first bytes. */
async function relayTo(target: number, meanwhile: () => Promise<void>) {
  const sockets = new Set<Socket>();
  const server = net.createServer((client) => {
    const upstream = net.connect({ host: "127.0.0.1", port: target });
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        client.destroy();
        upstream.destroy();
      });
    }
    client.once("data", (hello) => {
      client.pause();
      meanwhile().then(() => {
        upstream.write(hello);
        client.pipe(upstream).pipe(client);
      });
    });
  });
  const port = await listen(server);
  return { port, [Symbol.asyncDispose]: () => shut(server, sockets) };
}

/** A client with the policy of the old key, whose updates bring the new one. */
function client(
  more: Partial<UpdaterOptions> = {},
  before: MintedPolicy = OLD.policy,
) {
  const reports: string[] = [];
  const counted = { loads: 0, evaluations: 0, waitFor: 0 };
  const pinner = createPinner(before, {
    anchors: ANCHORS,
    onReport: ({ error }) => void reports.push(error.code),
    onWarning: () => {},
    // Each evaluation looks at the clock once.
    now: () => {
      counted.evaluations++;
      return new Date();
    },
  });
  const sign = (policy: MintedPolicy, sequence: number) =>
    signPolicy(policy, {
      key: KEYS.privateKey,
      audience: AUDIENCE,
      sequence,
      expiresAt: new Date(Date.now() + 86_400_000),
    });
  const updater = createUpdater(pinner, {
    load: async () => {
      counted.loads++;
      while (counted.evaluations < counted.waitFor) await settle();
      return await sign(one.next, counted.loads);
    },
    keys: [KEYS.publicKey],
    audience: AUDIENCE,
    store: memoryStore(),
    interval: 0,
    refreshOnMismatch: true,
    ...more,
  });
  const one = {
    pinner,
    updater,
    reports,
    counted,
    /** What the updates bring. */
    next: NEW.policy,
    [Symbol.asyncDispose]: () => updater.close(),
  };
  return one;
}

/** Sends a body, and gives back what the server answers. */
type Send = (port: number, body: string) => Promise<string>;

interface Sender extends AsyncDisposable {
  readonly send: Send;
}

/** One call that opens connections. */
interface Opener {
  readonly name: string;
  readonly runtimes?: readonly RuntimeName[];
  open(pinner: Pinner): Sender;
}

function post(body: string): string {
  return `POST / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
}

async function exchange(socket: TLSSocket, body: string): Promise<string> {
  let answer = "";
  socket.on("data", (chunk) => answer += new TextDecoder().decode(chunk));
  const ended = once(socket, "end");
  socket.write(post(body));
  await ended;
  socket.destroy();
  return answer.slice(answer.indexOf("got "));
}

const EDGE = { ca: CA, connect: connectLoopback };

const NOTHING_TO_CLOSE = { async [Symbol.asyncDispose]() {} };

const OPENERS: readonly Opener[] = [
  {
    name: "createFetch()",
    open(pinner) {
      // HTTP/2 would send all of them over one connection.
      const fetch = createFetch(pinner, { allowH2: false });
      return {
        send: async (port, body) => {
          const url = `https://localhost:${port}/`;
          return await (await fetch(url, { method: "POST", body })).text();
        },
        [Symbol.asyncDispose]: () => fetch.close(),
      };
    },
  },
  {
    name: "createDispatcher()",
    open(pinner) {
      const dispatcher = createDispatcher(pinner, { allowH2: false });
      return {
        send: async (port, sent) => {
          const { body } = await request(`https://localhost:${port}/`, {
            dispatcher,
            method: "POST",
            body: sent,
          });
          return await body.text();
        },
        [Symbol.asyncDispose]: () => dispatcher.destroy(),
      };
    },
  },
  {
    name: "createAgent()",
    open(pinner) {
      const agent = createAgent(pinner, { keepAlive: true });
      return {
        send: (port, body) =>
          new Promise((resolve, reject) => {
            https.request(
              `https://localhost:${port}/`,
              { agent, method: "POST" },
              (response) => {
                let text = "";
                response.on("data", (chunk) => text += chunk);
                response.on("end", () => resolve(text));
              },
            ).on("error", reject).end(body);
          }),
        [Symbol.asyncDispose]() {
          agent.destroy();
          return Promise.resolve();
        },
      };
    },
  },
  {
    name: "connect()",
    open: (pinner) => ({
      send: async (port, body) => {
        const host = "localhost";
        return await exchange(await connect(pinner, { host, port }), body);
      },
      ...NOTHING_TO_CLOSE,
    }),
  },
  {
    name: "connect() over a socket",
    open: (pinner) => ({
      send: async (port, body) => {
        const socket = net.connect({ host: "127.0.0.1", port });
        await once(socket, "connect");
        const host = "localhost";
        return await exchange(await connect(pinner, { host, socket }), body);
      },
      ...NOTHING_TO_CLOSE,
    }),
  },
  {
    name: "createFetch() of the edge",
    open(pinner) {
      const fetch = edge.createFetch(pinner, EDGE);
      return {
        send: async (port, body) => {
          const url = `https://localhost:${port}/`;
          return await (await fetch(url, { method: "POST", body })).text();
        },
        [Symbol.asyncDispose]: () => fetch.close(),
      };
    },
  },
  {
    name: "connectTls() of the edge",
    open: (pinner) => ({
      send: async (port, body) => {
        const hostname = "localhost";
        const options = { ...EDGE, hostname, port };
        await using conn = await edge.connectTls(pinner, options);
        const writer = conn.writable.getWriter();
        await writer.write(new TextEncoder().encode(post(body)));
        const answer = await new Response(
          conn.readable as ReadableStream<Uint8Array<ArrayBuffer>>,
        ).text();
        return answer.slice(answer.indexOf("got "));
      },
      ...NOTHING_TO_CLOSE,
    }),
  },
  {
    name: "connectTls()",
    runtimes: ["deno"],
    open: (pinner) => ({
      send: async (port, body) => {
        const hostname = "localhost";
        const conn = await connectTls(pinner, { hostname, port });
        const writer = conn.writable.getWriter();
        await writer.write(new TextEncoder().encode(post(body)));
        const answer = await new Response(conn.readable).text();
        return answer.slice(answer.indexOf("got "));
      },
      ...NOTHING_TO_CLOSE,
    }),
  },
];

function bodiesOf(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `body ${index};`);
}

/** The policy of the new key as one that expired. */
function expired({ policy }: MintedChain): MintedPolicy {
  const { localhost } = policy.hosts;
  const expiresAt = "2026-01-01T00:00:00Z";
  return { ...policy, hosts: { localhost: { ...localhost, expiresAt } } };
}

/** The policy of the new key with the pin of its root alone. */
function rootOnly({ policy, pins }: MintedChain): MintedPolicy {
  const localhost = { pins: [{ pin: pins.root }] };
  return { ...policy, rootOnly: "deny", hosts: { localhost } };
}

/** Registers the tests. */
export const updateRefresh: Body = (t) => {
  for (const { name, runtimes, open } of OPENERS) {
    if (runtimes !== undefined && !runtimes.includes(t.runtime)) continue;
    const count = name === "createFetch()" ? MANY : SOME;
    t.test(
      `${name}: a server changes its key, ${count} requests wait, one update is fetched, all go on`,
      async () => {
        await using one = client();
        await using sender = open(one.pinner);
        await using server = await serveBodies(NEW);
        await using impostor = await serve(IMPOSTOR);
        const bodies = bodiesOf(count);
        // The update comes when so many connections have been refused.
        one.counted.waitFor = SOME;
        const answers = await Promise.all(
          bodies.map((body) => sender.send(server.port, body)),
        );
        assertEquals(answers, bodies.map((body) => `got ${body}`));
        assertEquals([...server.bodies].sort(), [...bodies].sort());
        assertEquals(one.counted.loads, 1);
        assertEquals(one.updater.status.sequence, 1);
        // What was put right is no violation.
        assertEquals(one.reports, []);
        // The newer policy does not know the impostor either.
        const refused = bodies.slice(0, SOME);
        for (const body of refused) {
          assertEquals(
            await refusal(() => sender.send(impostor.port, body)),
            MISMATCH,
          );
        }
        assertEquals(impostor.received, 0);
        assertEquals(one.counted.loads, 1);
        assertEquals(one.reports.length, refused.length);
      },
      60_000,
    );

    t.test(
      `${name}: an impostor causes one fetch, and receives nothing`,
      async () => {
        await using one = client();
        await using sender = open(one.pinner);
        await using impostor = await serve(IMPOSTOR);
        const codes = await Promise.all(
          bodiesOf(SOME).map((body) =>
            refusal(() => sender.send(impostor.port, body))
          ),
        );
        assertEquals(new Set(codes), new Set([MISMATCH]));
        assertEquals(impostor.received, 0);
        assertEquals(one.counted.loads, 1);
        assertEquals(one.reports.length, SOME);
      },
      30_000,
    );
  }

  const mended: [string, MintedPolicy, Partial<UpdaterOptions>][] = [
    ["a mismatch", OLD.policy, {}],
    ["an expired pin set", expired(NEW), {}],
    ["a match on roots alone", rootOnly(NEW), {}],
    [
      "a policy that is too old",
      NEW.policy,
      {
        maxAge: 86_400_000,
        builtIn: { sequence: 0, issuedAt: new Date("2026-01-01") },
      },
    ],
  ];
  for (const [what, before, more] of mended) {
    t.test(`a newer policy mends ${what}`, async () => {
      await using server = await serveBodies(NEW);
      for (const refreshOnMismatch of [true, false]) {
        await using one = client({ ...more, refreshOnMismatch }, before);
        await using sender = OPENERS[0].open(one.pinner);
        const code = await refusal(() => sender.send(server.port, "a"));
        assertEquals(code === undefined, refreshOnMismatch);
        assertEquals(one.counted.loads, refreshOnMismatch ? 1 : 0);
        assertEquals(one.reports.length, refreshOnMismatch ? 0 : 1);
      }
    });
  }

  t.test("no policy mends an invalid chain, or a host that is not listed", async () => {
    const unlisted: MintedPolicy = { ...OLD.policy, hosts: {} };
    const late = await mintChain({
      notBefore: new Date("2020-01-01"),
      notAfter: new Date("2021-01-01"),
    });
    const cases: [MintedChain, MintedPolicy, RegExp][] = [
      [NEW, unlisted, /_UNLISTED$/],
      [late, OLD.policy, /_HANDSHAKE$/],
    ];
    for (const [identity, policy, code] of cases) {
      await using one = client({}, policy);
      await using server = await serve(identity);
      await using sender = OPENERS[0].open(one.pinner);
      const found = await refusal(() => sender.send(server.port, "a"));
      assert(code.test(String(found)), found);
      assertEquals(server.received, 0);
      assertEquals(one.counted.loads, 0);
    }
  });

  t.test("report-only asks for nothing: the connection passes", async () => {
    const { localhost } = OLD.policy.hosts;
    const hosts = { localhost: { ...localhost, mode: "report-only" as const } };
    await using one = client({}, { ...OLD.policy, hosts });
    await using server = await serveBodies(NEW);
    await using sender = OPENERS[0].open(one.pinner);
    assertEquals(await sender.send(server.port, "a"), "got a");
    assertEquals(one.counted.loads, 0);
    assertEquals(one.reports, [MISMATCH]);
  });

  t.test("a host causes one refresh in an interval; update() does not count", async () => {
    await using server = await serve(IMPOSTOR);
    for (const [minimumInterval, loads] of [[60_000, 1], [0, 3]] as const) {
      await using one = client({ refreshOnMismatch: { minimumInterval } });
      await using sender = OPENERS[3].open(one.pinner);
      const { counted, updater } = one;
      for (let round = 0; round < 3; round++) {
        await updater.update();
        assertEquals(
          await refusal(() => sender.send(server.port, "a")),
          MISMATCH,
        );
      }
      assertEquals(counted.loads, 3 + loads);
      assertEquals(server.received, 0);
    }
  });

  t.test("where no update is to be had, the refusal is the pins'", async () => {
    await using server = await serve(NEW);
    for (
      const load of [
        () => Promise.reject(new Error("offline")),
        () =>
          signPolicy(OLD.policy, {
            key: KEYS.privateKey,
            audience: "another",
            sequence: 1,
            expiresAt: new Date(Date.now() + 86_400_000),
          }),
      ]
    ) {
      await using one = client({ load });
      await using sender = OPENERS[0].open(one.pinner);
      assertEquals(
        await refusal(() => sender.send(server.port, "a")),
        MISMATCH,
      );
      assertEquals(one.reports, [MISMATCH]);
      assertEquals(server.received, 0);
    }
  });

  t.test("an update that does not come holds no request for long", async () => {
    await using server = await serve(NEW);
    await using one = client({ load: () => new Promise(() => {}) });
    await using sender = OPENERS[0].open(one.pinner);
    await hurrying(MAX_REFRESH_MS, async () => {
      assertEquals(
        await refusal(() => sender.send(server.port, "a")),
        MISMATCH,
      );
    });
    assertEquals(server.received, 0);
  });

  t.test("an abort ends the wait for an update", async () => {
    const asked = Promise.withResolvers<void>();
    await using server = await serve(NEW);
    await using one = client({
      load: () => {
        asked.resolve();
        return new Promise(() => {});
      },
    });
    const aborting = new AbortController();
    const { signal } = aborting;
    const { port } = server;
    const connecting = connect(one.pinner, { host: "localhost", port, signal });
    const failed = connecting.then(() => undefined, (error) => error);
    await asked.promise;
    aborting.abort(new Error("enough"));
    assertEquals((await failed).message, "enough");
    assertEquals(server.received, 0);
  });

  t.test("the updater's own connection never asks for an update", async () => {
    // The server of the policies is pinned by the same pinner, and its key has
    // changed as well: nothing can be fetched, and nothing waits for itself.
    let hellos = 0;
    await using server = await serve(NEW, {
      SNICallback: (_name, done) => {
        hellos++;
        done(null);
      },
    });
    const url = `https://localhost:${server.port}/policy.jws`;
    const pinner = createPinner(OLD.policy, { anchors: ANCHORS });
    await using fetch = createFetch(pinner);
    await using updater = createUpdater(pinner, {
      url,
      fetch,
      keys: [KEYS.publicKey],
      audience: AUDIENCE,
      store: memoryStore(),
      interval: 0,
      refreshOnMismatch: true,
    });
    assertEquals(
      await refusal(() => updater.update()),
      "ERR_CERTPIN_UPDATE_FETCH",
    );
    assertEquals(hellos, 1);
    assertEquals(await refusal(() => fetch(url)), MISMATCH);
    assertEquals(hellos, 2);
    assertEquals(server.received, 0);
  });

  t.test("an update during a handshake counts, for better and for worse", async () => {
    for (const [before, after] of [[OLD, NEW], [NEW, OLD]]) {
      await using one = client({ refreshOnMismatch: false }, before.policy);
      await using server = await serveBodies(NEW);
      // In the middle of the handshake the updater brings another policy.
      await using relay = await relayTo(
        server.port,
        async () => void await one.updater.update(),
      );
      one.next = after.policy;
      await using sender = OPENERS[3].open(one.pinner);
      const code = await refusal(() => sender.send(relay.port, "a"));
      assertEquals(code === MISMATCH, after === OLD);
      assertEquals(one.counted.loads, 1);
      assertEquals(server.bodies, after === NEW ? ["a"] : []);
    }
  });

  t.test("a closed updater is not asked", async () => {
    await using server = await serve(NEW);
    const one = client();
    await one.updater.close();
    await using sender = OPENERS[0].open(one.pinner);
    assertEquals(await refusal(() => sender.send(server.port, "a")), MISMATCH);
    assertEquals(one.counted.loads, 0);
  });

  t.test("a policy that came meanwhile is used without another fetch", async () => {
    await using server = await serveBodies(NEW);
    const one = client({ refreshOnMismatch: { minimumInterval: 0 } });
    await using _ = one;
    await using sender = OPENERS[3].open(one.pinner);
    assertEquals(await sender.send(server.port, "a"), "got a");
    one.pinner.update(otherPins(NEW));
    const waiting = bodiesOf(8).map((body) => sender.send(server.port, body));
    one.pinner.update(NEW.policy);
    assertEquals((await Promise.all(waiting)).length, 8);
    assertEquals(one.counted.loads, 1);
  });
};
