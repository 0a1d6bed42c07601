/**
 * An inspection as a tree for people: the root at the top, the leaf below.
 *
 * @module
 */
import { escapeText } from "@certpin/certpin/internal";
import {
  type Inspected,
  type Inspection,
  isAdded,
  leftOver,
} from "../commands/inspection.ts";
import { remedyFor } from "../commands/remedies.ts";
import { count, drawTree, shown, type Style, type TreeNode } from "./style.ts";
import { dayOf, standingOf } from "./view.ts";

/** Most names of a certificate that are shown. */
const MAX_SHOWN_NAMES = 8;

const STATES = {
  valid: "green",
  soon: "yellow",
  expired: "red",
  future: "red",
} as const;

function namesLine({ view }: Inspected, style: Style): string[] {
  const names = [...view.dnsNames, ...view.ipAddresses];
  if (names.length === 0) return [];
  const more = names.length - MAX_SHOWN_NAMES;
  const list = names.slice(0, MAX_SHOWN_NAMES).map(shown).join(", ") +
    (more > 0 ? ` and ${more} more` : "");
  return [`${style.dim("for    ")} ${list}`];
}

function linesOf(
  one: Inspected,
  heading: string,
  at: Date,
  style: Style,
): string[] {
  const { certificate, view, key } = one;
  const { state, words } = standingOf(certificate, at);
  const from = dayOf(certificate.notBefore);
  const until = dayOf(certificate.notAfter);
  return [
    `${heading} ${shown(view.subject)}`,
    ...namesLine(one, style),
    ...(certificate.selfIssued
      ? []
      : [`${style.dim("issuer ")} ${shown(view.issuer)}`]),
    `${style.dim("valid  ")} ${from} to ${until}, ${
      style[STATES[state]](words)
    }`,
    `${style.dim("key    ")} ${key}`,
    `${style.dim("pin    ")} ${style.cyan(view.pins.spki)}`,
    `${style.dim("       ")} ${style.dim(view.pins.certificate)}`,
  ];
}

function pathTree(inspection: Inspection, style: Style): string[] {
  let node: TreeNode | undefined;
  for (const one of inspection.path ?? []) {
    const { role } = one.view;
    const note = isAdded(inspection, one) ? style.dim(" (not sent)") : "";
    const heading = style.bold(role ?? "");
    const lines = linesOf(one, heading, inspection.at, style);
    lines[0] += note;
    node = { lines, children: node === undefined ? [] : [node] };
  }
  return node === undefined ? [] : drawTree(node, style);
}

/** Draws an inspection. */
export function inspectionText(inspection: Inspection, style: Style): string {
  const { title, path, error, presented, at } = inspection;
  const lines: string[] = [];
  const verdict = path === undefined
    ? style.red(presented.length === 0 ? "cannot connect" : "no valid path")
    : style.green(`valid path of ${count(path.length, "certificate")}`);
  lines.push(`${style.bold(escapeText(title))}  ${verdict}`);
  if (error !== undefined) {
    lines.push(
      `${style.red(error.code)}: ${
        error.message.split("\n").map(escapeText).join("\n  ")
      }`,
    );
    const remedy = remedyFor(error.code);
    if (remedy !== undefined) lines.push(`  ${style.dim("hint:")} ${remedy}`);
  }
  lines.push("");
  if (path !== undefined) lines.push(...pathTree(inspection, style), "");
  const left = leftOver(inspection);
  if (left.length > 0) {
    const heading = path === undefined
      ? `Presented, unverified: ${count(left.length, "certificate")}`
      : `Presented, but on no path: ${count(left.length, "certificate")}`;
    lines.push(style.yellow(heading));
    const children = left.map((one) => {
      const number = presented.indexOf(one) + 1;
      const heading = style.bold(`${number}`);
      return { lines: linesOf(one, heading, at, style), children: [] };
    });
    lines.push(
      ...drawTree({ lines: [], children }, style),
      "",
    );
  }
  return lines.join("\n");
}
