/**
 * Responses as the runtime's own `fetch` gives them.
 *
 * @module
 */
import type { Verdict } from "../../pinner/pinner.ts";
import { describeRuntime } from "../../tls/runtime.ts";
import { VERDICT } from "../../tls/verdicts.ts";
import type { Exchange, ParsedHeaders } from "./exchange.ts";
import type { ResponseBody } from "./response_body.ts";

/** What a constructed response cannot know. */
interface Told {
  readonly url: string;
  readonly redirected: boolean;
  readonly status: number;
  readonly statusText: string;
  readonly verdict: Verdict | undefined;
}

const isBun = describeRuntime()?.name === "bun";

function refuseChange(): never {
  throw new TypeError("Cannot change the headers of a response: immutable");
}

/** What makes the headers of a response from the network immutable. */
const IMMUTABLE_HEADERS: Headers = Object.create(
  Headers.prototype,
  Object.fromEntries(
    ["append", "delete", "set"].map((name) => [name, {
      value: refuseChange,
      configurable: true,
    }]),
  ),
);

/** The statuses that a constructed response may have. */
function isConstructible(status: number): boolean {
  return status >= 200 && status <= 599;
}

/** Text that a constructed response may have as its reason phrase. */
const REASON_PHRASE = /^[\t\x20-\x7e\x80-\xff]*$/;

/**
 * Connections of bodies that nobody holds any more.
 *
 * A body that was taken out of its response lives without it.
 */
const abandoned = new FinalizationRegistry<Held>(({ exchange, stream }) => {
  if (!stream.locked) {
    exchange.abandon(new Error("Nobody holds the response"));
  }
});

interface Held {
  readonly exchange: Exchange;
  readonly stream: ReadableStream;
}

/** The global `Response`, telling where it came from. */
class PinnedResponse extends Response {
  readonly #told: Told;
  readonly #arriving: ResponseBody | undefined;
  #isFrozen = false;
  /** Whether the body was cloned or taken out. */
  #isShared = false;

  constructor(
    body: BodyInit | null,
    init: ResponseInit,
    told: Told,
    /** What still comes over the connection. */
    arriving?: ResponseBody,
  ) {
    super(body, init);
    this.#told = told;
    this.#arriving = arriving;
  }

  override arrayBuffer(): Promise<ArrayBuffer> {
    this.#gather();
    return super.arrayBuffer();
  }

  override blob(): Promise<Blob> {
    this.#gather();
    return super.blob();
  }

  override bytes(): Promise<Uint8Array<ArrayBuffer>> {
    this.#gather();
    return super.bytes();
  }

  override formData(): Promise<FormData> {
    this.#gather();
    return super.formData();
  }

  // deno-lint-ignore no-explicit-any -- as the standard's own
  override json(): Promise<any> {
    this.#gather();
    return super.json();
  }

  override text(): Promise<string> {
    this.#gather();
    return super.text();
  }

  /** Only for a body that nobody else reads. */
  #gather(): void {
    if (!this.bodyUsed && this.#arriving !== undefined && !this.#isShared) {
      this.#arriving.gather();
    }
  }

  get [VERDICT](): Verdict | undefined {
    return this.#told.verdict;
  }

  override get url(): string {
    return this.#told.url;
  }

  override get redirected(): boolean {
    return this.#told.redirected;
  }

  override get type(): ResponseType {
    return "basic";
  }

  override get status(): number {
    // Node's own constructor asks.
    return #told in this ? this.#told.status : super.status;
  }

  override get ok(): boolean {
    const { status } = this.#told;
    return status >= 200 && status <= 299;
  }

  override get statusText(): string {
    return this.#told.statusText;
  }

  override get headers(): Headers {
    const headers = super.headers;
    if (!this.#isFrozen) {
      this.#isFrozen = true;
      Object.setPrototypeOf(headers, IMMUTABLE_HEADERS);
    }
    return headers;
  }

  override get body(): ReadableStream<Uint8Array<ArrayBuffer>> | null {
    abandoned.unregister(this);
    this.#isShared = true;
    return super.body;
  }

  override clone(): Response {
    this.#isShared = true;
    const copy = super.clone();
    return new PinnedResponse(
      copy.body,
      initOf(this.#told, copy.headers),
      this.#told,
    );
  }
}

// `constructor.name` and the like are those of the global class.
Object.defineProperty(PinnedResponse.prototype, "constructor", {
  value: Response,
  configurable: true,
  writable: true,
});

function initOf(
  { status, statusText }: Told,
  headers: HeadersInit,
): ResponseInit {
  return {
    status: isConstructible(status) ? status : 200,
    statusText: statusText === "OK" || REASON_PHRASE.test(statusText)
      ? statusText
      : "",
    headers,
  };
}

function toHeadersInit(headers: ParsedHeaders): HeadersInit {
  // Under HTTP/2 Node puts a symbol among the names.
  let isPlain = Object.getOwnPropertySymbols(headers).length === 0;
  for (const name in headers) {
    // Node takes this name for the prototype of a record.
    isPlain &&= typeof headers[name] === "string" && name !== "__proto__";
  }
  if (isPlain) return headers as Record<string, string>;
  return Object.entries(headers).flatMap(([name, value]) =>
    typeof value === "string"
      ? [[name, value] as [string, string]]
      : value.map((one): [string, string] => [name, one])
  );
}

/** How a response is made. */
export interface ResponseContext {
  /** Of the last hop, without its fragment. */
  readonly url: string;
  readonly redirected: boolean;
  /** Whether an abort may still come, which a body must then hear. */
  readonly isAbortable: boolean;
  /** The body, where it has been read already. */
  readonly bytes?: Uint8Array<ArrayBuffer>;
}

/** Makes the response of an exchange whose head has arrived. */
export function buildResponse(
  exchange: Exchange,
  { url, redirected, isAbortable, bytes }: ResponseContext,
): Response {
  const { status, statusText, responseBody, verdict } = exchange;
  const told = { url, redirected, status, statusText, verdict };
  const init = initOf(told, toHeadersInit(exchange.responseHeaders));
  let response: PinnedResponse;
  if (bytes !== undefined || responseBody === null) {
    response = new PinnedResponse(bytes ?? null, init, told);
  } else if (responseBody.isWhole && !isAbortable) {
    // Bytes cost more on Deno and Node, and Deno's body of bytes has no
    // reader with a buffer of the caller's own.
    const body = isBun ? responseBody.takeAll() : responseBody.toClosedStream();
    response = new PinnedResponse(body, init, told);
  } else {
    const stream = responseBody.toStream();
    response = new PinnedResponse(stream, init, told, responseBody);
    abandoned.register(response, { exchange, stream }, response);
  }
  return response;
}
