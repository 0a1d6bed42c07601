/**
 * What limits a figure that misses its goal. For `fetch` on Deno and Node, cold
 * start and many hosts it comes from profiles (`--cpu-prof`); for `connect` and
 * `check` from timing parts of the work, for Bun from a bare `dispatch`.
 *
 * @module
 */
import type { BenchRuntime } from "./bench.ts";
import type { BenchRow } from "./results.ts";

const REASONS: Readonly<Record<string, string>> = {
  "deno fetch":
    "`node:tls` in Deno. Of a small request's time about a third is the write to the socket, which the runtime's own `fetch` pays too. undici's client and parser take about a sixth. So does the stream below TLS, without which Deno loses the end of a connection. A `Response` that JavaScript constructs takes a tenth, since Deno checks each header again.",
  "bun fetch":
    "undici on Bun. A bare `dispatch` over plain TLS, without certpin and without a `Response`, reaches 0.8 to 0.9 of the rate of Bun's own `fetch`, which is native throughout.",
  "node fetch":
    "for small bodies undici's client, and the `Response` and its stream that JavaScript constructs; for large ones decrypting and decoding UTF-8, which both pay, and one copy, since a stream of bytes takes its memory over.",
  "deno bulk":
    "`node:tls` decrypts in JavaScript's thread, and copies into a buffer of its own.",
  "cold": "reading and compiling our own modules beside pkijs and undici.",
  "connect seen":
    "the verdict: the path is searched and checked anew for each connection. Certificates, digests and verified signatures are kept.",
  "connect never":
    "pkijs parses two certificates (more than half of it), and two signatures are verified.",
  "check":
    "the path is searched and checked anew for each verdict; certificates, digests and verified signatures are kept. The yardstick is native, and several times as fast on Deno and Bun as on Node.",
  "hosts":
    "reading JSON with duplicate keys refused, and each of 20,000 pins: decoding base64 and its canonical form take a fifth, collecting garbage another fifth.",
  "mesh": "the signatures that the limits allow for one search.",
  "limbo": "the signatures that the limits allow for one search.",
  "memory": "what the engine keeps; see the heap of the long run.",
};

/** What limits a row. */
export function limitOf(
  runtime: BenchRuntime,
  { bench, what }: BenchRow,
): string {
  const kind = what.includes("never seen") ? "never" : "seen";
  return REASONS[`${runtime} ${bench}`] ?? REASONS[`${bench} ${kind}`] ??
    REASONS[bench] ?? "not profiled yet.";
}
