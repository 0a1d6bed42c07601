/**
 * What a verdict costs for a chain seen before.
 *
 * @module
 */
import { createHash, X509Certificate } from "node:crypto";
import { createPinner, parseCertificates } from "../mod.ts";
import { mintChain } from "../src/testing/mod.ts";
import { Gate } from "../src/tls/gate.ts";
import { resolveTrust } from "../src/tls/trust.ts";
import { asTime, type Bench, type Row } from "./bench.ts";
import { compare, type Subject } from "./measure.ts";

const HOSTNAME = "api.example.com";
const AGAINST = "`X509Certificate` and `createHash`, the SPKI hashes alone";
const OPTIONS = { pairs: 15, count: 100 };

/** The benchmark. */
export const benchCheck: Bench = {
  name: "check",
  async *run(): AsyncGenerator<Row> {
    const minted = await mintChain({ hostnames: [HOSTNAME] });
    const anchors = parseCertificates(minted.ca);
    const chain = [
      ...minted.chain,
      ...anchors.map(({ der }) => der),
    ].slice(0, 3);
    const pinner = createPinner(minted.policy, {
      anchors,
      onWarning: () => {},
    });
    const gate = new Gate(pinner, resolveTrust(pinner, minted.ca));
    const hashes: Subject = {
      name: "hashes",
      run(count) {
        for (let at = 0; at < count; at++) {
          for (const der of chain) {
            const { publicKey } = new X509Certificate(der);
            const spki = publicKey.export({ type: "spki", format: "der" });
            createHash("sha256").update(spki).digest();
          }
        }
        return Promise.resolve();
      },
    };
    const now: Subject = {
      name: "synchronous",
      run(count) {
        for (let at = 0; at < count; at++) {
          const verdict = gate.evaluateNow(HOSTNAME, undefined, chain);
          if (verdict.reason !== "pinned") throw verdict.error;
        }
        return Promise.resolve();
      },
    };
    const later: Subject = {
      name: "check",
      async run(count) {
        for (let at = 0; at < count; at++) {
          const verdict = await pinner.check({ hostname: HOSTNAME, chain });
          if (verdict.reason !== "pinned") throw verdict.error;
        }
      },
    };
    yield asTime(
      "three certificates seen before, the adapters' synchronous path",
      AGAINST,
      await compare(now, hashes, OPTIONS),
      1,
    );
    yield asTime(
      "three certificates seen before, `check` over WebCrypto",
      AGAINST,
      await compare(later, hashes, OPTIONS),
      3,
    );
  },
};
