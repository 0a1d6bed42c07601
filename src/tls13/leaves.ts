/**
 * Leaves of servers seen before, so that a handshake does not parse them again.
 *
 * @module
 */
import { encodeHex } from "@std/encoding/hex";
import type { Bytes } from "../crypto/routine.ts";
import { MAX_CACHED_TLS_LEAVES } from "../limits.ts";
import { parseDer, recordOf } from "../x509/certificate.ts";
import type { CertificateRecord } from "../x509/record.ts";

/** By the SHA-256 digest of the whole certificate: the bytes decide everything. */
const leaves = new Map<string, CertificateRecord>();

/**
 * A parsed leaf.
 *
 * @throws {CertificateError} if it cannot be read; such a one is not kept.
 * @throws {LimitError} `ERR_CERTPIN_LIMIT_CERTIFICATE_SIZE`
 */
export async function parseLeaf(der: Bytes): Promise<CertificateRecord> {
  const digest = await crypto.subtle.digest("SHA-256", der);
  const key = encodeHex(new Uint8Array(digest));
  const leaf = leaves.get(key) ?? recordOf(parseDer(der.slice()));
  // The one used last stands last; the first goes first.
  leaves.delete(key);
  leaves.set(key, leaf);
  if (leaves.size > MAX_CACHED_TLS_LEAVES) {
    for (const oldest of leaves.keys()) {
      leaves.delete(oldest);
      break;
    }
  }
  return leaf;
}
