/**
 * "Did you mean": the known word nearest to a mistyped one.
 *
 * @module
 */
import { quoteText } from "./text.ts";

/** Longest word that is compared, in UTF-16 code units. */
const MAX_WORD_LENGTH = 40;
/** Most letters that a near word differs in. */
const MAX_DISTANCE = 2;

/** Letters to change, insert, drop or swap with a neighbour, to get from one word to another. */
function distance(from: string, to: string): number {
  let before: number[] = [];
  let above = Array.from({ length: to.length + 1 }, (_, at) => at);
  for (let row = 1; row <= from.length; row++) {
    const here = [row];
    for (let at = 1; at <= to.length; at++) {
      const same = from[row - 1] === to[at - 1];
      let least = Math.min(
        above[at] + 1,
        here[at - 1] + 1,
        above[at - 1] + (same ? 0 : 1),
      );
      if (from[row - 1] === to[at - 2] && from[row - 2] === to[at - 1]) {
        least = Math.min(least, before[at - 2] + 1);
      }
      here.push(least);
    }
    [before, above] = [above, here];
  }
  return above[to.length];
}

/** `; did you mean "…"?` where a known word is near, else an empty text. */
export function didYouMean(word: string, known: readonly string[]): string {
  if (word.length > MAX_WORD_LENGTH) return "";
  const given = word.toLowerCase();
  let nearest = "";
  let least = Math.min(MAX_DISTANCE, Math.floor(word.length / 2)) + 1;
  for (const one of known) {
    const letters = distance(given, one.toLowerCase());
    if (letters < least) [nearest, least] = [one, letters];
  }
  return nearest === "" ? "" : `; did you mean ${quoteText(nearest)}?`;
}
