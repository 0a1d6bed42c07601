/**
 * Says why a peer is refused.
 *
 * @module
 */
import type { Steps } from "../crypto/steps.ts";
import {
  type CertpinError,
  type ObservedCertificate,
  PinMismatchError,
  PolicyError,
} from "../errors.ts";
import { fingerprintsSteps } from "../pins/fingerprint.ts";
import { makePin } from "../pins/value.ts";
import type { RefusalCode } from "../policy/decide.ts";
import type { HostEntry } from "../policy/record.ts";
import { kindsOf, type Weighed } from "./facts.ts";

function* observe(
  { path, facts }: Weighed,
  entry: HostEntry,
): Steps<readonly ObservedCertificate[]> {
  const kinds = kindsOf([
    makePin("spki", "sha256"),
    makePin("certificate", "sha256"),
    ...entry.rules.map(({ pin }) => pin),
  ]);
  const pins: string[][] = path.certificates.map(() => []);
  for (const { of, hash } of kinds) {
    const found = yield* fingerprintsSteps(path.certificates, of, hash);
    for (const [place, digest] of found.entries()) {
      pins[place].push(`${makePin(of, hash, digest)}`);
    }
  }
  return path.certificates.map(({ subject }, place) => ({
    role: facts.places[place].role,
    subject,
    pins: pins[place],
  }));
}

/** The error of a refusal; for a mismatch with all that was seen and wanted. */
export function* refusal(
  code: RefusalCode,
  hostname: string,
  entry: HostEntry | undefined,
  weighed: Weighed | undefined,
): Steps<CertpinError> {
  if (code === "ERR_CERTPIN_UNLISTED" || entry === undefined) {
    return new PolicyError(
      "ERR_CERTPIN_UNLISTED",
      `Refusing ${hostname}: the policy has no pin set for it, and unlisted is "deny"`,
    );
  }
  if (code === "ERR_CERTPIN_EXPIRED" || weighed === undefined) {
    const expired = new Date(entry.expiresAt ?? NaN);
    return new PolicyError(
      "ERR_CERTPIN_EXPIRED",
      `Refusing ${hostname}: its pin set expired at ${expired.toISOString()}; renew the pins and set a later expiresAt`,
    );
  }
  const why = code === "ERR_CERTPIN_ROOT_ONLY"
    ? 'root pins alone match, and rootOnly is "deny"'
    : entry.require === "each-role"
    ? "the pins do not match the verified path in each role that they name"
    : "no pin matches the verified path";
  return new PinMismatchError(code, `Refusing ${hostname}: ${why}`, {
    hostname,
    observed: yield* observe(weighed, entry),
    configured: entry.rules.map(({ pin }) => `${pin}`),
  });
}
