/**
 * undici's response as the runtime's own, since undici's `Response` is not the
 * global class.
 *
 * @module
 */
import type { Response as UndiciResponse } from "undici/index.js";
import { relay } from "../../tls/relay.ts";
import { rememberVerdict, verdictOf } from "../../tls/verdicts.ts";

/** Statuses without a body (Fetch, "null body status"). */
const NULL_BODY = new Set([101, 103, 204, 205, 304]);

type Told = Pick<Response, "url" | "redirected" | "type">;

/** A response that tells what a constructed one cannot know. */
class FetchedResponse extends Response {
  readonly #told: Told;

  constructor(
    body: ReadableStream<Uint8Array<ArrayBuffer>> | null,
    init: ResponseInit,
    told: Told,
  ) {
    super(body, init);
    this.#told = told;
  }

  override get url(): string {
    return this.#told.url;
  }

  override get redirected(): boolean {
    return this.#told.redirected;
  }

  override get type(): ResponseType {
    return this.#told.type;
  }

  override clone(): Response {
    const { body, status, statusText, headers } = super.clone();
    const copy = new FetchedResponse(
      body,
      { status, statusText, headers },
      this.#told,
    );
    const verdict = verdictOf(this);
    if (verdict !== undefined) rememberVerdict(copy, verdict);
    return copy;
  }
}

/** Makes a global `Response`; `signal` also ends its body. */
export function toGlobalResponse(
  from: UndiciResponse,
  signal: AbortSignal | undefined,
): Response {
  const { status, statusText, headers, url, redirected, type } = from;
  const body = from.body as ReadableStream<Uint8Array<ArrayBuffer>> | null;
  const isEmpty = body === null || NULL_BODY.has(status);
  return new FetchedResponse(
    isEmpty ? null : signal === undefined ? body : relay(body, signal),
    { status, statusText, headers: [...headers] },
    { url, redirected, type },
  );
}
