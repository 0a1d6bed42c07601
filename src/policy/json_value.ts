/**
 * A caller's value as plain JSON data of our own: read once, frozen, bounded.
 *
 * @module
 */
import { LimitError } from "../errors.ts";
import { MAX_POLICY_DEPTH, MAX_POLICY_LENGTH } from "../limits.ts";
import { isExtension, pointerTo } from "./json.ts";

/** JSON data. */
export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | JsonObject;

/** A JSON object. */
export interface JsonObject {
  /** Its members. */
  readonly [key: string]: JsonValue;
}

/** Whether JSON data is an object, and neither null nor an array. */
export function isJsonObject(
  value: JsonValue | undefined,
): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Object literals and JSON, of this realm or another; no instances of classes. */
function isLiteral(value: object): boolean {
  if (Object.prototype.toString.call(value) !== "[object Object]") return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** What callers pass instead of data by mistake, and what to do about it. */
const MISTAKES: Readonly<Record<string, string>> = {
  Promise: "a Promise; await it",
  Module: "a module; take its default export",
  URL: "a URL; read what is there and pass that",
  Response: "a Response; await its json()",
  Request: "a Request; fetch it and await the json()",
  Date: "a Date; write its toISOString()",
  Uint8Array: "bytes; decode them to text",
  ArrayBuffer: "bytes; decode them to text",
  Map: "a Map; use Object.fromEntries()",
  Set: "a Set; use a list",
};

/** What the reader says of a value that JSON does not have. */
function foreign(value: unknown): string {
  if (typeof value !== "object") {
    return typeof value === "number" ? `the number ${value}` : typeof value;
  }
  const tag = Object.prototype.toString.call(value).slice(8, -1);
  return Object.hasOwn(MISTAKES, tag)
    ? MISTAKES[tag]
    : "an instance of a class; use a plain object";
}

/**
 * Copies a value; what JSON cannot say is reported, and null in the copy.
 * Within extensions it is left out in silence, as is what is nested too deeply.
 *
 * @param report Called with the pointer and what is wrong.
 * @returns Frozen data, `undefined` where the whole value is not JSON.
 * @throws {LimitError} `ERR_CERTPIN_LIMIT_POLICY_SIZE`.
 */
export function toJsonValue(
  input: unknown,
  report: (pointer: string, message: string) => void,
): JsonValue | undefined {
  let size = 0;
  const grow = (units: number) => {
    size += units;
    if (size > MAX_POLICY_LENGTH) {
      throw new LimitError(
        "ERR_CERTPIN_LIMIT_POLICY_SIZE",
        `Cannot read the policy: it is larger than ${MAX_POLICY_LENGTH} characters`,
      );
    }
  };
  const copy = (
    value: unknown,
    pointer: string,
    depth: number,
    tell: typeof report,
  ): JsonValue | undefined => {
    grow(1);
    if (value === null || typeof value === "boolean") return value;
    if (typeof value === "string") {
      grow(value.length);
      return value;
    }
    if (typeof value === "number" && Number.isFinite(value)) return value;
    const isArray = Array.isArray(value);
    if (typeof value !== "object" || (!isArray && !isLiteral(value))) {
      tell(
        pointer,
        `Expected JSON data, got ${foreign(value)}`,
      );
      return undefined;
    }
    if (depth >= MAX_POLICY_DEPTH) {
      tell(pointer, `The document is nested deeper than ${MAX_POLICY_DEPTH}`);
      return undefined;
    }
    if (isArray) {
      // At once, since an array of a billion holes is small.
      grow(value.length);
      const items: JsonValue[] = [];
      for (const [index, item] of value.entries()) {
        const at = pointerTo(pointer, index);
        items.push(copy(item, at, depth + 1, tell) ?? null);
      }
      return Object.freeze(items);
    }
    const entries: [string, JsonValue][] = [];
    for (const [key, item] of Object.entries(value)) {
      if (item === undefined) continue;
      grow(key.length);
      const isSilent = tell !== report || isExtension(pointer, key);
      const plain = copy(
        item,
        pointerTo(pointer, key),
        depth + 1,
        isSilent ? () => {} : report,
      );
      if (plain !== undefined || !isSilent) entries.push([key, plain ?? null]);
    }
    // Unlike an assignment, this makes a key called __proto__ an own one.
    return Object.freeze(Object.fromEntries(entries));
  };
  return copy(input, "", 0, report);
}
