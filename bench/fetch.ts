/**
 * Requests on connections that are kept alive, against the runtime's own
 * `fetch` over the same protocol.
 *
 * @module
 */
import { createFetch } from "../src/adapters/deno.ts";
import type { FetchLike } from "../tests/conformance/fetch/behaviour.ts";
import { ownFetch } from "../tests/conformance/fetch/own_fetch.ts";
import { asRate, type Bench, type Context, type Row } from "./bench.ts";
import { compare, type Subject } from "./measure.ts";

/** The least rate, against the runtime's own. */
const GOALS = { deno: 0.9, node: 1.5, bun: 0.75 } as const;

const PAIRS = 9;

interface Load {
  readonly name: string;
  readonly path: string;
  readonly init?: RequestInit;
  /** Requests of each subject in a pair. */
  readonly count: number;
}

const JSON_BODY = JSON.stringify({ text: "x".repeat(10_000) });

const LOADS: readonly Load[] = [
  { name: "GET, 12 B", path: "12", count: 400 },
  { name: "GET, 10 kB", path: "10000", count: 320 },
  { name: "GET, 1 MB", path: "1000000", count: 32 },
  {
    name: "POST, 10 kB of JSON",
    path: "12",
    init: {
      method: "POST",
      body: JSON_BODY,
      headers: { "content-type": "application/json" },
    },
    count: 320,
  },
];

function volley(
  name: string,
  fetch: FetchLike,
  url: string,
  init: RequestInit | undefined,
  inFlight: number,
): Subject {
  return {
    name,
    async run(count) {
      let left = count;
      const worker = async () => {
        while (left-- > 0) await (await fetch(url, init)).text();
      };
      await Promise.all(Array.from({ length: inFlight }, worker));
    },
  };
}

/** The benchmark. */
export const benchFetch: Bench = {
  name: "fetch",
  async *run({ runtime, chain, port }: Context): AsyncGenerator<Row> {
    await using pinned = createFetch(chain.policy, {
      ca: chain.ca,
      allowH2: false,
      onWarning: () => {},
    });
    using own = ownFetch(runtime, chain.ca);
    for (const { name, path, init, count } of LOADS) {
      for (const inFlight of [1, 16]) {
        const url = `https://127.0.0.1:${port}/${path}`;
        const ratio = await compare(
          volley("createFetch", pinned, url, init, inFlight),
          volley("own", own.fetch, url, init, inFlight),
          { pairs: PAIRS, count },
        );
        yield asRate(
          `\`createFetch\`: ${name}, ${inFlight} in flight`,
          "the runtime's own `fetch`",
          ratio,
          GOALS[runtime],
        );
      }
    }
  },
};
