/**
 * The version that `certpin --version` prints; a test holds it to the package's.
 *
 * @module
 */

/** Of the package. */
export const VERSION = "0.1.0";
