/** RSA keys that an engine has no room for: verified all the same, over both drivers. */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import type {
  CryptoRoutine,
  HashName,
  SignatureScheme,
} from "../../../src/crypto/routine.ts";
import { verifyRsa } from "../../../src/crypto/rsa.ts";
import { runWithWebCrypto } from "../../../src/crypto/webcrypto.ts";
import { CertpinError } from "../../../src/errors.ts";
import { largeRsaNumbers } from "../../../src/path/algorithms.ts";
import { SignatureCache } from "../../../src/path/signature.ts";
import { verifyPathRoutine } from "../../../src/path/verify.ts";
import { childrenOf } from "../../../src/testing/der_writer.ts";
import { sharedKey } from "../../../src/testing/mod.ts";
import { runWithNodeCrypto } from "../../../src/tls/node_crypto.ts";
import { parseCertificates, recordOf } from "../../../src/x509/certificate.ts";
import { HOSTNAME } from "./support.ts";

const FOLDER = new URL("../../../fixtures/large_rsa/", import.meta.url);
const HASHES = ["sha256", "sha384", "sha512"] as const;
const DRIVERS: readonly (<T>(steps: CryptoRoutine<T>) => T | Promise<T>)[] = [
  runWithWebCrypto,
  runWithNodeCrypto,
];

/** The certificate with one bit of its signature turned. */
function broken(der: Uint8Array): Uint8Array {
  const changed = new Uint8Array(der);
  changed[changed.length - 1] ^= 1;
  return changed;
}

Deno.test("a root of up to 8,192 bits is one, by PKCS#1 and by PSS, and a broken signature of its is none", async () => {
  for (const bits of [4104, 6144, 8192]) {
    const read = async (file: string) =>
      parseCertificates(await Deno.readTextFile(new URL(file, FOLDER)));
    const anchors = await read(`${bits}.ca.pem`);
    assert(largeRsaNumbers(recordOf(anchors[0]).publicKey) !== undefined);
    for (const hash of HASHES) {
      for (const name of [`${bits}.${hash}.pem`, `${bits}.pss_${hash}.pem`]) {
        const [leaf] = await read(name);
        const [bad] = parseCertificates(broken(leaf.der));
        for (const run of DRIVERS) {
          const told = async (one: typeof leaf): Promise<string> => {
            const options = { anchors, hostname: HOSTNAME };
            try {
              await run(
                verifyPathRoutine([one], options, new SignatureCache()),
              );
              return "path";
            } catch (error) {
              if (error instanceof CertpinError) return error.code;
              throw error;
            }
          };
          assertEquals(await told(leaf), "path", name);
          assertEquals(await told(bad), "ERR_CERTPIN_PATH_SIGNATURE", name);
        }
      }
    }
  }
});

Deno.test("verifyRsa() agrees with WebCrypto, on good signatures and on changed ones", async () => {
  const { spki, pkcs8 } = await sharedKey("RSA-2048");
  const key = childrenOf(spki)[1].content.slice(1);
  const [modulus, exponent] = childrenOf(key).map(({ content }) => content);
  const names: Record<HashName, string> = {
    sha256: "SHA-256",
    sha384: "SHA-384",
    sha512: "SHA-512",
  };
  const seen = { true: 0, false: 0 };
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...HASHES),
      fc.option(fc.constantFrom(0, 20, 32, 48, 64, 158)),
      fc.uint8Array({ maxLength: 100 }),
      fc.option(
        fc.record({ at: fc.nat(255), bit: fc.nat(7) }),
        { freq: 2 },
      ),
      fc.constantFrom(0, 0, 0, 1, -1),
      async (hash, salt, given, change, wrongSalt) => {
        const data = new Uint8Array(given);
        const name = salt === null ? "RSASSA-PKCS1-v1_5" : "RSA-PSS";
        const imported = { name, hash: names[hash] };
        const load = (format: "pkcs8" | "spki", bytes: Uint8Array) =>
          format === "pkcs8"
            ? crypto.subtle.importKey(
              format,
              new Uint8Array(bytes),
              imported,
              false,
              ["sign"],
            )
            : crypto.subtle.importKey(
              format,
              new Uint8Array(bytes),
              imported,
              false,
              ["verify"],
            );
        const signed = salt === null ? { name } : { name, saltLength: salt };
        const signature = new Uint8Array(
          await crypto.subtle.sign(signed, await load("pkcs8", pkcs8), data),
        );
        if (change !== null) signature[change.at] ^= 1 << change.bit;
        const saltLength = Math.max(0, (salt ?? 0) + wrongSalt);
        const scheme: SignatureScheme = salt === null
          ? { kind: "rsa-pkcs1", hash }
          : { kind: "rsa-pss", hash, saltLength };
        const ours = await runWithWebCrypto(
          verifyRsa(
            scheme as Parameters<typeof verifyRsa>[0],
            { modulus, exponent },
            signature,
            data,
          ),
        );
        const theirs = await crypto.subtle.verify(
          salt === null ? { name } : { name, saltLength },
          await load("spki", spki),
          signature,
          data,
        );
        assertEquals(ours, theirs);
        seen[`${ours}`]++;
      },
    ),
    { numRuns: 150, seed: 8017 },
  );
  assert(seen.true > 30 && seen.false > 30, JSON.stringify(seen));
});
