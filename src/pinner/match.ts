/**
 * Compares a policy's pins with a verified path.
 *
 * @module
 */
import type { CryptoRoutine } from "../crypto/routine.ts";
import type { AnchorStore } from "../path/anchors.ts";
import { waiverText } from "../path/rule.ts";
import type { FoundPath, Role } from "../path/search.ts";
import { fingerprintsRoutine } from "../pins/fingerprint.ts";
import { digestOf, type Pin } from "../pins/value.ts";
import type { PathMatch, PathPins } from "../policy/decide.ts";
import type { PinRule } from "../policy/record.ts";
import { bytesEqual } from "../x509/der.ts";

/** A path, and what decisions read of it. */
export interface MatchedPath {
  /** The path. */
  readonly path: FoundPath;
  /** Its places. */
  readonly match: PathMatch;
  /** How it satisfies the pin set; absent where pins are not asked for. */
  readonly pins?: PathPins;
}

/** The kinds of fingerprints that pins ask for, each once. */
export function kindsOf(pins: readonly Pin[]): readonly Pin[] {
  return [
    ...new Map(pins.map((pin) => [`${pin.of}:${pin.hash}`, pin])).values(),
  ];
}

/** Which pins equal which certificates of a path. */
export function* matchPath(
  path: FoundPath,
  rules: readonly PinRule[],
  publicAnchors: AnchorStore | undefined,
): CryptoRoutine<PathMatch> {
  const equal: number[][] = path.certificates.map(() => []);
  for (const { of, hash } of kindsOf(rules.map(({ pin }) => pin))) {
    const found = yield* fingerprintsRoutine(path.certificates, of, hash);
    for (const [index, { pin }] of rules.entries()) {
      const wanted = digestOf(pin);
      if (pin.of !== of || pin.hash !== hash || wanted === undefined) continue;
      for (const [place, digest] of found.entries()) {
        if (bytesEqual(digest, wanted)) equal[place].push(index);
      }
    }
  }
  const places = path.certificates.map((certificate, place) => {
    const isPublic = publicAnchors?.hasKeyOf(certificate);
    return {
      role: roleOf(path, place, isPublic),
      equal: equal[place],
      isPublic,
    };
  });
  const waived = path.waivers.map(waiverText);
  return { anchored: path.anchored, places, waived };
}

/** The key of an anchor makes a root, whether the caller trusts it or the platform. */
function roleOf(
  path: FoundPath,
  place: number,
  isPublic: boolean | undefined,
): Role {
  return isPublic && place > 0 ? "root" : path.roles[place];
}
