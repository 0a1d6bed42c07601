/**
 * A hostile chain: 60 authorities of one name that certify each other.
 *
 * @module
 */
import {
  CertpinError,
  createPinner,
  DEFAULT_LIMITS,
  parseCertificates,
  verifyPath,
} from "../mod.ts";
import {
  mintCertificate,
  mintChain,
  type MintedCertificate,
  mintKey,
} from "../src/testing/mod.ts";
import type { Row } from "./bench.ts";

const AUTHORITIES = 60;
const LIMIT_MS = 500;
const POLICY_CERTIFICATES = 256;
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

/** Times one search; it may end as it likes. */
async function timed(
  name: string,
  search: () => Promise<string>,
): Promise<Row> {
  const start = performance.now();
  const end = await search();
  return {
    what:
      `${AUTHORITIES} authorities of one name that certify each other, ${name}: ${end}`,
    against: "a limit",
    value: performance.now() - start,
    unit: "ms",
    goal: LIMIT_MS,
    better: "less",
  };
}

async function codeOf(search: Promise<unknown>): Promise<string> {
  try {
    await search;
  } catch (error) {
    if (error instanceof CertpinError) return error.code;
    throw error;
  }
  return "a path is found";
}

/** Runs the benchmark. */
export async function benchMesh(): Promise<Row[]> {
  const { root, pins } = await mintChain();
  const crosses = await mesh(AUTHORITIES - 1);
  const [issuer] = crosses;
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
  const verify = (...certificates: readonly MintedCertificate[]) => {
    const chain = parse(...certificates);
    return () => codeOf(verifyPath(chain, { hostname: HOSTNAME, anchors }));
  };
  // As many as a peer may present, spread over all authorities.
  const most = DEFAULT_LIMITS.chainCertificates - 1;
  const presented = Array.from(
    { length: most },
    (_, at) => crosses[Math.floor(at * crosses.length / most)],
  );
  const pinner = createPinner({
    version: 1,
    certificates: crosses.slice(0, POLICY_CERTIFICATES).map(({ pem }) => pem),
    hosts: { [HOSTNAME]: { pins: [pins.root, pins.backup] } },
  }, { anchors, onWarning: () => {} });
  const check = async () => {
    const chain = [leaf, ...presented].map(({ der }) => der);
    const { error } = await pinner.check({ hostname: HOSTNAME, chain });
    return error?.code ?? "a path is found";
  };
  return [
    await timed(`${most} presented`, verify(leaf, ...presented)),
    await timed(
      "with a way out",
      verify(leaf, ...presented.slice(1), wayOut),
    ),
    await timed("with a forged leaf", verify(forged, ...presented)),
    await timed(`${crosses.length} presented`, verify(leaf, ...crosses)),
    await timed(`${POLICY_CERTIFICATES} more in the policy`, check),
  ];
}
