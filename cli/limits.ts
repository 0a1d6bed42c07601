/**
 * Every bound over the files that the command reads, with its unit.
 *
 * @module
 */

/** Largest key, CSR or PKCS#12 file, in bytes or UTF-16 code units. */
export const MAX_KEY_FILE_LENGTH = 8 * 1024 * 1024;
/** Most keys, CSRs and certificates read from one file. */
export const MAX_KEY_FILE_ENTRIES = 1_024;
/** Most PBKDF2 iterations that a file may ask for; pkijs cannot count further. */
export const MAX_PBKDF2_ITERATIONS = 8_388_607;
/** Most iterations of the MAC's key derivation that a PKCS#12 file may ask for. */
export const MAX_PKCS12_MAC_ITERATIONS = 1_000_000;
/** Most bags in a PKCS#12 file, nested ones counted. */
export const MAX_PKCS12_BAGS = 1_024;

/** Largest configuration of another tool that is converted, in UTF-16 code units. */
export const MAX_DOCUMENT_LENGTH = 1024 * 1024;
/** Deepest nesting of such a configuration. */
export const MAX_DOCUMENT_DEPTH = 64;
/** Most YAML aliases that are followed in one. */
export const MAX_DOCUMENT_ALIASES = 100;
