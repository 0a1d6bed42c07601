/**
 * The shared vectors, where the launcher has put them into the global object:
 * real chains and their fingerprints, and cases of x509-limbo.
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { runWithWebCrypto } from "../../../src/crypto/webcrypto.ts";
import { CertpinError } from "../../../src/errors.ts";
import { verifyPath } from "../../../src/path/verify.ts";
import { fingerprint } from "../../../src/pins/fingerprint.ts";
import { parseCertificates } from "../../../src/x509/certificate.ts";
import { disagreements } from "../../../tools/limbo/exceptions.ts";
import { evaluate, type LimboCase } from "../../../tools/limbo/suite.ts";
import exceptions from "../../unit/path/limbo_exceptions.json" with {
  type: "json",
};
import type { Body } from "../harness.ts";

/** A chain that a real server sent, and OpenSSL's view of it. */
export interface RealChain {
  readonly host: string;
  readonly validAt: string;
  /** PEM. */
  readonly chain: string;
  /** PEM. */
  readonly root: string;
  /** Base64, in the order of `chain`, the root last. */
  readonly spkiSha256: readonly string[];
}

/** What a launcher brings. */
export interface Vectors {
  readonly real: readonly RealChain[];
  readonly limbo: readonly LimboCase[];
}

/** How many cases of x509-limbo are one test. */
const CASES_A_TEST = 50;

function realChain({ host, validAt, chain, root, spkiSha256 }: RealChain) {
  return async () => {
    const certificates = parseCertificates(chain);
    const anchors = parseCertificates(root);
    const pins: string[] = [];
    for (const certificate of [...certificates, ...anchors]) {
      pins.push((await fingerprint(certificate)).toString());
    }
    const expected = spkiSha256.map((digest) => `sha256/${digest}`);
    assertEquals(pins.slice(0, expected.length), expected);
    const options = { hostname: host, anchors, at: new Date(validAt) };
    const path = await verifyPath(certificates, options);
    assertEquals(path.anchored, true);
    const error = await assertRejects(
      () => verifyPath(certificates, { ...options, hostname: "a.invalid" }),
      CertpinError,
    );
    assertEquals(error.code, "ERR_CERTPIN_PATH_HOSTNAME");
  };
}

/** Registers the tests. */
export const vectors: Body = (t) => {
  const { certpinVectors } = globalThis as { certpinVectors?: Vectors };
  if (certpinVectors === undefined) return;
  const { real, limbo } = certpinVectors;
  for (const chain of real) {
    t.test(
      `verifyPath() verifies the real chain of ${chain.host}`,
      realChain(chain),
    );
  }
  for (let start = 0; start < limbo.length; start += CASES_A_TEST) {
    const cases = limbo.slice(start, start + CASES_A_TEST);
    t.test(`verifyPath() evaluates ${cases.length} cases of x509-limbo from ${cases[0].id} on`, async () => {
      const results = [];
      for (const limboCase of cases) {
        results.push(await evaluate(limboCase, runWithWebCrypto));
      }
      assert(results.length > 0);
      assertEquals(disagreements(results, exceptions), []);
    });
  }
};
