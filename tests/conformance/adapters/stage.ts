/**
 * A server, and a pinned fetch that it lets in.
 */
import { createFetch, type PinnedFetch } from "../../../src/adapters/deno.ts";
import { mintChain, type MintedChain } from "../../../src/testing/mod.ts";
import { type HttpServed, serveHttp } from "./http_server.ts";
import { lookup } from "./ways.ts";

/** What a test of fetch needs. */
export interface Stage extends AsyncDisposable {
  readonly chain: MintedChain;
  readonly server: HttpServed;
  readonly fetch: PinnedFetch;
  readonly url: string;
}

/** Sets it up for one hostname. */
export async function stage(hostname = "localhost"): Promise<Stage> {
  const hostnames = [hostname, "127.0.0.1", "other.test"];
  const chain = await mintChain({ hostnames });
  delete chain.policy.hosts["other.test"];
  const server = await serveHttp(chain);
  const fetch = createFetch(chain.policy, { ca: chain.ca, lookup });
  return {
    chain,
    server,
    fetch,
    url: `https://${hostname}:${server.port}`,
    async [Symbol.asyncDispose]() {
      await fetch.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

async function* pieces(count: number): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  for (let index = 0; index < count; index++) {
    yield new TextEncoder().encode(`piece ${index};`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** A stream of so many pieces, one after another. */
export function streamOf(
  count: number,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const source = pieces(count);
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await source.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
  });
}

/** What `attempt` rejects with; fails where it does not. */
export async function rejection(attempt: Promise<unknown>): Promise<unknown> {
  try {
    await attempt;
  } catch (error) {
    return error;
  }
  throw new Error("It did not reject");
}
