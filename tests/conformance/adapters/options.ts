/**
 * Options that would weaken the check: refused by name, everywhere.
 */
import { assertEquals, assertThrows } from "@std/assert";
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
import { mintChain } from "../../../src/testing/mod.ts";
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

/** Registers the tests. */
export const options: Body = (t) => {
  for (const [name, value] of Object.entries(WEAKENING)) {
    t.test(`no adapter is made with the option ${name}`, async () => {
      const { policy, ca } = await mintChain();
      const bad = { [name]: value, ca, hostname: "localhost" };
      const good = { ca, hostname: "localhost", rejectUnauthorized: true };
      for (
        const create of [
          createAgent,
          createDispatcher,
          createFetch,
          checkServerIdentity,
          tlsOptions,
        ]
      ) {
        optionError(() => create(policy, bad));
        const made = create(policy, good) as { destroy?: () => unknown };
        await made.destroy?.();
      }
    });

    t.test(`no connection is made with the option ${name}`, async () => {
      const chain = await mintChain();
      await using server = await serve(chain);
      const { policy, ca } = chain;
      const good = {
        host: "localhost",
        hostname: "localhost",
        port: server.port,
        ca,
        family: 4,
      };
      const bad = { ...good, [name]: value };
      assertEquals(await refusal(() => connect(policy, bad)), OPTION);
      if (t.runtime === "deno") {
        assertEquals(await refusal(() => connectTls(policy, bad)), OPTION);
        const tcp = await Deno.connect({ port: server.port });
        assertEquals(await refusal(() => startTls(policy, tcp, bad)), OPTION);
        tcp.close();
        const conn = await Deno.connectTls({ ...good, caCerts: [ca] });
        assertEquals(
          await refusal(() => verifyConn(policy, conn, bad)),
          OPTION,
        );
      }
      assertEquals(server.received, 0);
      const socket = await connect(policy, good);
      socket.destroy();
    });
  }

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
