/**
 * The code under test: a client that is given its policy and its trust, and
 * knows nothing of tests.
 */
import { createFetch } from "@certpin/certpin/node";

/** Makes a client of the API at `base`; `options` are those of createFetch. */
export function createClient(base, policy, options) {
  const fetch = createFetch(policy, options);
  return {
    async greet(name) {
      const url = new URL(`/greet?name=${encodeURIComponent(name)}`, base);
      const response = await fetch(url);
      return await response.text();
    },
    close: () => fetch.close(),
  };
}
