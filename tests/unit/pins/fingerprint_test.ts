import { assert, assertEquals, assertRejects } from "@std/assert";
import { encodeBase64 } from "@std/encoding/base64";
import type { Step } from "../../../src/crypto/routine.ts";
import { CertpinError, type ErrorCode } from "../../../src/errors.ts";
import {
  fingerprint,
  fingerprintRoutine,
  fingerprintsRoutine,
} from "../../../src/pins/fingerprint.ts";
import type { HashName, Pin } from "../../../src/pins/pin.ts";
import { mintChain } from "../../../src/testing/mod.ts";
import {
  type Certificate,
  parseCertificates,
} from "../../../src/x509/certificate.ts";
import { answerWithWebCrypto } from "../../../src/crypto/webcrypto.ts";
import { missing, vectorsFolder } from "../../conformance/skip.ts";

const minted = await mintChain();
const [leaf, intermediate, root] = parseCertificates(
  minted.certificates.map(({ der }) => der),
);

async function refused(
  code: ErrorCode,
  certificate: unknown,
  options?: unknown,
): Promise<void> {
  const error = await assertRejects(
    () =>
      fingerprint(certificate as Certificate, options as { of?: Pin["of"] }),
    CertpinError,
  );
  assertEquals(error.code, code);
}

Deno.test("fingerprint() hashes the key by default, and the certificate on demand", async () => {
  for (
    const [hash, name] of [
      ["sha256", "SHA-256"],
      ["sha384", "SHA-384"],
      ["sha512", "SHA-512"],
    ] as const
  ) {
    for (const what of ["spki", "certificate"] as const) {
      const data = what === "spki" ? leaf.spki : leaf.der;
      const expected = await crypto.subtle.digest(name, new Uint8Array(data));
      const pin = await fingerprint(leaf, { of: what, hash });
      assertEquals([pin.of, pin.hash], [what, hash]);
      assertEquals(pin.digest, new Uint8Array(expected));
    }
  }
  assertEquals(`${await fingerprint(leaf)}`, minted.pins.leaf);
  assertEquals(
    `${await fingerprint(intermediate)}`,
    minted.pins.intermediates[0],
  );
  assertEquals(`${await fingerprint(root)}`, minted.pins.root);
});

Deno.test("fingerprint() refuses other hashes, other subjects and foreign certificates", async () => {
  await refused("ERR_CERTPIN_PIN_HASH", leaf, { hash: "sha1" as HashName });
  await refused("ERR_CERTPIN_PIN_HASH", leaf, { hash: "toString" });
  await refused("ERR_CERTPIN_PIN_INVALID", leaf, { of: "key" });
  await refused("ERR_CERTPIN_CERTIFICATE_FOREIGN", { ...leaf });
  await refused("ERR_CERTPIN_CERTIFICATE_FOREIGN", undefined);
  await fingerprint(leaf, { hash: "sha512", of: "certificate" });
});

Deno.test("fingerprint() refuses options that are none", async () => {
  await fingerprint(leaf, {});
  for (const options of [null, "sha256"]) {
    await assertRejects(() => fingerprint(leaf, options as never), TypeError);
  }
});

Deno.test("fingerprintRoutine() asks once for what several callers want", async () => {
  const certificates = parseCertificates(
    minted.certificates.map(({ der }) => der),
  );
  const steps = fingerprintsRoutine(certificates, "spki", "sha256");
  const asked: Step[] = [];
  let result = steps.next();
  while (!result.done) {
    asked.push(result.value);
    result = steps.next(await answerWithWebCrypto(result.value));
  }
  assertEquals(
    asked.map((step) => step.kind === "digest" && step.data.length),
    [3],
  );
  assertEquals(result.value.length, 3);
  const again = fingerprintRoutine(certificates[1], "spki", "sha256").next();
  assert(again.done);
  assertEquals(again.value, result.value[1]);
  assertEquals(
    fingerprintRoutine(certificates[1], "spki", "sha384").next().done,
    false,
  );
});

const vectors = vectorsFolder();

interface Manifest {
  chains: {
    chain: string;
    root: string;
    spkiSha256: string[];
    certificateSha256: string[];
  }[];
}

Deno.test({
  name: "fingerprint() agrees with OpenSSL on real chains",
  ignore: missing(
    "real chains",
    vectors !== undefined,
    "CERTPIN_VECTORS names no folder",
  ),
  async fn() {
    const read = (path: string) => Deno.readTextFile(`${vectors}/real/${path}`);
    const { chains }: Manifest = JSON.parse(await read("manifest.json"));
    assertEquals(chains.length, 11);
    for (const { chain, root, spkiSha256, certificateSha256 } of chains) {
      const certificates = parseCertificates([
        await read(chain),
        await read(root),
      ]);
      for (const [index, certificate] of certificates.entries()) {
        const spki = await fingerprint(certificate);
        assertEquals(encodeBase64(spki.digest), spkiSha256[index]);
        const whole = await fingerprint(certificate, { of: "certificate" });
        assertEquals(encodeBase64(whole.digest), certificateSha256[index]);
      }
    }
  },
});
