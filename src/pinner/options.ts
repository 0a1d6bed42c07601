/**
 * Reads what callers set on a pinner, and refuses what would be ignored.
 *
 * @module
 */
import { checkOptionNames } from "../option_names.ts";
import {
  type Certificate,
  isCertificate,
  recordOf,
} from "../x509/certificate.ts";
import type { PinnerOptions } from "./types.ts";

const NAMES: Readonly<Record<keyof PinnerOptions, true>> = {
  anchors: true,
  publicAnchors: true,
  now: true,
  limits: true,
  onWarning: true,
  onReport: true,
};

/** A copy of a list of certificates, each known to be ours. */
function copyList(
  name: "anchors" | "publicAnchors",
  value: unknown,
): readonly Certificate[] {
  if (Array.isArray(value)) {
    const copy: readonly Certificate[] = [...value];
    copy.forEach(recordOf);
    return Object.freeze(copy);
  }
  if (isCertificate(value)) {
    throw new TypeError(
      `Cannot use a certificate as ${name}: put it in a list`,
    );
  }
  // Text and bytes are told what to do, by the code of foreign certificates.
  recordOf(value as Certificate);
  throw new TypeError(`Cannot use this as ${name}: expected a list`);
}

/**
 * A copy of the options, which the caller cannot change any more.
 *
 * @throws {TypeError} for an unknown option, or one of the wrong type.
 * @throws {CertificateError} `ERR_CERTPIN_CERTIFICATE_FOREIGN`.
 */
export function copyOptions(options: PinnerOptions): PinnerOptions {
  checkOptionNames("make a pinner", options, Object.keys(NAMES));
  const { anchors, publicAnchors, ...rest } = options;
  return {
    ...rest,
    ...anchors !== undefined && { anchors: copyList("anchors", anchors) },
    ...publicAnchors !== undefined && {
      publicAnchors: copyList("publicAnchors", publicAnchors),
    },
  };
}
