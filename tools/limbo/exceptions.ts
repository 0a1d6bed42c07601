/**
 * The cases in which certpin differs from the suite on purpose.
 *
 * @module
 */
import type { LimboResult } from "./suite.ts";

/** One deviation. */
export interface LimboException {
  readonly id: string;
  readonly reason: string;
}

/** Reads the list. */
export async function readExceptions(): Promise<readonly LimboException[]> {
  const file = new URL(
    "../../tests/unit/path/limbo_exceptions.json",
    import.meta.url,
  );
  return JSON.parse(await Deno.readTextFile(file));
}

/** What is wrong with results held against the list; empty where all is well. */
export function disagreements(
  results: readonly LimboResult[],
  exceptions: readonly LimboException[],
): string[] {
  const reasons = new Map(exceptions.map(({ id, reason }) => [id, reason]));
  const found: string[] = [];
  for (const { id, stratum, outcome, code } of results) {
    const reason = reasons.get(id);
    if (outcome === "right") {
      if (reason !== undefined) found.push(`${id} passes, but is listed`);
    } else if (reason === undefined) {
      found.push(`${id}: ${outcome}${code ? ` (${code})` : ""}`);
    } else if (reason.trim() === "") {
      found.push(`${id} is listed without a reason`);
    }
    if (reason !== undefined && stratum === "anchored") {
      found.push(`${id} is anchored and must not be listed`);
    }
  }
  return found;
}
