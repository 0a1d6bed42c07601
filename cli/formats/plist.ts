/**
 * Property lists in XML: read without entities, duplicate keys refused.
 *
 * @module
 */
import { build, parse } from "plist";
import { type Losses, syntaxError } from "./format.ts";
import {
  childElements,
  type Element,
  parseXml,
  placeOf,
  textOf,
} from "./xml.ts";

/** A value of a property list, as far as pins need them. */
export type PlistValue =
  | string
  | number
  | boolean
  | null
  | Date
  | Uint8Array
  | readonly PlistValue[]
  | { readonly [key: string]: PlistValue };

/** A dictionary of a property list. */
export type PlistDictionary = { readonly [key: string]: PlistValue };

/** The parser takes the last of two equal keys, as nobody who reads the file would. */
function refuseDuplicates(element: Element, what: string): void {
  const seen = new Set<string>();
  for (const child of childElements(element)) {
    if (element.tagName === "dict" && child.tagName === "key") {
      const key = textOf(child);
      if (key === "__proto__") {
        syntaxError(what, "a key is named __proto__", placeOf(child));
      }
      if (seen.has(key)) {
        syntaxError(what, `the key ${key} stands there twice`, placeOf(child));
      }
      seen.add(key);
    }
    refuseDuplicates(child, what);
  }
}

/** Reads a property list whose top is a dictionary. */
export function readPlist(text: string, what: string): PlistDictionary {
  const root = parseXml(text, what, { plist: true });
  if (root.tagName !== "plist") {
    syntaxError(what, `it begins with <${root.tagName}>`, placeOf(root));
  }
  refuseDuplicates(root, what);
  let value: unknown;
  try {
    value = parse(text);
  } catch (error) {
    syntaxError(what, error instanceof Error ? error.message : "broken plist");
  }
  return isDictionary(value) ? value : syntaxError(what, "its top is no dict");
}

/** Whether a value is a dictionary. */
export function isDictionary(value: unknown): value is PlistDictionary {
  return typeof value === "object" && value !== null &&
    !Array.isArray(value) && !(value instanceof Date) &&
    !(value instanceof Uint8Array);
}

/** Writes a dictionary as a property list. */
export function writePlist(value: PlistDictionary): string {
  // The library's type has no readonly; it changes nothing.
  return build(value as Parameters<typeof build>[0]) + "\n";
}

/** A member that must be a boolean where it is there. */
export function booleanMember(
  dictionary: PlistDictionary,
  key: string,
  fallback: boolean,
  what: string,
  place: string,
): boolean {
  const value = dictionary[key];
  if (value === undefined) return fallback;
  return typeof value === "boolean"
    ? value
    : syntaxError(what, `${key} is true or false`, `${place}/${key}`);
}

/** A member that must be a list where it is there. */
export function listMember(
  dictionary: PlistDictionary,
  key: string,
  what: string,
  place: string,
): readonly PlistValue[] {
  const value = dictionary[key];
  if (value === undefined) return [];
  return Array.isArray(value)
    ? value
    : syntaxError(what, `${key} is a list`, `${place}/${key}`);
}

/** Reports members that a policy has no word for. */
export function loseOthers(
  dictionary: PlistDictionary,
  known: readonly string[],
  losses: Losses,
  place: string,
): void {
  for (const key of Object.keys(dictionary)) {
    if (known.includes(key)) continue;
    losses.add(
      "setting",
      `${place}/${key}`,
      `${key} says nothing about pins: it is left out`,
    );
  }
}
