/**
 * JSON as commands print it.
 *
 * @module
 */

/**
 * One document and a line break, in ASCII alone: what is foreign in it (C1
 * controls, bidirectional marks) reaches programs as it is and no terminal.
 */
export function jsonText(document: unknown): string {
  const json = JSON.stringify(document, null, 2);
  const ascii = json.replace(
    /[^\n -~]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return ascii + "\n";
}
