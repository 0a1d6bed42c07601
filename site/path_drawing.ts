/**
 * The path as a drawing: the root on top, one box a certificate.
 *
 * @module
 */
import {
  type Inspected,
  type Inspection,
  isAdded,
  leftOver,
} from "../cli/commands/inspection.ts";
import { dayOf, standingOf } from "../cli/render/view.ts";
import { el, foreign } from "./dom.ts";

const MEANINGS: Readonly<Record<string, string>> = {
  leaf: "the server's own certificate",
  intermediate: "a CA between the root and the leaf",
  root: "trusted by clients as it stands",
};

function box(
  inspection: Inspection,
  { certificate, view, key }: Inspected,
  isJoined: boolean,
  isSent: boolean,
): HTMLElement {
  const role = view.role ?? "presented, on no path";
  const { words } = standingOf(certificate, inspection.at);
  const names = [...view.dnsNames, ...view.ipAddresses];
  const rows: [string, ...(Node | string)[]][] = [
    ["Subject", foreign(view.subject) || "(empty)"],
    ["Issuer", foreign(view.issuer) || "(empty)"],
    ...(names.length === 0
      ? []
      : [["Names", foreign(names.join(", "))] as [string, string]]),
    ["Key", key],
    [
      "Valid",
      `${dayOf(certificate.notBefore)} to ${
        dayOf(certificate.notAfter)
      } (${words})`,
    ],
    ["Key pin", el("code", {}, view.pins.spki)],
    ["Certificate pin", el("code", {}, view.pins.certificate)],
  ];
  const classes = [view.role ?? "other", ...(isJoined ? ["joined"] : [])];
  return el(
    "li",
    { class: classes.join(" ") },
    el("span", { class: "role" }, role),
    ...(view.role === undefined ? [] : [
      ` ${MEANINGS[view.role]}${isSent ? "" : ", not sent by the server"}`,
    ]),
    el(
      "dl",
      {},
      ...rows.flatMap(([term, ...values]) => [
        el("dt", {}, term),
        el("dd", {}, ...values),
      ]),
    ),
  );
}

/** Draws the path, and below it what is on no path. */
export function pathCard(inspection: Inspection): HTMLElement {
  const path = [...inspection.path ?? []].reverse();
  const left = leftOver(inspection);
  const list = (
    title: string,
    boxes: readonly Inspected[],
    areJoined: boolean,
  ) => [
    el("h2", {}, title),
    el(
      "ol",
      { class: "path" },
      ...boxes.map((one, place) =>
        box(
          inspection,
          one,
          areJoined && place > 0,
          !isAdded(inspection, one),
        )
      ),
    ),
  ];
  return el(
    "section",
    { class: "card" },
    ...(path.length > 0 ? list("The path, root first", path, true) : []),
    ...(left.length > 0
      ? list(
        path.length > 0
          ? "Presented, but on no path"
          : "The certificates, as presented",
        left,
        false,
      )
      : []),
  );
}
