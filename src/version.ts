/**
 * The version that reports carry and `certpin --version` prints; a test holds it to the package's.
 *
 * @module
 */

/** Of the library and of the command. */
export const VERSION = "0.1.0";
