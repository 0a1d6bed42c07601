/**
 * The rules of a path, one after another: each refusal with its own code, and
 * with a positive control that differs in one thing.
 */
import { assert, assertEquals } from "@std/assert";
import {
  CertpinError,
  type ErrorCode,
  LIMIT_ERROR_CODES,
  PATH_ERROR_CODES,
} from "../../../src/errors.ts";
import type { Limits } from "../../../src/limits.ts";
import { type Path, verifyPath } from "../../../src/path/verify.ts";
import type { Profile } from "../../../src/path/rule_table.ts";
import { sequence, tlv } from "../../../src/testing/der_writer.ts";
import { mintChain, type MintedChain } from "../../../src/testing/mod.ts";
import { parseCertificates } from "../../../src/x509/certificate.ts";
import type { Body } from "../harness.ts";
import { HOSTNAME, type Setting } from "./path_case.ts";
import { PATH_CASES } from "./path_cases.ts";

/** Mints a setting and verifies it. */
export async function verifySetting(
  setting: Setting,
  profile?: Profile,
): Promise<Path> {
  const { hostname, at, without = 0, ...options } = setting;
  const minted = await mintChain({ hostnames: [HOSTNAME], ...options });
  const presented = minted.chain.slice(0, minted.chain.length - without);
  return await verifyPath(parseCertificates(presented), {
    hostname: hostname ?? minted.hostnames[0],
    anchors: parseCertificates(minted.ca),
    at,
    profile,
  });
}

async function codeOf(promise: Promise<unknown>): Promise<ErrorCode> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof CertpinError) return error.code;
    throw error;
  }
  throw new Error("It was accepted");
}

/** A limit, a chain that needs this much of it, and what it ends in. */
interface LimitCase {
  readonly limit: keyof Limits;
  readonly needed: number;
  readonly code: ErrorCode;
}

// Leaf, three intermediates, root; constraints of the root on each of the four
// below it, whose names are one subject each and one host.
const LIMIT_CASES: readonly LimitCase[] = [
  {
    limit: "chainCertificates",
    needed: 4,
    code: "ERR_CERTPIN_LIMIT_CHAIN_LENGTH",
  },
  {
    limit: "pathCertificates",
    needed: 5,
    code: "ERR_CERTPIN_LIMIT_CHAIN_LENGTH",
  },
  { limit: "intermediates", needed: 3, code: "ERR_CERTPIN_LIMIT_CHAIN_LENGTH" },
  { limit: "signatures", needed: 4, code: "ERR_CERTPIN_LIMIT_PATH_WORK" },
  { limit: "candidates", needed: 4, code: "ERR_CERTPIN_LIMIT_PATH_WORK" },
  {
    limit: "nameConstraintComparisons",
    needed: 1 + 5,
    code: "ERR_CERTPIN_LIMIT_PATH_WORK",
  },
];

async function constrained(): Promise<MintedChain> {
  return await mintChain({
    hostnames: [HOSTNAME],
    intermediates: 3,
    root: { nameConstraints: { permitted: [{ dns: "example.com" }] } },
  });
}

/** Registers the tests. */
export const rules: Body = (t) => {
  for (const { what, code, wrong, right } of PATH_CASES) {
    t.test(`verifyPath() refuses ${what}`, async () => {
      assertEquals((await verifySetting(await right())).anchored, true);
      assertEquals(await codeOf(verifySetting(await wrong())), code);
    });
  }

  t.test("verifyPath() accepts names that are critical beside a subject", async () => {
    const names = tlv(0x82, new TextEncoder().encode(HOSTNAME));
    const value = sequence(names);
    for (const critical of [true, false]) {
      const { anchored } = await verifySetting({
        leaf: {
          hostnames: [],
          subject: HOSTNAME,
          extraExtensions: [{ oid: "2.5.29.17", critical, value }],
        },
        hostname: HOSTNAME,
      });
      assertEquals(anchored, true);
    }
  });

  t.test("verifyPath() refuses an empty chain", async () => {
    const { chain, ca } = await mintChain();
    const anchors = parseCertificates(ca);
    await verifyPath(parseCertificates(chain), { anchors });
    assertEquals(
      await codeOf(verifyPath([], { anchors })),
      "ERR_CERTPIN_PATH_EMPTY_CHAIN",
    );
  });

  t.test("verifyPath() trusts nothing where there are no anchors", async () => {
    const { chain, ca } = await mintChain();
    const presented = parseCertificates([...chain, ca]);
    await verifyPath(presented, { anchors: parseCertificates(ca) });
    assertEquals(
      await codeOf(verifyPath(presented, { anchors: [] })),
      "ERR_CERTPIN_PATH_NO_ISSUER",
    );
  });

  for (const { limit, needed, code } of LIMIT_CASES) {
    t.test(`verifyPath() spends no more than the limit "${limit}"`, async () => {
      const minted = await constrained();
      const verifyWithin = (most: number) =>
        verifyPath(parseCertificates(minted.chain), {
          hostname: HOSTNAME,
          anchors: parseCertificates(minted.ca),
          limits: { [limit]: most },
        });
      assertEquals((await verifyWithin(needed)).certificates.length, 5);
      assertEquals(await codeOf(verifyWithin(needed - 1)), code);
    });
  }

  t.test("self-issued intermediates do not count towards their limit", async () => {
    const below = async (subject: string) => {
      const { chain, ca } = await mintChain({
        root: { subject: "Root" },
        intermediates: [{}, { subject }],
      });
      return verifyPath(parseCertificates(chain), {
        anchors: parseCertificates(ca),
        limits: { intermediates: 1 },
      });
    };
    assertEquals((await below("root")).certificates.length, 4);
    assertEquals(
      await codeOf(below("other")),
      "ERR_CERTPIN_LIMIT_CHAIN_LENGTH",
    );
  });

  t.test("verifyPath() refuses limits that are none", async () => {
    const { chain, ca } = await mintChain();
    const options = { anchors: parseCertificates(ca) };
    const presented = parseCertificates(chain);
    await verifyPath(presented, { ...options, limits: { signatures: 2 } });
    for (
      const limits of [
        { signatures: -1 },
        { signatures: 1.5 },
        { signatures: NaN },
        { signatures: Infinity },
        { signature: 1 },
      ]
    ) {
      let refused = false;
      try {
        await verifyPath(presented, { ...options, limits });
      } catch (error) {
        refused = error instanceof RangeError;
      }
      assert(refused, JSON.stringify(limits));
    }
  });

  t.test("every code of a path and of its limits is reached by a case here", () => {
    const reached = new Set<string>([
      "ERR_CERTPIN_PATH_EMPTY_CHAIN",
      ...PATH_CASES.map(({ code }) => code),
      ...LIMIT_CASES.map(({ code }) => code),
    ]);
    const elsewhere = [
      "ERR_CERTPIN_LIMIT_CERTIFICATE_SIZE",
      "ERR_CERTPIN_LIMIT_POLICY_SIZE",
    ];
    assertEquals(
      [...PATH_ERROR_CODES, ...LIMIT_ERROR_CODES].filter((code) =>
        !reached.has(code)
      ).sort(),
      elsewhere,
    );
  });
};
