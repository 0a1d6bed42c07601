/**
 * Says why a peer is refused.
 *
 * @module
 */
import type { CryptoRoutine } from "../crypto/routine.ts";
import {
  type CertpinError,
  type ObservedCertificate,
  PinMismatchError,
  PolicyError,
  UpdateError,
} from "../errors.ts";
import { fingerprintsRoutine } from "../pins/fingerprint.ts";
import { makePin } from "../pins/value.ts";
import { type RefusalCode, unmatchedRoles } from "../policy/decide.ts";
import type { HostEntry } from "../policy/record.ts";
import { kindsOf, type MatchedPath } from "./match.ts";

function* observe(
  { path, match }: MatchedPath,
  entry: HostEntry,
): CryptoRoutine<readonly ObservedCertificate[]> {
  const kinds = kindsOf([
    makePin("spki", "sha256"),
    makePin("certificate", "sha256"),
    ...entry.rules.map(({ pin }) => pin),
  ]);
  const pins: string[][] = path.certificates.map(() => []);
  for (const { of, hash } of kinds) {
    const found = yield* fingerprintsRoutine(path.certificates, of, hash);
    for (const [place, digest] of found.entries()) {
      pins[place].push(`${makePin(of, hash, digest)}`);
    }
  }
  return path.certificates.map(({ subject }, place) => ({
    role: match.places[place].role,
    subject,
    pins: pins[place],
  }));
}

/** Which roles of `each-role` have no match; or that no pin matches at all. */
function missing(entry: HostEntry, { pins }: MatchedPath): string {
  const matches = pins?.matches ?? [];
  if (matches.length === 0) return "no pin matches the verified path";
  const roles = new Set(unmatchedRoles(entry.rules, matches));
  return `"each-role" finds no match for the role ${[...roles].join(" or ")}`;
}

/** The error of a refusal; for a mismatch with all that was seen and wanted. */
export function* refusal(
  code: RefusalCode,
  hostname: string,
  entry: HostEntry | undefined,
  matchedPath: MatchedPath | undefined,
): CryptoRoutine<CertpinError> {
  if (code === "ERR_CERTPIN_UNLISTED" || entry === undefined) {
    return new PolicyError(
      "ERR_CERTPIN_UNLISTED",
      `Refusing ${hostname}: the policy has no pin set for it, and unlisted is "deny"`,
    );
  }
  if (code === "ERR_CERTPIN_UPDATE_MAX_AGE") {
    return new UpdateError(
      code,
      `Refusing ${hostname}: the newest policy that was accepted is too old; let the updater fetch a newer one`,
    );
  }
  if (code === "ERR_CERTPIN_EXPIRED" || matchedPath === undefined) {
    const expired = new Date(entry.expiresAt ?? NaN);
    return new PolicyError(
      "ERR_CERTPIN_EXPIRED",
      `Refusing ${hostname}: its pin set expired at ${expired.toISOString()}; renew the pins and set a later expiresAt`,
    );
  }
  const why = code === "ERR_CERTPIN_ROOT_ONLY"
    ? matchedPath.match.anchored
      ? 'root pins alone match, and rootOnly is "deny"; pin an intermediate or the leaf'
      : 'no pin matches the leaf, rootOnly is "deny", and without anchors nothing above the leaf is known not to be a root; pin the leaf, or let the program list its anchors'
    : `${
      missing(entry, matchedPath)
    }; if the server's keys were changed on purpose, add their pins to the policy`;
  return new PinMismatchError(code, `Refusing ${hostname}: ${why}`, {
    hostname,
    observed: yield* observe(matchedPath, entry),
    configured: entry.rules.map(({ pin }) => `${pin}`),
  });
}
