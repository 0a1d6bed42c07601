/** Chains that real servers sent. */
import { assert, assertEquals } from "@std/assert";
import { verifyPath } from "../../../src/path/verify.ts";
import {
  type Certificate,
  parseCertificates,
} from "../../../src/x509/certificate.ts";
import { missingVectors, vectorsFolder } from "../../conformance/skip.ts";
import { type Result, resultOf } from "./support.ts";

interface RealChain {
  readonly host: string;
  readonly validAt: string;
  readonly presented: readonly Certificate[];
  readonly anchors: readonly Certificate[];
}

async function realChains(): Promise<RealChain[]> {
  const folder = `${vectorsFolder()}/real`;
  const { chains } = JSON.parse(
    await Deno.readTextFile(`${folder}/manifest.json`),
  );
  return await Promise.all(chains.map(
    async ({ host, validAt, chain, root }: Record<string, string>) => ({
      host,
      validAt,
      presented: parseCertificates(await Deno.readFile(`${folder}/${chain}`)),
      anchors: parseCertificates(await Deno.readFile(`${folder}/${root}`)),
    }),
  ));
}

const code = (name: string): Result => ({ code: `ERR_CERTPIN_PATH_${name}` });

Deno.test({
  name:
    "verifyPath() verifies real chains, and refuses them a second too late, for another host, or with a gap",
  ignore: missingVectors(),
  fn: async () => {
    const chains = await realChains();
    assertEquals(chains.length, 11);
    for (const { host, validAt, presented, anchors } of chains) {
      const at = new Date(validAt);
      const options = { hostname: host, anchors, at };
      const { certificates } = await verifyPath(presented, options);
      assert(certificates.length > 2, host);
      const end = Math.min(
        ...certificates.map(({ notAfter }) => notAfter.getTime()),
      );
      const start = Math.max(
        ...certificates.map(({ notBefore }) => notBefore.getTime()),
      );
      const evaluate = async (changed: {
        at?: Date;
        hostname?: string;
        anchors?: readonly Certificate[];
        chain?: readonly Certificate[];
      }) =>
        await resultOf(changed.chain ?? presented, { ...options, ...changed });
      const good = await evaluate({});
      assert("path" in good);
      assertEquals(await evaluate({ at: new Date(end) }), good);
      assertEquals(await evaluate({ at: new Date(end + 999) }), good);
      assertEquals(
        await evaluate({ at: new Date(end + 1000) }),
        code("EXPIRED"),
      );
      assertEquals(await evaluate({ at: new Date(start) }), good);
      assertEquals(
        await evaluate({ at: new Date(start - 1) }),
        code("NOT_YET_VALID"),
      );
      assertEquals(
        await evaluate({ hostname: `${host}.invalid` }),
        code("HOSTNAME"),
      );
      assertEquals(
        await evaluate({ chain: presented.slice(0, 1) }),
        code("NO_ISSUER"),
      );
      assertEquals(await evaluate({ anchors: [] }), code("NO_ISSUER"));
    }
  },
});

Deno.test({
  name: "verifyPath() refuses a real leaf under the anchor of another",
  ignore: missingVectors(),
  fn: async () => {
    const chains = await realChains();
    let refused = 0;
    for (const { host, validAt, presented, anchors } of chains) {
      const at = new Date(validAt);
      const options = { hostname: host, anchors, at };
      const foreign = chains.flatMap((other) => other.anchors).filter(
        ({ subject }) => anchors.every((anchor) => anchor.subject !== subject),
      );
      assert("path" in await resultOf(presented, options));
      // A root may be cross-signed by another one; then both lead to a path.
      const crossSigned = presented.some(({ issuer }) =>
        foreign.some(({ subject }) => subject === issuer)
      );
      if (crossSigned) continue;
      const result = await resultOf(presented, {
        ...options,
        anchors: foreign,
      });
      assertEquals(result, code("NO_ISSUER"));
      refused++;
    }
    assert(refused >= 8, `${refused}`);
  },
});
