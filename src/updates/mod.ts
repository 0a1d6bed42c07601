/**
 * Signed policies: how a client learns of new pins before the old ones fail.
 *
 * A policy is signed at a desk (`signPolicy`, or `certpin sign`), put on any
 * static host, and accepted by clients that know the public key. The transport
 * need not be trusted.
 *
 * @module
 */
export { signPolicy, type SignPolicyOptions } from "./sign.ts";
export {
  type SignedPolicy,
  verifySignedPolicy,
  type VerifySignedPolicyOptions,
} from "./verify.ts";
export { createUpdater, type Updater, type UpdaterStatus } from "./updater.ts";
export type { BuiltInPolicy, UpdaterOptions } from "./updater_options.ts";
export type { UpdateFetch } from "./download.ts";
export {
  type DenoKvAtomic,
  type DenoKvEntry,
  type DenoKvKeyPart,
  type DenoKvLike,
  denoKvStore,
  memoryStore,
  type PolicyStore,
} from "./stores.ts";
export { fileStore } from "./file_store.ts";
