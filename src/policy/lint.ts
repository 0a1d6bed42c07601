/**
 * Looks for pinning that works today and hurts tomorrow.
 *
 * @module
 */
import type { CryptoRoutine } from "../crypto/routine.ts";
import { runWithWebCrypto } from "../crypto/webcrypto.ts";
import { type AnchorStore, anchorStore } from "../path/anchors.ts";
import { checkOptionNames } from "../option_names.ts";
import { quoteText } from "../text.ts";
import { type Certificate, recordOf } from "../x509/certificate.ts";
import { organisationOf } from "../x509/organisation.ts";
import { EXPIRES_SOON_MS } from "./decide.ts";
import { applyAccept } from "./accept.ts";
import { type Finding, finding } from "./findings.ts";
import {
  type KeyedRule,
  type Keys,
  keysByCertificate,
  keysOf,
  type LintedEntry,
  type Owners,
  ownersOf,
  settle,
} from "./lint_keys.ts";
import { type Policy, policyRecordOf } from "./policy.ts";
import { findEntry, type HostEntry, type PolicyRecord } from "./record.ts";

/** Options of {@linkcode lintPolicy}. */
export interface LintOptions {
  /** The caller's own anchors: pins of their keys are root pins. */
  anchors?: readonly Certificate[];
  /** The platform's store: pins of their keys are pins of public roots. */
  publicAnchors?: readonly Certificate[];
  /** Verified paths of the policy's hosts, leaf first: a pin set whose pins are all on one has no backup. */
  paths?: readonly { readonly certificates: readonly Certificate[] }[];
  /** The time to evaluate expiry at. Default: now. */
  at?: Date;
}

const OPTION_NAMES = Object.keys(
  {
    anchors: true,
    publicAnchors: true,
    paths: true,
    at: true,
  } satisfies Record<keyof LintOptions, true>,
);
/** Most roots that one finding names. */
const MAX_SHOWN_ROOTS = 10;

function* lintExpiry(entry: HostEntry, at: number): Generator<Finding> {
  const { expiresAt, onExpiry } = entry;
  if (expiresAt === undefined) return;
  const pointer = `${entry.pointer}/expiresAt`;
  if (at >= expiresAt) {
    const severity = onExpiry === "block" ? "error" : "warning";
    yield finding("expired", pointer, { severity });
  } else if (at >= expiresAt - EXPIRES_SOON_MS) {
    yield finding("expires-soon", pointer);
  }
}

/** Of several pins that are equal, those after the first that covers them. */
function* lintDuplicates(rules: readonly KeyedRule[]): Generator<Finding> {
  for (const [index, { key, role, pointer }] of rules.entries()) {
    const earlier = rules.slice(0, index).find((other) =>
      other.key === key &&
      (other.role === role || other.role === undefined || role === undefined)
    );
    if (earlier === undefined) continue;
    const detail = `equal to ${earlier.pointer}`;
    yield finding("duplicate-pin", pointer, { detail });
  }
}

function* lintBackups(
  { entry, rules }: LintedEntry,
  paths: readonly Keys[],
  owners: Owners,
): Generator<Finding> {
  const pointer = `${entry.pointer}/pins`;
  // Two fingerprints of one key are lost together.
  const keys = new Set(rules.map(({ key }) => owners.get(key) ?? key));
  if (keys.size < 2) {
    yield finding("no-backup-pin", pointer);
  } else if (paths.some((keys) => rules.every(({ key }) => keys.has(key)))) {
    yield finding("no-true-backup", pointer);
  }
}

/** Where root pins are all that there is, or a pin is that of a public root. */
function* lintRoots(
  { entry, rules }: LintedEntry,
  own: Keys,
  known: Keys | undefined,
): Generator<Finding> {
  const isPublic = ({ key }: KeyedRule) => known?.has(key) === true;
  for (const rule of rules) {
    if (isPublic(rule)) yield finding("public-root", rule.pointer);
  }
  const isRoot = (rule: KeyedRule) =>
    rule.role === "root" || own.has(rule.key) || isPublic(rule) ||
    (rule.certificate !== undefined && rule.certificate.isCa &&
      recordOf(rule.certificate).selfIssued);
  if (!rules.every(isRoot)) return;
  const isOwn = known !== undefined && !rules.some(isPublic);
  yield finding("root-only", `${entry.pointer}/pins`, {
    severity: isOwn ? "info" : "warning",
  });
}

/** Roots of one owner of which some are pinned and some are not. */
function* lintCaSets(
  { entry, rules }: LintedEntry,
  roots: ReadonlyMap<Certificate, Keys>,
  at: number,
): Generator<Finding> {
  const pinned = new Set(rules.map(({ key }) => key));
  const isPinned = (keys: Keys) => [...keys].some((key) => pinned.has(key));
  const owners = new Map<string, { pinned: number; missing: string[] }>();
  for (const [root, keys] of roots) {
    const owner = organisationOf(root);
    if (owner === undefined || recordOf(root).notAfter < at) continue;
    const set = owners.get(owner) ?? { pinned: 0, missing: [] };
    owners.set(owner, set);
    if (isPinned(keys)) set.pinned++;
    else set.missing.push(root.subject);
  }
  for (const { pinned: count, missing } of owners.values()) {
    if (count === 0 || missing.length === 0) continue;
    const shown = missing.slice(0, MAX_SHOWN_ROOTS).map(quoteText);
    if (missing.length > shown.length) {
      shown.push(`${missing.length - shown.length} more`);
    }
    yield finding("ca-set-incomplete", `${entry.pointer}/pins`, {
      detail: `not pinned: ${shown.join(", ")}`,
    });
  }
}

/** What is known of a policy's certificates, to find intermediates of public CAs. */
interface Known {
  readonly roots: AnchorStore;
  readonly paths: readonly { readonly certificates: readonly Certificate[] }[];
  /** Beside the paths: of the policy itself. */
  readonly others: readonly Certificate[];
}

/** The intermediates below public roots: on verified paths, else by the names of issuers. */
function publicIntermediates(
  { roots, paths, others }: Known,
): readonly Certificate[] {
  const isIntermediate = (one: Certificate) => one.isCa && !roots.hasKeyOf(one);
  const found = new Set(
    paths.filter(({ certificates }) => {
      const end = certificates.at(-1);
      return end !== undefined && roots.hasKeyOf(end);
    }).flatMap(({ certificates }) => certificates.slice(1))
      .filter(isIntermediate),
  );
  const names = new Set(
    [...found].map((one) => recordOf(one).subjectKey),
  );
  const open = new Set(others.filter(isIntermediate));
  // Each round finds the issued ones of the round before.
  for (let more = true; more;) {
    more = false;
    for (const one of open) {
      const { issuerKey, subjectKey, selfIssued } = recordOf(one);
      if (selfIssued) continue;
      if (roots.bySubject(one).length === 0 && !names.has(issuerKey)) continue;
      open.delete(one);
      found.add(one);
      names.add(subjectKey);
      more = true;
    }
  }
  return [...found];
}

function* lintLeafCertificates(
  rules: readonly KeyedRule[],
  leaves: Keys,
): Generator<Finding> {
  for (const { pin, role, certificate, pointer, key } of rules) {
    if (pin.of !== "certificate") continue;
    const isLeaf = role === "leaf" ||
      (role === undefined &&
        (certificate?.isCa === false || leaves.has(key)));
    if (isLeaf) yield finding("leaf-certificate-pin", pointer);
  }
}

/** The name that somebody has registered, of a host's name. */
export type RegisteredName = (hostname: string) => string;

/** Without a list of public suffixes: the last two labels. */
const lastTwoLabels: RegisteredName = (hostname) =>
  hostname.split(".").slice(-2).join(".");

function* lintShared(
  entries: readonly LintedEntry[],
  registeredName: RegisteredName,
): Generator<Finding> {
  const familyOf = ({ host }: HostEntry) => registeredName(host.text);
  const owners = new Map<string, HostEntry>();
  for (const { entry, rules } of entries) {
    // An address may well be that of a host which is named beside it.
    if (entry.host.kind === "ip") continue;
    for (const { key, role, pointer } of rules) {
      const owner = owners.get(key);
      if (owner === undefined) owners.set(key, entry);
      else if (familyOf(owner) !== familyOf(entry)) {
        // A CA that issues for both is common, a key that serves both is not.
        const isCa = role !== undefined && role !== "leaf";
        yield finding("shared-pin", pointer, {
          severity: isCa ? "info" : "warning",
          detail: `as under ${owner.pattern}`,
        });
      }
    }
  }
}

function* lintGaps(
  record: PolicyRecord,
  registeredName: RegisteredName,
): Generator<Finding> {
  for (const entry of record.entries.values()) {
    const { host, wildcard, includeSubdomains, pointer } = entry;
    if (wildcard) {
      if (findEntry(record, host) !== undefined) continue;
      const detail = `${host.text} itself has no pin set`;
      yield finding("subdomain-gap", pointer, { severity: "warning", detail });
      continue;
    }
    // Of a registered name; others rarely have names below.
    const isApex = host.kind === "dns" && host.text.includes(".") &&
      registeredName(host.text) === host.text;
    const isCovered = includeSubdomains ||
      record.entries.has(`*.${host.text}`);
    if (!isApex || isCovered) continue;
    const detail = `names below ${host.text} have no pin set`;
    yield finding("subdomain-gap", pointer, { detail });
  }
}

/** All findings, the accepted ones too, step by step, for any driver. */
export function* lintRoutine(
  policy: Policy,
  options: LintOptions = {},
  registeredName: RegisteredName = lastTwoLabels,
): CryptoRoutine<Finding[]> {
  const record = policyRecordOf(policy);
  const at = (options.at ?? new Date()).getTime();
  if (!Number.isFinite(at)) {
    throw new RangeError(
      "Cannot lint the policy: the time is not a valid Date",
    );
  }
  // Refused even where no pin has them looked at.
  for (const one of [options.anchors, options.publicAnchors]) {
    one?.forEach(recordOf);
  }
  const entries = yield* settle(record);
  const own = yield* keysOf(options.anchors, entries);
  const roots = options.publicAnchors &&
    (yield* keysByCertificate(options.publicAnchors, entries));
  const known = roots &&
    new Set([...roots.values()].flatMap((one) => [...one]));
  const pinnedCertificates = entries.flatMap(({ rules }) =>
    rules.flatMap(({ certificate }) => certificate ?? [])
  );
  const intermediates = yield* keysOf(
    options.publicAnchors && publicIntermediates({
      roots: anchorStore(options.publicAnchors),
      paths: options.paths ?? [],
      others: [...record.certificates, ...pinnedCertificates],
    }),
    entries,
  );
  const paths: Keys[] = [];
  for (const { certificates } of options.paths ?? []) {
    paths.push(yield* keysOf(certificates, entries));
  }
  const ends = options.paths?.flatMap(({ certificates }) =>
    certificates.slice(0, 1)
  );
  const leaves = yield* keysOf(ends, entries);
  const owners = yield* ownersOf([
    ...record.certificates,
    ...pinnedCertificates,
    ...options.anchors ?? [],
    ...options.paths?.flatMap(({ certificates }) => certificates) ?? [],
  ], entries);
  const findings: Finding[] = [];
  if (record.unlisted === "allow") {
    findings.push(finding("unlisted-allowed", "/unlisted"));
  }
  if (entries.length === 0) findings.push(finding("no-hosts", "/hosts"));
  for (const linted of entries) {
    const { entry, rules } = linted;
    if (entry.mode === "report-only") {
      findings.push(finding("report-only", `${entry.pointer}/mode`));
    }
    findings.push(
      ...lintExpiry(entry, at),
      ...lintRoots(linted, own, known),
      ...lintCaSets(linted, roots ?? new Map(), at),
      ...rules.filter(({ key }) => intermediates.has(key)).map(({ pointer }) =>
        finding("public-intermediate-pin", pointer)
      ),
      ...lintBackups(linted, paths, owners),
      ...lintLeafCertificates(rules, leaves),
      ...lintDuplicates(rules),
    );
  }
  findings.push(
    ...lintShared(entries, registeredName),
    ...lintGaps(record, registeredName),
  );
  return findings;
}

/**
 * Looks for pinning that works today and hurts tomorrow: no backup, roots
 * alone, whole-certificate pins of leaves, expiry, gaps.
 *
 * Opens no connection, so it says nothing about servers.
 *
 * @example
 * ```ts
 * import { lintPolicy, parsePolicy } from "@certpin/certpin";
 *
 * const policy = parsePolicy({
 *   version: 1,
 *   hosts: {
 *     "api.example.com": {
 *       pins: ["sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="],
 *     },
 *   },
 * });
 * const findings = await lintPolicy(policy);
 * console.log(findings.map(({ code }) => code)); // ["no-backup-pin"]
 * ```
 * @param policy A parsed policy.
 * @param options What else is known: anchors, paths, the time.
 * @returns The findings, by host in the file's order, without those that the
 * policy accepts.
 * @throws {PolicyError} `ERR_CERTPIN_POLICY_INVALID` for a foreign policy.
 * @throws {CertificateError} `ERR_CERTPIN_CERTIFICATE_FOREIGN`.
 * @throws {TypeError} for an unknown option.
 * @throws {RangeError} for a time that is not a date.
 */
export async function lintPolicy(
  policy: Policy,
  options: LintOptions = {},
): Promise<Finding[]> {
  checkOptionNames("lint the policy", options, OPTION_NAMES);
  const found = await runWithWebCrypto(lintRoutine(policy, options));
  return applyAccept(policyRecordOf(policy).accept, found).findings;
}
