/**
 * Heads of messages (RFC 9112): writes those of requests, and reads those of
 * responses so strictly that no two readers could take them differently.
 *
 * @module
 */
import {
  MAX_HTTP_FIELDS,
  MAX_HTTP_HEAD_BYTES,
  MAX_HTTP_INTERIM_RESPONSES,
} from "../limits.ts";
import { quoteText } from "../text.ts";
import { type Input, type LineBudget, malformed } from "./input.ts";

/** A name and a value. */
export type Field = readonly [name: string, value: string];

/** The head of a request. */
export interface RequestHead {
  readonly method: string;
  /** Path and query (RFC 9112, section 3.2.1). */
  readonly target: string;
  readonly fields: readonly Field[];
}

/** The head of a response. */
export interface ResponseHead {
  /** From 200 to 999. */
  readonly status: number;
  readonly reason: string;
  /** Names in lower case. */
  readonly fields: readonly Field[];
  /** Whether the connection takes another request after this response. */
  readonly keepsAlive: boolean;
  readonly framing: Framing;
}

/** How the end of a response's body is found (RFC 9112, section 6.3). */
export type Framing =
  | { readonly kind: "none" }
  | { readonly kind: "length"; readonly bytes: number }
  | { readonly kind: "chunked" }
  | { readonly kind: "close" };

/** RFC 9110, section 5.6.2. */
const TOKEN = /^[!#$%&'*+.^_`|~\dA-Za-z-]+$/;
/** Field values and reason phrases: no control character but HTAB. */
const TEXT = /^[\t\x20-\x7e\x80-\xff]*$/;
const TARGET = /^\/[\x21-\x7e]*$/;
const STATUS_LINE = /^HTTP\/1\.([01]) (\d{3})(?: (.*))?$/s;
/** At most 15 digits: every such number is exact. */
const LENGTH = /^\d{1,15}$/;

/** Whether a text is a token, as names and methods are. */
export function isToken(text: string): boolean {
  return TOKEN.test(text);
}

/** Writes the head of a request. */
export function encodeHead(
  { method, target, fields }: RequestHead,
): Uint8Array<ArrayBuffer> {
  if (!isToken(method)) {
    throw new TypeError(`Cannot send the method ${quoteText(method)}`);
  }
  if (!TARGET.test(target)) {
    throw new TypeError(`Cannot send the target ${quoteText(target)}`);
  }
  let text = `${method} ${target} HTTP/1.1\r\n`;
  for (const [name, value] of fields) {
    if (!isToken(name) || !TEXT.test(value)) {
      throw new TypeError(`Cannot send the header ${quoteText(name)}`);
    }
    text += `${name}: ${value}\r\n`;
  }
  text += "\r\n";
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** Reads field lines up to the empty one. */
export async function readFields(
  input: Input,
  budget: LineBudget,
): Promise<Field[]> {
  const fields: Field[] = [];
  for (;;) {
    const line = await input.readLine(budget);
    if (line === "") return fields;
    if (fields.length === MAX_HTTP_FIELDS) {
      throw malformed(`it has more than ${MAX_HTTP_FIELDS} header fields`);
    }
    fields.push(parseField(line));
  }
}

function parseField(line: string): Field {
  if (/^[\t ]/.test(line)) throw malformed("a header field is folded");
  const colon = line.indexOf(":");
  const name = line.slice(0, Math.max(colon, 0));
  // A space before the colon would be part of the name for some readers.
  if (!isToken(name)) {
    throw malformed(`a line has no field name: ${quoteText(line)}`);
  }
  const value = line.slice(colon + 1).replace(/^[\t ]+|[\t ]+$/g, "");
  if (!TEXT.test(value)) {
    throw malformed(`the field ${quoteText(name)} has a control character`);
  }
  return [name.toLowerCase(), value];
}

function valuesOf(fields: readonly Field[], name: string): string[] {
  return fields.filter(([known]) => known === name).map(([, value]) => value);
}

/** The elements of a list (RFC 9110, section 5.6.1), in lower case. */
export function listOf(fields: readonly Field[], name: string): string[] {
  return valuesOf(fields, name)
    .flatMap((value) => value.split(","))
    .map((element) => element.trim().toLowerCase())
    .filter((element) => element !== "");
}

/**
 * How the body ends. Whatever two readers could take differently is refused:
 * two lengths (equal ones too), a length beside a transfer coding, a coding
 * other than `chunked`, a body where none can be.
 */
function framingOf(
  method: string,
  isOld: boolean,
  status: number,
  fields: readonly Field[],
): Framing {
  const lengths = valuesOf(fields, "content-length");
  const codings = valuesOf(fields, "transfer-encoding");
  if (lengths.length > 1) throw malformed("it has two Content-Length fields");
  if (codings.length > 0) {
    if (lengths.length > 0) {
      throw malformed("it has both Content-Length and Transfer-Encoding");
    }
    if (isOld) throw malformed("HTTP/1.0 has no Transfer-Encoding");
    if (codings.length > 1 || codings[0].toLowerCase() !== "chunked") {
      throw malformed("its Transfer-Encoding is not chunked alone");
    }
  }
  const [length] = lengths;
  if (length !== undefined && !LENGTH.test(length)) {
    throw malformed(`its Content-Length is ${quoteText(length)}`);
  }
  if (status === 204 && (codings.length > 0 || Number(length ?? 0) > 0)) {
    throw malformed("a response with status 204 announces a body");
  }
  if (method === "HEAD" || status === 204 || status === 304) {
    return { kind: "none" };
  }
  if (codings.length > 0) return { kind: "chunked" };
  if (length === undefined) return { kind: "close" };
  return { kind: "length", bytes: Number(length) };
}

/** Reads the head of the final response to a request; skips interim ones. */
export async function readHead(
  input: Input,
  method: string,
): Promise<ResponseHead> {
  const budget = { bytes: MAX_HTTP_HEAD_BYTES };
  for (let interim = 0;; interim++) {
    const line = await input.readLine(budget);
    const found = STATUS_LINE.exec(line);
    if (found === null || !TEXT.test(line)) {
      throw malformed(`its status line is ${quoteText(line)}`);
    }
    const [, minor, digits, reason = ""] = found;
    const isOld = minor === "0";
    const status = Number(digits);
    const fields = await readFields(input, budget);
    if (status >= 200) {
      const framing = framingOf(method, isOld, status, fields);
      const keepsAlive = !isOld && framing.kind !== "close" &&
        !listOf(fields, "connection").includes("close");
      return { status, reason, fields, keepsAlive, framing };
    }
    // No request asks for another protocol.
    if (status < 100 || status === 101) {
      throw malformed(`its status is ${digits}`);
    }
    if (fields.some(([name]) => BODY_FIELDS.has(name))) {
      throw malformed("an interim response announces a body");
    }
    if (interim === MAX_HTTP_INTERIM_RESPONSES) {
      throw malformed("too many interim responses came before it");
    }
  }
}

const BODY_FIELDS = new Set(["content-length", "transfer-encoding"]);
