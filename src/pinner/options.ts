/**
 * Reads what callers set on a pinner, and refuses what would be passed over.
 *
 * @module
 */
import { didYouMean } from "../policy/suggest.ts";
import { quoteText } from "../text.ts";
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
      `Cannot take a certificate as ${name}: put it in a list`,
    );
  }
  // Text and bytes are told what to do, by the code of foreign certificates.
  recordOf(value as Certificate);
  throw new TypeError(`Cannot take this as ${name}: it is no list`);
}

/**
 * A copy of the options, which the caller cannot change any more.
 *
 * @throws {TypeError} for an unknown option, for lists that are none.
 * @throws {CertificateError} `ERR_CERTPIN_CERTIFICATE_FOREIGN`.
 */
export function copyOptions(options: PinnerOptions): PinnerOptions {
  if (typeof options !== "object" || options === null) {
    throw new TypeError("Cannot make a pinner: its options are no object");
  }
  const { anchors, publicAnchors, ...rest } = options;
  for (const [name, value] of Object.entries(rest)) {
    if (value === undefined || Object.hasOwn(NAMES, name)) continue;
    throw new TypeError(
      `Cannot make a pinner: there is no option ${quoteText(name)}${
        didYouMean(name, Object.keys(NAMES))
      }`,
    );
  }
  return {
    ...rest,
    ...anchors !== undefined && { anchors: copyList("anchors", anchors) },
    ...publicAnchors !== undefined && {
      publicAnchors: copyList("publicAnchors", publicAnchors),
    },
  };
}
