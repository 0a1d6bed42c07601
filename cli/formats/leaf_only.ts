/**
 * Targets that compare pins with the leaf alone: curl and Envoy.
 *
 * @module
 */
import type { HostEntry, PinRule } from "@certpin/certpin/internal";
import type { Losses } from "./format.ts";

/** What each pin becomes that can match a leaf; each once, losses said. */
export function leafDigests(
  entry: HostEntry,
  losses: Losses,
  target: string,
  digestOf: (rule: PinRule) => string | undefined,
): string[] {
  if (entry.includeSubdomains) {
    losses.add(
      "subdomains",
      `${entry.pointer}/includeSubdomains`,
      `${target} pins ${entry.pattern} alone, not the names below it`,
    );
  }
  const roles = new Set(entry.rules.map((rule) => rule.role));
  if (entry.require === "each-role" && [...roles].some(isOfCa)) {
    losses.add(
      "each-role",
      `${entry.pointer}/require`,
      `${target} looks at the leaf alone; the policy demands other roles too`,
    );
  }
  const digests = new Set<string>();
  for (const rule of entry.rules) {
    if (isOfCa(rule.role)) {
      losses.add(
        "pin",
        rule.pointer,
        `${target} looks at the leaf alone: this pin of a CA is left out`,
      );
      continue;
    }
    const digest = digestOf(rule);
    if (digest === undefined) continue;
    if (rule.role === undefined) {
      losses.add(
        "role",
        rule.pointer,
        `${target} compares this pin with the leaf alone; the policy anywhere on the path`,
      );
    }
    digests.add(digest);
  }
  return [...digests];
}

function isOfCa(role: PinRule["role"]): boolean {
  return role === "ca" || role === "intermediate" || role === "root";
}
