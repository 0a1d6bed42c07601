/**
 * Starts the server of the connection benchmarks.
 *
 * @module
 */
import type { MintedChain } from "../src/testing/mod.ts";

/** A server in a worker. */
export interface BenchServer extends Disposable {
  /** Its port on 127.0.0.1. */
  readonly port: number;
}

/** Starts it; answers every request with a few bytes. */
export async function startServer(chain: MintedChain): Promise<BenchServer> {
  const worker = new Worker(new URL("server_worker.ts", import.meta.url), {
    type: "module",
  });
  const port = await new Promise<number>((resolve, reject) => {
    worker.onmessage = ({ data }: MessageEvent<number>) => resolve(data);
    worker.onerror = (event) => reject(new Error(event.message));
    worker.postMessage({ cert: chain.pem, key: chain.keyPem });
  });
  return { port, [Symbol.dispose]: () => worker.terminate() };
}
