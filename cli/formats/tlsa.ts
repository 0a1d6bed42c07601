/**
 * TLSA records (RFC 6698), as lines of a zone file.
 *
 * Usages 0 and 1 (PKIX-TA, PKIX-EE) mean what a policy means: a valid path,
 * and a match. A pin without a role is written as both. 2 and 3 (DANE-TA,
 * DANE-EE) are read, but we still demand a valid path.
 *
 * @module
 */
import type { HostDocument, PinDocument } from "@certpin/certpin";
import {
  formatTlsa,
  parsePinWithRole,
  type PinRule,
  type PolicyRecord,
} from "@certpin/certpin/internal";
import {
  loseEachRole,
  loseEmptyHost,
  loseExpiry,
  losePolicySettings,
  losesReportOnly,
  losesWildcard,
} from "./common.ts";
import {
  boundDocument,
  documentOf,
  type Format,
  Losses,
  plainHost,
  type ReadFormat,
  syntaxError,
  type WrittenFormat,
} from "./format.ts";

const TITLE = "zone file with TLSA records";
const TARGET = "TLSA";
const PORT = 443;
/** Longest record over several lines, in UTF-16 code units. */
const MAX_RECORD_LENGTH = 4_096;

/** One record, its data joined. */
interface Line {
  readonly owner: string;
  readonly data: string;
  readonly number: number;
}

/** Joins lines in parentheses and drops comments; there are no strings in TLSA records. */
function* logicalLines(text: string): Generator<{ line: string; at: number }> {
  let open = "";
  let start = 0;
  for (const [index, raw] of text.split(/\r\n|\n/).entries()) {
    const line = raw.replace(/;.*$/, "");
    if (open === "") start = index + 1;
    open += open === "" ? line : ` ${line.trim()}`;
    const depth = open.split("(").length - open.split(")").length;
    if (depth > 0 && open.length < MAX_RECORD_LENGTH) continue;
    if (depth > 0) break;
    yield { line: open.replace(/[()]/g, " "), at: start };
    open = "";
  }
  if (open !== "") {
    syntaxError(TITLE, "a parenthesis is not closed", `line ${start}`);
  }
}

const RECORD =
  /^(\S*)(?:\s+(?:\d+[smhdw]?|IN|CH|HS|CS))*\s+TLSA\s+(\d+\s+\d+\s+\d+\s+[\da-f][\da-f\s]*)$/i;

function* records(text: string): Generator<Line> {
  let owner = "";
  let origin = "";
  for (const { line, at } of logicalLines(text)) {
    const trimmed = line.trimEnd();
    const directive = /^\$ORIGIN\s+(\S+)/i.exec(trimmed);
    if (directive !== null) {
      origin = directive[1];
      continue;
    }
    const match = RECORD.exec(trimmed);
    if (match === null) {
      if (/\sTLSA\s/i.test(trimmed)) {
        syntaxError(TITLE, "this TLSA record is broken", `line ${at}`);
      }
      // Another type of record; its owner may be the next one's.
      owner = /^\S+/.exec(trimmed)?.[0] ?? owner;
      continue;
    }
    owner = match[1] || owner;
    const isRelative = !owner.endsWith(".") && origin !== "";
    const full = isRelative ? `${owner}.${origin}` : owner;
    yield { owner: full, data: match[2].replace(/\s+/g, " "), number: at };
  }
}

function hostOf({ owner, number }: Line, losses: Losses): string {
  const place = `line ${number}`;
  const match = /^_(\d+)\._(tcp|udp|sctp)\.(.+)$/i.exec(owner);
  if (match === null) {
    syntaxError(TITLE, "the owner is like _443._tcp.example.com.", place);
  }
  const [, port, , name] = match;
  if (Number(port) !== PORT) {
    losses.add(
      "port",
      place,
      `the policy's pins hold for all ports, not for ${port} alone`,
    );
  }
  return plainHost(name, TITLE, place);
}

/** A pin that both a leaf and a CA may match has no role. */
function mergeRoles(pins: readonly PinDocument[]): PinDocument[] {
  const merged = new Map<string, PinDocument>();
  for (const { pin, role } of pins) {
    const same = merged.get(pin);
    if (same === undefined) merged.set(pin, { pin, role });
    else if (same.role !== role) merged.set(pin, { pin });
  }
  return [...merged.values()];
}

function read(text: string): ReadFormat {
  boundDocument(text);
  const losses = new Losses();
  const found = new Map<string, PinDocument[]>();
  for (const record of records(text)) {
    const place = `line ${record.number}`;
    const host = hostOf(record, losses);
    const pins = found.get(host) ?? [];
    found.set(host, pins);
    const [usage, , matching] = record.data.split(" ");
    if (matching === "0") {
      losses.add(
        "pin",
        place,
        "a record with the whole data instead of a hash is left out",
      );
      continue;
    }
    if (usage === "2" || usage === "3") {
      losses.add(
        "validation",
        place,
        `usage ${usage} needs no public CA; the policy demands a valid path as well`,
      );
    }
    const { pin, role } = parsePinWithRole(record.data);
    pins.push({ pin: pin.toString(), ...(role === undefined ? {} : { role }) });
  }
  const hosts = new Map<string, HostDocument>();
  for (const [host, pins] of found) {
    if (pins.length > 0) hosts.set(host, { pins: mergeRoles(pins) });
  }
  if (hosts.size === 0) syntaxError(TITLE, "no TLSA record holds a hash");
  return { document: documentOf(hosts, "deny"), losses: losses.list() };
}

/** The record data of a pin: usage 1 for a leaf, 0 for a CA, both without a role. */
function dataOf(rule: PinRule, losses: Losses): string[] {
  const { pin, pointer, role } = rule;
  if (pin.hash === "sha384") {
    losses.add("pin", pointer, "TLSA takes no sha384: this pin is left out");
    return [];
  }
  if (role === "intermediate" || role === "root") {
    losses.add(
      "role",
      pointer,
      `TLSA tells CAs from leaves alone: the role ${role} becomes ca`,
    );
  }
  if (role === "leaf") return [formatTlsa(pin, 1)];
  const ca = formatTlsa(pin, 0);
  return role === undefined ? [ca, formatTlsa(pin, 1)] : [ca];
}

function write(policy: PolicyRecord): WrittenFormat {
  const losses = new Losses();
  losePolicySettings(policy, losses, TARGET, false);
  const lines: string[] = [];
  for (const entry of policy.entries.values()) {
    if (losesReportOnly(entry, losses, TARGET)) continue;
    if (losesWildcard(entry, losses, TARGET)) continue;
    if (entry.host.kind === "ip") {
      losses.add("host", entry.pointer, "an address has no TLSA record");
      continue;
    }
    loseExpiry(entry, losses, TARGET);
    loseEachRole(entry, losses, TARGET);
    if (entry.includeSubdomains) {
      losses.add(
        "subdomains",
        `${entry.pointer}/includeSubdomains`,
        `a TLSA record holds for ${entry.pattern} alone, not for names below it`,
      );
    }
    const data = new Set(entry.rules.flatMap((rule) => dataOf(rule, losses)));
    if (data.size === 0) loseEmptyHost(entry, losses, TARGET);
    else {
      losses.add(
        "port",
        entry.pointer,
        `these records hold for port ${PORT} alone; the policy for all ports`,
      );
    }
    for (const one of data) {
      lines.push(`_${PORT}._tcp.${entry.host.text}. IN TLSA ${one}\n`);
    }
  }
  return { text: lines.join(""), losses: losses.list() };
}

/** TLSA records. */
export const tlsa: Format = {
  name: "tlsa",
  title: TITLE,
  read,
  write,
};
