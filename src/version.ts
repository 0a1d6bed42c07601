/**
 * The version that reports carry; a test holds it to the package's.
 *
 * @module
 */

/** Of the library. */
export const VERSION = "0.1.0";
