import { assert, assertEquals, assertThrows } from "@std/assert";
import { encodeBase64 } from "@std/encoding/base64";
import { encodeHex } from "@std/encoding/hex";
import fc from "fast-check";
import { type ErrorCode, PolicyError } from "../../../src/errors.ts";
import {
  formatPin,
  formatTlsa,
  type HashName,
  parsePin,
  parsePinWithRole,
  type Pin,
  type PinStyle,
} from "../../../src/pins/pin.ts";
import {
  DIGEST_BYTES,
  digestOf,
  makePin,
  setPinDigest,
} from "../../../src/pins/value.ts";

const bytes = (length: number) =>
  Uint8Array.from({ length }, (_, index) => 7 * index + 251);
const B64 = encodeBase64(bytes(32));
const HEX = encodeHex(bytes(32));
const COLONS = HEX.toUpperCase().match(/../g)!.join(":");
const B384 = encodeBase64(bytes(48));
const B512 = encodeBase64(bytes(64));
const HEX512 = encodeHex(bytes(64));

function refused(
  code: ErrorCode,
  text: unknown,
  options?: { of?: Pin["of"] },
): void {
  const error = assertThrows(
    () => parsePin(text as string, options),
    PolicyError,
  );
  assertEquals(error.code, code, String(text));
  assertEquals(error.problems.map((problem) => problem.pointer), [""]);
}

const READ: readonly [
  text: string,
  of: Pin["of"],
  hash: HashName,
  option?: Pin["of"],
][] = [
  [`sha256/${B64}`, "spki", "sha256"],
  [`sha256/${B64}`, "certificate", "sha256", "certificate"],
  [`sha256/${B64}`, "spki", "sha256", "spki"],
  [`spki:sha256/${B64}`, "spki", "sha256"],
  [`certificate:sha256/${B64}`, "certificate", "sha256"],
  [`certificate:sha256/${B64}`, "certificate", "sha256", "certificate"],
  [`sha384/${B384}`, "spki", "sha384"],
  [`certificate:sha512/${B512}`, "certificate", "sha512"],
  [`sha256//${B64}`, "spki", "sha256"],
  [`pin-sha256="${B64}"`, "spki", "sha256"],
  [`sha256-${B64}`, "spki", "sha256"],
  [`sha384-${B384}`, "spki", "sha384"],
  [`sha512-${B512}`, "certificate", "sha512", "certificate"],
  [`sha256:${HEX}`, "spki", "sha256", "spki"],
  [`sha256:${COLONS}`, "certificate", "sha256", "certificate"],
  [`certificate:sha256:${COLONS}`, "certificate", "sha256"],
  [`spki:sha512:${HEX512}`, "spki", "sha512"],
  [`3 1 1 ${HEX}`, "spki", "sha256"],
  [`3 0 1 ${HEX.toUpperCase()}`, "certificate", "sha256"],
  [`2 1 2 ${HEX512}`, "spki", "sha512"],
  [
    `0 0 2 ${HEX512.slice(0, 56)} ${HEX512.slice(56)}`,
    "certificate",
    "sha512",
    "certificate",
  ],
];

Deno.test("parsePin() reads every dialect", () => {
  for (const [text, of, hash, option] of READ) {
    const pin = parsePin(text, option && { of: option });
    assertEquals([pin.of, pin.hash], [of, hash], text);
    assertEquals(pin.digest, bytes(DIGEST_BYTES[hash]), text);
  }
});

Deno.test("parsePin() tells curl's two slashes from a base64 that begins with one", () => {
  for (
    const [hash, of] of [["sha256", "certificate"], ["sha384", "spki"]] as const
  ) {
    const digest = new Uint8Array(DIGEST_BYTES[hash]).fill(255);
    const text = formatPin(makePin(of, hash, digest));
    assertEquals(text.includes("//"), true);
    const pin = parsePin(text);
    assertEquals([pin.of, pin.digest], [of, digest]);
  }
  const slashes = new Uint8Array(32).fill(255);
  const curl = `sha256///${encodeBase64(slashes).slice(1)}`;
  assertEquals(parsePin(curl).digest, slashes);
});

Deno.test("parsePin() refuses SHA-1 and MD5 as broken hashes", () => {
  for (
    const text of [
      ...["sha1/AAAAAAAAAAAAAAAAAAAAAAAAAAA=", "sha1//AAAA", "sha1-AAAA"],
      ...["certificate:sha1:00", "SHA1:AA:BB", "sha-1/AAAA", "md5/AAAA"],
      ...['pin-sha1="AAAA"', "spki:MD5:00", "md-5-AAAA", "SHA1 Fingerprint=AA"],
    ]
  ) refused("ERR_CERTPIN_PIN_HASH", text);
  assertEquals(parsePin(`sha256/${B64}`).hash, "sha256");
});

Deno.test("parsePin() refuses what is no pin", () => {
  for (
    const text of [
      ...["", "sha256", "sha256/", B64, HEX, COLONS, `SHA256/${B64}`],
      ...[` sha256/${B64}`, `sha256/${B64} `, `sha256/${B64}\n`],
      ...[`sha256/${B64.slice(0, -1)}`, `sha256/${B64}=`, `sha256/${B384}`],
      ...[`sha512/${B64}`, `sha224/${B64}`, `sha3-256/${B64}`, `sha256=${B64}`],
      ...[`sha256/${B64.replace(/[+/]/g, "-")}`, `sha256/${B64.slice(1)}!`],
      // The last character carries two bits that must be zero.
      `sha256/${B64.slice(0, -2)}${B64.at(-2) === "B" ? "C" : "B"}=`,
      ...[`sha256/${"=".repeat(44)}`, `sha256/${B64.slice(0, -2)}==`],
      ...[`sha256:${HEX}`, `sha256:${COLONS}`, `spki:sha256:${HEX.slice(2)}`],
      ...[
        `spki:sha256:${HEX}0`,
        `spki:sha256:${COLONS}:`,
        `spki:sha256::${HEX}`,
      ],
      `spki:sha256:${COLONS.replace(":", "")}`,
      `spki:sha256:${HEX.slice(0, -1)}g`,
      ...[
        `key:sha256/${B64}`,
        `spki:spki:sha256/${B64}`,
        `spki: sha256/${B64}`,
      ],
      ...[`spki:sha256//${B64}`, `spki:sha256-${B64}`, `sha384//${B384}`],
      ...[`sha256///${B64}`, `sha256//${B64};sha256//${B64}`],
      ...[`pin-sha256=${B64}`, `pin-sha384="${B384}"`, `pin-sha256='${B64}'`],
      ...[
        `pin-sha256="${B64}";`,
        `pin-sha256="${B64}`,
        `spki:pin-sha256="${B64}"`,
      ],
      ...[`3 1 0 ${HEX}`, `3 1 3 ${HEX}`, `3 2 1 ${HEX}`, `4 1 1 ${HEX}`],
      ...[`3 1 2 ${HEX}`, `3 1 1 ${HEX512}`, `3 1 1`, `3 1 1 `, `311${HEX}`],
      ...[`3 1 1 ${COLONS}`, `-1 1 1 ${HEX}`, `03 1 1 ${HEX}`],
      ...[
        "sha256/" + "A".repeat(100_000),
        " ".repeat(100_000),
        "constructor/A",
      ],
    ]
  ) refused("ERR_CERTPIN_PIN_INVALID", text);
  for (const value of [undefined, null, 1, {}, [`sha256/${B64}`]]) {
    refused("ERR_CERTPIN_PIN_INVALID", value);
  }
});

Deno.test("parsePin() refuses an option that contradicts the text", () => {
  for (
    const [text, of] of [
      [`spki:sha256/${B64}`, "certificate"],
      [`certificate:sha256/${B64}`, "spki"],
      [`sha256//${B64}`, "certificate"],
      [`pin-sha256="${B64}"`, "certificate"],
      [`spki:sha256:${HEX}`, "certificate"],
      [`3 1 1 ${HEX}`, "certificate"],
      [`3 0 1 ${HEX}`, "spki"],
    ] as const
  ) {
    refused("ERR_CERTPIN_PIN_INVALID", text, { of });
    parsePin(text, { of: of === "spki" ? "certificate" : "spki" });
  }
  refused("ERR_CERTPIN_PIN_INVALID", `sha256/${B64}`, {
    of: "key" as unknown as Pin["of"],
  });
});

Deno.test("parsePinWithRole() takes the role from a TLSA usage and from nothing else", () => {
  for (
    const [usage, role] of [[0, "ca"], [1, "leaf"], [2, "ca"], [3, "leaf"]]
  ) {
    assertEquals(parsePinWithRole(`${usage} 1 1 ${HEX}`).role, role);
  }
  assertEquals(parsePinWithRole(`sha256/${B64}`).role, undefined);
});

const STYLES: readonly PinStyle[] = [
  ...["canonical", "okhttp", "curl", "hpkp", "hex", "tlsa"] as const,
];

Deno.test("formatPin() writes each style as its tool reads it", () => {
  const key = parsePin(`sha256/${B64}`);
  assertEquals(STYLES.map((style) => formatPin(key, style)), [
    `sha256/${B64}`,
    `sha256/${B64}`,
    `sha256//${B64}`,
    `pin-sha256="${B64}"`,
    `spki:sha256:${HEX}`,
    `3 1 1 ${HEX}`,
  ]);
  assertEquals(formatPin(key), `sha256/${B64}`);
  const certificate = parsePin(`certificate:sha512/${B512}`);
  assertEquals(formatPin(certificate), `certificate:sha512/${B512}`);
  assertEquals(formatPin(certificate, "tlsa"), `3 0 2 ${HEX512}`);
  assertEquals(formatTlsa(key, 2), `2 1 1 ${HEX}`);
});

Deno.test("formatPin() refuses what a style cannot say, and styles that it does not know", () => {
  const say = (text: string, style: string) => {
    const error = assertThrows(
      () => formatPin(parsePin(text), style as PinStyle),
      PolicyError,
    );
    assertEquals(error.code, "ERR_CERTPIN_PIN_FORMAT", `${text} ${style}`);
  };
  for (const style of ["okhttp", "curl", "hpkp"]) {
    say(`certificate:sha256/${B64}`, style);
    say(`sha384/${B384}`, style);
  }
  say(`sha384/${B384}`, "tlsa");
  for (const style of ["ssh", "", "toString"]) say(`sha256/${B64}`, style);
});

Deno.test("formatPin() refuses objects that are no pins", () => {
  const plain: Pin = { of: "spki", hash: "sha256", digest: bytes(32), toJSON };
  assertEquals(formatPin(plain), `sha256/${B64}`);
  for (
    const change of [
      { of: "key" },
      { hash: "sha1" },
      { digest: bytes(31) },
      { digest: [...bytes(32)] },
    ]
  ) {
    const error = assertThrows(
      () => formatPin({ ...plain, ...change } as Pin),
      PolicyError,
    );
    assertEquals(error.code, "ERR_CERTPIN_PIN_INVALID");
  }
  for (const nothing of [null, undefined, `${formatPin(plain)}`, 1]) {
    const error = assertThrows(
      () => formatPin(nothing as unknown as Pin),
      PolicyError,
    );
    assertEquals(error.code, "ERR_CERTPIN_PIN_INVALID");
  }
});

Deno.test("parsePin() refuses options that are none", () => {
  const text = `sha256/${B64}`;
  assertEquals(`${parsePin(text, {})}`, text);
  for (const options of [null, 1, "spki"] as unknown as { of: "spki" }[]) {
    const error = assertThrows(() => parsePin(text, options), PolicyError);
    assertEquals(error.code, "ERR_CERTPIN_PIN_INVALID");
  }
});

Deno.test("parsePin() refuses digests that openssl and others print without saying what they are of", () => {
  const hex = "ab".repeat(32);
  const colons = hex.match(/../g)!.join(":").toUpperCase();
  assertEquals(parsePin(`certificate:sha256:${colons}`).of, "certificate");
  for (
    const text of [
      ...[B64, hex, colons, `SHA256/${B64}`, `sha-256/${B64}`],
      `sha256 Fingerprint=${colons}`,
    ]
  ) {
    const error = assertThrows(() => parsePin(text), PolicyError);
    assertEquals(error.code, "ERR_CERTPIN_PIN_INVALID");
  }
});

function toJSON(): string {
  return "";
}

Deno.test("pins in every style read back as equal pins", () => {
  fc.assert(
    fc.property(
      fc.constantFrom<HashName>("sha256", "sha384", "sha512"),
      fc.constantFrom<Pin["of"]>("spki", "certificate"),
      fc.uint8Array({ minLength: 64, maxLength: 64 }),
      fc.constantFrom(...STYLES),
      (hash, of, noise, style) => {
        const digest = Uint8Array.from(noise.subarray(0, DIGEST_BYTES[hash]));
        const pin = makePin(of, hash, digest);
        let text;
        try {
          text = formatPin(pin, style);
        } catch {
          return style !== "canonical" && style !== "hex";
        }
        const again = parsePin(text);
        assertEquals([again.of, again.hash, again.digest], [of, hash, digest]);
      },
    ),
    { seed: 3, numRuns: 500 },
  );
});

Deno.test("parsePin() gives a pin or a PolicyError, and accepts nothing that it would write otherwise", () => {
  const near = fc.constantFrom(...READ.map(([text]) => text)).chain((text) =>
    fc.tuple(fc.nat(text.length), fc.nat(3), fc.string({ maxLength: 2 })).map((
      [at, cut, insert],
    ) => text.slice(0, at) + insert + text.slice(at + cut))
  );
  fc.assert(
    fc.property(fc.oneof(near, fc.string()), (text) => {
      let pin;
      try {
        pin = parsePin(text);
      } catch (error) {
        return error instanceof PolicyError;
      }
      assertEquals(pin.digest.length, DIGEST_BYTES[pin.hash]);
      assertEquals(parsePin(`${pin}`).digest, pin.digest);
    }),
    { seed: 4, numRuns: 2_000 },
  );
});

Deno.test("a pin is frozen, hands out copies and is its text in JSON", () => {
  const pin = parsePin(`sha256/${B64}`);
  assertEquals(Object.isFrozen(pin), true);
  pin.digest.fill(0);
  assertEquals(pin.digest, bytes(32));
  assert(pin.digest !== pin.digest);
  assertEquals(`${pin}`, `sha256/${B64}`);
  assertEquals(JSON.stringify([pin]), `["sha256/${B64}"]`);
  assertThrows(() => Object.assign(pin, { of: "certificate" }), TypeError);
});

Deno.test("a pin that awaits its digest says so until it is settled, once", () => {
  const pin = makePin("certificate", "sha256");
  for (const read of [() => pin.digest, () => `${pin}`, () => formatPin(pin)]) {
    const error = assertThrows(read, PolicyError);
    assertEquals(error.code, "ERR_CERTPIN_PIN_FORMAT");
  }
  assertEquals(digestOf(pin), undefined);
  setPinDigest(pin, bytes(32));
  setPinDigest(pin, new Uint8Array(32));
  assertEquals(`${pin}`, `certificate:sha256/${B64}`);
  assertEquals(digestOf({ ...pin, digest: bytes(32) }), undefined);
});
