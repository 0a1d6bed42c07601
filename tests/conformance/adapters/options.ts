/**
 * Options that would weaken the check: refused by name, everywhere.
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import * as https from "node:https";
import {
  connectTls,
  createFetch,
  startTls,
  verifyConn,
} from "../../../src/adapters/deno.ts";
import {
  checkServerIdentity,
  connect,
  createAgent,
  createDispatcher,
  tlsOptions,
} from "../../../src/adapters/node.ts";
import { ConnectionError } from "../../../src/errors.ts";
import { createPinner } from "../../../src/pinner/pinner.ts";
import { mintChain, type MintedChain } from "../../../src/testing/mod.ts";
import type { Body } from "../harness.ts";
import { serve } from "./servers.ts";
import { codeOf, refusal } from "./ways.ts";

/** With a value that would do harm. */
const WEAKENING: Readonly<Record<string, unknown>> = {
  rejectUnauthorized: false,
  checkServerIdentity: () => undefined,
  session: new Uint8Array([1]),
  secureContext: {},
  pskCallback: () => null,
  allowPartialTrustChain: true,
  createConnection: () => {},
  unsafelyDisableHostnameVerification: true,
};
const FETCH_ONLY: Readonly<Record<string, unknown>> = {
  dispatcher: {},
  client: {},
  agent: {},
  tls: {},
  proxy: "http://127.0.0.1:1",
  unix: "/socket",
};
const OPTION = "ERR_CERTPIN_OPTION";

function optionError(act: () => unknown): void {
  const error = assertThrows(act, ConnectionError);
  assertEquals(codeOf(error), OPTION);
}

interface Maker {
  readonly create: (policy: MintedChain["policy"], options: object) => unknown;
  readonly good: object;
}

/** What makes something, with options that it takes. */
function makers(ca: string): readonly Maker[] {
  const good = { ca };
  const named = { ca, hostname: "localhost" };
  return [
    { create: createAgent, good },
    { create: createDispatcher, good },
    { create: createFetch, good },
    { create: checkServerIdentity, good: named },
    {
      create: (policy, options) => tlsOptions(policy, options as typeof named),
      good: named,
    },
  ];
}

/** Options that no function has, and what a message suggests. */
const MISTYPED: Readonly<Record<string, string>> = {
  anchor: "anchors",
  Ca: "ca",
  onWarnings: "onWarning",
};

/** The code, and the message, with which an attempt fails. */
async function failureOf(attempt: () => unknown): Promise<string[]> {
  try {
    await attempt();
    return [];
  } catch (error) {
    return [codeOf(error), (error as Error).message];
  }
}

/** Registers the tests. */
export const options: Body = (t) => {
  for (const [name, value] of Object.entries(WEAKENING)) {
    t.test(`no adapter is made with the option ${name}`, async () => {
      const { policy, ca } = await mintChain();
      for (const { create, good } of makers(ca)) {
        const bad = { ...good, [name]: value };
        optionError(() => create(policy, bad));
        const made = create(policy, { ...good, rejectUnauthorized: true });
        await (made as { destroy?: () => unknown }).destroy?.();
      }
    });

    t.test(`no connection is made with the option ${name}`, async () => {
      // verifyConn() sees the leaf alone.
      const chain = await mintChain({ intermediates: 0 });
      await using server = await serve(chain);
      const { policy, ca } = chain;
      const peer = { hostname: "localhost", ca };
      const address = { ...peer, port: server.port };
      const good = { ...address, host: "localhost", family: 4 };
      const bad = { [name]: value };
      assertEquals(
        await refusal(() => connect(policy, { ...good, ...bad })),
        OPTION,
      );
      if (t.runtime === "deno") {
        assertEquals(
          await refusal(() => connectTls(policy, { ...address, ...bad })),
          OPTION,
        );
        (await connectTls(policy, address)).close();
        const tcp = await Deno.connect({ port: server.port });
        assertEquals(
          await refusal(() => startTls(policy, tcp, { ...peer, ...bad })),
          OPTION,
        );
        tcp.close();
        const open = () => Deno.connectTls({ ...address, caCerts: [ca] });
        const conn = await open();
        assertEquals(
          await refusal(() => verifyConn(policy, conn, { ...peer, ...bad })),
          OPTION,
        );
        const accepted = await open();
        await verifyConn(policy, accepted, peer);
        accepted.close();
      }
      assertEquals(server.received, 0);
      const socket = await connect(policy, good);
      socket.destroy();
    });
  }

  t.test("unknown options are refused by name, with a suggestion, by every function", async () => {
    // verifyConn() sees the leaf alone.
    const chain = await mintChain({ intermediates: 0 });
    await using server = await serve(chain);
    const { policy, ca } = chain;
    const { port } = server;
    const peer = { hostname: "localhost", ca };
    const attempts = makers(ca).map(({ create, good }) => (more: object) => {
      const made = create(policy, { ...good, ...more });
      return (made as { destroy?: () => unknown }).destroy?.();
    });
    attempts.push(async (more) => {
      (await connect(policy, { ...peer, port, ...more })).destroy();
    });
    if (t.runtime === "deno") {
      attempts.push(async (more) => {
        (await connectTls(policy, { ...peer, port, ...more })).close();
      });
      attempts.push(async (more) => {
        const tcp = await Deno.connect({ port });
        try {
          (await startTls(policy, tcp, { ...peer, ...more })).close();
        } catch (error) {
          tcp.close();
          throw error;
        }
      });
      attempts.push(async (more) => {
        const open = { hostname: "localhost", port, caCerts: [ca] };
        const conn = await Deno.connectTls(open);
        await verifyConn(policy, conn, { ...peer, ...more });
        conn.close();
      });
    }
    for (const attempt of attempts) {
      for (const [name, meant] of Object.entries(MISTYPED)) {
        const [code, message] = await failureOf(() => attempt({ [name]: [] }));
        assertEquals(code, OPTION);
        assert(message.includes(`"${name}"`), message);
        assert(message.includes(`"${meant}"`), message);
      }
      const [code] = await failureOf(() => attempt({ somethingElse: 1 }));
      assertEquals(code, OPTION);
      // What is undefined was not set.
      await attempt({ somethingElse: undefined, onWarning: () => {} });
    }
    assertEquals(server.received, 0);
  });

  t.test("options of another kind are refused by name", async () => {
    const { policy, ca } = await mintChain();
    const wrong: Readonly<Record<string, readonly unknown[]>> = {
      port: ["443", 0, 65_536, 1.5],
      connectTimeout: [-1, Number.NaN, Infinity, "10"],
      host: [1, {}],
      signal: [{}, "abort"],
      ALPNProtocols: ["h2", [1]],
    };
    const good = { host: "127.0.0.1", port: 1, ca };
    for (const [name, values] of Object.entries(wrong)) {
      for (const value of values) {
        const bad = { ...good, [name]: value } as typeof good;
        const [code, message] = await failureOf(() => connect(policy, bad));
        assertEquals(code, OPTION, `${name} ${value}`);
        assert(message.includes(`"${name}"`), message);
      }
    }
    assertEquals(await refusal(() => connect(policy, good)), "platform");
  });

  t.test("a request cannot weaken its agent", async () => {
    const chain = await mintChain();
    await using server = await serve(chain);
    const { policy, ca } = chain;
    const agent = createAgent(policy, { ca });
    const get = (more: object) =>
      new Promise<void>((resolve, reject) => {
        https.get(
          { host: "127.0.0.1", port: server.port, agent, ...more },
          (response) => response.on("end", resolve).resume(),
        ).on("error", reject);
      });
    for (const name of ["rejectUnauthorized", "checkServerIdentity"]) {
      assertEquals(
        await refusal(() => get({ [name]: WEAKENING[name] })),
        OPTION,
      );
    }
    assertEquals(
      await refusal(() => get({ session: new Uint8Array(1) })),
      OPTION,
    );
    assertEquals(server.received, 0);
    await get({});
    agent.destroy();
  });

  t.test("createFetch() takes no other connection, made or per call", async () => {
    const chain = await mintChain();
    await using server = await serve(chain);
    const { policy, ca } = chain;
    const url = `https://127.0.0.1:${server.port}/`;
    await using fetch = createFetch(policy, { ca });
    for (
      const [name, value] of Object.entries({ ...WEAKENING, ...FETCH_ONLY })
    ) {
      optionError(() => createFetch(policy, { ca, [name]: value }));
      assertEquals(await refusal(() => fetch(url, { [name]: value })), OPTION);
    }
    assertEquals(server.handshakes, 0);
    assertEquals((await fetch(url)).status, 200);
  });

  t.test("createPinner()'s options are refused beside a pinner", async () => {
    const { policy, ca } = await mintChain();
    const pinner = createPinner(policy);
    const values = {
      anchors: [],
      publicAnchors: [],
      now: () => new Date(),
      limits: {},
      onWarning: () => {},
      onReport: () => {},
    };
    for (const [name, value] of Object.entries(values)) {
      const more = { ca, [name]: value };
      optionError(() => createAgent(pinner, more));
      createAgent(policy, more).destroy();
    }
  });

  t.test("a proxy is an http: or https: URL", async () => {
    const { policy, ca } = await mintChain();
    for (const proxy of ["", "proxy", "socks5://localhost:1", "ftp://x"]) {
      optionError(() => createAgent(policy, { ca, proxy }));
      optionError(() => createDispatcher(policy, { ca, proxy }));
    }
    createAgent(policy, { ca, proxy: "http://localhost:1" }).destroy();
  });
};
