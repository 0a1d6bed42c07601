/**
 * TrustKit's configuration in `Info.plist`, under `TSKConfiguration`.
 *
 * TrustKit compares pins with every certificate of the validated chain, wants
 * two pins at least, stops pinning when a set expires, and lets hosts without
 * pins through.
 *
 * Source: TrustKit's documentation of its domain configuration keys.
 *
 * @module
 */
import { type HostDocument, parsePin } from "@certpin/certpin";
import type { PolicyRecord } from "@certpin/certpin/internal";
import { losePolicySettings, losesWildcard, plainPins } from "./common.ts";
import {
  dayToInstant,
  documentOf,
  expiryDay,
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

const TITLE = "TrustKit property list";
const TARGET = "TrustKit";
const CONFIGURATION = "TSKConfiguration";
const SWIZZLE = "TSKSwizzleNetworkDelegates";
const DOMAINS = "TSKPinnedDomains";
const SUBDOMAINS = "TSKIncludeSubdomains";
const ENFORCE = "TSKEnforcePinning";
const EXPIRATION = "TSKExpirationDate";
const HASHES = "TSKPublicKeyHashes";
const EXCLUDE = "TSKExcludeSubdomainFromParentPolicy";

/** TrustKit refuses a domain with fewer. */
const LEAST_PINS = 2;

function findDomains(
  top: PlistDictionary,
  losses: Losses,
): [PlistDictionary, string] {
  const configuration = top[CONFIGURATION];
  const [holder, place] = isDictionary(configuration)
    ? [configuration, `/${CONFIGURATION}`]
    : [top, ""];
  const domains = holder[DOMAINS];
  if (!isDictionary(domains)) syntaxError(TITLE, `it has no ${DOMAINS}`);
  loseOthers(holder, [DOMAINS, SWIZZLE, CONFIGURATION], losses, place);
  return [domains, `${place}/${DOMAINS}`];
}

function readExpiry(
  domain: PlistDictionary,
  place: string,
): string | undefined {
  const value = domain[EXPIRATION];
  if (value === undefined) return undefined;
  const day = value instanceof Date ? value.toISOString().slice(0, 10) : value;
  const instant = typeof day === "string" ? dayToInstant(day) : undefined;
  return instant ?? syntaxError(
    TITLE,
    `${EXPIRATION} is a day such as 2027-06-01`,
    `${place}/${EXPIRATION}`,
  );
}

function read(text: string): ReadFormat {
  const losses = new Losses();
  const [domains, base] = findDomains(readPlist(text, TITLE), losses);
  const hosts = new Map<string, HostDocument>();
  const known = [SUBDOMAINS, ENFORCE, EXPIRATION, HASHES, EXCLUDE];
  for (const [key, domain] of Object.entries(domains)) {
    const place = `${base}/${key}`;
    const name = plainHost(key, TITLE, place);
    if (!isDictionary(domain)) syntaxError(TITLE, `${name} is no dict`, place);
    const flag = (key: string, fallback: boolean) =>
      booleanMember(domain, key, fallback, TITLE, place);
    if (flag(EXCLUDE, false)) {
      losses.add(
        "host",
        place,
        `${name} is excluded from pinning: it is left out, and an entry above it may now hold for it`,
      );
      continue;
    }
    loseOthers(domain, known, losses, place);
    const pins = listMember(domain, HASHES, TITLE, place).map((hash) =>
      typeof hash === "string"
        ? parsePin(`sha256/${hash.trim()}`).toString()
        : syntaxError(TITLE, `${HASHES} holds strings`, `${place}/${HASHES}`)
    );
    if (pins.length === 0) syntaxError(TITLE, `${name} has no pins`, place);
    const expiresAt = readExpiry(domain, place);
    hosts.set(name, {
      ...(flag(SUBDOMAINS, false) ? { includeSubdomains: true } : {}),
      ...(flag(ENFORCE, true) ? {} : { mode: "report-only" }),
      ...(expiresAt === undefined ? {} : { expiresAt, onExpiry: "allow" }),
      pins,
    });
  }
  if (hosts.size === 0) syntaxError(TITLE, "it pins nothing");
  return { document: documentOf(hosts, "allow"), losses: losses.list() };
}

function write(policy: PolicyRecord): WrittenFormat {
  const losses = new Losses();
  losePolicySettings(policy, losses, TARGET, true);
  const domains: Record<string, PlistDictionary> = {};
  for (const entry of policy.entries.values()) {
    if (losesWildcard(entry, losses, TARGET)) continue;
    const pins = plainPins(entry, losses, TARGET);
    if (pins.length === 0) continue;
    if (pins.length < LEAST_PINS) {
      losses.add(
        "host",
        entry.pointer,
        `TrustKit demands ${LEAST_PINS} pins and would not start: ${entry.pattern} is left out; add a backup pin`,
      );
      continue;
    }
    const day = expiryDay(entry, losses, TARGET);
    domains[entry.host.text] = {
      [SUBDOMAINS]: entry.includeSubdomains,
      [ENFORCE]: entry.mode === "enforce",
      ...(day === undefined ? {} : { [EXPIRATION]: day }),
      [HASHES]: pins,
    };
  }
  const text = writePlist({
    [CONFIGURATION]: { [SWIZZLE]: false, [DOMAINS]: domains },
  });
  return { text, losses: losses.list() };
}

/** TrustKit's configuration. */
export const trustkit: Format = {
  name: "trustkit",
  title: TITLE,
  read,
  write,
};
