/**
 * Findings and errors in plain words.
 *
 * @module
 */
import type { Finding } from "../src/policy/findings.ts";
import { CertpinError, PolicyError } from "../src/errors.ts";
import { el, foreign, notice } from "./dom.ts";

const ORDER = ["error", "warning", "info"];

/** A list of findings, the gravest first. */
export function findingsCard(
  title: string,
  findings: readonly Finding[],
): HTMLElement {
  const sorted = [...findings].sort((one, other) =>
    ORDER.indexOf(one.severity) - ORDER.indexOf(other.severity)
  );
  return el(
    "section",
    { class: "card" },
    el("h2", {}, title),
    sorted.length === 0 ? el("p", { class: "help" }, "Nothing was found.") : el(
      "ul",
      { class: "findings" },
      ...sorted.map(({ severity, code, pointer, message, hint }) =>
        el(
          "li",
          { class: severity },
          el("span", { class: "severity" }, severity),
          " ",
          el("code", {}, code),
          el("p", {}, foreign(message)),
          ...(hint === undefined ? [] : [el("p", {}, foreign(hint))]),
          ...(pointer === ""
            ? []
            : [el("p", { class: "help" }, "at ", foreign(pointer))]),
        )
      ),
    ),
  );
}

/** An error, with every problem of a policy. */
export function errorNotice(title: string, error: unknown): HTMLElement {
  if (!(error instanceof CertpinError)) {
    const text = error instanceof Error ? error.message : String(error);
    return notice("bad", title, foreign(text));
  }
  const problems = error instanceof PolicyError ? error.problems : [];
  return notice(
    "bad",
    title,
    ...(problems.length > 0
      ? problems.map(({ pointer, message }) =>
        foreign(pointer === "" ? message : `${pointer}: ${message}`)
      )
      : [foreign(error.message)]),
    el("code", {}, error.code),
  );
}
