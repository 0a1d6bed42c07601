/**
 * Command lines of a POSIX shell, split into words; nothing is expanded.
 *
 * @module
 */
import { syntaxError } from "./format.ts";

/** One command: its words, and the line where it begins, from 1. */
export interface ShellCommand {
  readonly words: readonly string[];
  readonly line: number;
}

// A continued line or a comment; spaces; an end; quotes; an escape; the rest.
const LEXER =
  /(\\\n)|([ \t\r]+)|(\n|;|&&?|\|\|?)|'([^']*)'|"((?:[^"\\]|\\[\s\S])*)"|\\([\s\S])|(#[^\n]*)|([^\s;&|'"\\]+)|([\s\S])/gy;

/** Splits a script into commands. */
export function splitCommands(text: string, what: string): ShellCommand[] {
  const commands: ShellCommand[] = [];
  let words: string[] = [];
  let word: string | undefined;
  let line = 1;
  let start = 1;
  const endWord = () => {
    if (word !== undefined) words.push(word);
    word = undefined;
  };
  const endCommand = () => {
    endWord();
    if (words.length > 0) commands.push({ words, line: start });
    words = [];
  };
  const append = (more: string) => {
    if (words.length === 0 && word === undefined) start = line;
    word = (word ?? "") + more;
  };
  for (const match of text.replaceAll("\r\n", "\n").matchAll(LEXER)) {
    const [whole, joined, space, end, single, double, escaped, comment, bare] =
      match;
    if (end !== undefined) endCommand();
    else if (space !== undefined) endWord();
    else if (single !== undefined) append(single);
    else if (double !== undefined) {
      append(double.replace(/\\(["\\$`])|\\\n/g, "$1"));
    } else if (escaped !== undefined) append(escaped);
    else if (comment !== undefined) {
      // Inside a word it is no comment.
      if (word !== undefined) append(comment);
    } else if (bare !== undefined) append(bare);
    else if (joined === undefined) {
      syntaxError(what, "a quote is not closed", `line ${line}`);
    }
    for (const character of whole) if (character === "\n") line++;
  }
  endCommand();
  return commands;
}

/** A word in single quotes, unless it needs none. */
export function quoteShell(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word)
    ? word
    : `'${word.replaceAll("'", `'\\''`)}'`;
}
