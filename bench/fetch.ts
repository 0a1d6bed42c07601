/**
 * What pinning adds to requests on connections that are kept alive.
 *
 * @module
 */
import { Agent, fetch as undiciFetch } from "undici/index.js";
import { createPinner, parseCertificates } from "../mod.ts";
import { createFetch } from "../src/adapters/deno.ts";
import { mintChain } from "../src/testing/mod.ts";
import { compare, type Report } from "./measure.ts";
import { startServer } from "./server.ts";

const IN_FLIGHT = 16;

/** Runs the benchmark. */
export async function benchFetch(): Promise<Report> {
  const chain = await mintChain({ hostnames: ["127.0.0.1"] });
  using server = await startServer(chain);
  const url = `https://127.0.0.1:${server.port}/`;
  const pinner = createPinner(chain.policy, {
    anchors: parseCertificates(chain.ca),
    onWarning: () => {},
  });
  await using pinned = createFetch(pinner);
  // The same protocol on both sides.
  using client = Deno.createHttpClient({ caCerts: [chain.ca], http2: false });
  const dispatcher = new Agent({ connect: { ca: chain.ca }, allowH2: false });
  const undici = () =>
    undiciFetch(url, { dispatcher }) as unknown as Promise<Response>;
  const volley = (get: () => Promise<Response>) => () =>
    Promise.all(
      Array.from({ length: IN_FLIGHT }, async () => await (await get()).text()),
    );
  const measurements = await compare([
    { name: "Deno's fetch", run: volley(() => fetch(url, { client })) },
    { name: "certpin createFetch", run: volley(() => pinned(url)) },
    { name: "undici's fetch, which it stands on", run: volley(undici) },
  ], { rounds: 30, runs: 5 });
  await dispatcher.destroy();
  return {
    name: "fetch",
    title: `${IN_FLIGHT} keep-alive GETs in flight, HTTP/1.1`,
    measurements,
    goals: [],
  };
}
