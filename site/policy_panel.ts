/**
 * The second panel: a policy, or another tool's file, with its findings.
 *
 * @module
 */
import {
  parsePolicy,
  type Policy,
  policyRecordOf,
} from "../src/policy/policy.ts";
import { lintPolicy } from "../src/policy/lint.ts";
import { drillPolicy, type Outcome } from "../cli/drill/drill.ts";
import { byId, el, foreign, notice } from "./dom.ts";
import { errorNotice, findingsCard } from "./findings.ts";
import { formatsCard } from "./formats.ts";

/** What each outcome of the drill is called, and how grave it is. */
const OUTCOMES: Readonly<
  Record<Outcome, readonly [text: string, kind: string]>
> = {
  "locked-out": ["locked out", "error"],
  fooled: ["fooled", "warning"],
  fine: ["fine", "info"],
  "not-applicable": ["does not apply", "info"],
};

async function drillCards(policy: Policy): Promise<HTMLElement[]> {
  const drilled = await drillPolicy(policy);
  return drilled.map(({ host, pins, events }) =>
    el(
      "section",
      { class: "card" },
      el("h2", {}, `Drill of ${foreign(host)}`),
      el(
        "p",
        { class: "help" },
        `What happened to others, with minted keys. Pins taken for: ${
          pins.map(({ part }) => part.replace("-", " ")).join(", ")
        }.`,
      ),
      el(
        "ul",
        { class: "findings" },
        ...events.map(({ title, known, outcome, coveredBy, date, change }) => {
          const [text, kind] = OUTCOMES[outcome];
          const isCovered = coveredBy !== undefined;
          return el(
            "li",
            { class: isCovered ? "warning" : kind },
            el("span", { class: "severity" }, text),
            `${isCovered ? `, covered by ${coveredBy}` : ""}${
              date === undefined ? "" : ` on ${date}`
            }: ${title}`,
            el("p", { class: "help" }, known),
            ...(change === undefined ? [] : [el("p", {}, change)]),
          );
        }),
      ),
    )
  );
}

function summary(text: string): HTMLElement {
  const { entries } = policyRecordOf(parsePolicy(text));
  return el(
    "section",
    { class: "card" },
    el("h2", {}, "The hosts"),
    el(
      "table",
      {},
      el(
        "thead",
        {},
        el(
          "tr",
          {},
          ...["Host", "Mode", "Pins", "Expires"].map((title) =>
            el("th", { scope: "col" }, title)
          ),
        ),
      ),
      el(
        "tbody",
        {},
        ...[...entries.values()].map((entry) =>
          el(
            "tr",
            {},
            el(
              "td",
              {},
              foreign(`${entry.wildcard ? "*." : ""}${entry.host.text}`),
            ),
            el("td", {}, entry.mode),
            el("td", {}, `${entry.rules.length}`),
            el(
              "td",
              {},
              entry.expiresAt === undefined
                ? "never"
                : new Date(entry.expiresAt).toISOString().slice(0, 10),
            ),
          )
        ),
      ),
    ),
  );
}

async function check(text: string): Promise<HTMLElement[]> {
  if (text.trim() === "") {
    return [
      notice("bad", "There is nothing to check", "Paste a policy first."),
    ];
  }
  const shown: HTMLElement[] = [];
  try {
    let policyText = text;
    const { convert, detectFormat } = await import(
      "../cli/formats/registry.ts"
    );
    const from = detectFormat(text);
    if (from !== undefined && from !== "policy") {
      const read = await convert(text, "policy", from);
      policyText = read.text;
      const lost = read.losses.map(({ pointer, message }) =>
        foreign(`${pointer}: ${message}`)
      );
      shown.push(notice("note", `Read as ${from}`, ...lost));
    }
    const policy = parsePolicy(policyText);
    const { commandFindings } = await import("../cli/commands/lint_checks.ts");
    const findings = [
      ...commandFindings(policy),
      ...await lintPolicy(policy),
    ];
    return [
      ...shown,
      findingsCard("Findings", findings),
      summary(policyText),
      formatsCard("The same for other clients", policyText),
      ...await drillCards(policy),
    ];
  } catch (error) {
    return [...shown, errorNotice("Cannot read the policy", error)];
  }
}

/** Brings the panel to life. */
export function startPolicyPanel(): void {
  const form = byId("policy-form", HTMLFormElement);
  const text = byId("policy", HTMLTextAreaElement);
  const result = byId("policy-result", HTMLDivElement);
  let latest = 0;
  const show = async (elements: Promise<HTMLElement[]>) => {
    const turn = ++latest;
    const shown = await elements;
    if (turn === latest) result.replaceChildren(...shown);
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void show(check(text.value));
  });
  form.addEventListener("reset", () => void show(Promise.resolve([])));
}
