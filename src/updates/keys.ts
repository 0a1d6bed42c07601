/**
 * Keys that sign policies and verify them. The key says which algorithm is
 * used; what a header says is only compared with it (RFC 8725, section 3.1).
 *
 * @module
 */
import type { Bytes } from "../crypto/routine.ts";
import { CertificateError, CertpinError } from "../errors.ts";
import { MAX_UPDATE_KEYS } from "../limits.ts";
import { readPem } from "../x509/pem.ts";

/** The algorithms that sign policies, as JWS names them (RFC 9864, RFC 7518). */
export type JwsAlgorithm = "Ed25519" | "ES256";

/** A key, and the one algorithm that it is used with. */
export interface JwsKey {
  /** Of WebCrypto. */
  readonly key: CryptoKey;
  /** Fixed by the kind of key. */
  readonly algorithm: JwsAlgorithm;
}

interface KeyKind {
  readonly type: "private" | "public";
  readonly label: string;
  readonly format: "pkcs8" | "spki";
  readonly usage: "sign" | "verify";
}

const PRIVATE: KeyKind = {
  type: "private",
  label: "PRIVATE KEY",
  format: "pkcs8",
  usage: "sign",
};
const PUBLIC: KeyKind = {
  type: "public",
  label: "PUBLIC KEY",
  format: "spki",
  usage: "verify",
};

const IMPORTS = [
  { name: "Ed25519" },
  { name: "ECDSA", namedCurve: "P-256" },
] as const;

function formatError({ label }: KeyKind, cause?: unknown): CertificateError {
  return new CertificateError(
    "ERR_CERTPIN_KEY_FORMAT",
    `Cannot read the key: expected one "${label}" block in PEM, or a CryptoKey that may ${
      label === PRIVATE.label ? "sign" : "verify"
    }`,
    { cause },
  );
}

function algorithmError(): CertificateError {
  return new CertificateError(
    "ERR_CERTPIN_KEY_ALGORITHM",
    "Cannot use the key: policies are signed with Ed25519 or with ECDSA on P-256",
  );
}

function derOf(pem: string, kind: KeyKind): Bytes {
  let blocks;
  try {
    blocks = readPem(pem, (label) => label === kind.label);
  } catch (cause) {
    if (!(cause instanceof CertpinError)) throw cause;
    throw formatError(kind, cause);
  }
  if (blocks.length !== 1) throw formatError(kind);
  return blocks[0].bytes;
}

async function importPem(pem: string, kind: KeyKind): Promise<CryptoKey> {
  const der = derOf(pem, kind);
  for (const algorithm of IMPORTS) {
    try {
      return await crypto.subtle.importKey(kind.format, der, algorithm, false, [
        kind.usage,
      ]);
    } catch {
      // It may be a key of the next algorithm.
    }
  }
  throw algorithmError();
}

function algorithmOf({ algorithm }: CryptoKey): JwsAlgorithm {
  const { name, namedCurve } = algorithm as EcKeyAlgorithm;
  if (name === "Ed25519") return "Ed25519";
  if (name === "ECDSA" && namedCurve === "P-256") return "ES256";
  throw algorithmError();
}

async function readKey(value: unknown, kind: KeyKind): Promise<JwsKey> {
  const key = typeof value === "string" ? await importPem(value, kind) : value;
  if (!(key instanceof CryptoKey)) throw formatError(kind);
  const algorithm = algorithmOf(key);
  if (key.type !== kind.type || !key.usages.includes(kind.usage)) {
    throw formatError(kind);
  }
  return { key, algorithm };
}

/**
 * Reads the key that signs.
 *
 * @throws {CertificateError} `ERR_CERTPIN_KEY_FORMAT`, `ERR_CERTPIN_KEY_ALGORITHM`
 */
export async function readSigningKey(value: unknown): Promise<JwsKey> {
  return await readKey(value, PRIVATE);
}

/**
 * Reads the keys that verify, at least one.
 *
 * @throws {CertificateError} `ERR_CERTPIN_KEY_FORMAT`, `ERR_CERTPIN_KEY_ALGORITHM`
 * @throws {TypeError} Without a key, or with more than `MAX_UPDATE_KEYS`.
 */
export async function readVerifyingKeys(
  values: unknown,
): Promise<readonly JwsKey[]> {
  if (!Array.isArray(values) || values.length === 0) {
    throw new TypeError("Cannot verify a policy: keys must be a list of keys");
  }
  if (values.length > MAX_UPDATE_KEYS) {
    throw new TypeError(
      `Cannot verify a policy with ${values.length} keys: at most ${MAX_UPDATE_KEYS} allowed`,
    );
  }
  return await Promise.all(values.map((value) => readKey(value, PUBLIC)));
}
