/**
 * Purposes of extKeyUsage (RFC 5280, section 4.2.1.12).
 *
 * @module
 */

/** id-kp-serverAuth. */
export const SERVER_AUTH = "1.3.6.1.5.5.7.3.1";
/** anyExtendedKeyUsage. */
export const ANY_PURPOSE = "2.5.29.37.0";
