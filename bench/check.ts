/**
 * What a verdict costs: for a chain never seen, for one seen before, and
 * against the bare digests of the same bytes.
 *
 * @module
 */
import { createPinner, fingerprint, parseCertificates } from "../mod.ts";
import { mintCertificate, mintKey } from "../src/testing/mod.ts";
import { compare, type Report } from "./measure.ts";

const HOSTNAME = "api.example.com";
const ROUNDS = 30;
const RUNS = 4;
const WARM_UPS = 2;

/** Runs the benchmark. */
export async function benchCheck(): Promise<Report> {
  const root = await mintCertificate({ subject: "root", ca: true });
  const key = await mintKey();
  const [seen, ...fresh] = await Promise.all(
    Array.from({ length: (ROUNDS + WARM_UPS) * RUNS + 1 }, async () => {
      const issuer = await mintCertificate({
        subject: "intermediate",
        ca: true,
        key,
        issuer: root,
      });
      const leaf = await mintCertificate({ hostnames: [HOSTNAME], issuer });
      return [leaf.der, issuer.der, root.der];
    }),
  );
  const anchors = parseCertificates(root.der);
  const pin = await fingerprint(parseCertificates(seen[1])[0]);
  const pinner = createPinner(
    { version: 1, hosts: { [HOSTNAME]: { pins: [`${pin}`] } } },
    { anchors, onWarning: () => {} },
  );
  const check = async (chain: readonly Uint8Array[]) => {
    const verdict = await pinner.check({ hostname: HOSTNAME, chain });
    if (verdict.reason !== "pinned") {
      throw verdict.error ?? new Error(verdict.reason);
    }
  };
  let next = 0;
  const measurements = await compare([
    {
      name: "bare SHA-256 of three certificates",
      run: () =>
        Promise.all(seen.map((der) => crypto.subtle.digest("SHA-256", der))),
    },
    { name: "check, seen before", run: () => check(seen) },
    { name: "check, never seen", run: () => check(fresh[next++]) },
  ], { rounds: ROUNDS, runs: RUNS });
  return {
    name: "check",
    title: "check() of a chain of three P-256 certificates",
    measurements,
    goals: [],
  };
}
