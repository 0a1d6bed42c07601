/**
 * An origin in memory: it is sent requests, and answers with scripted bytes.
 */
import {
  createHttp1Fetch,
  type FetchSettings,
  type Http1Fetch,
} from "../../../src/http1/fetch.ts";
import type { OpenConnection } from "../../../src/http1/connection.ts";

/** What an origin does when a request is there. */
export interface Reply {
  /** Sent one after another, each as one chunk. */
  readonly pieces: readonly (string | Uint8Array)[];
  /** Ends the connection after them: in order, or with an error. */
  readonly end?: true | Error;
  /** Sent once somebody has asked for it. */
  readonly more?: Promise<string | Error>;
  /** Answers before the request is complete. */
  readonly early?: boolean;
}

/** A request as it came. */
export interface Received {
  readonly connection: number;
  readonly head: string;
  /** Without its framing. */
  readonly body: string;
  /** With its framing. */
  readonly raw: string;
}

function toBytes(text: string | Uint8Array): Uint8Array {
  if (typeof text !== "string") return text.slice();
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function toText(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
}

/** The data of a chunked body, and where it ends; `undefined` before its end. */
function dechunk(
  text: string,
  start: number,
): { data: string; end: number } | undefined {
  let data = "";
  for (let at = start;;) {
    const lineEnd = text.indexOf("\r\n", at);
    const size = parseInt(text.slice(at, lineEnd), 16);
    const next = lineEnd + 2 + size + 2;
    if (lineEnd < 0 || text.length < next) return undefined;
    data += text.slice(lineEnd + 2, next - 2);
    if (size === 0) return { data, end: next };
    at = next;
  }
}

/** The body of a request, and where it ends, once it is there. */
function bodyOf(text: string): { data: string; end: number } | undefined {
  const start = text.indexOf("\r\n\r\n") + 4;
  if (start < 4) return undefined;
  const head = text.slice(0, start);
  if (/\r\ntransfer-encoding: chunked\r\n/.test(head)) {
    return dechunk(text, start);
  }
  const [, length = "0"] = /\r\ncontent-length: (\d+)\r\n/.exec(head) ?? [];
  const end = start + Number(length);
  return text.length < end ? undefined : { data: text.slice(start, end), end };
}

/** An origin, and all that was asked of it. */
export class Origin {
  readonly received: Received[] = [];
  /** Connections that were opened. */
  connections = 0;
  /** Connections that their client has ended, or that were ended for it. */
  ended = 0;
  /** Whether connections may be used. */
  confirm: OpenConnection["confirm"] = () => true;
  /** Whether the rules have changed. */
  isStale = false;

  constructor(
    readonly answer: (request: Received, index: number) => Reply | undefined,
  ) {}

  /** Opens a connection. */
  open(): OpenConnection {
    const connection = this.connections++;
    let controller: ReadableStreamDefaultController<Uint8Array>;
    let isOpen = true;
    const finish = (error?: unknown) => {
      if (!isOpen) return;
      isOpen = false;
      this.ended++;
      if (error === undefined) controller.close();
      else controller.error(error);
    };
    const readable = new ReadableStream<Uint8Array>({
      start: (given) => {
        controller = given;
      },
      cancel: () => {
        if (isOpen) this.ended++;
        isOpen = false;
      },
    });
    let text = "";
    const reply = ({ pieces, end, more }: Reply) => {
      for (const piece of pieces) {
        if (isOpen) controller.enqueue(toBytes(piece));
      }
      more?.then((piece) => {
        if (piece instanceof Error) finish(piece);
        else if (isOpen) controller.enqueue(toBytes(piece));
      });
      if (end) finish(end === true ? undefined : end);
    };
    let early: Reply | undefined;
    const writable = new WritableStream<Uint8Array>({
      write: (chunk) => {
        if (!isOpen) throw new TypeError("The connection has ended");
        text += toText(chunk);
        for (;;) {
          const headEnd = text.indexOf("\r\n\r\n");
          if (headEnd < 0) return;
          const head = text.slice(0, headEnd);
          const complete = bodyOf(text);
          const body = complete?.data ?? "";
          const raw = text.slice(headEnd + 4, complete?.end);
          const request = { connection, head, body, raw };
          if (complete === undefined) {
            if (early === undefined) {
              const asked = this.answer(request, this.received.length);
              if (asked?.early) reply(early = asked);
            }
            return;
          }
          text = text.slice(complete.end);
          const index = this.received.push(request) - 1;
          const asked = early ? undefined : this.answer(request, index);
          early = undefined;
          if (asked !== undefined) reply(asked);
        }
      },
      abort: (reason) => finish(reason),
    });
    const isStale = () => this.isStale;
    return {
      stream: { readable, writable },
      close: () => finish(),
      get isStale() {
        return isStale();
      },
      confirm: () => this.confirm(),
    };
  }

  /** A fetch whose every connection leads here. */
  fetch(
    settings: Partial<FetchSettings<OpenConnection>> = {},
  ): Http1Fetch {
    return createHttp1Fetch({
      open: async () => await this.open(),
      keepAliveTimeout: 4_000,
      headersTimeout: 0,
      bodyTimeout: 0,
      ...settings,
    });
  }
}

/** An origin that answers each request with one text. */
export function saying(
  text: string | Uint8Array,
  end?: Reply["end"],
): Origin {
  return new Origin(() => ({ pieces: [text], end }));
}

/** A response with a body of known length. */
export function ok(body = "", ...fields: string[]): string {
  return [
    "HTTP/1.1 200 OK",
    `Content-Length: ${body.length}`,
    ...fields,
    "",
    body,
  ].join("\r\n");
}
