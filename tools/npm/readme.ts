/**
 * The README as npm shows it: apart from the files that it links to.
 *
 * @module
 */

/** A link to a file: `[text](path)`; addresses and places on the page stay. */
const FILE_LINKS = /\[((?:[^\][]|\[[^\][]*\])*)\]\((?![a-z]+:|#)([^)\s]+)\)/g;

/**
 * Makes links to files absolute.
 *
 * @param path Of the README, from the project's top folder.
 * @param addressOf The address of a file; where it has none, the link's text
 * stays alone.
 */
export function absoluteLinks(
  markdown: string,
  path: string,
  addressOf: (path: string) => string | undefined,
): string {
  return markdown.replace(FILE_LINKS, (_, text: string, target: string) => {
    const { pathname, hash } = new URL(target, `file:///${path}`);
    const address = addressOf(pathname.slice(1));
    return address === undefined ? text : `[${text}](${address}${hash})`;
  });
}
