/**
 * A policy in the formats of other tools, one click each.
 *
 * @module
 */
import { copyButton, el, foreign, notice } from "./dom.ts";
import { errorNotice } from "./findings.ts";

/** What the buttons say. */
const TITLES = {
  policy: "certpin",
  android: "Android",
  ios: "iOS",
  trustkit: "TrustKit",
  okhttp: "OkHttp",
  curl: "curl",
  envoy: "Envoy",
  tlsa: "TLSA",
} as const;

type FormatName = keyof typeof TITLES;

/** Shows a policy, and the same as the files of other tools. */
export function formatsCard(title: string, policyText: string): HTMLElement {
  const output = el("div", { "aria-live": "polite" });
  const buttons = new Map<FormatName, HTMLButtonElement>();
  let latest = 0;
  const show = async (name: FormatName) => {
    const turn = ++latest;
    for (const [other, button] of buttons) {
      button.setAttribute("aria-pressed", `${other === name}`);
    }
    let shown: Node[];
    try {
      shown = await written(name, policyText);
    } catch (error) {
      shown = [errorNotice(`Cannot write it for ${TITLES[name]}`, error)];
    }
    if (turn === latest) output.replaceChildren(...shown);
  };
  for (const name of Object.keys(TITLES) as FormatName[]) {
    const button = el("button", { type: "button", "aria-pressed": "false" });
    button.textContent = TITLES[name];
    button.addEventListener("click", () => void show(name));
    buttons.set(name, button);
  }
  void show("policy");
  return el(
    "section",
    { class: "card" },
    el("h2", {}, title),
    el(
      "div",
      { class: "row", role: "group", "aria-label": "Format" },
      ...buttons.values(),
    ),
    output,
  );
}

async function written(name: FormatName, policyText: string): Promise<Node[]> {
  if (name === "policy") {
    return [code(policyText, TITLES[name]), row(policyText)];
  }
  const { convert } = await import("../cli/formats/registry.ts");
  const { text, losses } = await convert(policyText, name, "policy");
  const lost = losses.map(({ pointer, message }) =>
    foreign(`${pointer}: ${message}`)
  );
  return [
    code(text, TITLES[name]),
    row(text),
    ...(lost.length === 0 ? [] : [
      notice("note", `What ${TITLES[name]} cannot say`, ...lost),
    ]),
  ];
}

function code(text: string, title: string): HTMLElement {
  // Long output scrolls, so the keyboard must reach it.
  return el(
    "pre",
    { tabindex: "0", role: "region", "aria-label": `${title} file` },
    foreign(text),
  );
}

function row(text: string): HTMLElement {
  return el("div", { class: "row" }, copyButton(text, "the file"));
}
