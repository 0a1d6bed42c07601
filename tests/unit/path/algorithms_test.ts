/** Keys and signature algorithms: what a path may use (RFC 3279, 4055, 5480, 8410). */
import { assert, assertEquals } from "@std/assert";
import type { SignatureScheme } from "../../../src/crypto/routine.ts";
import {
  MAX_PSS_SALT_BYTES,
  MAX_RSA_EXPONENT_BYTES,
  MAX_RSA_MODULUS_BITS,
  MIN_RSA_MODULUS_BITS,
} from "../../../src/limits.ts";
import {
  classifyKey,
  ecdsaToP1363,
  importableSpki,
  type KeyKind,
  schemeFor,
} from "../../../src/path/algorithms.ts";
import {
  bitString,
  concatBytes,
  explicit,
  integer,
  nullValue,
  objectIdentifier,
  sequence,
  unsignedInteger,
} from "../../../src/testing/der_writer.ts";
import { readDer } from "../../../src/x509/der.ts";
import { readAlgorithm, readPublicKeyInfo } from "../../../src/x509/layout.ts";

type Bytes = Uint8Array<ArrayBuffer>;

const RSA = objectIdentifier("1.2.840.113549.1.1.1");
const PSS = objectIdentifier("1.2.840.113549.1.1.10");
const MGF1 = objectIdentifier("1.2.840.113549.1.1.8");
const EC = objectIdentifier("1.2.840.10045.2.1");
const P256 = objectIdentifier("1.2.840.10045.3.1.7");
const ED25519 = objectIdentifier("1.3.101.112");
const SHA256 = objectIdentifier("2.16.840.1.101.3.4.2.1");
const SHA512 = objectIdentifier("2.16.840.1.101.3.4.2.3");
const SHA1 = objectIdentifier("1.3.14.3.2.26");

function publicKey(algorithm: Bytes, key: Uint8Array) {
  return readPublicKeyInfo(readDer(sequence(algorithm, bitString(key))));
}

/** The kind of a key, or "refused". */
function kindOf(algorithm: Bytes, key: Uint8Array): KeyKind | string {
  const kind = classifyKey(publicKey(algorithm, key));
  return typeof kind === "string" ? "refused" : kind;
}

function modulus(bits: number): Bytes {
  const octets = new Uint8Array(Math.ceil(bits / 8)).fill(0xff);
  octets[0] = 0xff >> (8 * octets.length - bits);
  return unsignedInteger(octets);
}

function rsaKey(
  bits = 2048,
  exponent: Uint8Array = Uint8Array.of(1, 0, 1),
): Bytes {
  return sequence(modulus(bits), integer(exponent));
}

Deno.test("an RSA key has from 2,048 to 8,192 bits, and an odd exponent of at most four", () => {
  const kind = (key: Bytes) => kindOf(sequence(RSA, nullValue()), key);
  assertEquals(
    [MIN_RSA_MODULUS_BITS, MAX_RSA_MODULUS_BITS, MAX_RSA_EXPONENT_BYTES],
    [2048, 8192, 4],
  );
  for (const bits of [2048, 2049, 2056, 3072, 4096, 8192]) {
    assertEquals(kind(rsaKey(bits)), { kind: "rsa" }, `${bits}`);
  }
  for (const bits of [1024, 2040, 2047, 8193, 8200, 16384]) {
    assertEquals(kind(rsaKey(bits)), "refused", `${bits}`);
  }
  for (const exponent of [[3], [1, 0, 1], [0x7f, 0xff, 0xff, 0xff]]) {
    assertEquals(kind(rsaKey(2048, Uint8Array.from(exponent))), {
      kind: "rsa",
    });
  }
  for (const exponent of [[0], [1], [2], [0xff], [1, 0, 0], [1, 0, 0, 0, 1]]) {
    assertEquals(kind(rsaKey(2048, Uint8Array.from(exponent))), "refused");
  }
  for (
    const key of [
      sequence(modulus(2048)),
      sequence(modulus(2048), integer(3), integer(1)),
      sequence(integer(Uint8Array.of(0x80)), integer(3)),
      concatBytes(rsaKey(), nullValue()),
      new Uint8Array(),
    ]
  ) {
    assertEquals(kind(key), "refused");
  }
});

Deno.test("an RSA key carries NULL as its parameters", () => {
  assertEquals(kindOf(sequence(RSA, nullValue()), rsaKey()), { kind: "rsa" });
  for (const algorithm of [sequence(RSA), sequence(RSA, sequence())]) {
    assertEquals(kindOf(algorithm, rsaKey()), "refused");
  }
});

Deno.test("an elliptic curve is one of three, given by name, and its point in full", () => {
  const curves = [
    ["1.2.840.10045.3.1.7", "P-256", 32],
    ["1.3.132.0.34", "P-384", 48],
    ["1.3.132.0.35", "P-521", 66],
  ] as const;
  for (const [oid, curve, bytes] of curves) {
    const algorithm = sequence(EC, objectIdentifier(oid));
    const point = new Uint8Array(1 + 2 * bytes).fill(1);
    point[0] = 4;
    assertEquals(kindOf(algorithm, point), { kind: "ec", curve });
    const refused = [
      point.subarray(1),
      concatBytes(point, Uint8Array.of(0)),
      // Compressed and hybrid.
      point.subarray(0, 1 + bytes).with(0, 2),
      point.with(0, 6),
      new Uint8Array(),
    ];
    for (const key of refused) assertEquals(kindOf(algorithm, key), "refused");
  }
  const point = new Uint8Array(65).fill(1).with(0, 4);
  assertEquals(kindOf(sequence(EC, P256), point), {
    kind: "ec",
    curve: "P-256",
  });
  const secp256k1 = objectIdentifier("1.3.132.0.10");
  for (
    const algorithm of [
      sequence(EC, secp256k1),
      sequence(EC, sequence()),
      sequence(EC, nullValue()),
      sequence(EC),
    ]
  ) assertEquals(kindOf(algorithm, point), "refused");
});

Deno.test("an Ed25519 key has 32 octets and no parameters; Ed448, X25519 and DSA are refused", () => {
  const key = new Uint8Array(32).fill(7);
  assertEquals(kindOf(sequence(ED25519), key), { kind: "ed25519" });
  assertEquals(kindOf(sequence(ED25519, nullValue()), key), "refused");
  assertEquals(kindOf(sequence(ED25519), key.subarray(1)), "refused");
  for (const oid of ["1.3.101.110", "1.3.101.113", "1.2.840.10040.4.1"]) {
    assertEquals(kindOf(sequence(objectIdentifier(oid)), key), "refused");
  }
});

interface PssOptions {
  readonly hash?: Bytes;
  readonly mask?: Bytes;
  readonly maskFunction?: Bytes;
  readonly salt?: number;
  readonly more?: readonly Bytes[];
}

function pss(options: PssOptions = {}): Bytes {
  const { hash = SHA256, mask = hash, maskFunction = MGF1, more = [] } =
    options;
  return sequence(
    PSS,
    sequence(
      explicit(0, sequence(hash, nullValue())),
      explicit(1, sequence(maskFunction, sequence(mask))),
      ...options.salt === undefined ? [] : [explicit(2, integer(options.salt))],
      ...more,
    ),
  );
}

/** What a key of this kind signs by this algorithm, or "refused". */
function schemeOf(algorithm: Bytes, kind: KeyKind) {
  const scheme = schemeFor(readAlgorithm(readDer(algorithm), "test"), kind);
  return typeof scheme === "string" ? "refused" : scheme;
}

Deno.test("PSS has one hash throughout, a bounded salt and the usual trailer", () => {
  const evaluate = (options: PssOptions) =>
    schemeOf(pss(options), { kind: "rsa" });
  const scheme = (saltLength: number): SignatureScheme => ({
    kind: "rsa-pss",
    hash: "sha256",
    saltLength,
  });
  assertEquals(evaluate({ salt: 32 }), scheme(32));
  assertEquals(evaluate({}), scheme(20));
  assertEquals(evaluate({ salt: 0 }), scheme(0));
  assertEquals(
    evaluate({ salt: MAX_PSS_SALT_BYTES }),
    scheme(MAX_PSS_SALT_BYTES),
  );
  const refused: PssOptions[] = [
    { salt: MAX_PSS_SALT_BYTES + 1 },
    { salt: 70_000 },
    { hash: SHA1, salt: 20 },
    { mask: SHA512, salt: 32 },
    { maskFunction: SHA256, salt: 32 },
    { salt: 32, more: [explicit(3, integer(2))] },
    { salt: 32, more: [explicit(2, integer(32))] },
    { salt: 32, more: [explicit(4, integer(1))] },
  ];
  for (const options of refused) assertEquals(evaluate(options), "refused");
  const parameters = (...all: Bytes[]) => sequence(PSS, sequence(...all));
  // The defaults are SHA-1.
  assertEquals(schemeOf(parameters(), { kind: "rsa" }), "refused");
  assertEquals(schemeOf(sequence(PSS), { kind: "rsa" }), "refused");
  assertEquals(
    schemeOf(sequence(PSS, nullValue()), { kind: "rsa" }),
    "refused",
  );
  const negative = explicit(2, integer(Uint8Array.of(0xff)));
  assertEquals(evaluate({ more: [negative] }), "refused");
  // A hash with parameters that are not NULL.
  assertEquals(
    schemeOf(
      parameters(
        explicit(0, sequence(SHA256, sequence())),
        explicit(1, sequence(MGF1, sequence(SHA256))),
      ),
      { kind: "rsa" },
    ),
    "refused",
  );
});

Deno.test("a PSS key holds signatures to its own parameters", () => {
  const keyOf = (options: PssOptions) =>
    classifyKey(publicKey(pss(options), rsaKey())) as KeyKind;
  const free = classifyKey(publicKey(sequence(PSS), rsaKey())) as KeyKind;
  const bound = keyOf({ salt: 32 });
  assertEquals(free, { kind: "rsa-pss", required: undefined });
  assertEquals(bound, {
    kind: "rsa-pss",
    required: { hash: "sha256", saltLength: 32 },
  });
  for (const salt of [32, 48]) {
    assert(schemeOf(pss({ salt }), bound) !== "refused");
  }
  assertEquals(schemeOf(pss({ salt: 31 }), bound), "refused");
  assertEquals(schemeOf(pss({ hash: SHA512, salt: 64 }), bound), "refused");
  assert(schemeOf(pss({ hash: SHA512, salt: 64 }), free) !== "refused");
  const broken = publicKey(pss({ hash: SHA1, salt: 20 }), rsaKey());
  assertEquals(typeof classifyKey(broken), "string");
});

Deno.test("a signature algorithm fits its key and carries no parameters but RSA's NULL", () => {
  const rsa: KeyKind = { kind: "rsa" };
  const ec: KeyKind = { kind: "ec", curve: "P-256" };
  const ed: KeyKind = { kind: "ed25519" };
  const free: KeyKind = { kind: "rsa-pss", required: undefined };
  const rsaSha256 = objectIdentifier("1.2.840.113549.1.1.11");
  const ecdsaSha256 = objectIdentifier("1.2.840.10045.4.3.2");
  const algorithms: [Bytes, KeyKind][] = [
    [sequence(rsaSha256, nullValue()), rsa],
    [sequence(rsaSha256), rsa],
    [sequence(ecdsaSha256), ec],
    [sequence(ED25519), ed],
  ];
  for (const [algorithm, own] of algorithms) {
    for (const kind of [rsa, ec, ed, free]) {
      const scheme = schemeOf(algorithm, kind);
      assertEquals(scheme !== "refused", kind === own);
    }
  }
  for (const kind of [ec, ed]) {
    assertEquals(schemeOf(pss({ salt: 32 }), kind), "refused");
  }
  const refused: [Bytes, KeyKind][] = [
    [sequence(rsaSha256, sequence()), rsa],
    [sequence(ecdsaSha256, nullValue()), ec],
    [sequence(ED25519, nullValue()), ed],
    // MD5, SHA-1, SHA-224; DSA; Ed448.
    [sequence(objectIdentifier("1.2.840.113549.1.1.4"), nullValue()), rsa],
    [sequence(objectIdentifier("1.2.840.113549.1.1.5"), nullValue()), rsa],
    [sequence(objectIdentifier("1.2.840.113549.1.1.14"), nullValue()), rsa],
    [sequence(objectIdentifier("1.2.840.10045.4.1")), ec],
    [sequence(objectIdentifier("1.2.840.10045.4.3.1")), ec],
    [sequence(objectIdentifier("2.16.840.1.101.3.4.3.2")), rsa],
    [sequence(objectIdentifier("1.3.101.113")), ed],
  ];
  for (const [algorithm, kind] of refused) {
    assertEquals(schemeOf(algorithm, kind), "refused");
  }
});

Deno.test("an ECDSA signature is two positive numbers that fit the curve", () => {
  const one = (number: Bytes, other: Bytes = integer(1)) =>
    ecdsaToP1363(sequence(number, other), "P-256")?.toHex();
  const small = "00".repeat(31) + "01";
  assertEquals(one(integer(1)), small + small);
  const large = new Uint8Array(32).fill(0xff);
  assertEquals(one(unsignedInteger(large)), "ff".repeat(32) + small);
  assertEquals(
    one(integer(1), unsignedInteger(large)),
    small + "ff".repeat(32),
  );
  const signatures: Bytes[] = [
    sequence(integer(1)),
    sequence(integer(1), integer(1), integer(1)),
    sequence(integer(1), nullValue()),
    sequence(integer(1), integer(Uint8Array.of(0xff))),
    sequence(integer(1), unsignedInteger(new Uint8Array(33).fill(1))),
    concatBytes(sequence(integer(1), integer(1)), Uint8Array.of(0)),
    integer(1),
    new Uint8Array(),
  ];
  for (const signature of signatures) {
    assertEquals(ecdsaToP1363(signature, "P-256"), undefined);
  }
});

Deno.test("a PSS key is imported under the identifier that engines know, its numbers untouched", () => {
  for (const bits of [2048, 4096]) {
    const plain = publicKey(sequence(RSA, nullValue()), rsaKey(bits));
    const limited = publicKey(pss({ salt: 32 }), rsaKey(bits));
    assertEquals(importableSpki(limited).toHex(), plain.raw.toHex());
    assertEquals(importableSpki(plain), plain.raw);
  }
});
