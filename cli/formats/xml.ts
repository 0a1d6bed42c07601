/**
 * XML that cannot bite: no entities, no external anything, bounded.
 *
 * @module
 */
import {
  DOMParser,
  type Element,
  MIME_TYPE,
  type Node,
  onWarningStopParsing,
} from "@xmldom/xmldom";
import { PolicyError } from "@certpin/certpin";
import { MAX_DOCUMENT_DEPTH } from "../limits.ts";
import { boundDocument, syntaxError } from "./format.ts";

export type { Element } from "@xmldom/xmldom";

/** The document type that Apple writes at the head of every property list. */
const APPLE_DOCTYPE =
  /<!DOCTYPE plist PUBLIC "-\/\/Apple(?: Computer)?\/\/DTD PLIST 1\.0\/\/EN" "https?:\/\/www\.apple\.com\/DTDs\/PropertyList-1\.0\.dtd">/;

function refuseEntities(what: string): never {
  throw new PolicyError(
    "ERR_CERTPIN_DOCUMENT_ENTITY",
    `Cannot read the ${what}: it declares a document type or entities, which could name other files or grow without end`,
  );
}

function elements(node: Node): Element[] {
  const found: Element[] = [];
  for (let child = node.firstChild; child; child = child.nextSibling) {
    if (child.nodeType === child.ELEMENT_NODE) found.push(child as Element);
  }
  return found;
}

/** The element children. */
export const childElements: (element: Element) => Element[] = elements;

/** The element children of that name. */
export function childrenNamed(element: Element, name: string): Element[] {
  return elements(element).filter((child) => child.tagName === name);
}

/** The text of an element, white space around it dropped. */
export function textOf(element: Element): string {
  return (element.textContent ?? "").trim();
}

/** Where an element stands, such as `/a/b[2]`. */
export function placeOf(element: Element): string {
  const steps: string[] = [];
  let at: Element | null = element;
  while (at !== null) {
    const tagName: string = at.tagName;
    const parentNode: Node | null = at.parentNode;
    const parent: Element | null =
      parentNode !== null && parentNode.nodeType === parentNode.ELEMENT_NODE
        ? parentNode as Element
        : null;
    const same = parent === null ? [] : childrenNamed(parent, tagName);
    const index = same.length > 1 ? `[${same.indexOf(at) + 1}]` : "";
    steps.unshift(`${tagName}${index}`);
    at = parent;
  }
  return `/${steps.join("/")}`;
}

/**
 * Parses XML text.
 *
 * Any document type is refused before the parser sees it, but the one of
 * property lists where `plist` is set, which is dropped; so there is no entity
 * but the five of XML itself.
 *
 * @throws {PolicyError} `ERR_CERTPIN_DOCUMENT_ENTITY`,
 * `ERR_CERTPIN_DOCUMENT_SYNTAX`; `LimitError` for text that is too long.
 */
export function parseXml(
  text: string,
  what: string,
  options: { plist?: boolean } = {},
): Element {
  boundDocument(text);
  const bare = options.plist ? text.replace(APPLE_DOCTYPE, "") : text;
  // Also in comments and CDATA: nobody needs them there.
  if (/<!\s*(?:DOCTYPE|ENTITY)/i.test(bare)) refuseEntities(what);
  boundDepth(bare, what);
  let root: Element | null;
  try {
    const parser = new DOMParser({ onError: onWarningStopParsing });
    root = parser.parseFromString(bare, MIME_TYPE.XML_TEXT).documentElement;
  } catch (error) {
    return syntaxError(what, firstLine(error));
  }
  return root ?? syntaxError(what, "there is no element");
}

/** The parser's message without its dump of the document. */
function firstLine(error: unknown): string {
  const message = error instanceof Error ? error.message : "broken XML";
  return message.split("\n")[0];
}

/** Counts levels as a parser would: more than enough for what follows to recurse. */
function boundDepth(text: string, what: string): void {
  let depth = 0;
  for (const [, closing, selfClosing] of text.matchAll(TAGS)) {
    if (selfClosing) continue;
    depth += closing ? -1 : 1;
    if (depth > MAX_DOCUMENT_DEPTH) {
      syntaxError(what, `nested over ${MAX_DOCUMENT_DEPTH} levels deep`);
    }
  }
}

const TAGS = /<(\/?)[A-Za-z_][^<>]*?(\/?)>/g;
