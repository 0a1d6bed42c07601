/**
 * Digests of certificates, each computed once.
 *
 * @module
 */
import {
  type Bytes,
  type CryptoRoutine,
  digests,
  type HashName,
} from "../crypto/routine.ts";
import type { CertificateRecord } from "./record.ts";

/** The part of a certificate that is hashed. */
export type CertificatePart = "spki" | "certificate";

/**
 * The digests of parts of certificates, in their order.
 *
 * Asks for those alone that no earlier call has computed: a certificate seen
 * before costs nothing.
 */
export function* digestsOf(
  wanted: readonly (readonly [CertificateRecord, CertificatePart])[],
  hash: HashName,
): CryptoRoutine<readonly Bytes[]> {
  const missing = wanted.filter(([record, of]) =>
    !record.digestMemo.has(`${of}:${hash}`)
  );
  if (missing.length > 0) {
    const data = missing.map(([{ spki, der }, of]) =>
      of === "spki" ? spki : der
    );
    const computed = yield* digests(hash, data);
    for (const [index, [{ digestMemo }, of]] of missing.entries()) {
      digestMemo.set(`${of}:${hash}`, computed[index]);
    }
  }
  return wanted.map(([{ digestMemo }, of]) => digestMemo.get(`${of}:${hash}`)!);
}
