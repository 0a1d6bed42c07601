/**
 * The chain that a peer presented, as raw bytes.
 *
 * @module
 */
import { MAX_WALKED_CERTIFICATES } from "../limits.ts";

/** The part of `tls.DetailedPeerCertificate` that is read. */
export interface LinkedCertificate {
  readonly raw?: Uint8Array;
  readonly issuerCertificate?: LinkedCertificate;
}

/**
 * Copies the certificates out of a linked list of them.
 *
 * The links are the runtime's guess at which certificate issued which, and prove nothing: the
 * result is an untrusted chain of which only the first is known to be the leaf.
 */
export function presentedChain(leaf: LinkedCertificate | null): Uint8Array[] {
  const chain: Uint8Array[] = [];
  const seen = new Set<LinkedCertificate>();
  let link: LinkedCertificate | null | undefined = leaf;
  while (
    link && link.raw instanceof Uint8Array && !seen.has(link) &&
    chain.length < MAX_WALKED_CERTIFICATES
  ) {
    seen.add(link);
    chain.push(new Uint8Array(link.raw));
    link = link.issuerCertificate;
  }
  return chain;
}
