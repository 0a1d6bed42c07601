/**
 * Paths: every signature algorithm, and a refusal of each simple kind.
 */
import { assertEquals, assertRejects } from "@std/assert";
import { CertpinError } from "../../../src/errors.ts";
import { verifyPath } from "../../../src/path/verify.ts";
import { mintChain, type MintedChain } from "../../../src/testing/mod.ts";
import { parseCertificates } from "../../../src/x509/certificate.ts";
import type { Body } from "../harness.ts";

const HOSTNAME = "api.example.com";

async function verify(
  minted: MintedChain,
  { hostname = HOSTNAME, chain = minted.chain, at = new Date() }: {
    hostname?: string;
    chain?: readonly Uint8Array[];
    at?: Date;
  } = {},
) {
  return await verifyPath(parseCertificates(chain), {
    hostname,
    anchors: parseCertificates(minted.ca),
    at,
  });
}

/** Registers the tests. */
export const paths: Body = (t) => {
  const keyTypes = [
    "P-256",
    "P-384",
    "P-521",
    "Ed25519",
    "RSA-2048",
    "RSA-PSS-2048",
  ] as const;
  for (const keyType of keyTypes) {
    t.test(`verifyPath() verifies a chain of ${keyType} keys, and refuses another root's`, async () => {
      const minted = await mintChain({ hostnames: [HOSTNAME], keyType });
      const other = await mintChain({ hostnames: [HOSTNAME], keyType });
      const { certificates, anchored } = await verify(minted);
      assertEquals(certificates.length, 3);
      assertEquals(anchored, true);
      const error = await assertRejects(
        () => verify({ ...minted, ca: other.ca }),
        CertpinError,
      );
      assertEquals(error.code, "ERR_CERTPIN_PATH_SIGNATURE");
    });
  }

  t.test("verifyPath() refuses another hostname, another time and a gap", async () => {
    const minted = await mintChain({ hostnames: [HOSTNAME] });
    await verify(minted);
    const refusals = [
      ["ERR_CERTPIN_PATH_HOSTNAME", { hostname: "other.example.com" }],
      ["ERR_CERTPIN_PATH_EXPIRED", { at: new Date("2200-01-01") }],
      ["ERR_CERTPIN_PATH_NOT_YET_VALID", { at: new Date("2000-01-01") }],
      ["ERR_CERTPIN_PATH_NO_ISSUER", { chain: minted.chain.slice(0, 1) }],
    ] as const;
    for (const [code, change] of refusals) {
      const error = await assertRejects(
        () => verify(minted, change),
        CertpinError,
      );
      assertEquals(error.code, code);
    }
  });
};
