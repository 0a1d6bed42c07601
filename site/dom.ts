/**
 * Elements of the page. Text is always set as text, never parsed as HTML:
 * what a certificate says is foreign.
 *
 * @module
 */
import { escapeText } from "../src/text.ts";

/** What an element may hold. */
export type Child = Node | string;

/** Makes an element with attributes and children. */
export function el<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Readonly<Record<string, string>> = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Name] {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    element.setAttribute(key, value);
  }
  element.append(...children);
  return element;
}

/** Foreign text for showing: control, bidi and escape characters are visible. */
export function foreign(text: string): string {
  return text.split("\n").map(escapeText).join("\n");
}

/** Finds an element of the page that must be there. */
export function byId<Kind extends HTMLElement>(
  id: string,
  kind: new () => Kind,
): Kind {
  const element = document.getElementById(id);
  if (element instanceof kind) return element;
  throw new TypeError(`The page has no ${kind.name} with the id ${id}`);
}

/** A boxed message. */
export function notice(
  kind: "good" | "bad" | "note",
  title: string,
  ...paragraphs: readonly Child[]
): HTMLElement {
  return el(
    "div",
    { class: `notice ${kind}` },
    el("strong", {}, title),
    ...paragraphs.map((text) => el("p", {}, text)),
  );
}

/** A button that copies a text to the clipboard. */
export function copyButton(text: string, what: string): HTMLElement {
  const button = el("button", { type: "button" }, `Copy ${what}`);
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Copying is not allowed here";
    }
    setTimeout(() => button.textContent = `Copy ${what}`, 2000);
  });
  return button;
}
