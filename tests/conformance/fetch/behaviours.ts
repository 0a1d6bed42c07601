/**
 * Compares `createFetch` with the runtime's own `fetch`, behaviour by behaviour.
 */
import { assert, assertEquals } from "@std/assert";
import { createFetch } from "../../../src/adapters/deno.ts";
import { mintChain, type MintedChain } from "../../../src/testing/mod.ts";
import { lookup } from "../adapters/ways.ts";
import { type Body, guarded, type Harness } from "../harness.ts";
import type { Behaviour, FetchLike } from "./behaviour.ts";
import { DIFFERENCES } from "./differences.ts";
import { ownFetch } from "./own_fetch.ts";
import { serveRaw } from "./raw_server.ts";
import { BEHAVIOURS } from "./table.ts";

/** How long the runtime's own `fetch` may take before it counts as hanging. */
const OWN_HANG_MS = 4_000;

async function look(
  { observe }: Behaviour,
  fetch: FetchLike,
  chain: MintedChain,
  { runtime }: Harness,
  hangMilliseconds?: number,
): Promise<unknown> {
  await using server = await serveRaw(chain);
  await using other = await serveRaw(chain);
  const scene = {
    fetch,
    url: `https://localhost:${server.port}`,
    server,
    other,
    otherUrl: `https://127.0.0.1:${other.port}`,
    runtime,
  };
  // Within the servers' scope, so that they end too when a fetch hangs.
  return await guarded(() => observe(scene), hangMilliseconds);
}

/** Names that a difference may call this runtime by. */
export function namesOf({ runtime, version }: Harness): readonly string[] {
  const [major, minor] = version.split(".");
  return [runtime, `${runtime}${major}`, `${runtime}${major}.${minor}`];
}

/** Registers the tests. */
export const fetchBehaviours: Body = (t) => {
  let minted: Promise<MintedChain> | undefined;
  const chainOnce = () =>
    minted ??= mintChain({ hostnames: ["localhost", "127.0.0.1", "::1"] });
  const names = namesOf(t);

  for (const { title, behaviours } of BEHAVIOURS) {
    for (const behaviour of behaviours) {
      if (behaviour.runtimes?.includes(t.runtime) === false) continue;
      t.test(`fetch: ${title}: ${behaviour.name}`, async () => {
        const chain = await chainOnce();
        const expected = typeof behaviour.expected === "function"
          ? behaviour.expected(t.runtime)
          : behaviour.expected;
        {
          await using pinned = createFetch(chain.policy, {
            ca: chain.ca,
            lookup,
          });
          assertEquals(await look(behaviour, pinned, chain, t), expected);
        }
        using own = ownFetch(t.runtime, chain.ca);
        const theirs = await look(behaviour, own.fetch, chain, t, OWN_HANG_MS)
          .catch((error) => ({ failed: String(error) }));
        const isSame = JSON.stringify(theirs) === JSON.stringify(expected);
        const listed = DIFFERENCES.find((difference) =>
          difference.behaviours.includes(behaviour.name) &&
          difference.runtimes.some((name) => names.includes(name))
        );
        if (listed === undefined) {
          assert(
            isSame,
            `a difference is not listed: the runtime's own gives ${
              JSON.stringify(theirs).slice(0, 500)
            }`,
          );
        } else {
          assert(!isSame, "a listed difference is not there any more");
        }
      }, 2 * OWN_HANG_MS + 4_000);
    }
  }

  t.test("fetch: has the name and the length of the global function", async () => {
    await using fetch = createFetch({
      version: 1,
      unlisted: "allow",
      hosts: {},
    });
    assertEquals([fetch.name, fetch.length], ["fetch", 1]);
  });

  t.test("fetch: leaves no listener on a signal, however a request ends", async () => {
    const chain = await chainOnce();
    await using server = await serveRaw(chain);
    await using fetch = createFetch(chain.policy, { ca: chain.ca, lookup });
    const url = `https://localhost:${server.port}`;
    server.on("/reset", (_, reply) => void reply.socket.destroy());
    server.on(
      "/truncate",
      (_, reply) =>
        reply.end("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nshort"),
    );
    server.on("/none", (_, reply) => reply.write("HTTP/1.1 204 None\r\n\r\n"));
    server.on(
      "/redirect",
      (_, reply) => reply.respond({ status: 302, headers: { location: "/" } }),
    );
    const { signal } = new AbortController();
    let added = 0;
    let listening = 0;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      added++;
      listening++;
      add(...args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listening--;
      remove(...args);
    };
    for (const path of ["/", "/redirect", "/none", "/truncate", "/reset"]) {
      const init = { method: "POST", signal };
      await fetch(url + path, init).then((response) => response.text())
        .catch(() => {});
    }
    const cancelled = await fetch(url, { signal });
    await cancelled.body!.cancel();
    assert(added >= 6);
    assertEquals(listening, 0);
  });

  t.test("fetch: every listed difference is about a behaviour", () => {
    const all = BEHAVIOURS.flatMap(({ behaviours }) =>
      behaviours.map(({ name }) => name)
    );
    assertEquals(new Set(all).size, all.length);
    for (const { behaviours } of DIFFERENCES) {
      for (const name of behaviours) assert(all.includes(name), name);
    }
  });
};
