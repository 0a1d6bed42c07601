/**
 * What a handshake offers.
 *
 * @module
 */
import { MAX_TLS_RECORDS_PER_KEY } from "../limits.ts";
import { type GroupName, supportedGroups } from "./groups.ts";
import { type SignatureScheme, supportedSchemes } from "./signatures.ts";
import { type Suite, SUITES } from "./suites.ts";

/** What a ClientHello offers, and when keys are updated. */
export interface Profile {
  /** The preferred one first, as in all of these lists. */
  readonly suites: readonly Suite[];
  readonly groups: readonly GroupName[];
  /** Those of the groups for which the first ClientHello has a key share. */
  readonly shares: readonly GroupName[];
  readonly schemes: readonly SignatureScheme[];
  /** Records in one direction after which its keys are updated. */
  readonly recordsPerKey: number;
}

/**
 * Everything that this runtime supports. A key share is sent for X25519, and
 * for the hybrid of ML-KEM and X25519, which cost one key pair of X25519; a
 * server that wants another group asks for it with a HelloRetryRequest.
 */
export async function defaultProfile(): Promise<Profile> {
  const [groups, schemes] = await Promise.all([
    supportedGroups(),
    supportedSchemes(),
  ]);
  return {
    suites: SUITES,
    groups,
    shares: groups.filter((group) => group.startsWith("X25519")),
    schemes,
    recordsPerKey: MAX_TLS_RECORDS_PER_KEY,
  };
}
