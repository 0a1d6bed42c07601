/**
 * undici's response as the runtime's own, since undici's `Response` is not the
 * global class.
 *
 * @module
 */
import type { Response as UndiciResponse } from "undici/index.js";
import { relay } from "./relay.ts";
import { rememberVerdict, verdictOf } from "./verdicts.ts";

/** Statuses without a body (Fetch, "null body status"). */
const NULL_BODY = new Set([101, 103, 204, 205, 304]);

/** Makes a global `Response`; `signal` also ends its body. */
export function toGlobalResponse(
  from: UndiciResponse,
  signal: AbortSignal | undefined,
): Response {
  const body = from.body === null || NULL_BODY.has(from.status)
    ? null
    : signal === undefined
    ? from.body as ReadableStream<Uint8Array<ArrayBuffer>>
    : relay(from.body as ReadableStream<Uint8Array>, signal);
  const { url, redirected, type } = from;
  return describe(
    new Response(body, {
      status: from.status,
      statusText: from.statusText,
      headers: [...from.headers],
    }),
    { url, redirected, type },
  );
}

/** Tells what a constructed response cannot know, its copies included. */
function describe(
  response: Response,
  told: Pick<Response, "url" | "redirected" | "type">,
): Response {
  const clone = () => {
    const copy = describe(Response.prototype.clone.call(response), told);
    const verdict = verdictOf(response);
    if (verdict !== undefined) rememberVerdict(copy, verdict);
    return copy;
  };
  for (const [name, value] of Object.entries({ ...told, clone })) {
    Object.defineProperty(response, name, { value, configurable: true });
  }
  return response;
}
