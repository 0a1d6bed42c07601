/**
 * A reporter whose collector is dead, under a flood of violations.
 */
import { assert, assertEquals } from "@std/assert";
import * as net from "node:net";
import process from "node:process";
import {
  MAX_QUEUED_REPORTS,
  MAX_QUEUED_REPORTS_LENGTH,
} from "../../../src/limits.ts";
import { createPinner, type Report } from "../../../src/pinner/pinner.ts";
import { createReporter } from "../../../src/reports/mod.ts";
import { mintChain } from "../../../src/testing/mod.ts";
import { collector } from "../adapters/resources.ts";
import { listen, shut } from "../adapters/servers.ts";
import type { Body } from "../harness.ts";

const VIOLATIONS = 100_000;
/** Queue and memory are full before it is measured; a report has some 5 kB. */
const MAX_GROWTH_BYTES = 2 * MAX_QUEUED_REPORTS_LENGTH;

/** Deno 2.8 collects no garbage on request: there the queue alone is counted. */
const collect = collector();

/** Bytes of the heap that are in use, the garbage collected. */
function heldBytes(): number {
  collect?.();
  return process.memoryUsage().heapUsed;
}

/** A server that takes connections and never answers. */
async function blackHole() {
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
    socket.resume();
  });
  const port = await listen(server);
  return { port, [Symbol.asyncDispose]: () => shut(server, sockets) };
}

/** A port that nobody listens on. */
async function deadPort(): Promise<number> {
  const server = net.createServer();
  const port = await listen(server);
  await shut(server, []);
  return port;
}

/** Registers the tests. */
export const deadCollector: Body = (t) => {
  for (const kind of ["refuses", "never answers"]) {
    t.test(
      `a collector that ${kind} costs ${VIOLATIONS} violations a bounded queue`,
      async () => {
        const { policy, chain } = await mintChain();
        await using hole = await blackHole();
        const port = kind === "refuses" ? await deadPort() : hole.port;
        const reporter = createReporter(`http://127.0.0.1:${port}/`, {
          interval: 0,
        });
        let real: Report | undefined;
        const pinner = createPinner(policy, {
          anchors: [],
          onReport: (report) => {
            real = report;
            reporter.report(report);
          },
        });
        await pinner.check({ hostname: "localhost", chain });
        const flood = async (from: number, to: number) => {
          for (let index = from; index < to; index++) {
            // Each another host, so that none is left out as told before.
            const hostname = `h${index}.example`;
            const json = { ...real!.toJSON(), hostname };
            reporter.report({ ...real!, hostname, toJSON: () => json });
            if (index % 1000 === 0) {
              await new Promise((done) => setTimeout(done));
            }
          }
        };
        await flood(1, VIOLATIONS / 4);
        const before = heldBytes();
        await flood(VIOLATIONS / 4, VIOLATIONS);
        const grown = heldBytes() - before;
        assert(
          collect === undefined || grown < MAX_GROWTH_BYTES,
          `${grown} bytes`,
        );
        const { queued, dropped, sent, duplicates } = reporter.stats;
        assert(queued <= MAX_QUEUED_REPORTS);
        // A batch that is on its way is counted when it is over.
        assert(queued + dropped > VIOLATIONS - 100);
        assertEquals([sent, duplicates], [0, 0]);
        await shutHole(hole, kind);
        await reporter.close();
        const { stats } = reporter;
        assertEquals([stats.queued, stats.dropped], [0, VIOLATIONS]);
        assert(stats.failures > 0);
      },
      60_000,
    );
  }
};

/** Ends the connections of a request that would wait for its deadline. */
async function shutHole(
  hole: AsyncDisposable,
  kind: string,
): Promise<void> {
  if (kind !== "refuses") await hole[Symbol.asyncDispose]();
}
