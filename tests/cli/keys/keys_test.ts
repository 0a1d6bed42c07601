import { assert, assertEquals, assertRejects } from "@std/assert";
import { encodeBase64 } from "@std/encoding/base64";
import { createPrivateKey, createPublicKey } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { CertificateError, type ErrorCode } from "../../../src/errors.ts";
import {
  childrenOf,
  integer,
  objectIdentifier,
  sequence,
  tlv,
} from "../../../src/testing/der_writer.ts";
import {
  type DerivePublicKey,
  type KeyKind,
  readKeys,
  type ReadKeysOptions,
} from "../../../cli/keys/keys.ts";

const folder = new URL("../../../fixtures/keys/", import.meta.url);
const PASSPHRASE = "correct horse";

const read = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(name, folder)));
const pins: Record<string, { spki: string; certificate: string }> = JSON.parse(
  readFileSync(new URL("pins.json", folder), "utf8"),
);

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return encodeBase64(await crypto.subtle.digest("SHA-256", bytes));
}

const withNode: DerivePublicKey = (pkcs8) => {
  const key = Buffer.from(pkcs8);
  const secret = createPrivateKey({ key, format: "der", type: "pkcs8" });
  return new Uint8Array(
    createPublicKey(secret).export({ format: "der", type: "spki" }),
  );
};
const options: ReadKeysOptions = {
  passphrase: () => PASSPHRASE,
  derivePublicKey: withNode,
};

async function refused(
  code: ErrorCode,
  input: string | Uint8Array,
  how: ReadKeysOptions = options,
): Promise<void> {
  const error = await assertRejects(
    () => readKeys(input, how),
    CertificateError,
  );
  assertEquals(error.code, code);
}

const kinds: Record<string, readonly KeyKind[]> = {
  "cert": ["certificate"],
  "csr": ["certificate-request"],
  "spki": ["public-key"],
  "pkcs1pub": ["public-key"],
  "pbes2": ["certificate", "private-key"],
  "nomac": ["certificate", "private-key"],
  "sha512mac": ["certificate", "private-key"],
};

for (const file of readdirSync(folder)) {
  const [name, form] = file.split(".");
  if (pins[name] === undefined) continue;
  Deno.test(`readKeys() reads ${file} to the SPKI that OpenSSL hashed`, async () => {
    const entries = await readKeys(read(file), options);
    assertEquals(
      entries.map((entry) => entry.kind),
      kinds[form] ?? ["private-key"],
    );
    for (const { spki, certificate } of entries) {
      assertEquals(await sha256(spki), pins[name].spki);
      if (certificate === undefined) continue;
      const der = Uint8Array.from(certificate.der);
      assertEquals(await sha256(der), pins[name].certificate);
    }
  });
}

Deno.test("readKeys() reads every block of a PEM file, in its order", async () => {
  const text = ["p256.csr.pem", "ed25519.spki.pem", "rsa2048.cert.pem"]
    .map((file) => new TextDecoder().decode(read(file))).join("words\n");
  const entries = await readKeys(text);
  assertEquals(await Promise.all(entries.map(({ spki }) => sha256(spki))), [
    pins.p256.spki,
    pins.ed25519.spki,
    pins.rsa2048.spki,
  ]);
});

for (const file of readdirSync(folder)) {
  if (!file.startsWith("legacy.")) continue;
  Deno.test(`readKeys() refuses ${file} before it asks for a passphrase`, async () => {
    await refused("ERR_CERTPIN_KEY_ENCRYPTION", read(file), {
      passphrase: () => {
        throw new Error("asked");
      },
    });
  });
}

for (
  const file of ["p256.aes256.pem", "rsa2048.aes128.der", "p256.pbes2.p12"]
) {
  Deno.test(`readKeys() refuses ${file} without its passphrase`, async () => {
    await refused("ERR_CERTPIN_KEY_PASSPHRASE", read(file), {});
    await refused("ERR_CERTPIN_KEY_PASSPHRASE", read(file), {
      passphrase: () => "correct house",
    });
    assertEquals((await readKeys(read(file), options)).length > 0, true);
  });
}

Deno.test("readKeys() asks for the passphrase of one file once", async () => {
  let asked = 0;
  await readKeys(read("p256.pbes2.p12"), {
    passphrase: () => {
      asked++;
      return Promise.resolve(PASSPHRASE);
    },
  });
  assertEquals(asked, 1);
});

Deno.test("readKeys() refuses a PKCS#12 file whose content was changed", async () => {
  const bytes = read("p256.sha512mac.p12");
  // A letter of the certificate's subject, which that file leaves unencrypted.
  const at = new TextDecoder("latin1").decode(bytes).indexOf("p256.example");
  bytes[at] ^= 1;
  await refused("ERR_CERTPIN_KEY_PASSPHRASE", bytes);
});

Deno.test("readKeys() refuses a key whose public half is another's", async () => {
  const bytes = read("p256.sec1.der");
  await readKeys(bytes);
  bytes[bytes.length - 1] ^= 1;
  await refused("ERR_CERTPIN_KEY_FORMAT", bytes);
});

Deno.test("readKeys() refuses a PKCS#12 file with PBMAC1 before it asks for a passphrase", async () => {
  const bytes = read("p256.sha512mac.p12");
  await readKeys(bytes, options);
  const [version, authSafe, mac] = childrenOf(bytes);
  const [digestInfo, ...salt] = childrenOf(mac.der);
  const [, digest] = childrenOf(digestInfo.der);
  const pbmac1 = sequence(objectIdentifier("1.2.840.113549.1.5.14"));
  const changed = sequence(
    version.der,
    authSafe.der,
    sequence(
      sequence(pbmac1, digest.der),
      ...salt.map(({ der }) => der),
    ),
  );
  await refused("ERR_CERTPIN_KEY_ENCRYPTION", changed, {
    passphrase: () => {
      throw new Error("asked");
    },
  });
});

Deno.test("readKeys() reads a PKCS#8 key that carries its public half, and refuses another's", async () => {
  const text = new TextDecoder().decode(read("ed25519.pkcs8.pem"));
  const [, base64] = text.replaceAll("\n", "").split(/-----[A-Z ]+-----/);
  const [, algorithm, key] = childrenOf(
    Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)),
  );
  const [{ spki }] = await readKeys(text);
  const carrying = (publicKey: Uint8Array) =>
    sequence(
      integer(1),
      algorithm.der,
      key.der,
      tlv(0x81, Uint8Array.of(0), publicKey),
    );
  const own = spki.slice(-32);
  const entries = await readKeys(carrying(own));
  assertEquals(entries.map((entry) => entry.spki), [spki]);
  own[0] ^= 1;
  await refused("ERR_CERTPIN_KEY_FORMAT", carrying(own));
});

Deno.test("readKeys() refuses elements that do not belong", async () => {
  for (
    const file of ["p256.pkcs8.der", "p256.sec1.der", "rsa2048.pkcs1.der"]
  ) {
    const bytes = read(file);
    const parts = childrenOf(bytes).map(({ der }) => der);
    await readKeys(sequence(...parts), options);
    const error = await assertRejects(
      () => readKeys(sequence(...parts, integer(1)), options),
      CertificateError,
    );
    assert(
      [
        "ERR_CERTPIN_KEY_FORMAT",
        "ERR_CERTPIN_CERTIFICATE_DER",
      ].includes(error.code),
      `${file}: ${error.code}`,
    );
  }
});

Deno.test("readKeys() refuses a kind of key that it cannot turn into a public one", async () => {
  await refused("ERR_CERTPIN_KEY_ALGORITHM", read("refused.x25519.pem"));
  await refused(
    "ERR_CERTPIN_KEY_ALGORITHM",
    read("refused.secp256k1bare.pem"),
    {},
  );
});

Deno.test("readKeys() refuses what is no key", async () => {
  const text = (label: string) =>
    `-----BEGIN ${label}-----\nMAA=\n-----END ${label}-----\n`;
  const cases: [ErrorCode, string | Uint8Array][] = [
    ["ERR_CERTPIN_KEY_FORMAT", new Uint8Array(0)],
    ["ERR_CERTPIN_KEY_FORMAT", Uint8Array.of(0x30, 0x00)],
    ["ERR_CERTPIN_KEY_FORMAT", "no PEM in here"],
    ["ERR_CERTPIN_KEY_FORMAT", text("OPENSSH PRIVATE KEY")],
    ["ERR_CERTPIN_KEY_FORMAT", text("SECRET\u0020SAUCE")],
    ["ERR_CERTPIN_KEY_FORMAT", text("DH PARAMETERS")],
    ["ERR_CERTPIN_CERTIFICATE_DER", text("PUBLIC KEY")],
    ["ERR_CERTPIN_CERTIFICATE_DER", text("CERTIFICATE REQUEST")],
    ["ERR_CERTPIN_CERTIFICATE_DER", Uint8Array.of(0x30, 0x80, 0, 0)],
    ["ERR_CERTPIN_CERTIFICATE_PEM", "-----BEGIN PUBLIC KEY-----\nMAA=\n"],
  ];
  for (const [code, input] of cases) await refused(code, input);
});

Deno.test("readKeys() refuses trailing bytes, cut ends and over-long counts", async () => {
  const good = read("p256.spki.der");
  await readKeys(good);
  await refused(
    "ERR_CERTPIN_CERTIFICATE_DER",
    Uint8Array.from([...good, 0x00]),
  );
  await refused("ERR_CERTPIN_CERTIFICATE_DER", good.subarray(0, -1));
  // The iteration count 2048 (02 02 08 00) becomes one above the bound.
  const key = read("rsa2048.aes128.der");
  const hex = Array.from(key, (b) => b.toString(16).padStart(2, "0")).join("");
  const at = hex.indexOf("02021000") / 2;
  assert(at > 0);
  key[at + 2] = 0x80;
  await refused("ERR_CERTPIN_KEY_ENCRYPTION", key);
});

Deno.test("readKeys() answers 3,000 mutated files with keys or its own errors", async () => {
  const files = [
    ...["p256.pkcs8.der", "p256.sec1.der", "p256.csr.der", "p256.spki.der"],
    ...["rsa2048.pkcs1.der", "p256.sha512mac.p12", "rsa2048.aes128.der"],
  ].map(read);
  let state = 0x2545f491;
  const random = (below: number) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
  let refusals = 0;
  for (let round = 0; round < 3_000; round++) {
    // The slow ones, with a key derivation each, come seldom.
    const bytes = files[random(round % 20 === 0 ? files.length : 5)].slice();
    for (let flips = 1 + random(3); flips > 0; flips--) {
      bytes[random(bytes.length)] ^= 1 << random(8);
    }
    try {
      await readKeys(
        random(8) ? bytes : bytes.subarray(0, random(bytes.length)),
        options,
      );
    } catch (error) {
      if (!(error instanceof CertificateError)) throw error;
      refusals++;
    }
  }
  assert(refusals > 100);
});
