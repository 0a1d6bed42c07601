/**
 * Attacks that are more than one chain: order, length, loops and meshes.
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { CertpinError } from "../../src/errors.ts";
import { DEFAULT_LIMITS, type Limits } from "../../src/limits.ts";
import { verifyPath } from "../../src/path/verify.ts";
import {
  mintCertificate,
  mintChain,
  type MintedCertificate,
  mintKey,
} from "../../src/testing/mod.ts";
import { parseCertificates } from "../../src/x509/certificate.ts";

const HOSTNAME = "api.example.com";

async function lengthOfPath(
  chain: readonly MintedCertificate[],
  anchors: readonly MintedCertificate[],
  limits?: Partial<Limits>,
): Promise<number> {
  const path = await verifyPath(
    parseCertificates(chain.map(({ der }) => der)),
    {
      hostname: HOSTNAME,
      anchors: parseCertificates(anchors.map(({ der }) => der)),
      limits,
    },
  );
  return path.certificates.length;
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return (await assertRejects(() => promise, CertpinError)).code;
}

/** The same every time, and far from sorted. */
function shuffled<T>(values: readonly T[]): T[] {
  return values.map((value, i) => ({ value, rank: (i * 7 + 3) % 10 }))
    .sort((a, b) => a.rank - b.rank).map(({ value }) => value);
}

Deno.test("verifyPath() sorts a chain of ten that was presented in disorder", async () => {
  const { leaf, intermediates, root } = await mintChain({
    hostnames: [HOSTNAME],
    intermediates: 9,
  });
  const disorder = shuffled(intermediates);
  assert(disorder.some((one, i) => one !== intermediates[i]));
  assertEquals(await lengthOfPath([leaf, ...disorder], [root]), 11);
  const gap = disorder.filter((one) => one !== intermediates[4]);
  assertEquals(
    await codeOf(lengthOfPath([leaf, ...gap], [root])),
    "ERR_CERTPIN_PATH_NO_ISSUER",
  );
});

Deno.test("verifyPath() takes the longest allowed path, and none that is one longer", async () => {
  const longest = DEFAULT_LIMITS.pathCertificates;
  const fits = await mintChain({
    hostnames: [HOSTNAME],
    intermediates: longest - 2,
  });
  assertEquals(
    await lengthOfPath(fits.certificates.slice(0, -1), [fits.root]),
    longest,
  );
  const beyond = await mintChain({
    hostnames: [HOSTNAME],
    intermediates: longest - 1,
  });
  assertEquals(
    await codeOf(
      lengthOfPath(beyond.certificates.slice(0, -1), [beyond.root]),
    ),
    "ERR_CERTPIN_LIMIT_CHAIN_LENGTH",
  );
});

Deno.test("verifyPath() takes as many presented certificates as are allowed, and not one more", async () => {
  const { leaf, intermediates, root } = await mintChain({
    hostnames: [HOSTNAME],
  });
  const stranger = await mintCertificate({ subject: "stranger" });
  const most = DEFAULT_LIMITS.chainCertificates;
  const chain = [
    leaf,
    ...new Array<MintedCertificate>(most - 2).fill(stranger),
    ...intermediates,
  ];
  assertEquals(chain.length, most);
  assertEquals(await lengthOfPath(chain, [root]), 3);
  assertEquals(
    await codeOf(lengthOfPath([...chain, stranger], [root])),
    "ERR_CERTPIN_LIMIT_CHAIN_LENGTH",
  );
});

/** Authorities that all bear one name, each certified by each other one. */
async function mesh(size: number): Promise<MintedCertificate[]> {
  const keys = await Promise.all(Array.from({ length: size }, () => mintKey()));
  const authorities = await Promise.all(
    keys.map((key) => mintCertificate({ subject: "same name", ca: true, key })),
  );
  const crosses: Promise<MintedCertificate>[] = [];
  for (const key of keys) {
    for (const issuer of authorities) {
      if (issuer.key === key) continue;
      crosses.push(
        mintCertificate({ subject: "same name", ca: true, key, issuer }),
      );
    }
  }
  return await Promise.all(crosses);
}

/** A mesh, a leaf under its first authority, and a way from there to a root. */
async function meshScene(size: number) {
  const crosses = await mesh(size);
  const [issuer] = crosses;
  const { root } = await mintChain();
  const leaf = await mintCertificate({ hostnames: [HOSTNAME], issuer });
  const way = await mintCertificate({
    subject: "same name",
    ca: true,
    key: issuer.key,
    issuer: root,
  });
  return { leaf, crosses, root, way };
}

Deno.test("verifyPath() finds the one way out of a small mesh of cross-signs, if there is one", async () => {
  const { leaf, crosses, root, way } = await meshScene(3);
  assertEquals(await lengthOfPath([leaf, ...crosses, way], [root]), 3);
  assertEquals(
    await codeOf(lengthOfPath([leaf, ...crosses], [root])),
    "ERR_CERTPIN_PATH_NO_ISSUER",
  );
});

Deno.test("verifyPath() ends within its budgets in a mesh that larger budgets would walk", async () => {
  const { leaf, crosses, root, way } = await meshScene(4);
  // Without a way out, or a lucky order of the candidates would find it early.
  const closed = [leaf, ...crosses];
  assertEquals(
    await codeOf(lengthOfPath(closed, [root], { signatures: 10 })),
    "ERR_CERTPIN_LIMIT_PATH_WORK",
  );
  assertEquals(
    await codeOf(lengthOfPath(closed, [root], { candidates: 10 })),
    "ERR_CERTPIN_LIMIT_PATH_WORK",
  );
  const enough = { signatures: 5_000, candidates: 200_000 };
  assertEquals(
    await codeOf(lengthOfPath(closed, [root], enough)),
    "ERR_CERTPIN_PATH_NO_ISSUER",
  );
  assert(await lengthOfPath([...closed, way], [root], enough) > 2);
});

Deno.test("verifyPath() leaves a ring of two authorities that certify each other", async () => {
  const one = await mintCertificate({ subject: "one", ca: true });
  const two = await mintCertificate({ subject: "two", ca: true });
  const oneByTwo = await mintCertificate({
    subject: "one",
    ca: true,
    key: one.key,
    issuer: two,
  });
  const twoByOne = await mintCertificate({
    subject: "two",
    ca: true,
    key: two.key,
    issuer: one,
  });
  const leaf = await mintCertificate({ hostnames: [HOSTNAME], issuer: one });
  const { root } = await mintChain();
  assertEquals(
    await codeOf(lengthOfPath([leaf, oneByTwo, twoByOne], [root])),
    "ERR_CERTPIN_PATH_NO_ISSUER",
  );
  assertEquals(await lengthOfPath([leaf, oneByTwo, twoByOne], [two]), 3);
});

Deno.test("verifyPath() does not let a dead end hide another path", async () => {
  const { leaf, intermediates: [issuer], root } = await mintChain({
    hostnames: [HOSTNAME],
  });
  const dead = await Promise.all(
    [
      { notAfter: new Date(Date.now() - 1000) },
      { pathLength: 0, keyUsage: ["cRLSign"] as const },
      { nameConstraints: { permitted: [{ dns: "other.example" }] } },
      { key: await mintKey() },
    ].map((part) =>
      mintCertificate({
        subject: issuer.subject,
        ca: true,
        key: issuer.key,
        issuer: root,
        ...part,
      })
    ),
  );
  await assertRejects(() => lengthOfPath([leaf, ...dead], [root]));
  assertEquals(await lengthOfPath([leaf, ...dead, issuer], [root]), 3);
  assertEquals(await lengthOfPath([leaf, issuer, ...dead], [root]), 3);
});
