/**
 * What limits a figure that misses its goal, from profiles (`--cpu-prof`).
 *
 * @module
 */
import type { BenchRuntime } from "./bench.ts";
import type { BenchRow } from "./results.ts";

const REASONS: Readonly<Record<string, string>> = {
  "deno fetch":
    "`node:tls` in Deno. Of a small request's time a third is the write to the socket, which the runtime's own `fetch` pays too; the stream below TLS (without it Deno loses the end of a connection) and undici's client take about a fifth each, and a `Response` that JavaScript constructs a tenth, since Deno checks each header again.",
  "bun fetch":
    "undici on Bun: a bare `dispatch` over plain TLS, without certpin and without a `Response`, reaches 0.8 to 0.9 of the rate of Bun's own `fetch`, which is native throughout.",
  "node fetch":
    "undici's client, and the `Response` and its stream that JavaScript constructs.",
  "deno bulk":
    "`node:tls` decrypts one record after another in JavaScript's thread and copies each into a buffer of its own; the native connection reads into the caller's.",
  "cold": "reading and compiling our own modules beside pkijs and undici.",
  "connect":
    "reading the peer's chain off the connection, and the verdict; for a chain never seen also parsing its certificates and verifying two signatures.",
  "check":
    "the path is searched and checked anew for each verdict; only parsed certificates, digests and verified signatures are kept.",
};

/** What limits a row. */
export function limitOf(runtime: BenchRuntime, { bench }: BenchRow): string {
  return REASONS[`${runtime} ${bench}`] ?? REASONS[bench] ??
    "not profiled yet.";
}
