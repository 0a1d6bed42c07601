/**
 * The certificates to build a path with that nobody vouches for: what the peer
 * presented, and what the policy adds.
 *
 * @module
 */
import { encodeHex } from "@std/encoding/hex";
import type { CryptoRoutine } from "../crypto/routine.ts";
import { type Certificate, recordOf } from "../x509/certificate.ts";
import { digestsOf } from "../x509/digests.ts";
import type { AnchorStore } from "./anchors.ts";

/** Certificates by the key of their subject. */
export type Pool = ReadonlyMap<string, readonly Certificate[]>;

/**
 * Sorts certificates by their subjects, each once, without the anchors. Of the
 * same subject they come in the order of their digests, so that the order in
 * which a peer presented them is forgotten.
 *
 * Digests, and not the bytes, are compared: a hundred large certificates that
 * differ in the last byte alone would make each comparison a long one.
 */
export function* certificatePool(
  certificates: readonly Certificate[],
  anchors: AnchorStore,
): CryptoRoutine<Pool> {
  const pool = new Map<string, readonly Certificate[]>();
  for (const certificate of new Set(certificates)) {
    if (anchors.has(certificate)) continue;
    const { subjectKey } = recordOf(certificate);
    pool.set(subjectKey, [...pool.get(subjectKey) ?? [], certificate]);
  }
  for (const [subjectKey, named] of pool) {
    if (named.length < 2) continue;
    const digests = yield* digestsOf(
      named.map((certificate) => [recordOf(certificate), "certificate"]),
      "sha256",
    );
    const byDigest = new Map(
      digests.map((digest, i) => [encodeHex(digest), named[i]]),
    );
    const order = [...byDigest.keys()].sort();
    pool.set(subjectKey, order.map((digest) => byDigest.get(digest)!));
  }
  return pool;
}
