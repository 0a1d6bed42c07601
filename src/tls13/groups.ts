/**
 * Key agreement: X25519, P-256, P-384 (RFC 8446, section 4.2.8; RFC 7748) and
 * X25519MLKEM768 (draft-ietf-tls-ecdhe-mlkem) where WebCrypto has ML-KEM.
 *
 * @module
 */
import type { Bytes } from "../crypto/routine.ts";
import { refuse } from "./failure.ts";
import { concat } from "./wire.ts";

const { subtle } = crypto;

/** Named groups and their numbers. */
export const GROUPS = {
  X25519MLKEM768: 0x11ec,
  X25519: 0x001d,
  "P-256": 0x0017,
  "P-384": 0x0018,
} as const;

/** The name of a group. */
export type GroupName = keyof typeof GROUPS;

/** Our half of a key agreement. */
export interface KeyShare {
  readonly group: GroupName;
  /** What is sent. */
  readonly publicKey: Bytes;
  /**
   * The shared secret with the peer's half.
   *
   * @throws {TlsFailure} illegal_parameter for a half of the wrong length, off
   * its curve or without contribution.
   */
  agree(peer: Bytes): Promise<Bytes>;
}

const POINT_LENGTHS = { "P-256": 65, "P-384": 97 } as const;
const X25519_LENGTH = 32;
const MLKEM_CIPHERTEXT_LENGTH = 1_088;
const MLKEM = "ML-KEM-768";

function badShare(group: GroupName, why: string): never {
  refuse("illegal_parameter", `its ${group} key share ${why}`);
}

async function createNistShare(group: "P-256" | "P-384"): Promise<KeyShare> {
  const algorithm = { name: "ECDH", namedCurve: group };
  const pair = await subtle.generateKey(algorithm, false, ["deriveBits"]);
  const length = POINT_LENGTHS[group];
  return {
    group,
    publicKey: new Uint8Array(await subtle.exportKey("raw", pair.publicKey)),
    async agree(peer) {
      // Some engines import compressed points too.
      if (peer.length !== length || peer[0] !== 4) {
        badShare(group, "is not an uncompressed point");
      }
      try {
        const key = await subtle.importKey("raw", peer, algorithm, false, []);
        return new Uint8Array(
          await subtle.deriveBits(
            { name: "ECDH", public: key },
            pair.privateKey,
            4 * (length - 1),
          ),
        );
      } catch {
        // Which call throws for a point off the curve depends on the engine.
        badShare(group, "is not on the curve");
      }
    },
  };
}

async function createX25519Share(): Promise<KeyShare> {
  const pair = await subtle.generateKey(
    { name: "X25519" },
    false,
    ["deriveBits"],
  ) as CryptoKeyPair;
  return {
    group: "X25519",
    publicKey: new Uint8Array(await subtle.exportKey("raw", pair.publicKey)),
    async agree(peer) {
      if (peer.length !== X25519_LENGTH) {
        badShare("X25519", `has ${peer.length} bytes`);
      }
      let secret: Bytes;
      try {
        const key = await subtle.importKey(
          "raw",
          peer,
          { name: "X25519" },
          false,
          [],
        );
        secret = new Uint8Array(
          await subtle.deriveBits(
            { name: "X25519", public: key },
            pair.privateKey,
            8 * X25519_LENGTH,
          ),
        );
      } catch {
        badShare("X25519", "contributes nothing");
      }
      // RFC 8446, section 7.4.2: not every engine checks this.
      if (secret.every((byte) => byte === 0)) {
        badShare("X25519", "contributes nothing");
      }
      return secret;
    },
  };
}

/** What engines with ML-KEM have beyond the types of today (WICG Modern Algorithms). */
interface MlKemEngine {
  generateKey(
    algorithm: { name: string },
    extractable: boolean,
    usages: readonly string[],
  ): Promise<CryptoKeyPair>;
  exportKey(format: "raw-public", key: CryptoKey): Promise<ArrayBuffer>;
  decapsulateBits(
    algorithm: { name: string },
    key: CryptoKey,
    ciphertext: Bytes,
  ): Promise<ArrayBuffer>;
}

function mlKemEngine(): MlKemEngine | undefined {
  const engine: unknown = subtle;
  const candidate = engine as Partial<MlKemEngine>;
  return typeof candidate.decapsulateBits === "function"
    ? engine as MlKemEngine
    : undefined;
}

async function createHybridShare(
  engine: MlKemEngine,
  x25519: KeyShare,
): Promise<KeyShare> {
  const pair = await engine.generateKey(
    { name: MLKEM },
    false,
    ["decapsulateBits"],
  );
  const encapsulationKey = await engine.exportKey("raw-public", pair.publicKey);
  return {
    group: "X25519MLKEM768",
    publicKey: concat(new Uint8Array(encapsulationKey), x25519.publicKey),
    async agree(peer) {
      if (peer.length !== MLKEM_CIPHERTEXT_LENGTH + X25519_LENGTH) {
        badShare("X25519MLKEM768", `has ${peer.length} bytes`);
      }
      const [first, second] = await Promise.all([
        engine.decapsulateBits(
          { name: MLKEM },
          pair.privateKey,
          peer.slice(0, MLKEM_CIPHERTEXT_LENGTH),
        ),
        x25519.agree(peer.slice(MLKEM_CIPHERTEXT_LENGTH)),
      ]);
      return concat(new Uint8Array(first), second);
    },
  };
}

let mlKem: Promise<boolean> | undefined;

/** Whether WebCrypto has ML-KEM-768; asked once. */
export function hasMlKem(): Promise<boolean> {
  return mlKem ??= (async () => {
    const engine = mlKemEngine();
    if (!engine) return false;
    try {
      // An engine may have the method and not the algorithm.
      await createHybridShare(engine, await createX25519Share());
      return true;
    } catch {
      return false;
    }
  })();
}

/** The groups that this runtime supports, the preferred one first. */
export async function supportedGroups(): Promise<readonly GroupName[]> {
  const classical: GroupName[] = ["X25519", "P-256", "P-384"];
  return await hasMlKem() ? ["X25519MLKEM768", ...classical] : classical;
}

/** Fresh shares for these groups; the hybrid one and X25519 share a key pair. */
export async function createKeyShares(
  groups: readonly GroupName[],
): Promise<KeyShare[]> {
  let x25519: Promise<KeyShare> | undefined;
  return await Promise.all(groups.map(async (group) => {
    switch (group) {
      case "X25519":
        return await (x25519 ??= createX25519Share());
      case "X25519MLKEM768": {
        const engine = mlKemEngine();
        if (!engine) throw new TypeError("WebCrypto has no ML-KEM here");
        return await createHybridShare(
          engine,
          await (x25519 ??= createX25519Share()),
        );
      }
      case "P-256":
      case "P-384":
        return await createNistShare(group);
    }
  }));
}
