/**
 * iOS and macOS: `NSPinnedDomains` of App Transport Security in `Info.plist`.
 *
 * A domain names CA identities, leaf identities, or both, and then both must
 * match. `NSIncludesSubdomains` goes exactly one label deeper. There is no
 * expiry, and hosts without pins are let through.
 *
 * Source: Apple's documentation of NSPinnedDomains, NSPinnedCAIdentities,
 * NSPinnedLeafIdentities and NSIncludesSubdomains.
 *
 * @module
 */
import {
  type HostDocument,
  parsePin,
  type PinDocument,
} from "@certpin/certpin";
import type {
  HostEntry,
  PinRule,
  PolicyRecord,
} from "@certpin/certpin/internal";
import {
  digestFor,
  loseEmptyHost,
  loseExpiry,
  losePolicySettings,
  losesReportOnly,
} from "./common.ts";
import {
  documentOf,
  type Format,
  Losses,
  plainHost,
  type ReadFormat,
  syntaxError,
  type WrittenFormat,
} from "./format.ts";
import {
  booleanMember,
  isDictionary,
  listMember,
  loseOthers,
  type PlistDictionary,
  readPlist,
  writePlist,
} from "./plist.ts";

const TITLE = "NSPinnedDomains property list";
const TARGET = "iOS";
const SECURITY = "NSAppTransportSecurity";
const DOMAINS = "NSPinnedDomains";
const SUBDOMAINS = "NSIncludesSubdomains";
const CA = "NSPinnedCAIdentities";
const LEAF = "NSPinnedLeafIdentities";
const DIGEST = "SPKI-SHA256-BASE64";

function readIdentities(
  domain: PlistDictionary,
  key: typeof CA | typeof LEAF,
  place: string,
): PinDocument[] {
  return listMember(domain, key, TITLE, place).map((identity, index) => {
    const digest = isDictionary(identity) ? identity[DIGEST] : undefined;
    if (typeof digest !== "string") {
      syntaxError(
        TITLE,
        `an identity has a string ${DIGEST}`,
        `${place}/${key}/${index}`,
      );
    }
    const pin = parsePin(`sha256/${digest.trim()}`).toString();
    return { pin, role: key === CA ? "ca" : "leaf" };
  });
}

/** `NSPinnedDomains`, wherever it stands: alone, in ATS, or in a whole `Info.plist`. */
function findDomains(
  top: PlistDictionary,
  losses: Losses,
): [PlistDictionary, string] {
  const security = top[SECURITY];
  const [holder, place] = isDictionary(security)
    ? [security, `/${SECURITY}`]
    : [top, ""];
  const domains = holder[DOMAINS];
  if (!isDictionary(domains)) syntaxError(TITLE, `it has no ${DOMAINS}`);
  loseOthers(holder, [DOMAINS, SECURITY], losses, place);
  return [domains, `${place}/${DOMAINS}`];
}

function read(text: string): ReadFormat {
  const losses = new Losses();
  const [domains, base] = findDomains(readPlist(text, TITLE), losses);
  const hosts = new Map<string, HostDocument>();
  for (const [key, domain] of Object.entries(domains)) {
    const place = `${base}/${key}`;
    const name = plainHost(key, TITLE, place);
    if (!isDictionary(domain)) syntaxError(TITLE, `${name} is no dict`, place);
    loseOthers(domain, [SUBDOMAINS, CA, LEAF], losses, place);
    const ca = readIdentities(domain, CA, place);
    const leaf = readIdentities(domain, LEAF, place);
    if (ca.length + leaf.length === 0) {
      syntaxError(TITLE, `${name} has no identity`, place);
    }
    const both = ca.length > 0 && leaf.length > 0;
    const host: HostDocument = {
      ...(both ? { require: "each-role" } : {}),
      pins: [...ca, ...leaf],
    };
    hosts.set(name, host);
    if (booleanMember(domain, SUBDOMAINS, false, TITLE, place)) {
      hosts.set(`*.${name}`, host);
    }
  }
  if (hosts.size === 0) syntaxError(TITLE, "it pins nothing");
  return { document: documentOf(hosts, "allow"), losses: losses.list() };
}

/** Whether two entries demand the same, so that one domain can say both. */
function sameDemands(a: HostEntry, b: HostEntry): boolean {
  const demands = (entry: HostEntry) =>
    JSON.stringify([
      entry.mode,
      entry.require,
      entry.expiresAt,
      entry.onExpiry,
      entry.rules.map(({ pin, role }) => [pin.toString(), role ?? ""]),
    ]);
  return demands(a) === demands(b);
}

interface Identities {
  readonly ca: string[];
  readonly leaf: string[];
}

function place(
  rule: PinRule,
  digest: string,
  into: Identities,
  losses: Losses,
): void {
  if (rule.role === "leaf") {
    into.leaf.push(digest);
    return;
  }
  into.ca.push(digest);
  if (rule.role === "ca") return;
  losses.add(
    "role",
    rule.pointer,
    rule.role === undefined
      ? "iOS pins a CA or a leaf: this pin is written as one of a CA, and no longer matches a leaf"
      : `iOS tells CAs from leaves alone: the role ${rule.role} becomes ca`,
  );
}

function identitiesOf(entry: HostEntry, losses: Losses): Identities {
  const found: Identities = { ca: [], leaf: [] };
  for (const rule of entry.rules) {
    const digest = digestFor(rule, losses, TARGET);
    if (digest !== undefined) place(rule, digest, found, losses);
  }
  if (entry.require === "each-role") {
    const roles = new Set(entry.rules.map((rule) => rule.role ?? ""));
    if (roles.has("intermediate") && roles.has("root")) {
      losses.add(
        "each-role",
        `${entry.pointer}/require`,
        "iOS takes one CA; the policy demands an intermediate and a root",
      );
    }
    return found;
  }
  if (found.ca.length === 0 || found.leaf.length === 0) return found;
  for (const { role, pointer } of entry.rules) {
    if (role !== "leaf") continue;
    losses.add(
      "pin",
      pointer,
      "iOS would demand a leaf beside a CA, where the policy takes either: pins of leaves are left out",
    );
  }
  return { ca: found.ca, leaf: [] };
}

function write(policy: PolicyRecord): WrittenFormat {
  const losses = new Losses();
  losePolicySettings(policy, losses, TARGET, true);
  const domains: Record<string, PlistDictionary> = {};
  for (const entry of policy.entries.values()) {
    const name = entry.host.text;
    const exact = policy.entries.get(name);
    if (entry.wildcard && exact !== undefined && sameDemands(entry, exact)) {
      continue; // the exact entry says both
    }
    if (entry.wildcard || entry.host.kind === "ip") {
      losses.add(
        "host",
        entry.pointer,
        `iOS cannot pin ${entry.pattern} alone: it is left out`,
      );
      continue;
    }
    if (losesReportOnly(entry, losses, TARGET)) continue;
    loseExpiry(entry, losses, TARGET);
    const { ca, leaf } = identitiesOf(entry, losses);
    if (ca.length + leaf.length === 0) {
      loseEmptyHost(entry, losses, TARGET);
      continue;
    }
    if (entry.includeSubdomains) {
      losses.add(
        "subdomains",
        `${entry.pointer}/includeSubdomains`,
        "iOS goes one label deeper; the policy any number",
      );
    }
    const wild = policy.entries.get(`*.${name}`);
    const oneDeeper = wild !== undefined && sameDemands(entry, wild);
    const identities = (digests: readonly string[]) =>
      [...new Set(digests)].map((digest) => ({ [DIGEST]: digest }));
    domains[name] = {
      [SUBDOMAINS]: entry.includeSubdomains || oneDeeper,
      ...(ca.length > 0 ? { [CA]: identities(ca) } : {}),
      ...(leaf.length > 0 ? { [LEAF]: identities(leaf) } : {}),
    };
  }
  const text = writePlist({ [SECURITY]: { [DOMAINS]: domains } });
  return { text, losses: losses.list() };
}

/** `NSPinnedDomains` of `Info.plist`. */
export const ios: Format = {
  name: "ios",
  title: TITLE,
  read,
  write,
};
