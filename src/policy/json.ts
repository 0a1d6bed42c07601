/**
 * A strict look over JSON text, before `JSON.parse` reads it: where the syntax
 * breaks, and which keys are said twice. `JSON.parse` itself tells neither the
 * place alike on all runtimes, nor repeated keys at all.
 *
 * @module
 */
import { MAX_IGNORED_DEPTH } from "../limits.ts";
import { quoteText } from "../text.ts";

/** One thing that is wrong with a JSON text. */
export interface JsonProblem {
  /** A JSON pointer: of a repeated key the key, of broken syntax the value that it is in. */
  readonly pointer: string;
  /** What, with `line:column`, both from 1, the column in UTF-16 code units. */
  readonly message: string;
  /** Whether the text cannot be read at all. */
  readonly isFatal: boolean;
}

interface Frame {
  /** Keys so far, for an object; items are counted, for an array. */
  readonly keys?: Set<string>;
  /** Whether it stands in an extension, which nobody reads. */
  readonly isIgnored: boolean;
  /** The key or the index of the value at hand; undefined before a key. */
  at: string | number | undefined;
}

/** Appends a key or an index to a JSON pointer (RFC 6901, section 3). */
export function pointerTo(pointer: string, key: string | number): string {
  return `${pointer}/${
    String(key).replaceAll("~", "~0").replaceAll("/", "~1")
  }`;
}

/** Whether a key is ignored: `x-` begins extensions, but hostnames as well. */
export function isExtension(pointer: string, key: string): boolean {
  return key.startsWith("x-") && pointer !== "/hosts";
}

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const LITERAL = /true|false|null/y;

class Scanner {
  readonly problems: JsonProblem[] = [];
  readonly #text: string;
  readonly #maxDepth: number;
  readonly #maxProblems: number;
  readonly #frames: Frame[] = [];
  #at = 0;
  #line = 1;
  #lineStart = 0;

  constructor(text: string, maxDepth: number, maxProblems: number) {
    this.#text = text;
    this.#maxDepth = maxDepth;
    this.#maxProblems = maxProblems;
  }

  #report(message: string, at: number, isFatal: boolean): void {
    // What breaks the text is always told, and the last to be told.
    if (this.problems.length >= this.#maxProblems && !isFatal) return;
    // Reports come in the order of the text: each line is counted once.
    const breaks = this.#text.slice(this.#lineStart, at).matchAll(
      /\r\n|\n|\r/g,
    );
    const from = this.#lineStart;
    for (const { 0: lineBreak, index } of breaks) {
      this.#line++;
      this.#lineStart = from + index + lineBreak.length;
    }
    const place = `${this.#line}:${at - this.#lineStart + 1}`;
    this.problems.push({
      pointer: this.#pointer(this.#frames.length),
      message: `${message}, at ${place}`,
      isFatal,
    });
  }

  /** Reports what was found instead of what belongs there; returns false. */
  #expected(what: string): false {
    const found = this.#text.codePointAt(this.#at);
    const shown = found === undefined
      ? "the end"
      : quoteText(String.fromCodePoint(found));
    this.#report(
      `This is not JSON: expected ${what}, found ${shown}`,
      this.#at,
      true,
    );
    return false;
  }

  /** Skips white space; returns the character that comes then, "" at the end. */
  #peek(): string {
    for (;;) {
      const character = this.#text.charAt(this.#at);
      if (
        character !== " " && character !== "\n" && character !== "\r" &&
        character !== "\t"
      ) return character;
      this.#at++;
    }
  }

  #matches(pattern: RegExp): boolean {
    pattern.lastIndex = this.#at;
    if (!pattern.test(this.#text)) return false;
    this.#at = pattern.lastIndex;
    return true;
  }

  /** Reads a string; its raw text with quotes, or undefined. */
  #string(): string | undefined {
    const start = this.#at++;
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code === 0x22) return this.#text.slice(start, ++this.#at);
      if (code === 0x5c) {
        if (!this.#matches(/\\(?:["\\/bfnrt]|u[\da-fA-F]{4})/y)) {
          this.#at++;
          this.#expected("an escape sequence");
          return undefined;
        }
      } else if (!(code >= 0x20)) {
        // A control character, or NaN at the end.
        this.#expected('a character of the string or "');
        return undefined;
      } else this.#at++;
    }
  }

  #key(frame: Frame): boolean {
    frame.at = undefined;
    if (this.#peek() !== '"') return this.#expected("a key in double quotes");
    const start = this.#at;
    const raw = this.#string();
    if (raw === undefined) return false;
    const key = String(JSON.parse(raw));
    frame.at = key;
    if (frame.keys!.has(key)) {
      this.#report(`The key ${quoteText(key)} is said twice`, start, false);
    }
    frame.keys!.add(key);
    if (this.#peek() !== ":") return this.#expected('":"');
    this.#at++;
    return true;
  }

  /** After a value: closes what ends here, goes on to what follows. */
  #next(): boolean {
    for (;;) {
      const frame = this.#frames.at(-1);
      const character = this.#peek();
      if (frame === undefined) {
        return character === "" || this.#expected("the end");
      }
      if (character === ",") {
        this.#at++;
        if (frame.keys === undefined) frame.at = Number(frame.at) + 1;
        else if (!this.#key(frame)) return false;
        return true;
      }
      const close = frame.keys === undefined ? "]" : "}";
      if (character !== close) return this.#expected(`"," or "${close}"`);
      this.#at++;
      this.#frames.pop();
    }
  }

  /** A pointer to the value at hand in that many frames. */
  #pointer(frames: number): string {
    let pointer = "";
    for (const { at } of this.#frames.slice(0, frames)) {
      if (at !== undefined) pointer = pointerTo(pointer, at);
    }
    return pointer;
  }

  /** Whether the value that begins here stands in an extension. */
  #isIgnored(): boolean {
    const frame = this.#frames.at(-1);
    if (frame === undefined || frame.isIgnored) return frame !== undefined;
    return typeof frame.at === "string" &&
      isExtension(this.#pointer(this.#frames.length - 1), frame.at);
  }

  /** Opens an object or an array; whether a value follows inside it. */
  #open(opening: string): "value" | "closed" | "broken" {
    const isIgnored = this.#isIgnored();
    const most = isIgnored ? MAX_IGNORED_DEPTH : this.#maxDepth;
    if (this.#frames.length >= most) {
      this.#report(
        `The document is nested deeper than ${most}`,
        this.#at,
        true,
      );
      return "broken";
    }
    this.#at++;
    const isObject = opening === "{";
    if (this.#peek() === (isObject ? "}" : "]")) {
      this.#at++;
      return "closed";
    }
    const frame: Frame = isObject
      ? { isIgnored, keys: new Set(), at: undefined }
      : { isIgnored, at: 0 };
    this.#frames.push(frame);
    return !isObject || this.#key(frame) ? "value" : "broken";
  }

  run(): void {
    for (;;) {
      const character = this.#peek();
      if (character === "{" || character === "[") {
        const opened = this.#open(character);
        if (opened === "broken") return;
        if (opened === "value") continue;
      } else if (character === '"') {
        if (this.#string() === undefined) return;
      } else if (!this.#matches(NUMBER) && !this.#matches(LITERAL)) {
        this.#expected("a value");
        return;
      }
      if (!this.#next() || (this.#frames.length === 0)) return;
    }
  }
}

/**
 * Looks over JSON text (RFC 8259) once, in linear time and without recursion.
 *
 * @param text The text, bounded by the caller.
 * @param maxDepth Deepest nesting of objects and arrays; in extensions
 * `MAX_IGNORED_DEPTH`.
 * @param maxProblems Most problems reported.
 * @returns Repeated keys, and the first place where the syntax breaks or the
 * nesting is too deep; empty for what `JSON.parse` reads without loss.
 */
export function scanJson(
  text: string,
  maxDepth: number,
  maxProblems: number,
): readonly JsonProblem[] {
  const scanner = new Scanner(text, maxDepth, maxProblems);
  scanner.run();
  return scanner.problems;
}
