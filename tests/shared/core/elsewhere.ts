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

// What the engines say of a module that imports what they do not have.
const UNRESOLVED = /node:|No such module|Deno/;

/** Registers the tests. */
export const adaptersElsewhere: Body = (t) => {
  for (const name of ["node", "deno"]) {
    t.test(`./${name} fails at import, or throws when a fetch is made`, async () => {
      const place = `./${name}_adapter.js`;
      let adapter: Adapter;
      try {
        adapter = await import(place);
      } catch (error) {
        const { message } = error as Error;
        assert(
          error instanceof ConnectionError || UNRESOLVED.test(message),
          message,
        );
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
