/**
 * The minted attack chains: each refused with its code, each control accepted.
 */
import { assert, assertEquals } from "@std/assert";
import { CertpinError, type ErrorCode } from "../../../src/errors.ts";
import { verifyPath } from "../../../src/path/verify.ts";
import {
  ATTACK_NAMES,
  type AttackSide,
  mintAttacks,
} from "../../../src/testing/mod.ts";
import { parseCertificates } from "../../../src/x509/certificate.ts";
import type { Body } from "../harness.ts";

/** The code with which the path of one side is refused, if it is. */
async function pathError(side: AttackSide): Promise<ErrorCode | undefined> {
  try {
    await verifyPath(parseCertificates(side.chain), {
      hostname: side.hostname,
      anchors: parseCertificates(side.anchors),
    });
  } catch (error) {
    if (error instanceof CertpinError) return error.code;
    throw error;
  }
}

/** Registers the tests. */
export const attacks: Body = (t) => {
  for (const name of ATTACK_NAMES) {
    t.test(`verifyPath() judges the attack ${name}, and passes its control`, async () => {
      const [minted] = await mintAttacks({ only: [name] });
      assertEquals(await pathError(minted.control), undefined);
      const code = await pathError(minted.attack);
      // Where the attack is on the pins, the path is one that a trusted
      // authority vouches for.
      const expected = code ?? "ERR_CERTPIN_MISMATCH";
      assert(minted.codes.includes(expected), `${expected} is not expected`);
    });
  }
};
