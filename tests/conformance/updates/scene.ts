/**
 * Keys, and signed policies that differ from a good one in one thing.
 */
import { writePem } from "../../../src/x509/pem.ts";
import { CompactSign } from "jose";
import { mintChain } from "../../../src/testing/mod.ts";
import {
  signPolicy,
  type SignPolicyOptions,
} from "../../../src/updates/mod.ts";

/** The audience of the tests. */
export const AUDIENCE = "shop-app";
/** A policy that lists one host. */
export const { policy: POLICY } = await mintChain({
  hostnames: ["api.example.com"],
});

/** Makes a key pair that signs policies. */
export async function keyPair(
  algorithm: "Ed25519" | "ES256" = "Ed25519",
): Promise<CryptoKeyPair> {
  const parameters = algorithm === "Ed25519"
    ? { name: "Ed25519" }
    : { name: "ECDSA", namedCurve: "P-256" };
  return await crypto.subtle.generateKey(parameters, true, [
    "sign",
    "verify",
  ]) as CryptoKeyPair;
}

/** The key of most tests. */
export const KEYS: CryptoKeyPair = await keyPair();

/** A time from now, in days. */
export function inDays(days: number): Date {
  return new Date(Date.now() + days * 86_400_000);
}

/** Signs the policy, good in everything that is not said. */
export function signed(
  options: Partial<SignPolicyOptions> = {},
  policy: Parameters<typeof signPolicy>[0] = POLICY,
): Promise<string> {
  return signPolicy(policy, {
    key: KEYS.privateKey,
    audience: AUDIENCE,
    sequence: 1,
    expiresAt: inDays(30),
    ...options,
  });
}

/** The claims of a good signed policy. */
export function goodClaims(): Record<string, unknown> {
  const now = Date.now() / 1000;
  return {
    aud: AUDIENCE,
    iat: now,
    exp: now + 3600,
    sequence: 1,
    policy: POLICY,
  };
}

/** Signs any payload under any header, as somebody with the key could. */
export async function forge(
  payload: string | Record<string, unknown>,
  header: Record<string, unknown> = {},
  key: CryptoKey | Uint8Array = KEYS.privateKey,
): Promise<string> {
  const text = typeof payload === "string" ? payload : JSON.stringify(payload);
  return await new CompactSign(new TextEncoder().encode(text))
    .setProtectedHeader({
      alg: "Ed25519",
      typ: "certpin-policy+jws",
      ...header,
    })
    .sign(key);
}

/** Text as a part of a JWS. */
export function part(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return btoa(
    String.fromCharCode(...new TextEncoder().encode(text)),
  ).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** A key as PEM. */
export async function pemOf(key: CryptoKey): Promise<string> {
  const [format, label] = key.type === "private"
    ? ["pkcs8", "PRIVATE KEY"] as const
    : ["spki", "PUBLIC KEY"] as const;
  const der = new Uint8Array(
    await crypto.subtle.exportKey(format, key) as ArrayBuffer,
  );
  return writePem(label, der);
}

/** The code that an attempt fails with; undefined where it does not. */
export async function codeOf(
  attempt: () => unknown,
): Promise<string | undefined> {
  try {
    await attempt();
    return undefined;
  } catch (error) {
    const { code, name } = error as { code?: string; name: string };
    return code ?? name;
  }
}

/** Runs while timers of exactly this time fire at once. */
export async function hurrying(
  milliseconds: number,
  body: () => Promise<void>,
): Promise<void> {
  const original = globalThis.setTimeout;
  const hurried = (act: () => void, wanted?: number) =>
    original(act, wanted === milliseconds ? 0 : wanted);
  globalThis.setTimeout = hurried as typeof setTimeout;
  try {
    await body();
  } finally {
    globalThis.setTimeout = original;
  }
}
