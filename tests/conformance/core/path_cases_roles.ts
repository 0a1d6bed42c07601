/**
 * Issuers and leaves that must not be what they are used as (RFC 5280, section 6.1.4).
 */
import { anchor, entry, issuer, leaf, type PathCase } from "./path_case.ts";

/** Issuers that must not issue, or not here. */
export const ISSUER_CASES: readonly PathCase[] = [
  entry(
    "a missing intermediate",
    "ERR_CERTPIN_PATH_NO_ISSUER",
    () => ({ without: 1 }),
    () => ({ without: 0 }),
  ),
  entry(
    "a gap between two intermediates",
    "ERR_CERTPIN_PATH_NO_ISSUER",
    () => ({ intermediates: 3, without: 1 }),
    () => ({ intermediates: 3, without: 0 }),
  ),
  issuer("an issuer without the CA bit", "ERR_CERTPIN_PATH_NOT_CA", {
    basicConstraints: { ca: false },
  }, { basicConstraints: { ca: true } }),
  issuer("an issuer without basicConstraints", "ERR_CERTPIN_PATH_NOT_CA", {
    basicConstraints: false,
  }),
  anchor("a root without the CA bit", "ERR_CERTPIN_PATH_NOT_CA", {
    basicConstraints: { ca: false },
  }, { basicConstraints: { ca: true } }),
  entry(
    "an intermediate below a path length of 0",
    "ERR_CERTPIN_PATH_LENGTH",
    () => ({ intermediates: 2, root: { pathLength: 1 } }),
    () => ({ intermediates: 2, root: { pathLength: 2 } }),
  ),
  entry(
    "an intermediate below a path length of 0 that is not self-issued",
    "ERR_CERTPIN_PATH_LENGTH",
    () => ({
      root: { subject: "Root", pathLength: 0 },
      intermediates: [{ subject: "other" }],
    }),
    () => ({
      root: { subject: "Root", pathLength: 0 },
      intermediates: [{ subject: "root" }],
    }),
  ),
  entry(
    "a path length of the upper intermediate",
    "ERR_CERTPIN_PATH_LENGTH",
    () => ({ intermediates: [{}, { pathLength: 0 }] }),
    () => ({ intermediates: [{}, { pathLength: 1 }] }),
  ),
  issuer("an issuer whose key must not certify", "ERR_CERTPIN_PATH_KEY_USAGE", {
    keyUsage: ["cRLSign"],
  }, { keyUsage: ["cRLSign", "keyCertSign"] }),
  anchor("a root whose key must not certify", "ERR_CERTPIN_PATH_KEY_USAGE", {
    keyUsage: ["cRLSign"],
  }, { keyUsage: false }),
  issuer(
    "an issuer for mail alone",
    "ERR_CERTPIN_PATH_EXTENDED_KEY_USAGE",
    { extendedKeyUsage: ["emailProtection"] },
    { extendedKeyUsage: ["emailProtection", "serverAuth"] },
  ),
  anchor(
    "a root for mail alone",
    "ERR_CERTPIN_PATH_EXTENDED_KEY_USAGE",
    { extendedKeyUsage: ["emailProtection"] },
    { extendedKeyUsage: ["anyExtendedKeyUsage"] },
  ),
];

/** Leaves that must not serve. */
export const LEAF_CASES: readonly PathCase[] = [
  leaf(
    "a leaf whose key certifies without the CA bit",
    "ERR_CERTPIN_PATH_KEY_USAGE",
    { keyUsage: ["digitalSignature", "keyCertSign"] },
    { keyUsage: ["digitalSignature"] },
  ),
  leaf(
    "a leaf whose key does not serve TLS",
    "ERR_CERTPIN_PATH_KEY_USAGE",
    { keyUsage: ["dataEncipherment"] },
    { keyUsage: ["keyAgreement"] },
  ),
  leaf(
    "a leaf for clients alone",
    "ERR_CERTPIN_PATH_EXTENDED_KEY_USAGE",
    { extendedKeyUsage: ["clientAuth"] },
    { extendedKeyUsage: ["clientAuth", "serverAuth"] },
  ),
  leaf(
    "a leaf for any purpose",
    "ERR_CERTPIN_PATH_EXTENDED_KEY_USAGE",
    { extendedKeyUsage: ["anyExtendedKeyUsage"] },
    { extendedKeyUsage: false },
  ),
  leaf("a leaf that is a CA", "ERR_CERTPIN_PATH_LEAF_IS_CA", {
    basicConstraints: { ca: true },
  }, { basicConstraints: { ca: false } }),
];
