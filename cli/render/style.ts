/**
 * How output looks: colour on a terminal, plain text elsewhere.
 *
 * @module
 */
import { escapeText } from "@certpin/certpin/internal";
import type { Io } from "../io.ts";

/** Paints text, or leaves it plain. */
export interface Style {
  /** Strong. */
  bold(text: string): string;
  /** Of less weight. */
  dim(text: string): string;
  /** Wrong. */
  red(text: string): string;
  /** Right. */
  green(text: string): string;
  /** To be looked at. */
  yellow(text: string): string;
  /** A name or a value. */
  cyan(text: string): string;
}

const ESC = "\u001b[";

function paint(on: boolean, open: number, close: number) {
  return (text: string): string =>
    on && text !== "" ? `${ESC}${open}m${text}${ESC}${close}m` : text;
}

/** A style with or without colour. */
export function styleWith(colour: boolean): Style {
  return {
    bold: paint(colour, 1, 22),
    dim: paint(colour, 2, 22),
    red: paint(colour, 31, 39),
    green: paint(colour, 32, 39),
    yellow: paint(colour, 33, 39),
    cyan: paint(colour, 36, 39),
  };
}

/**
 * Whether a stream gets colour: `NO_COLOR` (any value but the empty one) says
 * no, then `FORCE_COLOR` says yes, then a terminal that is not `dumb` does.
 */
function hasColour(io: Io, isTerminal: boolean): boolean {
  if (io.env("NO_COLOR")) return false;
  const forced = io.env("FORCE_COLOR");
  if (forced) return forced !== "0" && forced !== "false";
  return isTerminal && io.env("TERM") !== "dumb";
}

/** The style of standard output. */
export function outStyle(io: Io): Style {
  return styleWith(hasColour(io, io.outIsTerminal));
}

/** The style of standard error. */
export function errStyle(io: Io): Style {
  return styleWith(hasColour(io, io.errIsTerminal));
}

/** A list of lines, each piece of foreign text escaped by whoever adds it. */
export type Lines = readonly string[];

/** A node of a drawn tree: its own lines, then its children. */
export interface TreeNode {
  readonly lines: Lines;
  readonly children: readonly TreeNode[];
}

/** Draws a tree with box characters, as `tree` does. */
export function drawTree(root: TreeNode, style: Style): string[] {
  const [head, ...below] = root.lines;
  const trunk = root.children.length > 0 ? style.dim("│") + "  " : "";
  const drawn = head === undefined ? [] : [head];
  for (const line of below) drawn.push(trunk + line);
  const add = (nodes: readonly TreeNode[], indent: string) => {
    for (const [index, node] of nodes.entries()) {
      const isLast = index === nodes.length - 1;
      const [first = "", ...rest] = node.lines;
      drawn.push(indent + style.dim(isLast ? "└─ " : "├─ ") + first);
      const bar = isLast ? "   " : style.dim("│") + "  ";
      const below = node.children.length > 0 ? style.dim("│") + "  " : "   ";
      for (const line of rest) drawn.push(indent + bar + below + line);
      add(node.children, indent + bar);
    }
  };
  add(root.children, "");
  return drawn;
}

/** Foreign text for one line of a terminal: {@linkcode escapeText}, and nothing empty. */
export function shown(text: string): string {
  return escapeText(text) || "(empty)";
}

/** "1 pin", "2 pins". */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
