/**
 * The minted attack chains: each blocked with its code, each control allowed.
 */
import { assert, assertEquals } from "@std/assert";
import { CertpinError, type ErrorCode } from "../../../src/errors.ts";
import { verifyPath } from "../../../src/path/verify.ts";
import { createPinner, type Verdict } from "../../../src/pinner/pinner.ts";
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

async function check(side: AttackSide): Promise<Verdict> {
  const { chain, hostname } = side;
  const pinner = createPinner(side.policy, {
    anchors: parseCertificates(side.anchors),
    onWarning: () => {},
  });
  return await pinner.check({ hostname, chain });
}

/** Registers the tests. */
export const attacks: Body = (t) => {
  for (const name of ATTACK_NAMES) {
    t.test(`check() blocks the attack ${name}, and allows its control`, async () => {
      const [minted] = await mintAttacks({ only: [name] });
      const allowed = await check(minted.control);
      assertEquals(allowed.error, undefined);
      assertEquals(allowed.decision, "allow");
      assert(allowed.matched.length > 0);
      assertEquals(await pathError(minted.control), undefined);

      const blocked = await check(minted.attack);
      assertEquals(blocked.decision, "block");
      assertEquals(blocked.matched.length, 0);
      const code = blocked.error?.code;
      assert(code && minted.codes.includes(code), `${code} is not expected`);
      // An attack on the pins has a path that a trusted authority vouches
      // for; any other has none.
      const refusal = await pathError(minted.attack);
      assertEquals(
        refusal,
        code === "ERR_CERTPIN_MISMATCH" ? undefined : code,
      );
    });
  }
};
