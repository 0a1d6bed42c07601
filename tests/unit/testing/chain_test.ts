import {
  assert,
  assertEquals,
  assertNotEquals,
  assertRejects,
} from "@std/assert";
import { encodeBase64 } from "@std/encoding/base64";
import { createHash, createPrivateKey, X509Certificate } from "node:crypto";
import type { PolicyDocument } from "../../../src/policy/document.ts";
import {
  KEY_TYPES,
  mintChain,
  mintKey,
  renewLeaf,
  sharedKey,
} from "../../../src/testing/mod.ts";
import { parseCertificates } from "../../../src/x509/certificate.ts";
import { everything, missing } from "../../conformance/skip.ts";

const NOW = new Date("2030-01-02T03:04:05.678Z");

async function run(
  command: string,
  ...args: string[]
): Promise<string> {
  const { stdout, stderr } = await new Deno.Command(command, { args }).output();
  const decoder = new TextDecoder();
  return decoder.decode(stdout) + decoder.decode(stderr);
}

async function hasOpenssl(): Promise<boolean> {
  try {
    return (await run("openssl", "version")).startsWith("OpenSSL 3");
  } catch {
    return false;
  }
}

function spkiPin(der: Uint8Array): string {
  const [certificate] = parseCertificates(der);
  const digest = createHash("sha256").update(certificate.spki).digest();
  return `sha256/${digest.toString("base64")}`;
}

// Making the largest RSA keys can take seconds.
const keyTypes = KEY_TYPES.filter((type) =>
  everything() || !/RSA.*-[34]/.test(type)
);

Deno.test({
  name: "mintChain() makes chains of every key type that OpenSSL verifies",
  ignore: missing("openssl", await hasOpenssl(), "OpenSSL 3 is not installed"),
  fn: async () => {
    const folder = await Deno.makeTempDir();
    try {
      for (const keyType of keyTypes) {
        const key = await sharedKey(keyType, "tests");
        const chain = await mintChain({
          root: { key },
          intermediates: [{}, { key }],
          leaf: { key },
        });
        const file = async (name: string, text: string) => {
          await Deno.writeTextFile(`${folder}/${name}`, text);
          return `${folder}/${name}`;
        };
        const answer = await run(
          "openssl",
          "verify",
          "-x509_strict",
          "-purpose",
          "sslserver",
          "-verify_hostname",
          "localhost",
          "-CAfile",
          await file("ca.pem", chain.ca),
          "-untrusted",
          await file("chain.pem", chain.pem),
          await file("leaf.pem", chain.leaf.pem),
        );
        assert(answer.endsWith(": OK\n"), `${keyType}: ${answer}`);
        const fromCertificate = await run(
          "openssl",
          "x509",
          "-noout",
          "-pubkey",
          "-in",
          await file("leaf.pem", chain.leaf.pem),
        );
        const fromKey = await run(
          "openssl",
          "pkey",
          "-pubout",
          "-in",
          await file("key.pem", chain.keyPem),
        );
        assertEquals(fromKey, fromCertificate, keyType);
      }
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test("mintChain() gives a server's chain, its key, the client's anchor and matching pins", async () => {
  const chain = await mintChain({ intermediates: 2 });
  const { leaf, intermediates, root } = chain;
  assertEquals(chain.certificates, [leaf, ...intermediates, root]);
  assertEquals(chain.chain, [leaf.der, ...intermediates.map((c) => c.der)]);
  assertEquals(
    parseCertificates(chain.pem).map((c) => encodeBase64(c.der)),
    chain.chain.map(encodeBase64),
  );
  assertEquals(parseCertificates(chain.ca)[0].der, new Uint8Array(root.der));
  const read = chain.certificates.map(({ der }) => new X509Certificate(der));
  for (const [at, certificate] of read.entries()) {
    const issuer = read[at + 1] ?? certificate;
    assert(certificate.verify(issuer.publicKey));
    assert(certificate.checkIssued(issuer));
    assertEquals(certificate.ca, at > 0);
  }
  assert(read[0].checkPrivateKey(createPrivateKey(chain.keyPem)));
  const [first] = parseCertificates(leaf.der);
  assertEquals(first.dnsNames, ["localhost"]);
  assertEquals(first.ipAddresses, ["127.0.0.1", "::1"]);
  assertEquals(chain.pins.leaf, spkiPin(leaf.der));
  assertEquals(
    chain.pins.intermediates,
    intermediates.map(({ der }) => spkiPin(der)),
  );
  assertEquals(chain.pins.root, spkiPin(root.der));
  const all = [
    chain.pins.leaf,
    ...chain.pins.intermediates,
    chain.pins.root,
    chain.pins.backup,
  ];
  assertEquals(new Set(all).size, all.length, "every key is another one");
});

Deno.test("mintChain() writes a policy with the issuer's, the leaf's and a backup pin for every name", async () => {
  const { policy, pins } = await mintChain({
    hostnames: ["api.example.com", "10.0.0.1"],
    intermediates: 2,
  });
  policy satisfies PolicyDocument;
  assertEquals(Object.keys(policy.hosts), ["api.example.com", "10.0.0.1"]);
  for (const entry of Object.values(policy.hosts)) {
    assertEquals(entry.pins.map(({ pin, role }) => [pin, role]), [
      [pins.intermediates[0], "intermediate"],
      [pins.leaf, "leaf"],
      [pins.backup, undefined],
    ]);
  }
  const bare = await mintChain({ intermediates: 0 });
  assertEquals(bare.chain.length, 1);
  assertEquals(
    bare.policy.hosts.localhost.pins.map(({ pin }) => pin),
    [bare.pins.leaf, bare.pins.backup],
  );
});

Deno.test("mintChain() counts its dates from `now`, in whole seconds", async () => {
  const { leaf, root } = await mintChain({ now: NOW });
  assertEquals(leaf.notBefore, new Date("2030-01-02T02:04:05Z"));
  assertEquals(leaf.notAfter, new Date("2030-04-02T03:04:05Z"));
  assertEquals(root.notAfter, new Date("2039-12-31T03:04:05Z"));
  const [read] = parseCertificates(leaf.der);
  assertEquals([read.notBefore, read.notAfter], [
    leaf.notBefore,
    leaf.notAfter,
  ]);
});

Deno.test("mintChain() lets every certificate have its own dates, in UTCTime and GeneralizedTime", async () => {
  const of = (year: number) => new Date(Date.UTC(year, 11, 31, 23, 59, 59));
  const chain = await mintChain({
    root: { notBefore: of(1949), notAfter: of(2050) },
    intermediates: [{ notBefore: of(1950), notAfter: of(2049) }],
    leaf: { notBefore: of(1999), notAfter: of(9999) },
  });
  assertEquals(
    chain.certificates.map(({ der }) => {
      const [{ notBefore, notAfter }] = parseCertificates(der);
      return [notBefore.getUTCFullYear(), notAfter.getUTCFullYear()];
    }),
    [[1999, 9999], [1950, 2049], [1949, 2050]],
  );
});

Deno.test("mintChain() takes serial numbers from the randomness that it is given", async () => {
  const random = () => {
    let next = 0;
    return (length: number) =>
      Uint8Array.from({ length }, () => (next += 7) % 256);
  };
  const serials = async (source?: (length: number) => Uint8Array) =>
    (await mintChain({ random: source })).certificates.map((c) =>
      encodeBase64(c.serialNumber)
    );
  assertEquals(await serials(random()), await serials(random()));
  assertNotEquals(await serials(), await serials());
});

Deno.test("mintChain() refuses a number of intermediates that is none", async () => {
  for (const intermediates of [-1, 1.5, NaN]) {
    await assertRejects(() => mintChain({ intermediates }), RangeError);
  }
});

Deno.test("renewLeaf() changes the leaf alone", async () => {
  const chain = await mintChain({ hostnames: ["a.example"] });
  const renewed = await renewLeaf(chain);
  assertNotEquals(renewed.pins.leaf, chain.pins.leaf);
  assertEquals(renewed.pins.intermediates, chain.pins.intermediates);
  assertEquals(renewed.chain[1], chain.chain[1]);
  assertEquals(renewed.ca, chain.ca);
  assertEquals(renewed.backupKey, chain.backupKey);
  assert(
    new X509Certificate(renewed.leaf.der).verify(
      new X509Certificate(chain.intermediates[0].der).publicKey,
    ),
  );
  const sameKey = await renewLeaf(chain, { key: chain.leaf.key });
  assertEquals(sameKey.pins.leaf, chain.pins.leaf);
  assertNotEquals(sameKey.chain[0], chain.chain[0]);
});

Deno.test("sharedKey() is one key for one type and name", async () => {
  assertEquals(await sharedKey("P-256", "a"), await sharedKey("P-256", "a"));
  const spkis = await Promise.all(
    [
      sharedKey("P-256", "a"),
      sharedKey("P-256", "b"),
      sharedKey("P-384", "a"),
      mintKey(),
      mintKey(),
    ].map(async (key) => encodeBase64((await key).spki)),
  );
  assertEquals(new Set(spkis).size, spkis.length);
});
