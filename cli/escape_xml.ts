/**
 * Text in XML, for what is written with no parser at hand.
 *
 * @module
 */

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&apos;",
};

// deno-lint-ignore no-control-regex -- XML 1.0, section 2.2
const NO_XML = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Cs}/gu;

/** Text for an element or an attribute; what XML 1.0 cannot hold becomes U+FFFD. */
export function escapeXml(text: string): string {
  return text.replace(NO_XML, "\ufffd")
    .replace(/[&<>"']/g, (character) => ESCAPES[character]);
}
