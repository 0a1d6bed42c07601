/**
 * Many connections at once, against good and bad servers in turns.
 */
import { assert, assertEquals } from "@std/assert";
import process from "node:process";
import { connect } from "../../../src/adapters/node.ts";
import { createPinner } from "../../../src/pinner/pinner.ts";
import { mintChain, renewLeaf } from "../../../src/testing/mod.ts";
import type { Body } from "../harness.ts";
import { everything } from "../skip.ts";
import { collector, openDescriptors, openHandles } from "./resources.ts";
import { type Identity, serve, type Served } from "./servers.ts";
import { refusal } from "./ways.ts";

/** Connections in the whole run, and in the short one; half are refused. */
const CONNECTIONS = everything() ? 4_000 : 400;
/** How many are open at the same time. */
const AT_ONCE = 50;
/** Guard against hangs, in milliseconds: the long run is long. */
const HANG_MS = 240_000;
/** What the heap may have grown by from the second quarter to the last. */
const MAX_GROWTH = 1.10;

/**
 * A server that refused clients hang up on. On Deno the native one: its
 * `node:tls` keeps something of every handshake that fails.
 */
async function serveRefused(
  identity: Identity,
  isDeno: boolean,
): Promise<Pick<Served, "port" | "received" | "open"> & AsyncDisposable> {
  if (!isDeno) return await serve(identity);
  let received = 0;
  const { pem: cert, keyPem: key } = identity;
  const listener = Deno.listenTls({
    hostname: "127.0.0.1",
    port: 0,
    cert,
    key,
  });
  const talk = async (conn: Deno.TlsConn) => {
    try {
      received += await conn.read(new Uint8Array(100)) ?? 0;
    } catch {
      // The handshake failed, as it has to.
    } finally {
      conn.close();
    }
  };
  const talking = (async () => {
    const talks: Promise<void>[] = [];
    for await (const conn of listener) talks.push(talk(conn));
    await Promise.all(talks);
  })();
  return {
    port: listener.addr.port,
    open: 0,
    get received() {
      return received;
    },
    async [Symbol.asyncDispose]() {
      listener.close();
      await talking;
    },
  };
}

/** Registers the tests. */
export const load: Body = (t) => {
  t.test(
    `${CONNECTIONS} connections, ${AT_ONCE} at a time, get the right verdict and leave nothing`,
    async () => {
      const chain = await mintChain();
      const renewed = await renewLeaf(chain);
      const unpinned = await mintChain();
      const untrusted = await mintChain();
      const expired = await renewLeaf(chain, {
        notBefore: new Date(Date.now() - 7_200_000),
        notAfter: new Date(Date.now() - 3_600_000),
      });
      const isDeno = t.runtime === "deno";
      const before = openHandles();
      const heap: number[] = [];
      const descriptors: (number | undefined)[] = [];
      const counts = { accepted: 0, refused: 0 };
      const collect = collector();
      {
        await using good = await serve(chain);
        await using alsoGood = await serve(renewed);
        await using wrongPins = await serve(unpinned);
        await using wrongRoot = await serveRefused(untrusted, isDeno);
        await using tooOld = await serveRefused(expired, isDeno);
        const servers = [
          { server: good, code: undefined },
          { server: wrongPins, code: "ERR_CERTPIN_MISMATCH" },
          { server: alsoGood, code: undefined },
          { server: wrongRoot, code: "ERR_CERTPIN_HANDSHAKE" },
          { server: good, code: undefined },
          { server: tooOld, code: "ERR_CERTPIN_HANDSHAKE" },
        ];
        const pinner = createPinner(chain.policy);
        const ca = chain.ca + unpinned.ca;
        let started = 0;
        const worker = async (until: number) => {
          while (started < until) {
            const { server, code } = servers[started++ % servers.length];
            const found = await refusal(async () => {
              const socket = await connect(pinner, {
                host: "127.0.0.1",
                port: server.port,
                ca,
              });
              await new Promise((resolve, reject) => {
                socket.once("data", resolve);
                socket.once("error", reject);
                socket.write("GET / HTTP/1.1\r\n\r\n");
              });
              socket.destroy();
            });
            assertEquals(found, code);
            counts[code === undefined ? "accepted" : "refused"]++;
          }
        };
        for (let quarter = 1; quarter <= 4; quarter++) {
          const until = CONNECTIONS * quarter / 4;
          await Promise.all(
            Array.from({ length: AT_ONCE }, () => worker(until)),
          );
          // What was destroyed a moment ago is closed a moment later.
          await new Promise((resolve) => setTimeout(resolve, 50));
          collect?.();
          heap.push(process.memoryUsage().heapUsed);
          descriptors.push(await openDescriptors());
        }
        const half = CONNECTIONS / 2;
        assertEquals(counts, { accepted: half, refused: half });
        const [, second, , last] = descriptors;
        if (second !== undefined && last !== undefined) {
          assert(last <= second, `descriptors grew: ${descriptors}`);
        }
        for (const { server, code } of servers) {
          assertEquals(server.received > 0, code === undefined);
          assertEquals(server.open, 0);
        }
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
      assert(openHandles() <= before, "handles were left open");
      // A short run is mostly what the engine compiles.
      if (collect !== undefined && everything()) {
        const growth = heap[3] / heap[1];
        assert(growth <= MAX_GROWTH, `the heap grew by ${growth}: ${heap}`);
      }
    },
    HANG_MS,
  );
};
