/**
 * Chains with a signature, a key or a version that must not be accepted.
 *
 * @module
 */
import { explicit, integer } from "../der_writer.ts";
import { sharedKey } from "../keys.ts";
import { defect } from "./defects.ts";
import type { AttackDefinition } from "./world.ts";

const ALGORITHM = ["ERR_CERTPIN_PATH_ALGORITHM"] as const;

/** Attacks of this kind. */
export const ALGORITHM_ATTACKS: readonly AttackDefinition[] = [
  defect(
    "sha1-signature",
    "The leaf is signed with ECDSA over SHA-1.",
    ALGORITHM,
    () => ({ leaf: { signature: { hash: "sha1" } } }),
    () => ({ leaf: { signature: { hash: "sha256" } } }),
  ),
  defect(
    "sha1-signature-of-intermediate",
    "The intermediate is signed with ECDSA over SHA-1.",
    ALGORITHM,
    () => ({ intermediates: [{ signature: { hash: "sha1" } }] }),
    () => ({ intermediates: [{ signature: { hash: "sha256" } }] }),
  ),
  defect(
    "rsa-1024-leaf",
    "The leaf's key is RSA of 1,024 bits.",
    ALGORITHM,
    async () => ({ leaf: { key: await sharedKey("RSA-1024", "attacks") } }),
    async () => ({ leaf: { key: await sharedKey("RSA-2048", "attacks") } }),
  ),
  defect(
    "rsa-1024-intermediate",
    "The intermediate's key is RSA of 1,024 bits.",
    ALGORITHM,
    async () => ({
      intermediates: [{ key: await sharedKey("RSA-1024", "attacks") }],
    }),
    async () => ({
      intermediates: [{ key: await sharedKey("RSA-2048", "attacks") }],
    }),
  ),
  defect(
    "changed-after-signing",
    "One bit of the leaf's serial number was turned after it was signed.",
    ["ERR_CERTPIN_PATH_SIGNATURE"],
    () => ({
      leaf: {
        serialNumber: Uint8Array.of(0x42, 0x11),
        surgery: {
          certificate: (der) => {
            const at = der.findIndex((byte, i) =>
              byte === 0x42 && der[i + 1] === 0x11
            );
            return der.with(at + 1, 0x10);
          },
        },
      },
    }),
    () => ({ leaf: { serialNumber: Uint8Array.of(0x42, 0x11) } }),
  ),
  defect(
    "extensions-in-version-1",
    "The leaf says version 1 and has extensions.",
    ["ERR_CERTPIN_CERTIFICATE_VERSION", "ERR_CERTPIN_CERTIFICATE_DER"],
    () => ({
      leaf: {
        surgery: { fields: (fields) => ({ ...fields, version: undefined }) },
      },
    }),
  ),
  defect(
    "version-4",
    "The leaf says version 4.",
    ["ERR_CERTPIN_CERTIFICATE_VERSION"],
    () => ({
      leaf: {
        surgery: {
          fields: (fields) => ({ ...fields, version: explicit(0, integer(3)) }),
        },
      },
    }),
  ),
];
