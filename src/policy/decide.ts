/**
 * The decision: what a policy says of a host, a time and the valid paths that
 * were found. Pure and synchronous: no bytes, no clock, no network.
 *
 * @module
 */
import type { Role } from "../path/search.ts";
import { type Finding, finding } from "./findings.ts";
import type { PinRole } from "./document.ts";
import type { HostEntry, PinRule, PolicyRecord } from "./record.ts";

/** How long before `expiresAt` warnings begin, in milliseconds: 30 days. */
export const EXPIRES_SOON_MS: number = 30 * 86_400_000;

/** One certificate on a valid path. */
export interface PlaceMatch {
  /** Its role. */
  readonly role: Role;
  /** Indexes of the rules whose pin is its fingerprint, whatever their role. */
  readonly equal: readonly number[];
  /** Whether its key is a key of the platform's store; undefined where that cannot be told. */
  readonly isPublic: boolean | undefined;
}

/** A valid path, leaf first. */
export interface PathMatch {
  /** Whether it ends at an anchor. */
  readonly anchored: boolean;
  /** Its certificates. */
  readonly places: readonly PlaceMatch[];
  /** What the profile `private` let pass on it, for people. */
  readonly waived?: readonly string[];
}

/** A pin that matches, and where. */
export interface Match {
  /** Index of the rule. */
  readonly rule: number;
  /** Index of the certificate on the path. */
  readonly place: number;
}

/** Which pins a path matches, and how well it satisfies the pin set by them. */
export interface PathPins {
  /** `roots`: satisfied, but by certificates of roots alone. */
  readonly grade: "none" | "roots" | "full";
  /** All matches, also where they do not satisfy the pin set. */
  readonly matches: readonly Match[];
}

type Entry = Pick<HostEntry, "require" | "pointer"> & {
  readonly rules: readonly Pick<PinRule, "role" | "pointer">[];
};

/**
 * Whether a pin of this role matches at this place. A `leaf` pin matches the
 * first certificate alone, every other role any certificate above it: the same
 * key stands on a path as an intermediate or as a root, depending on what the
 * client's store holds, and the verdict must not depend on that.
 */
function isPlaceOf(role: PinRole | undefined, place: number): boolean {
  return role === undefined || (role === "leaf") === (place === 0);
}

/** Whether `each-role` takes two roles for one: CA pins are alternatives. */
function isSameDemand(a: PinRole, b: PinRole | undefined): boolean {
  return b !== undefined && (a === "leaf") === (b === "leaf");
}

/** The roles of `each-role` that no match satisfies. */
export function unmatchedRoles(
  rules: Entry["rules"],
  matches: readonly Match[],
): readonly PinRole[] {
  return rules.flatMap(({ role }) =>
    role === undefined ||
      matches.some(({ rule }) => isSameDemand(role, rules[rule].role))
      ? []
      : [role]
  );
}

/** Compares a valid path with a pin set. */
export function matchPins(
  entry: Entry,
  rootOnly: PolicyRecord["rootOnly"],
  path: PathMatch,
): PathPins {
  const matches: Match[] = [];
  for (const [place, { equal }] of path.places.entries()) {
    for (const rule of equal) {
      if (isPlaceOf(entry.rules[rule].role, place)) {
        matches.push({ rule, place });
      }
    }
  }
  const isSatisfied = matches.length > 0 &&
    (entry.require === "any" ||
      unmatchedRoles(entry.rules, matches).length === 0);
  if (!isSatisfied) return { grade: "none", matches };
  // An attacker with a leaf of their own can present a root's key in a
  // certificate that they made, with another above it: without an anchor,
  // any certificate above the leaf may be that of a root.
  const isRoot = ({ place }: Match) =>
    path.places[place].role === "root" ||
    (rootOnly === "deny" && place > 0 && !path.anchored);
  return { grade: matches.every(isRoot) ? "roots" : "full", matches };
}

/** What has to be known before {@linkcode decide}. */
export type Demand =
  /** Nothing: the policy alone decides. */
  | "nothing"
  /** Any valid path. */
  | "valid"
  /** The valid path that satisfies the pin set best. */
  | "pinned";

/** All that a decision rests on. */
export interface Situation {
  /** The policy's words on all hosts. */
  readonly record: Pick<PolicyRecord, "unlisted" | "rootOnly">;
  /** The pin set of the host. */
  readonly entry: HostEntry | undefined;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Whether the whole policy is too old to pin by; default false. */
  readonly isTooOld?: boolean;
  /** Whether a TLS stack has validated this very connection. */
  readonly platformValidated: boolean;
}

/** Says what {@linkcode decide} needs. */
export function demandOf(situation: Situation): Demand {
  const { entry, record, platformValidated } = situation;
  if (entry === undefined) {
    return record.unlisted === "deny" || platformValidated
      ? "nothing"
      : "valid";
  }
  return situation.isTooOld || isExpired(entry, situation.at)
    ? "valid"
    : "pinned";
}

function isExpired(entry: HostEntry, at: number): boolean {
  return entry.expiresAt !== undefined && at >= entry.expiresAt;
}

/** Why a verdict is what it is. */
export type Reason =
  | "pinned"
  | "unlisted"
  | "report-only"
  | "expired"
  | "mismatch"
  | "invalid-chain"
  | "root-only";

/** The codes that a decision itself can refuse with, or would without `report-only`. */
export type RefusalCode =
  | "ERR_CERTPIN_UNLISTED"
  | "ERR_CERTPIN_EXPIRED"
  | "ERR_CERTPIN_MISMATCH"
  | "ERR_CERTPIN_ROOT_ONLY"
  | "ERR_CERTPIN_UPDATE_MAX_AGE";

/** What is decided. */
export interface Decision {
  /** Whether the connection may be used. */
  readonly decision: "allow" | "block";
  /** Why. */
  readonly reason: Reason;
  /** Pins that match. */
  readonly matches: readonly Match[];
  /** What to warn about. */
  readonly findings: readonly Finding[];
  /** Set on every block and every softened hit, but for an invalid chain. */
  readonly code?: RefusalCode;
}

const INVALID_CHAIN: Decision = Object.freeze({
  decision: "block",
  reason: "invalid-chain",
  matches: [],
  findings: [],
});

const NO_PINS: PathPins = Object.freeze({ grade: "none", matches: [] });

/**
 * Blocks, or lets pass what `report-only` softens.
 *
 * @param softened What to warn about where it passes.
 */
function refuse(
  entry: HostEntry,
  code: RefusalCode,
  reason: Reason,
  matches: readonly Match[],
  findings: readonly Finding[],
  softened: readonly Finding[] = [],
): Decision {
  if (entry.mode === "enforce") {
    return { decision: "block", reason, matches, findings, code };
  }
  const passed = finding("report-only", `${entry.pointer}/mode`);
  return {
    decision: "allow",
    reason: "report-only",
    matches,
    findings: [...findings, ...softened, passed],
    code,
  };
}

function decideUnlisted(
  { record, platformValidated }: Situation,
  path: PathMatch | undefined,
): Decision {
  const reason = "unlisted";
  if (record.unlisted === "deny") {
    const code = "ERR_CERTPIN_UNLISTED";
    return { decision: "block", reason, matches: [], findings: [], code };
  }
  if (path === undefined && !platformValidated) return INVALID_CHAIN;
  const findings = [finding("unlisted-allowed", "/unlisted")];
  return { decision: "allow", reason, matches: [], findings };
}

/** Of a match that rests on roots alone: `info` where all of them are the caller's own. */
function rootOnlyFinding(
  entry: HostEntry,
  path: PathMatch,
  matches: readonly Match[],
): Finding {
  const isOwn = path.anchored &&
    matches.every(({ place }) => path.places[place].isPublic === false);
  return finding(
    "root-only",
    entry.rules[matches[0].rule].pointer,
    { severity: isOwn ? "info" : "warning" },
  );
}

/** Matches at another place than the one that the pin's role names. */
function roleFindings(
  entry: HostEntry,
  path: PathMatch,
  matches: readonly Match[],
): Finding[] {
  return matches.flatMap(({ rule, place }) => {
    const { role: named, pointer } = entry.rules[rule];
    const { role } = path.places[place];
    if (named === undefined || named === "ca" || named === role) return [];
    const detail = `pinned as ${named}, found as ${role}`;
    return [finding("role-differs", pointer, { detail })];
  });
}

/**
 * Decides.
 *
 * @param path The path that {@linkcode demandOf} asks for; undefined where
 * there is no valid one.
 * @param pins What {@linkcode matchPins} said of it; needed where the demand is
 * `pinned`.
 */
export function decide(
  situation: Situation,
  path: PathMatch | undefined,
  pins?: PathPins,
): Decision {
  const { record, entry, at } = situation;
  if (entry === undefined) return decideUnlisted(situation, path);
  if (path === undefined) return INVALID_CHAIN;
  const findings: Finding[] = [];
  if (!path.anchored) findings.push(finding("unanchored", entry.pointer));
  if (path.waived !== undefined && path.waived.length > 0) {
    const detail = path.waived.join("; ");
    findings.push(
      finding("private-profile", `${entry.pointer}/profile`, { detail }),
    );
  }
  if (situation.isTooOld) {
    const code = "ERR_CERTPIN_UPDATE_MAX_AGE";
    return refuse(entry, code, "expired", [], findings);
  }
  const expiryAt = `${entry.pointer}/expiresAt`;
  if (isExpired(entry, at)) {
    const expired = finding("expired", expiryAt);
    if (entry.onExpiry === "block") {
      const code = "ERR_CERTPIN_EXPIRED";
      return refuse(entry, code, "expired", [], findings, [expired]);
    }
    findings.push(expired);
    return { decision: "allow", reason: "expired", matches: [], findings };
  }
  if (
    entry.expiresAt !== undefined && at >= entry.expiresAt - EXPIRES_SOON_MS
  ) {
    findings.push(finding("expires-soon", expiryAt));
  }
  const { grade, matches } = pins ?? NO_PINS;
  if (grade === "none") {
    return refuse(entry, "ERR_CERTPIN_MISMATCH", "mismatch", [], findings);
  }
  for (const { rule, place } of matches) {
    const { pin, pointer } = entry.rules[rule];
    if (place === 0 && pin.of === "certificate") {
      findings.push(finding("leaf-certificate-pin", pointer));
    }
  }
  findings.push(...roleFindings(entry, path, matches));
  if (grade === "full") {
    return { decision: "allow", reason: "pinned", matches, findings };
  }
  const rootOnly = rootOnlyFinding(entry, path, matches);
  if (record.rootOnly === "deny") {
    const code = "ERR_CERTPIN_ROOT_ONLY";
    return refuse(entry, code, "root-only", matches, findings, [rootOnly]);
  }
  findings.push(rootOnly);
  return { decision: "allow", reason: "root-only", matches, findings };
}
