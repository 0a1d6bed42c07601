/**
 * The adapters where no peer's chain can be seen: each fails at import, or
 * throws when something is made with it. The launcher serves them as modules
 * of their own.
 */
import { assert, assertEquals } from "@std/assert";
import { ConnectionError } from "../../../src/errors.ts";
import type { Body } from "../harness.ts";

interface Adapter {
  createFetch(policy: unknown): unknown;
}

const POLICY = { version: 1, unlisted: "allow", hosts: {} };

/** Whether a module that was there failed at import for what it needs. */
async function misses(place: string, error: unknown): Promise<boolean> {
  if (error instanceof ConnectionError) return true;
  const { message } = error as Error;
  if (/node:|Deno/.test(message)) return true;
  // A browser does not say which import it could not follow.
  const response = await fetch(new URL(place, import.meta.url));
  const source = await response.text();
  return response.ok && error instanceof TypeError && /"node:/.test(source);
}

/** Registers the tests. */
export const adaptersElsewhere: Body = (t) => {
  for (const name of ["node", "deno"]) {
    t.test(`./${name} fails at import, or throws when a fetch is made`, async () => {
      const place = `./${name}_adapter.js`;
      let adapter: Adapter;
      try {
        adapter = await import(place);
      } catch (error) {
        assert(await misses(place, error), (error as Error).message);
        return;
      }
      let refusal: unknown;
      try {
        adapter.createFetch(POLICY);
      } catch (error) {
        refusal = error;
      }
      assertEquals((refusal as { code?: string })?.code, "ERR_CERTPIN_RUNTIME");
    });
  }
};
