/**
 * An inspection as Markdown for a runbook.
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
import { dayOf, standingOf } from "./view.ts";

/** Also what would become a link by itself: a scheme, and "www.". */
const MARKUP = /:(?=\/\/)|(?<=www)\.|[&<>]|[\\`*_{}[\]()#+!|~@-]/gi;

/** Text that is nothing but text in a Markdown paragraph, list or table cell, and in the HTML that comes of it. */
export function escapeMarkdown(text: string): string {
  return escapeText(text).replace(
    MARKUP,
    (found) =>
      /[:.&<>]/.test(found) ? `&#${found.charCodeAt(0)};` : `\\${found}`,
  );
}

/** A pin as code: base64 and colons alone, so nothing can end it. */
function code(text: string): string {
  return `\`${text}\``;
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}

function table(
  inspection: Inspection,
  certificates: readonly Inspected[],
  first: (one: Inspected) => string,
): string[] {
  return [
    row(["", "Subject", "Valid until", "Key", "Pin of the key"]),
    row(["---", "---", "---", "---", "---"]),
    ...certificates.map((one) => {
      const { certificate, view, key } = one;
      const { words } = standingOf(certificate, inspection.at);
      return row([
        first(one),
        escapeMarkdown(view.subject) || "(empty)",
        `${dayOf(certificate.notAfter)} (${words})`,
        escapeMarkdown(key),
        code(view.pins.spki),
      ]);
    }),
  ];
}

/** Writes an inspection. */
export function inspectionMarkdown(inspection: Inspection): string {
  const { title, path, error, presented, at } = inspection;
  const lines = [`## ${escapeMarkdown(title)}`, ""];
  if (path === undefined) lines.push("No valid path.", "");
  else {
    lines.push(
      `Valid path of ${path.length} on ${dayOf(at)}, the leaf first:`,
      "",
      ...table(inspection, path, (one) =>
        (one.view.role ?? "") +
        (isAdded(inspection, one) ? " (not sent)" : "")),
      "",
    );
    const [leaf] = path;
    const names = [...leaf.view.dnsNames, ...leaf.view.ipAddresses];
    if (names.length > 0) {
      lines.push(`For ${names.map(escapeMarkdown).join(", ")}.`, "");
    }
  }
  if (error !== undefined) {
    const message = error.message.split("\n").map(escapeMarkdown).join(" ");
    lines.push(`${code(error.code)}: ${message}`, "");
  }
  const left = leftOver(inspection);
  if (left.length > 0) {
    lines.push(
      path === undefined ? "Presented:" : "Presented, but on no path:",
      "",
      ...table(inspection, left, (one) => `${presented.indexOf(one) + 1}`),
      "",
    );
  }
  return lines.join("\n");
}
