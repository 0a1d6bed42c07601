/**
 * Puts one value into a property list that exists, and touches nothing else:
 * comments, order and white space of the rest stay as they are.
 *
 * @module
 */
import sax from "sax";
import { syntaxError } from "./format.ts";
import { isDictionary, type PlistDictionary, readPlist } from "./plist.ts";

/** The part of sax that is used here; the package has no types. */
interface SaxParser {
  /** Where the parser is, in UTF-16 units. */
  readonly position: number;
  /** After the `<` of the tag that is open, in UTF-16 units. */
  readonly startTagPosition: number;
  onerror: (error: Error) => void;
  onopentag: (tag: { name: string; isSelfClosing: boolean }) => void;
  onclosetag: (name: string) => void;
  ontext: (text: string) => void;
  oncdata: (text: string) => void;
  write(text: string): SaxParser;
  close(): void;
}

/** A value in the text, and the members of a dictionary. */
interface Span {
  /** Where the element begins. */
  readonly start: number;
  /** Where its content ends: at `</dict>`, or at the end of `<dict/>`. */
  contentEnd: number;
  /** After the element. */
  end: number;
  readonly isDict: boolean;
  readonly isEmptyTag: boolean;
  readonly members: Map<string, Span>;
}

/** Finds every dictionary's members by their place in the text. */
function locate(text: string, what: string): Span {
  const parser: SaxParser = sax.parser(true);
  const open: Span[] = [];
  /** The key that the next value of a dictionary belongs to. */
  const keys: (string | undefined)[] = [];
  let top: Span | undefined;
  let keyText: string | undefined;
  parser.onerror = (error) => syntaxError(what, error.message);
  parser.onopentag = ({ name, isSelfClosing }) => {
    if (name === "plist") return;
    if (name === "key") {
      keyText = "";
      return;
    }
    const span: Span = {
      start: parser.startTagPosition - 1,
      contentEnd: 0,
      end: 0,
      isDict: name === "dict",
      isEmptyTag: isSelfClosing,
      members: new Map(),
    };
    const parent = open.at(-1);
    const key = keys.at(-1);
    if (parent === undefined) top ??= span;
    else if (parent.isDict && key !== undefined) parent.members.set(key, span);
    open.push(span);
    keys.push(undefined);
  };
  parser.ontext = (piece) => {
    if (keyText !== undefined) keyText += piece;
  };
  parser.oncdata = (piece) => {
    if (keyText !== undefined) keyText += piece;
  };
  parser.onclosetag = (name) => {
    if (name === "plist") return;
    if (name === "key") {
      keys[keys.length - 1] = keyText;
      keyText = undefined;
      return;
    }
    const span = open.pop()!;
    keys.pop();
    if (keys.length > 0) keys[keys.length - 1] = undefined;
    span.end = parser.position;
    span.contentEnd = span.isEmptyTag
      ? span.end
      : text.lastIndexOf("</", span.end - 1);
  };
  parser.write(text).close();
  return top ?? syntaxError(what, "it is empty");
}

/** The white space before a place, back to the line's beginning. */
function indentAt(text: string, place: number): string {
  const line = text.slice(text.lastIndexOf("\n", place - 1) + 1, place);
  return /^[ \t]*/.exec(line)![0];
}

/** Writes the lines of a value as deep as its new place. */
function indented(value: string, from: string, to: string): string {
  const [first, ...rest] = value.split("\n");
  return [first, ...rest.map((line) => to + line.slice(from.length))]
    .join("\n");
}

/** One step of indentation, as the file has it. */
function stepOf(text: string): string {
  return /\n([ \t]+)</.exec(text)?.[1] ?? "  ";
}

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** What has to be written where so that `path` holds the value. */
function editFor(
  text: string,
  top: Span,
  path: readonly string[],
  value: (indent: string) => string,
): Edit {
  const step = stepOf(text);
  let holder = top;
  for (const [depth, key] of path.entries()) {
    const member = holder.members.get(key);
    const isLast = depth === path.length - 1;
    if (member !== undefined && (isLast || member.isDict)) {
      if (!isLast) {
        holder = member;
        continue;
      }
      const indent = indentAt(text, member.start);
      return { start: member.start, end: member.end, text: value(indent) };
    }
    const outer = indentAt(text, holder.start);
    const build = (keys: readonly string[], indent: string): string => {
      const [first, ...rest] = keys;
      const inner = rest.length === 0
        ? value(indent)
        : `<dict>\n${build(rest, indent + step)}${indent}</dict>`;
      return `${indent}<key>${first}</key>\n${indent}${inner}\n`;
    };
    const added = build(path.slice(depth), outer + step);
    if (holder.isEmptyTag) {
      return {
        start: holder.start,
        end: holder.end,
        text: `<dict>\n${added}${outer}</dict>`,
      };
    }
    const line = text.lastIndexOf("\n", holder.contentEnd - 1) + 1;
    const isOwnLine = text.slice(line, holder.contentEnd).trim() === "";
    return isOwnLine ? { start: line, end: line, text: added } : {
      start: holder.contentEnd,
      end: holder.contentEnd,
      text: `\n${added}${outer}`,
    };
  }
  throw new TypeError("The path of a property list must not be empty");
}

function memberAt(
  plist: PlistDictionary,
  path: readonly string[],
): PlistDictionary[string] | undefined {
  let value: PlistDictionary[string] | undefined = plist;
  for (const key of path) {
    value = isDictionary(value) ? value[key] : undefined;
  }
  return value;
}

function withMember(
  plist: PlistDictionary,
  [key, ...rest]: readonly string[],
  value: PlistDictionary[string],
): PlistDictionary {
  const inner = plist[key];
  return {
    ...plist,
    [key]: rest.length === 0
      ? value
      : withMember(isDictionary(inner) ? inner : {}, rest, value),
  };
}

/** The same for equal property lists, whatever the order of their keys. */
function canonical(value: unknown): unknown {
  if (value instanceof Date) return { date: value.getTime() };
  if (value instanceof Uint8Array) return { data: [...value] };
  if (Array.isArray(value)) return value.map(canonical);
  if (!isDictionary(value)) return value;
  return Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1)
    .map(([key, inner]) => [key, canonical(inner)]);
}

/**
 * Puts the value that `source` has at `path` into `target`.
 *
 * @param target A property list that exists; all of it but that value stays.
 * @param source A property list that a format wrote.
 * @param path The keys that lead to the value.
 * @param what What the file is, for messages.
 * @throws {PolicyError} `ERR_CERTPIN_DOCUMENT_SYNTAX` if the target is no
 * property list in XML, or if a key of the path holds something else than a
 * dictionary.
 */
export function mergePlist(
  target: string,
  source: string,
  path: readonly string[],
  what: string,
): string {
  const before = readPlist(target, what);
  const value = memberAt(readPlist(source, what), path);
  if (value === undefined) {
    throw new TypeError(`The written property list has no ${path.join("/")}`);
  }
  for (const depth of path.slice(1).keys()) {
    const held = memberAt(before, path.slice(0, depth + 1));
    if (held !== undefined && !isDictionary(held)) {
      syntaxError(what, `${path[depth]} is not a dict`);
    }
  }
  let span = locate(source, what);
  for (const key of path) span = span.members.get(key)!;
  const own = indentAt(source, span.start);
  const written = source.slice(span.start, span.end);
  const edit = editFor(
    target,
    locate(target, what),
    path,
    (indent) => indented(written, own, indent),
  );
  const merged = target.slice(0, edit.start) + edit.text +
    target.slice(edit.end);
  const wanted = JSON.stringify(canonical(withMember(before, path, value)));
  if (JSON.stringify(canonical(readPlist(merged, what))) !== wanted) {
    syntaxError(what, "its layout does not let a value be replaced in place");
  }
  return merged;
}
