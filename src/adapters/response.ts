/**
 * undici's response as the runtime's own.
 *
 * undici's `Response` is not the global class, and under Deno an abort does
 * not reach its body: the body is passed on by hand and ends with the signal.
 *
 * @module
 */
import type { Response as UndiciResponse } from "undici/index.js";

/** Statuses without a body (Fetch, "null body status"). */
const NULL_BODY = new Set([101, 103, 204, 205, 304]);

function relay(
  body: ReadableStream<Uint8Array>,
  signal: AbortSignal | undefined,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const reader = body.getReader();
  let onAbort: (() => void) | undefined;
  const settle = () => {
    if (onAbort) signal?.removeEventListener("abort", onAbort);
  };
  return new ReadableStream<Uint8Array<ArrayBuffer>>({
    start(controller) {
      if (signal === undefined) return;
      onAbort = () => {
        controller.error(signal.reason);
        reader.cancel(signal.reason).catch(() => {});
      };
      if (signal.aborted) onAbort();
      else signal.addEventListener("abort", onAbort, { once: true });
    },
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (signal?.aborted) return;
        if (done) {
          settle();
          controller.close();
        } else controller.enqueue(value as Uint8Array<ArrayBuffer>);
      } catch (error) {
        settle();
        throw error;
      }
    },
    cancel(reason) {
      settle();
      return reader.cancel(reason);
    },
  }, { highWaterMark: 0 });
}

/** Makes a global `Response`; `signal` also ends its body. */
export function toGlobalResponse(
  from: UndiciResponse,
  signal: AbortSignal | undefined,
): Response {
  const body = from.body === null || NULL_BODY.has(from.status)
    ? null
    : relay(from.body as ReadableStream<Uint8Array>, signal);
  const response = new Response(body, {
    status: from.status,
    statusText: from.statusText,
    headers: [...from.headers],
  });
  const { url, redirected, type } = from;
  for (const [name, value] of Object.entries({ url, redirected, type })) {
    Object.defineProperty(response, name, { value, configurable: true });
  }
  return response;
}
