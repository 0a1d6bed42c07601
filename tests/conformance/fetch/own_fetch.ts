/**
 * The runtime's own `fetch`, made to trust a certificate of the tests.
 */
import * as tls from "node:tls";
import type { RuntimeName } from "../harness.ts";
import type { FetchLike } from "./behaviour.ts";

interface OwnFetch extends Disposable {
  readonly fetch: FetchLike;
}

interface TlsWithDefaults {
  getCACertificates(type: "default"): string[];
  setDefaultCACertificates(certificates: readonly string[]): void;
}

/** Adds an option to what a caller gives, whose getters stay. */
function withOption(
  own: typeof fetch,
  name: string,
  value: unknown,
): FetchLike {
  return (input, init) =>
    own(
      input,
      Object.create(init ?? null, { [name]: { value, enumerable: true } }),
    );
}

/** Makes it, without a proxy and over HTTP/1.1. */
export function ownFetch(runtime: RuntimeName, ca: string): OwnFetch {
  const own = globalThis.fetch;
  if (runtime === "deno") {
    const client = Deno.createHttpClient({ caCerts: [ca], http2: false });
    return {
      fetch: withOption(own, "client", client),
      [Symbol.dispose]: () => client.close(),
    };
  }
  if (runtime === "bun") {
    return { fetch: withOption(own, "tls", { ca }), [Symbol.dispose]() {} };
  }
  // Node has no such option; the store of the process is put back afterwards.
  const store = tls as unknown as TlsWithDefaults;
  const before = store.getCACertificates("default");
  store.setDefaultCACertificates([...before, ca]);
  return {
    fetch: (input, init) => own(input, init),
    [Symbol.dispose]: () => store.setDefaultCACertificates(before),
  };
}
