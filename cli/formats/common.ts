/**
 * The losses that several formats have in common.
 *
 * @module
 */
import type {
  HostEntry,
  PinRule,
  PolicyRecord,
} from "@certpin/certpin/internal";
import { type Losses, plainDigest } from "./format.ts";

/** What a target cannot say of a policy as a whole. */
export function losePolicySettings(
  policy: PolicyRecord,
  losses: Losses,
  target: string,
  saysUnlisted: boolean,
): void {
  if (saysUnlisted && policy.unlisted === "deny") {
    losses.add(
      "unlisted",
      "/unlisted",
      `${target} allows hosts without pins; the policy denies them`,
    );
  }
  if (policy.rootOnly === "deny") {
    losses.add(
      "root-only",
      "/rootOnly",
      `${target} takes a match on a root alone; the policy denies it`,
    );
  }
  if (policy.certificates.length > 0) {
    losses.add(
      "certificates",
      "/certificates",
      `${target} takes no extra intermediates: the server must send them all`,
    );
  }
  loseProfiles(policy, losses, target);
}

/** Says that the target holds paths to rules of its own. */
function loseProfiles(
  policy: PolicyRecord,
  losses: Losses,
  target: string,
): void {
  for (const { profile, pointer } of policy.entries.values()) {
    if (profile === "web") continue;
    losses.add(
      "profile",
      `${pointer}/profile`,
      `${target} holds paths to rules of its own: the profile "${profile}" is left out`,
    );
  }
}

/** Leaves out a host that only reports, where the target can only enforce. */
export function losesReportOnly(
  entry: HostEntry,
  losses: Losses,
  target: string,
): boolean {
  if (entry.mode !== "report-only") return false;
  losses.add(
    "report-only",
    `${entry.pointer}/mode`,
    `${target} can only enforce: ${entry.pattern} is left out`,
  );
  return true;
}

/** Leaves out `*.`, which no target but OkHttp can say. */
export function losesWildcard(
  entry: HostEntry,
  losses: Losses,
  target: string,
): boolean {
  if (!entry.wildcard) return false;
  losses.add(
    "host",
    entry.pointer,
    `${target} cannot pin names exactly one label deeper: ${entry.pattern} is left out`,
  );
  return true;
}

/** Says that a set never expires in the target. */
export function loseExpiry(
  entry: HostEntry,
  losses: Losses,
  target: string,
): void {
  if (entry.expiresAt === undefined) return;
  losses.add(
    "expiry",
    `${entry.pointer}/expiresAt`,
    `${target} knows no expiry: the pins hold for ever`,
  );
}

/** Says that one match is enough in the target. */
export function loseEachRole(
  entry: HostEntry,
  losses: Losses,
  target: string,
): void {
  if (entry.require !== "each-role") return;
  losses.add(
    "each-role",
    `${entry.pointer}/require`,
    `${target} takes one match; the policy demands one for the leaf and one for a CA`,
  );
}

/** Says that roles do not count in the target. */
export function loseRole(rule: PinRule, losses: Losses, target: string): void {
  if (rule.role === undefined) return;
  losses.add(
    "role",
    rule.pointer,
    `${target} takes this pin anywhere on the path; the policy ${
      rule.role === "leaf" ? "on the leaf" : "above the leaf"
    } alone`,
  );
}

/** The base64 digest that the target takes, SHA-256 of a key; else a loss. */
export function digestFor(
  rule: PinRule,
  losses: Losses,
  target: string,
): string | undefined {
  const digest = plainDigest(rule.pin);
  if (digest === undefined) {
    const what = rule.pin.of === "certificate"
      ? "pins of whole certificates"
      : rule.pin.hash;
    losses.add(
      "pin",
      rule.pointer,
      `${target} takes no ${what}: this pin is left out`,
    );
  }
  return digest;
}

/** Says that nothing is left of a host. */
export function loseEmptyHost(
  entry: HostEntry,
  losses: Losses,
  target: string,
): void {
  losses.add(
    "host",
    entry.pointer,
    `${target} supports no pin of ${entry.pattern}: the host is left out`,
  );
}

/** The pins of a host for a target that takes SHA-256 of keys, anywhere on the path; each once. */
export function plainPins(
  entry: HostEntry,
  losses: Losses,
  target: string,
): string[] {
  loseEachRole(entry, losses, target);
  const digests = new Set<string>();
  for (const rule of entry.rules) {
    const digest = digestFor(rule, losses, target);
    if (digest === undefined) continue;
    loseRole(rule, losses, target);
    digests.add(digest);
  }
  if (digests.size === 0) loseEmptyHost(entry, losses, target);
  return [...digests];
}
