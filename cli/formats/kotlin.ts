/**
 * As much of Kotlin and Java as it takes to find calls with string literals.
 *
 * @module
 */

/** A call that was found. */
export interface FoundCall {
  /** The arguments; undefined where one of them is no plain string literal. */
  readonly strings: readonly string[] | undefined;
  /** Of its beginning, from 1. */
  readonly line: number;
}

type Token =
  | { readonly kind: "string"; readonly text: string; readonly plain: boolean }
  | { readonly kind: "word" | "mark"; readonly text: string };

const SIMPLE: Readonly<Record<string, string>> = {
  ...{ n: "\n", t: "\t", r: "\r", b: "\b" },
};

// Comments and white space; strings; words; any other character. What is not
// closed ends with the text or the line, so that no place is read twice.
const LEXER =
  /(\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|\s+)|"""([\s\S]*?)(?:"""|$)|"((?:[^"\\\n]|\\.)*)("?)|([A-Za-z_][A-Za-z_0-9]*)|([\s\S])/gy;

function unescape(body: string): string {
  return body.replace(
    /\\(?:u([0-9A-Fa-f]{4})|(.))/g,
    (_, hex: string | undefined, character: string) =>
      hex === undefined
        ? SIMPLE[character] ?? character
        : String.fromCharCode(parseInt(hex, 16)),
  );
}

function* tokens(text: string): Generator<Token & { readonly line: number }> {
  let line = 1;
  for (const match of text.matchAll(LEXER)) {
    const [whole, skipped, raw, body, closed, word, mark] = match;
    const at = line;
    for (const character of whole) if (character === "\n") line++;
    if (skipped !== undefined) continue;
    if (raw !== undefined) {
      // A template would put something else there.
      yield { kind: "string", text: raw, plain: !raw.includes("$"), line: at };
    } else if (body !== undefined) {
      const plain = closed !== "" &&
        !/(?:^|[^\\])(?:\\\\)*\$[A-Za-z_{]/.test(body);
      yield { kind: "string", text: unescape(body), plain, line: at };
    } else if (word !== undefined) {
      yield { kind: "word", text: word, line: at };
    } else yield { kind: "mark", text: mark, line: at };
  }
}

/** Finds the calls `.name(…)`. */
export function findCalls(text: string, name: string): FoundCall[] {
  const all = [...tokens(text)];
  const isMark = (at: number, mark: string) =>
    all[at]?.kind === "mark" && all[at].text === mark;
  const calls: FoundCall[] = [];
  for (let at = 1; at + 1 < all.length; at++) {
    if (all[at].kind !== "word" || all[at].text !== name) continue;
    if (!isMark(at - 1, ".") || !isMark(at + 1, "(")) continue;
    calls.push({ strings: argumentsFrom(all, at + 2), line: all[at].line });
  }
  return calls;
}

/** Strings between commas, up to the closing parenthesis; undefined for anything else. */
function argumentsFrom(
  all: readonly Token[],
  start: number,
): string[] | undefined {
  const strings: string[] = [];
  for (let at = start; at < all.length; at++) {
    const token = all[at];
    if (token.kind === "mark" && token.text === ")") return strings;
    if (token.kind !== "string" || !token.plain) return undefined;
    strings.push(token.text);
    const next = all[at + 1];
    if (next?.kind !== "mark") return undefined;
    if (next.text === ",") at++;
    else if (next.text !== ")") return undefined;
  }
  return undefined;
}

/** A Kotlin string literal. */
export function quoteKotlin(text: string): string {
  return `"${text.replace(/[\\"$]/g, "\\$&")}"`;
}
