/**
 * Answers steps with WebCrypto: the driver of the core.
 *
 * @module
 */
import type { CryptoRoutine, HashName, Step, VerifyStep } from "./routine.ts";
import { verifyLargeRsa } from "./rsa.ts";

const HASHES: Readonly<Record<HashName, string>> = {
  sha256: "SHA-256",
  sha384: "SHA-384",
  sha512: "SHA-512",
};

type ImportAlgorithm =
  | AlgorithmIdentifier
  | RsaHashedImportParams
  | EcKeyImportParams;
type VerifyAlgorithm = AlgorithmIdentifier | RsaPssParams | EcdsaParams;

function algorithms(step: VerifyStep): [ImportAlgorithm, VerifyAlgorithm] {
  const { scheme } = step;
  switch (scheme.kind) {
    case "rsa-pkcs1": {
      const name = "RSASSA-PKCS1-v1_5";
      return [{ name, hash: HASHES[scheme.hash] }, { name }];
    }
    case "rsa-pss": {
      const name = "RSA-PSS";
      const { saltLength } = scheme;
      return [{ name, hash: HASHES[scheme.hash] }, { name, saltLength }];
    }
    case "ecdsa": {
      const name = "ECDSA";
      return [{ name, namedCurve: scheme.curve }, {
        name,
        hash: HASHES[scheme.hash],
      }];
    }
    case "ed25519":
      return [{ name: "Ed25519" }, { name: "Ed25519" }];
  }
}

async function verify(step: VerifyStep): Promise<boolean> {
  const [imported, used] = algorithms(step);
  try {
    const key = await crypto.subtle.importKey(
      "spki",
      step.spki,
      imported,
      false,
      ["verify"],
    );
    return await crypto.subtle.verify(used, key, step.signature, step.data);
  } catch {
    // A key that is not a point on its curve, an RSA modulus that the engine
    // refuses: no signature of such a key holds.
    return false;
  }
}

/** Answers one step with WebCrypto. */
export async function answerWithWebCrypto(
  step: Step,
): Promise<readonly Uint8Array<ArrayBuffer>[] | boolean> {
  if (step.kind === "verify") {
    // Deno takes no modulus above 4,096 bits.
    return await verify(step) || await runWithWebCrypto(verifyLargeRsa(step));
  }
  return await Promise.all(
    step.data.map(async (data) =>
      new Uint8Array(await crypto.subtle.digest(HASHES[step.hash], data))
    ),
  );
}

/** Runs a computation to its end, each step answered by WebCrypto. */
export async function runWithWebCrypto<T>(steps: CryptoRoutine<T>): Promise<T> {
  let result = steps.next();
  while (!result.done) {
    result = steps.next(await answerWithWebCrypto(result.value));
  }
  return result.value;
}
