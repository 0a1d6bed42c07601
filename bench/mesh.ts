/**
 * A hostile chain: 60 authorities of one name that certify each other.
 *
 * @module
 */
import {
  type Certificate,
  CertpinError,
  type Limits,
  parseCertificates,
  verifyPath,
} from "../mod.ts";
import {
  mintCertificate,
  mintChain,
  type MintedCertificate,
  mintKey,
} from "../src/testing/mod.ts";
import type { Goal, Report } from "./measure.ts";

const AUTHORITIES = 60;
const LIMIT_MS = 500;
const HOSTNAME = "api.example.com";

/** Every authority certified by `degree` others. */
async function mesh(degree: number): Promise<MintedCertificate[]> {
  const authorities = await Promise.all(
    Array.from(
      { length: AUTHORITIES },
      () => mintCertificate({ subject: "same name", ca: true }),
    ),
  );
  const crosses: MintedCertificate[] = [];
  for (const [at, { key }] of authorities.entries()) {
    for (let step = 1; step <= degree; step++) {
      const issuer = authorities[(at + step) % AUTHORITIES];
      crosses.push(
        await mintCertificate({ subject: "same name", ca: true, key, issuer }),
      );
    }
  }
  return crosses;
}

async function timed(
  name: string,
  chain: readonly Certificate[],
  anchors: readonly Certificate[],
  limits?: Partial<Limits>,
): Promise<Goal> {
  const start = performance.now();
  let end = "a path is found";
  try {
    await verifyPath(chain, { hostname: HOSTNAME, anchors, limits });
  } catch (error) {
    if (!(error instanceof CertpinError)) throw error;
    end = error.code;
  }
  return {
    name: `${name}: ${end}`,
    measuredMs: performance.now() - start,
    limitMs: LIMIT_MS,
  };
}

/** Runs the benchmark. */
export async function benchMesh(): Promise<Report> {
  const { root } = await mintChain();
  const full = await mesh(AUTHORITIES - 1);
  const sparse = full.filter((_, at) => at % (AUTHORITIES - 1) === 0);
  const [issuer] = full;
  const leaf = await mintCertificate({ hostnames: [HOSTNAME], issuer });
  const wayOut = await mintCertificate({
    subject: "same name",
    ca: true,
    key: issuer.key,
    issuer: root,
  });
  const forged = await mintCertificate({
    hostnames: [HOSTNAME],
    issuer,
    signingKey: await mintKey(),
  });
  const parse = (...certificates: readonly MintedCertificate[]) =>
    parseCertificates(certificates.map(({ der }) => der));
  const anchors = parse(root);
  const everything = { chainCertificates: full.length + 2 };
  return {
    name: "mesh",
    title: `${AUTHORITIES} authorities of one name that certify each other`,
    measurements: [],
    goals: [
      await timed("a ring, no way out", parse(leaf, ...sparse), anchors),
      await timed(
        "a ring with a way out",
        parse(leaf, ...sparse, wayOut),
        anchors,
      ),
      await timed("a forged leaf", parse(forged, ...sparse), anchors),
      await timed("all presented", parse(leaf, ...full), anchors),
      await timed(
        "all presented and allowed",
        parse(leaf, ...full),
        anchors,
        everything,
      ),
    ],
  };
}
