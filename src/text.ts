/**
 * Text that may come from an attacker, made safe to show.
 *
 * @module
 */

/** Longest piece of foreign text shown in one message, in UTF-16 code units. */
const MAX_SHOWN_TEXT_LENGTH = 512;

// C0, DEL, C1, soft hyphen, Arabic letter mark, zero-width and bidi controls,
// line separators, invisible operators, fillers that show as nothing, BOM, tags
// and lone surrogates.
const UNSAFE =
  // deno-lint-ignore no-control-regex -- these are what it is about
  /[\u0000-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]|\p{Cs}/gu;

/**
 * Escapes control, bidirectional and invisible characters as `\u{…}`, and
 * cuts what is too long, so that foreign text can neither move a terminal's
 * cursor nor reorder a line.
 *
 * It does not quote: HTML, XML and Markdown need their own escaping on top.
 */
export function escapeText(text: string): string {
  const cut = text.length > MAX_SHOWN_TEXT_LENGTH
    ? text.slice(0, MAX_SHOWN_TEXT_LENGTH) + "…"
    : text;
  return cut.replace(
    UNSAFE,
    (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`,
  );
}

/** Foreign text between double quotes, escaped; backslashes and quotes too. */
export function quoteText(text: string): string {
  const cut = text.slice(0, MAX_SHOWN_TEXT_LENGTH + 1);
  return `"${escapeText(cut.replace(/["\\]/g, "\\$&"))}"`;
}

/** Whether `fetch` takes a URL: with `https:` or `http:`, and without a user. */
export function isHttpUrl(url: URL | null): url is URL {
  return (url?.protocol === "https:" || url?.protocol === "http:") &&
    url.username === "" && url.password === "";
}
