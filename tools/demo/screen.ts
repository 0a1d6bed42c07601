/**
 * What the demo shows: lines for a person, in colour on a terminal alone.
 *
 * @module
 */
import { type Style, styleWith } from "../../cli/render/style.ts";
import { escapeText } from "../../src/text.ts";

/** One certificate of a path, as the tree shows it. */
export interface TreeRow {
  /** Its role on the path. */
  readonly role: "leaf" | "intermediate" | "root";
  /** Its subject; foreign text. */
  readonly subject: string;
  /** Its SPKI pin in canonical form. */
  readonly pin: string;
  /** Whether the policy's pin matched here. */
  readonly matched: boolean;
}

/** A verified path as a tree: the root above, the leaf below. */
export function pathTree(rows: readonly TreeRow[], paint: Style): string[] {
  const lines: string[] = [];
  for (const [depth, row] of [...rows].reverse().entries()) {
    const last = depth === rows.length - 1;
    const indent = "   ".repeat(Math.max(0, depth - 1));
    const branch = depth === 0 ? "" : `${indent}\u2514\u2500 `;
    const below = `${"   ".repeat(depth)}${last ? "   " : "\u2502  "}`;
    const mark = row.matched ? paint.green("  \u25c0 pinned") : "";
    lines.push(
      `${paint.dim(branch)}${paint.cyan(row.role)} ${
        paint.bold(escapeText(row.subject))
      }`,
      `${paint.dim(below)}${row.matched ? row.pin : paint.dim(row.pin)}${mark}`,
    );
  }
  return lines;
}

const WORD_WIDTH = 9;

/** Prints the demo and remembers whether everything happened. */
export class Screen {
  /** The colours. */
  readonly paint: Style;
  /** What was expected and did not happen. */
  readonly failures: string[] = [];
  #write: (line: string) => void;
  #step = 0;

  /** @param write Takes one line, without its end. */
  constructor(coloured: boolean, write: (line: string) => void) {
    this.paint = styleWith(coloured);
    this.#write = write;
  }

  /** Prints a line, indented. */
  line(text = ""): void {
    this.#write(text === "" ? "" : `   ${text}`);
  }

  /** Prints several lines beside a word, and an empty line after them. */
  block(word: string, lines: readonly string[]): void {
    for (const [at, line] of lines.entries()) {
      this.line(`${(at === 0 ? word : "").padEnd(WORD_WIDTH)}${line}`);
    }
    this.line();
  }

  /** Begins a part. */
  title(text: string): void {
    this.#write("");
    this.#write(this.paint.bold(`${++this.#step}. ${text}`));
  }

  /** Says whether something happened as it should. */
  expect(happened: boolean, what: string): void {
    const { green, red } = this.paint;
    if (!happened) this.failures.push(what);
    this.line(
      happened
        ? `${green("\u2714")} ${what}`
        : `${red("\u2718")} ${red("did not happen:")} ${what}`,
    );
  }
}
