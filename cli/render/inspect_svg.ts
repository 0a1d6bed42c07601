/**
 * A picture of the path, for a runbook: one box a certificate.
 *
 * @module
 */
import { escapeXml } from "../escape_xml.ts";
import { escapeText } from "@certpin/certpin/internal";
import {
  type Inspected,
  type Inspection,
  isAdded,
  leftOver,
} from "../commands/inspection.ts";
import { dayOf, standingOf } from "./view.ts";

const WIDTH = 640;
const BOX_HEIGHT = 92;
const GAP = 28;
const MARGIN = 24;
/** Most characters of a line that fit a box. */
const MAX_LINE_LENGTH = 74;

const COLOURS: Readonly<Record<string, string>> = {
  root: "#7a4dbf",
  intermediate: "#1f6feb",
  leaf: "#1a7f37",
  none: "#9a6700",
};

function line(text: string): string {
  const safe = escapeText(text) || "(empty)";
  const cut = [...safe].slice(0, MAX_LINE_LENGTH);
  return escapeXml(cut.join("") + (cut.length < [...safe].length ? "…" : ""));
}

function box(
  inspection: Inspection,
  one: Inspected,
  top: number,
  label: string,
): string[] {
  const { certificate, view, key } = one;
  const colour = COLOURS[view.role ?? "none"];
  const { words } = standingOf(certificate, inspection.at);
  const texts: [style: string, text: string][] = [
    ["head", `${label}${isAdded(inspection, one) ? " (not sent)" : ""}`],
    ["body", view.subject],
    ["body", `${key}, until ${dayOf(certificate.notAfter)} (${words})`],
    ["pin", view.pins.spki],
  ];
  return [
    `  <rect x="${MARGIN}" y="${top}" width="${
      WIDTH - 2 * MARGIN
    }" height="${BOX_HEIGHT}" rx="8" fill="#ffffff" stroke="${colour}" stroke-width="2"/>`,
    ...texts.map(([style, text], index) => {
      const fill = style === "head" ? ` style="fill: ${colour}"` : "";
      return `  <text class="${style}" x="${MARGIN + 14}" y="${
        top + 22 + index * 20
      }"${fill}>${line(text)}</text>`;
    }),
  ];
}

/** Draws the path, root first, and below it what is on no path. */
export function inspectionSvg(inspection: Inspection): string {
  const path = [...inspection.path ?? []].reverse();
  const left = leftOver(inspection);
  const shapes: string[] = [];
  let top = MARGIN + 28;
  for (const [index, one] of path.entries()) {
    if (index > 0) {
      const middle = WIDTH / 2;
      shapes.push(
        `  <path d="M${middle} ${top - GAP} V${
          top - 6
        }" stroke="#57606a" stroke-width="2" marker-end="url(#tip)"/>`,
      );
    }
    shapes.push(...box(inspection, one, top, one.view.role ?? ""));
    top += BOX_HEIGHT + GAP;
  }
  for (const one of left) {
    const label = path.length > 0 ? "presented, on no path" : "presented";
    shapes.push(...box(inspection, one, top, label));
    top += BOX_HEIGHT + GAP;
  }
  const state = inspection.path === undefined
    ? `no valid path: ${inspection.error?.code ?? ""}`
    : `valid path on ${dayOf(inspection.at)}`;
  const height = top - GAP + MARGIN;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img">`,
    `  <title>${line(inspection.title)}</title>`,
    "  <style>text { font: 13px ui-monospace, monospace; fill: #24292f } .head { font-weight: bold } .pin { font-size: 12px }</style>",
    '  <defs><marker id="tip" viewBox="0 0 8 8" refX="4" refY="4" markerWidth="6" markerHeight="6" orient="auto"><path d="M0 0 L8 4 L0 8 z" fill="#57606a"/></marker></defs>',
    `  <rect width="${WIDTH}" height="${height}" fill="#f6f8fa"/>`,
    `  <text class="head" x="${MARGIN}" y="${MARGIN + 6}">${
      line(`${inspection.title}: ${state}`)
    }</text>`,
    ...shapes,
    "</svg>",
    "",
  ].join("\n");
}
