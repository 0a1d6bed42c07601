/**
 * Time in certificates (RFC 5280, section 4.1.2.5).
 *
 * @module
 */
import { derError, type DerValue, TAG } from "./der.ts";

const UTC_TIME = /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/;
const GENERALIZED_TIME = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/;

/**
 * Reads UTCTime or GeneralizedTime: to the second, in Z, a day that exists.
 *
 * @returns Milliseconds since 1970, negative before.
 * @throws {CertificateError} `ERR_CERTPIN_CERTIFICATE_DER`
 */
export function readTime(value: DerValue | undefined, what: string): number {
  const utc = value?.tag === TAG.utcTime;
  if (!value || !utc && value.tag !== TAG.generalizedTime) {
    derError(`Cannot read ${what}: not a time`);
  }
  if (value.content.length > 15) derError(`Cannot read ${what}: too long`);
  const text = String.fromCharCode(...value.content);
  const match = (utc ? UTC_TIME : GENERALIZED_TIME).exec(text);
  if (!match) derError(`Cannot read ${what}: not in the form that DER demands`);
  const [written, month, day, hour, minute, second] = match.slice(1).map(
    Number,
  );
  const year = utc ? written + (written < 50 ? 2000 : 1900) : written;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute, second);
  const exists = date.getUTCFullYear() === year &&
    date.getUTCMonth() === month - 1 && date.getUTCDate() === day &&
    date.getUTCHours() === hour && date.getUTCMinutes() === minute &&
    date.getUTCSeconds() === second;
  if (!exists) derError(`Cannot read ${what}: no such time`);
  return date.getTime();
}
