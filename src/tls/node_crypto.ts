/**
 * Answers steps with `node:crypto`: the synchronous driver.
 *
 * For the places that leave no time for a promise: the hook
 * `checkServerIdentity`, and the moment before a request goes out on a pooled
 * connection. The rules are the same generators that WebCrypto drives.
 *
 * @module
 */
import { constants, createHash, createPublicKey, verify } from "node:crypto";
import type {
  Bytes,
  CryptoRoutine,
  Step,
  VerifyStep,
} from "../crypto/routine.ts";
import { verifyLargeRsa } from "../crypto/rsa.ts";
import { answerWithWebCrypto } from "../crypto/webcrypto.ts";

function verifies(step: VerifyStep): boolean {
  const { scheme, signature, data } = step;
  try {
    const key = createPublicKey({
      key: step.spki as Uint8Array as Buffer,
      format: "der",
      type: "spki",
    });
    switch (scheme.kind) {
      case "rsa-pkcs1":
        if (key.asymmetricKeyType !== "rsa") return false;
        return verify(scheme.hash, data, {
          key,
          padding: constants.RSA_PKCS1_PADDING,
        }, signature);
      case "rsa-pss":
        return verify(scheme.hash, data, {
          key,
          padding: constants.RSA_PKCS1_PSS_PADDING,
          saltLength: scheme.saltLength,
        }, signature);
      case "ecdsa":
        if (key.asymmetricKeyType !== "ec") return false;
        return verify(
          scheme.hash,
          data,
          { key, dsaEncoding: "ieee-p1363" },
          signature,
        );
      case "ed25519":
        if (key.asymmetricKeyType !== "ed25519") return false;
        return verify(null, data, key, signature);
    }
  } catch {
    // A key that the engine refuses: no signature of such a key holds.
    return false;
  }
}

/** Answers one step with `node:crypto`. */
export function answerWithNodeCrypto(step: Step): readonly Bytes[] | boolean {
  if (step.kind === "verify") {
    // Deno says "no" to every signature of a modulus above 4,096 bits.
    return verifies(step) || runWithNodeCrypto(verifyLargeRsa(step));
  }
  return step.data.map((data) =>
    new Uint8Array(createHash(step.hash).update(data).digest())
  );
}

/** Runs a computation to its end at once, each step answered by `node:crypto`. */
export function runWithNodeCrypto<T>(steps: CryptoRoutine<T>): T {
  let result = steps.next();
  while (!result.done) {
    result = steps.next(answerWithNodeCrypto(result.value));
  }
  return result.value;
}

/**
 * Runs a computation to its end: digests at once by `node:crypto`, signatures
 * by WebCrypto, which is right everywhere (Deno's `node:crypto` is not about
 * P-521 with SHA-256).
 */
export async function runWithBoth<T>(steps: CryptoRoutine<T>): Promise<T> {
  let result = steps.next();
  while (!result.done) {
    const step = result.value;
    const answer = step.kind === "digest"
      ? answerWithNodeCrypto(step)
      : await answerWithWebCrypto(step);
    result = steps.next(answer);
  }
  return result.value;
}
