/**
 * What the edge costs in workerd, against the runtime's own TLS, and in bytes.
 *
 * @module
 */
import { mintChain } from "../src/testing/mod.ts";
import {
  type ServedWorker,
  serveWorker,
  workerdPath,
} from "../tests/conformance/edge/workerd.ts";
import { asRate, asTime, type Row } from "./bench.ts";
import type { Ask } from "./edge_worker.ts";
import { compare } from "./measure.ts";
import { startServer } from "./server.ts";

const HANDSHAKE_GOAL = 2;
const CPU_GOAL_MS = 5;
const BULK_GOAL = 0.8;
const BULK_BYTES = 64 * 1024 * 1024;
/** Handshakes of each side in a pair, and for the processor's time. */
const HANDSHAKES = 20;
const CPU_HANDSHAKES = 200;
/** Of the clock that the kernel counts a process's time by. */
const TICK_MS = 10;

/** Milliseconds of processor time of a process so far, on Linux. */
async function cpuMs(pid: number): Promise<number> {
  const text = await Deno.readTextFile(`/proc/${pid}/stat`);
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

async function measure(worker: ServedWorker, port: number): Promise<Row[]> {
  const ask = async (how: Ask["how"], count: number, bytes: number) => {
    const answer = await worker.post("/", { how, port, count, bytes });
    const text = await answer.text();
    if (text !== "done") throw new Error(`The Worker failed: ${text}`);
  };
  const subject = (how: Ask["how"], bytes: number) => ({
    name: how,
    run: (count: number) => ask(how, count, bytes),
  });
  const against = "workerd's own TLS";
  const handshake = await compare(subject("pinned", 2), subject("native", 2), {
    pairs: 11,
    count: HANDSHAKES,
  });
  const cpu = async (how: Ask["how"]) => {
    const before = await cpuMs(worker.pid);
    await ask(how, CPU_HANDSHAKES, 2);
    return (await cpuMs(worker.pid) - before) / CPU_HANDSHAKES;
  };
  const native = await cpu("native");
  const pinned = await cpu("pinned");
  const bulk = await compare(
    subject("pinned", BULK_BYTES),
    subject("native", BULK_BYTES),
    { pairs: 7, count: 1 },
  );
  return [
    asTime(
      "workerd: a new connection with its verdict, and a small request",
      against,
      handshake,
      HANDSHAKE_GOAL,
    ),
    {
      what: "workerd: processor time of such a connection, warm",
      against: `workerd's own TLS: ${native.toFixed(1)} ms`,
      value: pinned,
      unit: "ms",
      goal: CPU_GOAL_MS,
      better: "less",
    },
    asRate("workerd: 64 MiB down", against, bulk, BULK_GOAL),
  ];
}

/** Runs the benchmark; `undefined` where npx does not bring workerd. */
export async function benchEdge(folder: string): Promise<Row[] | undefined> {
  if (workerdPath === undefined) return undefined;
  const chain = await mintChain({ hostnames: ["localhost"] });
  const identity = { name: "localhost", cert: chain.pem, key: chain.keyPem };
  await using server = await startServer(folder, [identity]);
  await using worker = await serveWorker({
    entry: "bench/edge_worker.ts",
    texts: { CA: chain.ca, POLICY: JSON.stringify(chain.policy) },
    trusted: chain.ca,
  });
  return await measure(worker, server.port);
}
