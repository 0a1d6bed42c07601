import { assert, assertEquals } from "@std/assert";
import { escapeText, quoteText } from "../../src/text.ts";

Deno.test("escapeText() escapes what moves, reorders or hides, and nothing that shows", () => {
  const hidden = [
    ...["\u0000", "\u001b", "\u007f", "\u009b", "\u00ad", "\u034f", "\u061c"],
    ...["\u115f", "\u1160", "\u180e", "\u200b", "\u202e", "\u2028", "\u2066"],
    ...["\u3164", "\uffa0", "\ufeff", "\u{e0041}", "\ud800"],
  ];
  for (const character of hidden) {
    const code = character.codePointAt(0)!.toString(16);
    assertEquals(escapeText(`a${character}b`), `a\\u{${code}}b`);
  }
  const shown = "az \u00fc\u3042\u1100\uac00\u{1f600} <&'\"\\";
  assertEquals(escapeText(shown), shown);
});

Deno.test("quoteText() gives two texts two spellings, and none a way out of the quotes", () => {
  const cases: readonly [string, string][] = [
    ["plain", '"plain"'],
    ['a"b', '"a\\"b"'],
    ["a\\b", '"a\\\\b"'],
    ["\u202e", '"\\u{202e}"'],
    ["\\u{202e}", '"\\\\u{202e}"'],
    ["\\", '"\\\\"'],
  ];
  for (const [text, quoted] of cases) assertEquals(quoteText(text), quoted);
  assert(quoteText("a".repeat(10_000)).length < 600);
  assert(quoteText("\\".repeat(10_000)).length < 600);
});
