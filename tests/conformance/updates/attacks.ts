/**
 * Attacks on the updater. After each the policy in force is the one that was,
 * and the control, which differs in one thing, replaces it.
 */
import { assert, assertEquals } from "@std/assert";
import { gzipSync } from "node:zlib";
import { MAX_SIGNED_POLICY_BYTES } from "../../../src/limits.ts";
import { createPinner } from "../../../src/pinner/pinner.ts";
import {
  createUpdater,
  memoryStore,
  type UpdaterOptions,
} from "../../../src/updates/mod.ts";
import type { Body } from "../harness.ts";
import {
  AUDIENCE,
  codeOf,
  forge,
  goodClaims,
  inDays,
  keyPair,
  KEYS,
  part,
  signed,
} from "./scene.ts";
import { type Answer, serveUpdates, text } from "./update_server.ts";

/** One attack on an updater that has accepted the sequence 5. */
interface Attack {
  readonly name: string;
  /** Given the text that was accepted, and a newer one that would be. */
  answer(accepted: string, newer: string): Answer | Promise<Answer>;
  readonly code: string;
}

const MEGABYTE = new Uint8Array(1024 * 1024).fill(65);

/** Sends so many megabytes, as fast as they are taken. */
function megabytes(count: number): Answer {
  return (response) => {
    let sent = 0;
    const more = () => {
      while (sent++ < count && !response.destroyed) {
        if (!response.write(MEGABYTE)) return;
      }
      response.end();
    };
    response.on("drain", more);
    more();
  };
}

const HUNDRED_MB = 100 * MEGABYTE.length;

const ATTACKS: readonly Attack[] = [
  {
    name: "rollback",
    answer: async () => text(await signed({ sequence: 4 })),
    code: "ROLLBACK",
  },
  {
    name: "another policy with the same sequence",
    answer: async () => text(await signed({ sequence: 5, keyId: "x" })),
    code: "ROLLBACK",
  },
  {
    name: "replay to another audience",
    answer: async () =>
      text(await signed({ sequence: 6, audience: "shop-app-beta" })),
    code: "AUDIENCE",
  },
  {
    name: "wrong key",
    answer: async () =>
      text(await signed({ sequence: 6, key: (await keyPair()).privateKey })),
    code: "SIGNATURE",
  },
  {
    name: "key of the other algorithm",
    answer: async () => {
      const { privateKey } = await keyPair("ES256");
      return text(await signed({ sequence: 6, key: privateKey }));
    },
    code: "SIGNATURE",
  },
  {
    name: "alg none",
    answer: () => {
      const header = part({ alg: "none", typ: "certpin-policy+jws" });
      return text(`${header}.${part({ ...goodClaims(), sequence: 6 })}.`);
    },
    code: "SIGNATURE",
  },
  {
    name: "the public key as an HMAC secret",
    answer: async () => {
      const raw = await crypto.subtle.exportKey("raw", KEYS.publicKey);
      const secret = new Uint8Array(raw as ArrayBuffer);
      const claims = { ...goodClaims(), sequence: 6 };
      return text(await forge(claims, { alg: "HS256" }, secret));
    },
    code: "SIGNATURE",
  },
  {
    name: "a JWS of another type",
    answer: async () =>
      text(await forge({ ...goodClaims(), sequence: 6 }, { typ: "JWT" })),
    code: "MALFORMED",
  },
  {
    name: "a signature that was cut",
    answer: (_, newer) => text(newer.slice(0, -4)),
    code: "SIGNATURE",
  },
  {
    name: "a text that was cut",
    answer: (_, newer) => text(newer.slice(0, newer.lastIndexOf("."))),
    code: "MALFORMED",
  },
  {
    name: "a body that ends early",
    answer: (_, newer) => (response) => {
      response.writeHead(200, { "content-length": newer.length });
      response.write(newer.slice(0, 40), () => response.destroy());
    },
    code: "FETCH",
  },
  {
    name: "an expired policy",
    answer: async () =>
      text(
        await signed({
          sequence: 6,
          issuedAt: inDays(-2),
          expiresAt: inDays(-1),
        }),
      ),
    code: "EXPIRED",
  },
  {
    name: "a policy from the future",
    answer: async () =>
      text(await signed({ sequence: 6, issuedAt: inDays(1) })),
    code: "NOT_YET_VALID",
  },
  {
    name: "a policy that is no policy",
    answer: async () =>
      text(
        await forge({ ...goodClaims(), sequence: 6, policy: { version: 2 } }),
      ),
    code: "MALFORMED",
  },
  {
    name: "a page for people",
    answer: () => text("<!doctype html><title>Sign in to the network</title>"),
    code: "MALFORMED",
  },
  {
    name: "an empty body",
    answer: () => text(""),
    code: "MALFORMED",
  },
  {
    name: "bytes that are not text",
    answer: () => (response) => response.end(new Uint8Array([0xff, 0xfe])),
    code: "MALFORMED",
  },
  {
    name: "100 MB that are announced",
    answer: () => (response, request) => {
      response.writeHead(200, { "content-length": HUNDRED_MB });
      megabytes(100)(response, request);
    },
    code: "SIZE",
  },
  {
    name: "100 MB that are not announced",
    answer: () => megabytes(100),
    code: "SIZE",
  },
  {
    name: "an endless body",
    answer: () => megabytes(Infinity),
    code: "SIZE",
  },
  {
    name: "a gzip bomb",
    answer: () => (response) => {
      const bomb = gzipSync(new Uint8Array(64 * MEGABYTE.length));
      assert(bomb.length < MAX_SIGNED_POLICY_BYTES / 8);
      response.writeHead(200, { "content-encoding": "gzip" });
      response.end(bomb);
    },
    code: "SIZE",
  },
  ...[201, 204, 206, 403, 404, 429, 500, 503].map((status) => ({
    name: `status ${status}`,
    answer: (_: string, newer: string): Answer => (response) => {
      response.writeHead(status);
      response.end(status === 204 ? undefined : newer);
    },
    code: "FETCH",
  })),
  {
    name: "no answer but a closed connection",
    answer: () => (response) => response.destroy(),
    code: "FETCH",
  },
];

/** An updater of a server that has brought the sequence 5. */
async function stage(more: Partial<UpdaterOptions> = {}) {
  const pinner = createPinner({ version: 1, hosts: {} });
  const accepted = await signed({ sequence: 5 });
  const server = await serveUpdates(text(accepted));
  const errors: (string | undefined)[] = [];
  const store = memoryStore();
  const updater = createUpdater(pinner, {
    url: server.url,
    keys: [KEYS.publicKey],
    audience: AUDIENCE,
    store,
    interval: 0,
    onError: ({ code }) => errors.push(code),
    ...more,
  });
  assertEquals(await updater.update(), "updated");
  return {
    pinner,
    server,
    updater,
    errors,
    store,
    accepted,
    async [Symbol.asyncDispose]() {
      await updater.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** Registers the tests. */
export const updateAttacks: Body = (t) => {
  for (const { name, answer, code } of ATTACKS) {
    t.test(`the updater refuses ${name}, and the old policy stays`, async () => {
      await using staged = await stage();
      const { pinner, server, updater, errors, store, accepted } = staged;
      const { policy } = pinner;
      const newer = await signed({ sequence: 6 });
      server.answer = await answer(accepted, newer);
      const expected = `ERR_CERTPIN_UPDATE_${code}`;
      assertEquals(await codeOf(() => updater.update()), expected);
      assertEquals(errors, [expected]);
      assertEquals(updater.status.lastError?.code, expected);
      assert(pinner.policy === policy);
      assertEquals(await store.load(), accepted);
      assertEquals(updater.status.sequence, 5);
      server.answer = text(newer);
      assertEquals(await updater.update(), "updated");
      assertEquals(updater.status.lastError, undefined);
      assertEquals(updater.status.sequence, 6);
      assertEquals(await store.load(), newer);
      assert(pinner.policy !== policy);
    });
  }

  t.test("the updater follows no redirect, by whichever fetch", async () => {
    const newer = await signed({ sequence: 6 });
    await using target = await serveUpdates(text(newer));
    for (const status of [301, 302, 303, 307, 308]) {
      await using staged = await stage();
      const { server, updater, pinner } = staged;
      const { policy } = pinner;
      server.answer = (response) => {
        response.writeHead(status, { location: target.url });
        response.end(newer);
      };
      assertEquals(
        await codeOf(() => updater.update()),
        "ERR_CERTPIN_UPDATE_FETCH",
      );
      assert(pinner.policy === policy);
      assertEquals(target.requests, 0);
    }
    // A fetch of the caller's that follows all the same is found out.
    await using staged = await stage({ fetch: (url) => fetch(url) });
    const { server, updater } = staged;
    server.answer = (response) => {
      response.writeHead(302, { location: target.url });
      response.end();
    };
    assertEquals(
      await codeOf(() => updater.update()),
      "ERR_CERTPIN_UPDATE_FETCH",
    );
    assertEquals(target.requests, 1);
    server.answer = text(newer);
    assertEquals(await updater.update(), "updated");
  });

  t.test("a policy that is served for ever is no news, and does not get younger", async () => {
    await using staged = await stage();
    const { server, updater, pinner } = staged;
    const { policy } = pinner;
    const { policyExpiresAt } = updater.status;
    for (let round = 0; round < 3; round++) {
      assertEquals(await updater.update(), "unchanged");
    }
    assert(pinner.policy === policy);
    assertEquals(updater.status.policyExpiresAt, policyExpiresAt);
    assertEquals(server.requests, 4);
  });

  t.test("calls of update() that overlap share one fetch", async () => {
    await using staged = await stage();
    const { server, updater } = staged;
    server.answer = text(await signed({ sequence: 6 }));
    const results = await Promise.all(
      Array.from({ length: 50 }, () => updater.update()),
    );
    assertEquals(new Set(results), new Set(["updated"]));
    assertEquals(server.requests, 2);
  });

  t.test("close() ends a fetch that does not", async () => {
    await using staged = await stage();
    const { server, updater, errors } = staged;
    let asked = () => {};
    const asking = new Promise<void>((resolve) => asked = resolve);
    server.answer = (response) => {
      response.write("e");
      asked();
    };
    const update = codeOf(() => updater.update());
    await asking;
    await updater.close();
    assertEquals(await update, "ERR_CERTPIN_UPDATE_FETCH");
    assertEquals(errors, []);
    assertEquals(
      await codeOf(() => updater.update()),
      "ERR_CERTPIN_UPDATE_FETCH",
    );
    assertEquals(server.requests, 2);
  });
};
