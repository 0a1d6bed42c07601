/**
 * Bodies of requests, as undici's `fetch` takes them.
 *
 * undici knows its own `FormData` and `Headers` only, and every runtime has
 * others: what is not plain bytes or text is encoded by the runtime itself.
 *
 * @module
 */
import { relay } from "./relay.ts";

/**
 * Replaces `body` and `headers` of a request's options.
 *
 * @param failed Aborts when the request has failed: ends a body that streams.
 */
export async function readBody(
  init: Record<string, unknown>,
  failed: AbortSignal,
): Promise<Record<string, unknown>> {
  const headers = new Headers(init.headers as HeadersInit | undefined);
  const { body } = init;
  const prepared: Record<string, unknown> = { ...init };
  if (
    body instanceof FormData || body instanceof URLSearchParams ||
    body instanceof Blob
  ) {
    const encoded = new Response(body);
    const type = encoded.headers.get("content-type");
    if (type && !headers.has("content-type")) headers.set("content-type", type);
    prepared.body = new Uint8Array(await encoded.arrayBuffer());
  } else if (body instanceof ReadableStream) {
    const signal = init.signal as AbortSignal | null | undefined;
    prepared.body = relay(
      body,
      signal ? AbortSignal.any([signal, failed]) : failed,
    );
    prepared.duplex = "half";
  }
  prepared.headers = [...headers];
  return prepared;
}
