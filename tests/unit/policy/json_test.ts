import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { scanJson } from "../../../src/policy/json.ts";

const scan = (text: string) => scanJson(text, 16, 100);
const place = (text: string) =>
  scan(text).map(({ pointer, message }) =>
    `${pointer} ${/at (\d+:\d+)$/.exec(message)?.[1]}`
  );

Deno.test("scanJson() finds nothing wrong with JSON", () => {
  for (
    const text of [
      ...[
        "{}",
        "[]",
        " [ ] ",
        "0",
        "-1.5e+3",
        '""',
        "true",
        "null\n",
        "[[],{}]",
      ],
      ...['{"a":{"a":1},"b":[{"a":1},{"a":2}]}', '"\\u00e9\\n\\/\\\\\\""'],
      '{"":1,"\\u0000":2,"__proto__":3,"a/b":4,"a~b":5}',
      "[".repeat(16) + "]".repeat(16),
      JSON.stringify("x".repeat(1_000_000)),
    ]
  ) assertEquals(scan(text), [], text.slice(0, 50));
});

Deno.test("scanJson() says where the syntax breaks", () => {
  const cases: readonly [text: string, ...expected: string[]][] = [
    ["", " 1:1"],
    ["\n\n  x", " 3:3"],
    ["./pins.json", " 1:1"],
    ["{", " 1:2"],
    ['{"a"', "/a 1:5"],
    ['{"a":', "/a 1:6"],
    ['{"a":1', "/a 1:7"],
    ['{"a":1,}', " 1:8"],
    ['{"a":[1,2,\r\n  3,]}', "/a/3 2:5"],
    ['{"a/b~":[1 2]}', "/a~1b~0/0 1:12"],
    ["[1] 2", " 1:5"],
    ['"a', " 1:3"],
    ['"a\n"', " 1:3"],
    ['"\\x"', " 1:3"],
    ['"\\u12g4"', " 1:3"],
    ["{a:1}", " 1:2"],
    ["{'a':1}", " 1:2"],
    ["// comment\n{}", " 1:1"],
    ["01", " 1:2"],
    ["1.", " 1:2"],
    ["+1", " 1:1"],
    ["NaN", " 1:1"],
    ["tru", " 1:1"],
    ["[1}", "/0 1:3"],
    ["]", " 1:1"],
    ["\ufeff{}", " 1:1"],
  ];
  for (const [text, ...expected] of cases) {
    assertEquals(place(text), expected, text);
  }
});

Deno.test("scanJson() reports every repeated key, however it is spelled", () => {
  assertEquals(
    place('{"a":1,\n"b":{"c":1,"c":2,"\\u0063":3},\n"a":[{"d":1,"d":1}]}'),
    ["/b/c 2:12", "/b/c 2:18", "/a 3:1", "/a/0/d 3:13"],
  );
  assertEquals(place('{"a":1,"A":1,"b":{"a":1}}'), []);
  assertEquals(place('{"a":1,"a":1'), ["/a 1:8", "/a 1:13"]);
});

Deno.test("scanJson() stops at its bounds", () => {
  assertEquals(place("[".repeat(17)), ["/0".repeat(16) + " 1:17"]);
  assertEquals(place("[".repeat(1_000_000)).length, 1);
  const many = `{${new Array(1_000).fill('"a":1').join()}}`;
  assertEquals(scan(many).length, 100);
});

Deno.test("scanJson() and JSON.parse agree on what is JSON", () => {
  const near = fc.json({ maxDepth: 4 }).chain((text) =>
    fc.tuple(
      fc.nat(text.length),
      fc.nat(2),
      fc.constantFrom("", ...'{}[],:"\\ 0-.e\n'),
    )
      .map(([at, cut, insert]) =>
        text.slice(0, at) + insert + text.slice(at + cut)
      )
  );
  fc.assert(
    fc.property(
      fc.oneof(fc.json({ maxDepth: 4 }), near, fc.string()),
      (text) => {
        let parses = true;
        try {
          JSON.parse(text);
        } catch {
          parses = false;
        }
        const broken = scan(text).filter(({ message }) =>
          message.startsWith("This")
        );
        assertEquals(broken.length === 0, parses);
      },
    ),
    { seed: 5, numRuns: 3_000 },
  );
});
