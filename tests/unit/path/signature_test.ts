/** Signatures: which key may sign how, and what is remembered of it. */
import { assertEquals } from "@std/assert";
import { runWithNodeCrypto } from "../../../src/tls/node_crypto.ts";
import type { CryptoRoutine } from "../../../src/crypto/routine.ts";
import { runWithWebCrypto } from "../../../src/crypto/webcrypto.ts";
import { CertpinError } from "../../../src/errors.ts";
import { SignatureCache } from "../../../src/path/signature.ts";
import { verifyPathRoutine } from "../../../src/path/verify.ts";
import {
  childrenOf,
  integer,
  sequence,
} from "../../../src/testing/der_writer.ts";
import {
  KEY_TYPES,
  mintCertificate,
  type MintCertificateOptions,
  type MintedCertificate,
  sharedKey,
  type SignatureOptions,
} from "../../../src/testing/mod.ts";
import { HOSTNAME, parsed, resultOf } from "./support.ts";

type Driver = <T>(steps: CryptoRoutine<T>) => T | Promise<T>;

const DRIVERS: readonly [string, Driver][] = [
  ["WebCrypto", runWithWebCrypto],
  ["node:crypto", runWithNodeCrypto],
];

async function evaluate(
  run: Driver,
  leaf: MintedCertificate,
  root: MintedCertificate,
): Promise<string> {
  const options = { hostname: HOSTNAME, anchors: parsed([root]) };
  try {
    await run(verifyPathRoutine(parsed([leaf]), options, new SignatureCache()));
    return "path";
  } catch (error) {
    if (error instanceof CertpinError) return error.code;
    throw error;
  }
}

/** Turns one bit of the signature's last octet. */
const broken: MintCertificateOptions = {
  surgery: {
    signature: (signature) => {
      const changed = new Uint8Array(signature);
      changed[changed.length - 1] ^= 1;
      return changed;
    },
  },
};

const HASHES = ["sha256", "sha384", "sha512"] as const;

function signaturesBy(type: string): readonly SignatureOptions[] {
  if (type === "Ed25519") return [{}];
  const plain = HASHES.map((hash) => ({ hash }));
  const isPlainRsa = type.startsWith("RSA-") && !type.includes("PSS");
  return isPlainRsa
    ? [...plain, ...HASHES.map((hash) => ({ hash, pss: true }))]
    : plain;
}

for (const [name, run] of DRIVERS) {
  Deno.test(`every kind of key signs with every hash over ${name}, and no signature with a turned bit holds`, async () => {
    for (const type of KEY_TYPES) {
      if (/1024|3072|4096/.test(type)) continue;
      const key = await sharedKey(type, "signatures");
      const root = await mintCertificate({ subject: "root", ca: true, key });
      for (const signature of signaturesBy(type)) {
        const options = { issuer: root, hostnames: [HOSTNAME], signature };
        const good = await mintCertificate(options);
        const bad = await mintCertificate({ ...options, ...broken });
        const what = `${type} ${JSON.stringify(signature)}`;
        // Deno's node:crypto verifies no P-521 signature over a short digest;
        // that refuses a good certificate, and accepts no bad one.
        const isUnknown = name === "node:crypto" && type === "P-521" &&
          signature.hash === "sha256";
        if (!isUnknown) {
          assertEquals(await evaluate(run, good, root), "path", what);
        }
        assertEquals(
          await evaluate(run, bad, root),
          "ERR_CERTPIN_PATH_SIGNATURE",
          what,
        );
      }
    }
  });

  Deno.test(`the scheme must fit the key over ${name}`, async () => {
    const root = await mintCertificate({ subject: "root", ca: true });
    const rsa = await sharedKey("RSA-2048", "signatures");
    const pss = await sharedKey("RSA-PSS-2048", "signatures");
    const issue = async (issuer: MintedCertificate) =>
      await mintCertificate({ issuer, hostnames: [HOSTNAME] });
    assertEquals(await evaluate(run, await issue(root), root), "path");
    // The same name, another kind of key than the one that signed.
    for (const key of [rsa, pss, await sharedKey("Ed25519", "signatures")]) {
      const twin = await mintCertificate({ subject: "root", ca: true, key });
      assertEquals(await evaluate(run, await issue(twin), twin), "path");
      assertEquals(
        await evaluate(run, await issue(root), twin),
        "ERR_CERTPIN_PATH_ALGORITHM",
      );
      assertEquals(
        await evaluate(run, await issue(twin), root),
        "ERR_CERTPIN_PATH_ALGORITHM",
      );
    }
    // A key for PSS alone does not sign by PKCS#1.
    const plain = { ...pss, type: "RSA-2048" as const };
    const limited = await mintCertificate({
      subject: "root",
      ca: true,
      key: pss,
    });
    const leaf = await mintCertificate({
      issuer: limited,
      signingKey: {
        ...plain,
        // The same numbers, under the algorithm that WebCrypto signs with.
        pkcs8: sequence(
          integer(0),
          childrenOf(rsa.pkcs8)[1].der,
          childrenOf(pss.pkcs8)[2].der,
        ),
      },
      hostnames: [HOSTNAME],
    });
    assertEquals(
      await evaluate(run, leaf, limited),
      "ERR_CERTPIN_PATH_ALGORITHM",
    );
  });
}

Deno.test("a verdict on a signature is of this very certificate", async () => {
  const root = await mintCertificate({ subject: "root", ca: true });
  const good = await mintCertificate({ issuer: root, hostnames: [HOSTNAME] });
  // The same signed part, another signature.
  const [tbs, algorithm] = childrenOf(good.der);
  const other = childrenOf(
    (await mintCertificate({ issuer: root, hostnames: [HOSTNAME] })).der,
  )[2];
  const forged = { ...good, der: sequence(tbs.der, algorithm.der, other.der) };
  const cache = new SignatureCache();
  const options = { hostname: HOSTNAME, anchors: parsed([root]) };
  const evaluated = async (leaf: MintedCertificate) =>
    "path" in await resultOf(parsed([leaf]), options, cache);
  assertEquals(
    [await evaluated(good), await evaluated(forged), await evaluated(good)],
    [true, false, true],
  );
  assertEquals(cache.verified, 2);
});

Deno.test("the least recently used verdict is forgotten first", () => {
  const cache = new SignatureCache(2);
  cache.set("a", true);
  cache.set("b", false);
  assertEquals(cache.get("a"), true);
  cache.set("c", true);
  assertEquals(
    ["a", "b", "c"].map((key) => cache.get(key)),
    [true, undefined, true],
  );
  assertEquals(cache.size, 2);
});
