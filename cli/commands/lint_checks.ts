/**
 * What the command finds beyond the core: gaps that `init` left, and entries
 * over public suffixes, which take a list that the core does not carry.
 *
 * @module
 */
import { getDomain, parse } from "tldts";
import type { Finding, Policy } from "@certpin/certpin";
import { finding, policyRecordOf } from "@certpin/certpin/internal";
import { BACKUP_GAP } from "../policy_keys.ts";

/** Private suffixes (github.io and the like) belong to many owners too. */
const WITH_PRIVATE = { allowPrivateDomains: true, validateHostname: false };

/**
 * The name that somebody has registered, by the public suffix list; of an
 * suffix, something that is no name of any host.
 */
export function registeredName(hostname: string): string {
  return getDomain(hostname, WITH_PRIVATE) ?? `${hostname}.`;
}

function* publicSuffixes(policy: Policy): Generator<Finding> {
  for (const entry of policyRecordOf(policy).entries.values()) {
    const { host, wildcard, includeSubdomains, pointer } = entry;
    if (host.kind === "ip" || !(wildcard || includeSubdomains)) continue;
    const { publicSuffix, isIcann, isPrivate } = parse(host.text, WITH_PRIVATE);
    // A suffix that no list knows may well be somebody's own.
    if (publicSuffix !== host.text || !(isIcann || isPrivate)) continue;
    const detail = `${host.text} is a public suffix`;
    yield finding("public-suffix", pointer, { detail });
  }
}

function* backupGaps(policy: Policy): Generator<Finding> {
  for (const entry of policyRecordOf(policy).entries.values()) {
    const { hosts } = policyRecordOf(policy).document;
    const key = entry.pointer.slice("/hosts/".length)
      .replaceAll("~1", "/").replaceAll("~0", "~");
    if (hosts[key]?.[BACKUP_GAP] === undefined) continue;
    yield finding("backup-gap", `${entry.pointer}/${BACKUP_GAP}`);
  }
}

/** All of them. */
export function commandFindings(policy: Policy): Finding[] {
  return [...backupGaps(policy), ...publicSuffixes(policy)];
}
