/**
 * Whether memory stays flat.
 *
 * @module
 */
import process from "node:process";
import { createPinner, parseCertificates } from "../mod.ts";
import { connect, createFetch } from "../src/adapters/node.ts";
import { mintCertificate, mintKey } from "../src/testing/mod.ts";
import { fingerprint } from "../mod.ts";
import type { Bench, Context, Row } from "./bench.ts";

/** Most growth of the heap after the first tenth. */
const GOAL = 1.1;
const CHAINS = 1_000;
const CHECKS = 100_000;
const REQUESTS = 50_000;
const REFUSED = 5_000;
const IN_FLIGHT = 16;
const HOSTNAME = "api.example.com";

interface Collectable {
  readonly gc?: () => void;
  readonly Bun?: { gc(force: boolean): void };
}

/** What the heap holds, once what nobody holds has been collected. */
async function heapUsed(): Promise<number> {
  const scope = globalThis as Collectable;
  for (let round = 0; round < 3; round++) {
    scope.gc?.();
    scope.Bun?.gc(true);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return process.memoryUsage().heapUsed;
}

/** Does something in tenths, and compares the heap after the last and the first. */
async function growth(
  what: string,
  times: number,
  act: (at: number) => Promise<void>,
): Promise<Row> {
  let at = 0;
  const until = async (end: number) => {
    const worker = async () => {
      while (at < end) await act(at++);
    };
    await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
  };
  await until(times / 10);
  const first = await heapUsed();
  await until(times);
  return {
    what: `heap after ${what}`,
    against: "after the first tenth",
    value: await heapUsed() / first,
    unit: "x",
    goal: GOAL,
    better: "less",
  };
}

/** The benchmark. */
export const benchMemory: Bench = {
  name: "memory",
  async *run({ chain, port }: Context): AsyncGenerator<Row> {
    const root = await mintCertificate({ subject: "root", ca: true });
    const key = await mintKey();
    const issuer = await mintCertificate({
      subject: "intermediate",
      ca: true,
      key,
      issuer: root,
    });
    const chains: Uint8Array[][] = [];
    for (let at = 0; at < CHAINS; at++) {
      const leaf = await mintCertificate({ hostnames: [HOSTNAME], issuer });
      chains.push([leaf.der, issuer.der]);
    }
    const pin = await fingerprint(parseCertificates(issuer.der)[0]);
    const pinner = createPinner(
      { version: 1, hosts: { [HOSTNAME]: { pins: [`${pin}`] } } },
      { anchors: parseCertificates(root.der), onWarning: () => {} },
    );
    yield await growth(
      `${CHECKS.toLocaleString("en")} checks of ${
        CHAINS.toLocaleString("en")
      } chains`,
      CHECKS,
      async (at) => {
        const { reason, error } = await pinner.check({
          hostname: HOSTNAME,
          chain: chains[at % CHAINS],
        });
        if (reason !== "pinned") throw error;
      },
    );
    {
      await using fetch = createFetch(chain.policy, {
        ca: chain.ca,
        allowH2: false,
        onWarning: () => {},
      });
      yield await growth(
        `${REQUESTS.toLocaleString("en")} requests`,
        REQUESTS,
        async () => {
          await (await fetch(`https://127.0.0.1:${port}/12`)).text();
        },
      );
    }
    const wrong = createPinner(
      { version: 1, hosts: { "127.0.0.1": { pins: [`${pin}`] } } },
      { onWarning: () => {} },
    );
    yield await growth(
      `${REFUSED.toLocaleString("en")} refused connections`,
      REFUSED,
      async () => {
        try {
          await connect(wrong, { host: "127.0.0.1", port, ca: chain.ca });
        } catch {
          return;
        }
        throw new Error("A connection was not refused");
      },
    );
  },
};
