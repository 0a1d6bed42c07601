/**
 * Reads a policy document, and finds everything that is wrong with it at once.
 *
 * @module
 */
import { CertpinError } from "../errors.ts";
import {
  MAX_POLICY_CERTIFICATES,
  MAX_POLICY_DEPTH,
  MAX_POLICY_HOSTS,
  MAX_POLICY_LENGTH,
  MAX_POLICY_PROBLEMS,
} from "../limits.ts";
import { quoteText } from "../text.ts";
import type { Certificate } from "../x509/certificate.ts";
import { readAccept } from "./accept.ts";
import type { PolicyDocument } from "./document.ts";
import { Fields, type ReadProblem, shown, tooMany } from "./fields.ts";
import { pointerTo, scanJson } from "./json.ts";
import { isJsonObject, type JsonValue, toJsonValue } from "./json_value.ts";
import { readEntry } from "./read_entry.ts";
import type { HostEntry, PolicyRecord } from "./record.ts";

/** What reading a policy gives: a record, or problems. */
export interface ReadResult {
  /** Set where there is no problem. */
  readonly record?: PolicyRecord;
  /** The first of them, {@linkcode MAX_POLICY_PROBLEMS} at most. */
  readonly problems: readonly ReadProblem[];
  /** How many there are in all. */
  readonly total: number;
  /** What was thrown where the caller's value could not be read. */
  readonly cause?: unknown;
}

const POLICY_KEYS = [
  ...["$schema", "version", "unlisted", "rootOnly", "certificates", "accept"],
  "hosts",
];
function readEntries(
  fields: Fields,
  value: JsonValue | undefined,
): Map<string, HostEntry> {
  const entries = new Map<string, HostEntry>();
  if (!isJsonObject(value)) {
    fields.report("/hosts", `Expected an object of hosts, got ${shown(value)}`);
    return entries;
  }
  const hosts = Object.entries(value);
  if (hosts.length > MAX_POLICY_HOSTS) tooMany("hosts", MAX_POLICY_HOSTS);
  for (const [key, one] of hosts) {
    const pointer = pointerTo("/hosts", key);
    const entry = readEntry(fields, key, one, pointer);
    if (entry === undefined) continue;
    const same = entries.get(entry.pattern);
    if (same === undefined) entries.set(entry.pattern, entry);
    else {
      fields.report(
        pointer,
        `The same host as ${quoteText(same.pointer)}: ${entry.pattern}`,
        "ERR_CERTPIN_HOST_INVALID",
      );
    }
  }
  return entries;
}

function readExtras(
  fields: Fields,
  value: JsonValue | undefined,
): readonly Certificate[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) {
    fields.report(
      "/certificates",
      `Expected a list of certificates in PEM, got ${shown(value)}`,
    );
    return [];
  }
  const found = value.flatMap((one: JsonValue, index) => {
    const pointer = pointerTo("/certificates", index);
    if (typeof one === "string") return fields.certificates(one, pointer);
    fields.report(pointer, `Expected PEM text, got ${shown(one)}`);
    return [];
  });
  if (found.length > MAX_POLICY_CERTIFICATES) {
    tooMany("certificates", MAX_POLICY_CERTIFICATES);
  }
  return Object.freeze(found);
}

function readDocument(
  fields: Fields,
  document: JsonValue | undefined,
): PolicyRecord | undefined {
  if (!isJsonObject(document)) {
    if (fields.total === 0) {
      fields.report("", `Expected a policy object, got ${shown(document)}`);
    }
    return undefined;
  }
  fields.checkKeys(document, "", POLICY_KEYS);
  if (document.version !== 1) {
    fields.report("/version", `Expected 1, got ${shown(document.version)}`);
  }
  fields.text(document, "", "$schema");
  const record: PolicyRecord = {
    unlisted: fields.word(document, "", "unlisted", ["deny", "allow"]),
    rootOnly: fields.word(document, "", "rootOnly", ["warn", "deny"]),
    certificates: readExtras(fields, document.certificates),
    accept: readAccept(fields, document.accept),
    entries: readEntries(fields, document.hosts),
    document: document as unknown as PolicyDocument,
  };
  return fields.total === 0 ? Object.freeze(record) : undefined;
}

function parseJson(fields: Fields, input: string): unknown {
  if (input.length > MAX_POLICY_LENGTH) {
    tooMany("characters", MAX_POLICY_LENGTH);
  }
  const text = input.startsWith("\ufeff") ? input.slice(1) : input;
  const problems = scanJson(text, MAX_POLICY_DEPTH, MAX_POLICY_PROBLEMS);
  const hint = /^\s*[{["]/.test(text)
    ? ""
    : "; a policy in a string is JSON text, never a path";
  for (const { pointer, message, isFatal } of problems) {
    fields.report(pointer, isFatal ? message + hint : message);
  }
  if (problems.some(({ isFatal }) => isFatal)) return undefined;
  return JSON.parse(text);
}

/**
 * Reads a policy from JSON text or from a value.
 *
 * @throws {LimitError} `ERR_CERTPIN_LIMIT_POLICY_SIZE`.
 */
export function readPolicy(input: unknown): ReadResult {
  const fields = new Fields();
  let cause: unknown;
  let plain: JsonValue | undefined;
  try {
    const value = typeof input === "string" ? parseJson(fields, input) : input;
    if (value !== undefined || fields.total === 0) {
      plain = toJsonValue(
        value,
        (pointer, message) => fields.reportUnreadable(pointer, message),
      );
    }
  } catch (error) {
    if (error instanceof CertpinError) throw error;
    cause = error;
    fields.report("", "The document cannot be read: a getter or proxy throws");
  }
  const record = plain === undefined && fields.total > 0
    ? undefined
    : readDocument(fields, plain);
  const { problems, total } = fields;
  return { record, problems, total, ...cause !== undefined && { cause } };
}
