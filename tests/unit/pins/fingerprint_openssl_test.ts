/** fingerprint() against digests that OpenSSL computed. */
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { encodeBase64 } from "@std/encoding/base64";
import { fingerprint } from "../../../src/pins/fingerprint.ts";
import type { HashName } from "../../../src/crypto/routine.ts";
import { parseCertificates } from "../../../src/x509/certificate.ts";
import { missingVectors, vectorsFolder } from "../../conformance/skip.ts";

const HASHES: readonly HashName[] = ["sha256", "sha384", "sha512"];

interface Fixture {
  readonly file: string;
  readonly spki: Readonly<Record<HashName, string>>;
  readonly certificate: Readonly<Record<HashName, string>>;
}

const FOLDER = new URL("../../../fixtures/certificates/", import.meta.url);

const KEY_KINDS = [
  "ed25519.der",
  "ed448.der",
  "p-256-explicit.der",
  "p-256.der",
  "p-384.der",
  "p-521.der",
  "rsa-2048.der",
  "rsa-3072.der",
  "rsa-4096.der",
  "rsa-pss-restricted.der",
  "rsa-pss.der",
];

Deno.test("fingerprint() equals OpenSSL's digests for every kind of key", async () => {
  const { certificates }: { certificates: Fixture[] } = JSON.parse(
    await Deno.readTextFile(new URL("manifest.json", FOLDER)),
  );
  assertEquals(certificates.map(({ file }) => file).sort(), KEY_KINDS);
  for (const fixture of certificates) {
    const der = await Deno.readFile(new URL(fixture.file, FOLDER));
    const [certificate] = parseCertificates(der);
    for (const  of of["spki", "certificate"] as const) {
      for (const hash of HASHES) {
        const pin = await fingerprint(certificate, { of, hash });
        assertEquals(
          [pin.of, pin.hash, encodeBase64(pin.digest)],
          [of, hash, fixture[of][hash]],
          fixture.file,
        );
      }
    }
  }
});

Deno.test("fingerprint() of another certificate is another one", async () => {
  const seen = new Set<string>();
  for (const file of KEY_KINDS) {
    const der = await Deno.readFile(new URL(file, FOLDER));
    const [certificate] = parseCertificates(der);
    for (const  of of["spki", "certificate"] as const) {
      seen.add(encodeBase64((await fingerprint(certificate, { of })).digest));
    }
  }
  assertEquals(seen.size, 2 * KEY_KINDS.length);
});

interface RealManifest {
  readonly chains: readonly {
    readonly chain: string;
    readonly root: string;
    readonly spkiSha256: readonly string[];
    readonly certificateSha256: readonly string[];
  }[];
  readonly certificates: readonly {
    readonly file: string;
    readonly spkiSha256: string;
    readonly certificateSha256: string;
  }[];
}

Deno.test({
  name: "fingerprint() equals OpenSSL's digests for every real certificate",
  ignore: missingVectors(),
  fn: async () => {
    const folder = `${vectorsFolder()}/real`;
    const manifest: RealManifest = JSON.parse(
      await Deno.readTextFile(`${folder}/manifest.json`),
    );
    assert(manifest.chains.length > 0 && manifest.certificates.length > 0);
    const expected = [
      ...manifest.chains.map((entry) => ({
        files: [entry.chain, entry.root],
        spki: entry.spkiSha256,
        certificate: entry.certificateSha256,
      })),
      ...manifest.certificates.map((entry) => ({
        files: [entry.file],
        spki: [entry.spkiSha256],
        certificate: [entry.certificateSha256],
      })),
    ];
    for (const { files, spki, certificate } of expected) {
      const certificates = parseCertificates(
        await Promise.all(
          files.map((file) => Deno.readFile(`${folder}/${file}`)),
        ),
      );
      assertNotEquals(certificates.length, 0);
      const digests = async (of: "spki" | "certificate") =>
        await Promise.all(
          certificates.map(async (one) =>
            encodeBase64((await fingerprint(one, { of })).digest)
          ),
        );
      assertEquals(await digests("spki"), [...spki], files[0]);
      assertEquals(await digests("certificate"), [...certificate], files[0]);
    }
  },
});
