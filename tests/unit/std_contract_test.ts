/**
 * What certpin relies on in `@std/encoding` and `@std/assert`. Run with the
 * links of `deno.json` it holds the stand-ins of `tools/jsr/` to it, without
 * them (`deno task test:jsr`) the real packages.
 *
 * The assertions are checked by hand here: they cannot vouch for themselves.
 */
import * as std from "@std/assert";
import {
  decodeBase64,
  decodeBase64Url,
  decodeHex,
  encodeBase64,
  encodeBase64Url,
  encodeHex,
} from "@std/encoding";
import { decodeBase64 as fromBase64Path } from "@std/encoding/base64";
import { decodeBase64Url as fromBase64UrlPath } from "@std/encoding/base64url";
import { encodeHex as fromHexPath } from "@std/encoding/hex";

function check(holds: boolean, what: string): void {
  if (!holds) throw new Error(`Does not hold: ${what}`);
}

function thrownBy(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error ?? new Error("threw nothing");
  }
  return undefined;
}

async function rejectionOf(promise: PromiseLike<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  return undefined;
}

function passes(what: string, call: () => unknown): void {
  check(thrownBy(call) === undefined, what);
}

function refuses(what: string, call: () => unknown): void {
  check(thrownBy(call) instanceof std.AssertionError, what);
}

function bytes(...values: number[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(values);
}

function isBytes(value: unknown, ...values: number[]): boolean {
  return value instanceof Uint8Array && value.buffer instanceof ArrayBuffer &&
    value.byteOffset === 0 && String([...value]) === String(values);
}

Deno.test("encoders write RFC 4648: base64 padded, base64url not, hex in lower case", () => {
  const all = Uint8Array.from({ length: 256 }, (_, i) => i);
  const inside = all.subarray(251, 256);
  check(encodeBase64(inside) === "+/z9/v8=", "a view, not its buffer");
  check(encodeBase64Url(inside) === "-_z9_v8", "base64url");
  check(encodeHex(inside) === "fbfcfdfeff", "hex");
  check(encodeBase64(bytes(0).buffer) === "AA==", "an ArrayBuffer");
  check(encodeBase64("\u00fc") === "w7w=", "a string is UTF-8");
  check(encodeHex("\u00fc") === "c3bc", "a string is UTF-8 in hex");
  check(encodeBase64("") === "", "nothing");
  check(inside.length === 5 && all.length === 256, "input untouched");
});

Deno.test("decoders give back what encoders wrote, for every length and byte", () => {
  for (let length = 0; length < 260; length++) {
    const data = Uint8Array.from(
      { length },
      (_, i) => (i * 167 + length) % 256,
    );
    check(isBytes(decodeBase64(encodeBase64(data)), ...data), "base64");
    check(isBytes(decodeBase64Url(encodeBase64Url(data)), ...data), "url");
    check(isBytes(decodeHex(encodeHex(data)), ...data), "hex");
    check(isBytes(decodeHex(encodeHex(data).toUpperCase()), ...data), "HEX");
  }
  const large = new Uint8Array(200_000).fill(0xa5);
  check(decodeBase64(encodeBase64(large)).length === 200_000, "large");
});

Deno.test("the decoders of the subpaths are those of the whole package", () => {
  check(fromBase64Path === decodeBase64, "./base64");
  check(fromBase64UrlPath === decodeBase64Url, "./base64url");
  check(fromHexPath === encodeHex, "./hex");
});

Deno.test("decodeBase64() refuses white space, other characters and impossible lengths", () => {
  for (
    const text of ["AA\n==", " AAAA", "AAAA ", "A-_A", "AA=A", "A===", "=A=="]
  ) {
    check(thrownBy(() => decodeBase64(text)) instanceof Error, text);
  }
  check(thrownBy(() => decodeBase64("AA*A")) instanceof TypeError, "character");
  check(thrownBy(() => decodeBase64("AAAAA")) instanceof RangeError, "length");
});

Deno.test("decodeBase64() is not canonical: whoever needs that compares again", () => {
  check(isBytes(decodeBase64("AQ"), 1), "padding may be missing");
  check(isBytes(decodeBase64("AQ="), 1), "padding may be short");
  check(isBytes(decodeBase64("AR=="), 1), "trailing bits may be set");
  check(isBytes(decodeBase64("AAF="), 0, 1), "trailing bits of two bytes");
});

Deno.test("decodeBase64Url() takes its own alphabet alone, with or without padding", () => {
  check(isBytes(decodeBase64Url("-_8"), 0xfb, 0xff), "alphabet");
  check(isBytes(decodeBase64Url("-_8="), 0xfb, 0xff), "padding");
  for (const text of ["+/8", "-_8 ", "AAAAA", "A=A="]) {
    check(thrownBy(() => decodeBase64Url(text)) instanceof Error, text);
  }
});

Deno.test("decodeHex() refuses an odd length, colons, white space and prefixes", () => {
  check(thrownBy(() => decodeHex("abc")) instanceof RangeError, "odd");
  for (const text of ["0x", "ab:c", "a b ", "zz", "\u0661\u0661"]) {
    check(thrownBy(() => decodeHex(text)) instanceof TypeError, text);
  }
});

/** Has no own property: all that tells two apart is a getter. */
class Hidden {
  #value: number;
  constructor(value: number) {
    this.#value = value;
  }
  get value(): number {
    return this.#value;
  }
}

const cycle: Record<string, unknown> = { name: "a" };
cycle.self = cycle;
const otherCycle: Record<string, unknown> = { name: "a" };
otherCycle.self = otherCycle;

const EQUAL: readonly [unknown, unknown][] = [
  [1, 1],
  [NaN, NaN],
  ["a", "a"],
  [[1, [2]], [1, [2]]],
  [{ a: 1, b: { c: [] } }, { b: { c: [] }, a: 1 }],
  [Object.assign(Object.create(null), { a: 1 }), { a: 1 }],
  [bytes(1, 2), bytes(1, 2)],
  [bytes(0, 1, 2).subarray(1), bytes(1, 2)],
  [bytes(1).buffer, bytes(1).buffer],
  [new Date(5), new Date(5)],
  [new Map([["a", [1]], ["b", [2]]]), new Map([["b", [2]], ["a", [1]]])],
  [new Map([[{ k: 1 }, 1]]), new Map([[{ k: 1 }, 1]])],
  [new Set([1, 2]), new Set([2, 1])],
  [new Set([{ a: 1 }]), new Set([{ a: 1 }])],
  [/a/g, /a/g],
  [new URL("https://a/"), new URL("https://a/")],
  [new Hidden(1), new Hidden(1)],
  [cycle, otherCycle],
];

const UNEQUAL: readonly [unknown, unknown][] = [
  [1, "1"],
  [1, 1n],
  [null, undefined],
  [[1, 2], [2, 1]],
  [[1], [1, undefined]],
  [{ a: undefined }, {}],
  [{ a: undefined }, { b: undefined }],
  [{ a: 1 }, { a: 1, [Symbol.for("b")]: 2 }],
  [bytes(1, 2), bytes(1, 3)],
  [bytes(1, 2), bytes(1)],
  [bytes(1, 2), [1, 2]],
  [bytes(1), new Int8Array([1])],
  [bytes(1).buffer, bytes(2).buffer],
  [new Date(5), new Date(6)],
  [new Map([["a", 1]]), new Map([["a", 2]])],
  [new Map([["a", 1]]), new Map([["b", 1]])],
  [new Set([1]), new Set([2])],
  [new Set([1]), [1]],
  [/a/g, /a/i],
  [new Hidden(1), new Hidden(2)],
  [new Hidden(1), { value: 1 }],
  [new Error("a"), new Error("b")],
  [() => 1, () => 1],
];

Deno.test("assertEquals() and assertNotEquals() agree on what is deeply equal", () => {
  for (const [i, [a, b]] of EQUAL.entries()) {
    passes(`equal ${i}`, () => std.assertEquals(a, b));
    refuses(`not unequal ${i}`, () => std.assertNotEquals(a, b));
  }
  for (const [i, [a, b]] of UNEQUAL.entries()) {
    refuses(`unequal ${i}`, () => std.assertEquals(a, b));
    refuses(`unequal ${i}, the other way`, () => std.assertEquals(b, a));
    passes(`not equal ${i}`, () => std.assertNotEquals(a, b));
  }
});

Deno.test("the plain assertions pass on what they name and refuse its opposite", () => {
  passes("assert", () => std.assert(1));
  refuses("assert", () => std.assert(""));
  passes("assertFalse", () => std.assertFalse(0));
  refuses("assertFalse", () => std.assertFalse("a"));
  refuses("fail", () => std.fail("because"));
  const object = {};
  passes("assertStrictEquals", () => std.assertStrictEquals(object, object));
  passes("assertStrictEquals NaN", () => std.assertStrictEquals(NaN, NaN));
  refuses("assertStrictEquals", () => std.assertStrictEquals(object, {}));
  passes("assertExists", () => std.assertExists(0));
  refuses("assertExists", () => std.assertExists(null));
  refuses("assertExists", () => std.assertExists(undefined));
  passes("assertStringIncludes", () => std.assertStringIncludes("abc", "b"));
  refuses("assertStringIncludes", () => std.assertStringIncludes("abc", "d"));
  passes("assertMatch", () => std.assertMatch("abc", /B/i));
  refuses("assertMatch", () => std.assertMatch("abc", /d/));
  passes(
    "assertInstanceOf",
    () => std.assertInstanceOf(new TypeError(), Error),
  );
  refuses("assertInstanceOf", () => std.assertInstanceOf({}, Error));
  refuses("assertInstanceOf", () => std.assertInstanceOf(null, Error));
});

Deno.test("an AssertionError is an Error that carries the caller's note", () => {
  const error = thrownBy(() => std.assertEquals(1, 2, "my note"));
  check(error instanceof Error && error.name === "AssertionError", "its class");
  check((error as Error).message.includes("my note"), "its note");
  check(new std.AssertionError("text").message === "text", "its constructor");
});

Deno.test("assertThrows() returns what was thrown and checks class and message", () => {
  const error = new TypeError("of a kind");
  const throwing = () => {
    throw error;
  };
  check(std.assertThrows(throwing) === error, "no class");
  check(std.assertThrows(throwing, TypeError) === error, "its class");
  check(std.assertThrows(throwing, Error, "kind") === error, "its base");
  refuses("another class", () => std.assertThrows(throwing, RangeError));
  refuses("another text", () => std.assertThrows(throwing, TypeError, "zzz"));
  refuses("no throw", () => std.assertThrows(() => 1));
  refuses("no throw, with a class", () => std.assertThrows(() => 1, Error));
  const notAnError = () => {
    throw "text";
  };
  check(std.assertThrows(notAnError) === "text", "anything, without a class");
  refuses("no Error", () => std.assertThrows(notAnError, Error));
});

Deno.test("assertRejects() does the same for promises, and refuses a synchronous throw", async () => {
  const error = new TypeError("of a kind");
  const rejecting = () => Promise.reject(error);
  check(await std.assertRejects(rejecting) === error, "no class");
  check(await std.assertRejects(rejecting, TypeError, "kind") === error, "all");
  const refused: readonly [string, () => PromiseLike<unknown>][] = [
    ["another class", () => std.assertRejects(rejecting, RangeError)],
    ["another text", () => std.assertRejects(rejecting, TypeError, "zzz")],
    ["a fulfilled promise", () => std.assertRejects(() => Promise.resolve(1))],
    [
      "a synchronous throw",
      () =>
        std.assertRejects(() => {
          throw error;
        }),
    ],
  ];
  for (const [what, call] of refused) {
    const rejection = await rejectionOf(call());
    check(rejection instanceof std.AssertionError, what);
  }
});
