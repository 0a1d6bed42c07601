/**
 * Refuses options that nobody knows: a misspelt one would be ignored, and what
 * it asks for would not happen.
 *
 * @module
 */
import { didYouMean } from "./suggest.ts";
import { quoteText } from "./text.ts";

/**
 * Checks the names of options; an undefined value counts as left out.
 *
 * @param action What the options are for: "make a pinner".
 * @throws {TypeError} for options that are not an object, or an unknown name.
 */
export function checkOptionNames(
  action: string,
  options: unknown,
  known: readonly string[],
): void {
  if (typeof options !== "object" || options === null) {
    throw new TypeError(
      `Cannot ${action}: expected an options object, got ${
        options === null ? "null" : typeof options
      }`,
    );
  }
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || known.includes(name)) continue;
    throw new TypeError(
      `Cannot ${action}: there is no option ${quoteText(name)}${
        didYouMean(name, known)
      }`,
    );
  }
}
