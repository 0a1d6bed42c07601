/**
 * A policy of 10,000 hosts.
 *
 * @module
 */
import { createPinner, parseCertificates, type Pinner } from "../mod.ts";
import { mintChain } from "../src/testing/mod.ts";
import { asTime, type Bench, type Row } from "./bench.ts";
import { compare, median, quantile, type Subject } from "./measure.ts";

const HOSTNAME = "api.example.com";
const LOADS = 9;
const LOAD_GOAL_MS = 300;
const CHECK_GOAL = 1.2;

/** The benchmark. */
export const benchHosts: Bench = {
  name: "hosts",
  async *run(): AsyncGenerator<Row> {
    const minted = await mintChain({ hostnames: [HOSTNAME] });
    const anchors = parseCertificates(minted.ca);
    const entry = minted.policy.hosts[HOSTNAME];
    const policyOf = (hosts: number) =>
      JSON.stringify({
        version: 1,
        hosts: Object.fromEntries([
          [HOSTNAME, entry],
          ...Array.from(
            { length: hosts - 1 },
            (_, at) => [`host-${at}.example.com`, entry],
          ),
        ]),
      });
    const make = (text: string) =>
      createPinner(text, { anchors, onWarning: () => {} });
    const large = policyOf(10_000);
    const times: number[] = [];
    for (let load = -1; load < LOADS; load++) {
      const start = performance.now();
      make(large);
      if (load >= 0) times.push(performance.now() - start);
    }
    yield {
      what: "`createPinner` with 10,000 hosts, from JSON text",
      against: "a limit",
      value: median(times),
      spread: [quantile(times, 0.25), quantile(times, 0.75)],
      unit: "ms",
      goal: LOAD_GOAL_MS,
      better: "less",
    };
    const { chain } = minted;
    const checks = (pinner: Pinner): Subject => ({
      name: "check",
      async run(count) {
        for (let at = 0; at < count; at++) {
          const verdict = await pinner.check({ hostname: HOSTNAME, chain });
          if (verdict.reason !== "pinned") throw verdict.error;
        }
      },
    });
    yield asTime(
      "`check` among 10,000 hosts",
      "among 10 hosts",
      await compare(checks(make(large)), checks(make(policyOf(10))), {
        pairs: 15,
        count: 100,
      }),
      CHECK_GOAL,
    );
  },
};
