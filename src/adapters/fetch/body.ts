/**
 * Bodies of requests, as undici's `fetch` takes them.
 *
 * undici knows its own `FormData` and `Headers` only, and every runtime has
 * others: what is not plain bytes or text is encoded by the runtime itself.
 *
 * @module
 */
import { relay } from "../../tls/relay.ts";

/** Options of a request, and what ends its body when it has failed. */
export interface Prepared {
  readonly init: Record<string, unknown>;
  readonly fail?: (error: unknown) => void;
}

/** Replaces `body` and `headers` of a request's options. */
export async function readBody(
  init: Record<string, unknown>,
): Promise<Prepared> {
  const { body } = init;
  if (body === undefined || body === null || typeof body === "string") {
    return { init: withHeaders(init) };
  }
  if (body instanceof ReadableStream) {
    const failed = new AbortController();
    const signal = init.signal as AbortSignal | null | undefined;
    const ending = signal
      ? AbortSignal.any([signal, failed.signal])
      : failed.signal;
    return {
      init: {
        ...withHeaders(init),
        body: relay(body, ending),
        duplex: "half",
      },
      fail: (error) => failed.abort(error),
    };
  }
  if (
    body instanceof FormData || body instanceof URLSearchParams ||
    body instanceof Blob
  ) {
    const encoded = new Response(body);
    const type = encoded.headers.get("content-type");
    const bytes = new Uint8Array(await encoded.arrayBuffer());
    return { init: { ...withHeaders(init, type), body: bytes } };
  }
  return { init: withHeaders(init) };
}

/** The runtime's own `Headers` as pairs, and a type where none was named. */
function withHeaders(
  init: Record<string, unknown>,
  type: string | null = null,
): Record<string, unknown> {
  const given = init.headers as HeadersInit | null | undefined;
  if ((given === undefined || given === null) && type === null) return init;
  const headers = new Headers(given ?? undefined);
  if (type !== null && !headers.has("content-type")) {
    headers.set("content-type", type);
  }
  return { ...init, headers: [...headers] };
}
