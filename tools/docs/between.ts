/**
 * Texts between markers in a document.
 *
 * @module
 */

/** Puts a text between two markers. */
export function between(name: string, document: string, text: string): string {
  const [begin, end] = [`<!-- ${name}:begin -->`, `<!-- ${name}:end -->`];
  const [start, stop] = [document.indexOf(begin), document.indexOf(end)];
  if (start < 0 || stop < start) {
    throw new Error(`${begin} or ${end} is missing`);
  }
  return `${document.slice(0, start)}${begin}\n\n${text}\n\n${
    document.slice(stop)
  }`;
}
