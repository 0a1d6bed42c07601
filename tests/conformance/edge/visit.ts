/**
 * One pinned GET by an edge adapter, told as data.
 */
import type { PinnedFetch } from "../../../src/adapters/edge.ts";
import { verdictOf } from "../../../src/adapters/edge.ts";
import type { Outcome, Visit } from "./refusals.ts";

/** How an error is told. */
export function toldOf(error: unknown): Outcome {
  const { cause, message } = error as Error;
  const code = (cause as { code?: string } | undefined)?.code;
  return { code, failure: `${message}: ${cause}` };
}

/** Makes the request, closes the fetch, and tells how it ended. */
export async function visit(
  { hostname, port }: Visit,
  make: () => PinnedFetch,
): Promise<Outcome> {
  const pinned = make();
  try {
    const host = hostname.includes(":") ? `[${hostname}]` : hostname;
    const response = await pinned(`https://${host}:${port}/`);
    const { status } = response;
    const reason = verdictOf(response)?.reason;
    return { status, text: await response.text(), reason };
  } catch (error) {
    return toldOf(error);
  } finally {
    await pinned.close();
  }
}
