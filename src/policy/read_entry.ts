/**
 * Reads one host of a policy: its name, its rules, its pins.
 *
 * @module
 */
import { canonicalHost } from "../host.ts";
import { MAX_POLICY_PINS } from "../limits.ts";
import { parsePinWithRole } from "../pins/pin.ts";
import { makePin } from "../pins/value.ts";
import { quoteText } from "../text.ts";
import type { PinRole } from "./document.ts";
import { type Fields, parseDate, shown, tooMany } from "./fields.ts";
import { pointerTo } from "./json.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "./json_value.ts";
import type { HostEntry, PinRule } from "./record.ts";

const ROLES: readonly PinRole[] = ["leaf", "intermediate", "root", "ca"];
const PIN_KEYS = ["pin", "certificate", "of", "role", "comment"];
const HOST_KEYS = [
  ...["includeSubdomains", "mode", "require", "profile", "expiresAt"],
  ...["onExpiry", "pins"],
];
function readRole(
  fields: Fields,
  object: JsonObject,
  pointer: string,
): PinRole | undefined {
  if (object.role === undefined) return undefined;
  const [first, ...rest] = ROLES;
  return fields.word(object, pointer, "role", [first, ...rest]);
}

function readTextPin(
  fields: Fields,
  text: string,
  role: PinRole | undefined,
  pointer: string,
  at: string,
): PinRule | undefined {
  try {
    const { pin, role: implied } = parsePinWithRole(text);
    const agrees = role === undefined || implied === undefined ||
      (role === "leaf") === (implied === "leaf");
    if (agrees) {
      const known = role ?? implied;
      return Object.freeze({ pin, ...known && { role: known }, pointer });
    }
    fields.report(
      pointerTo(pointer, "role"),
      `The TLSA usage says ${quoteText(implied)}, the role ${quoteText(role)}`,
    );
  } catch (error) {
    fields.reportError(at, error);
  }
  return undefined;
}

function readRule(
  fields: Fields,
  value: JsonValue,
  pointer: string,
): PinRule | undefined {
  if (typeof value === "string") {
    return readTextPin(fields, value, undefined, pointer, pointer);
  }
  if (!isJsonObject(value)) {
    fields.report(pointer, `Expected a pin, got ${shown(value)}`);
    return undefined;
  }
  fields.checkKeys(value, pointer, PIN_KEYS);
  fields.text(value, pointer, "comment");
  const role = readRole(fields, value, pointer);
  const of = fields.word(value, pointer, "of", ["spki", "certificate"]);
  const hasPin = value.pin !== undefined;
  if (hasPin === (value.certificate !== undefined)) {
    fields.report(pointer, 'Expected one of "pin" and "certificate"');
    return undefined;
  }
  if (hasPin) {
    if (value.of !== undefined) {
      fields.report(
        pointerTo(pointer, "of"),
        '"of" goes with "certificate"; begin the pin with "spki:" or "certificate:"',
      );
    }
    const text = fields.text(value, pointer, "pin");
    return text === undefined
      ? undefined
      : readTextPin(fields, text, role, pointer, pointerTo(pointer, "pin"));
  }
  const pem = fields.text(value, pointer, "certificate");
  if (pem === undefined) return undefined;
  const at = pointerTo(pointer, "certificate");
  const [certificate, ...more] = fields.certificates(pem, at);
  if (more.length > 0) {
    fields.report(at, `Expected one certificate, got ${more.length + 1}`);
  }
  if (certificate === undefined) return undefined;
  const pin = makePin(of, "sha256");
  return Object.freeze({ pin, ...role && { role }, certificate, pointer });
}

function readRules(
  fields: Fields,
  value: JsonValue | undefined,
  pointer: string,
): readonly PinRule[] {
  if (value === "first-use") {
    fields.report(pointer, '"first-use" is not supported yet');
  } else if (!Array.isArray(value)) {
    fields.report(pointer, `Expected a list of pins, got ${shown(value)}`);
  } else if (value.length === 0) {
    fields.report(pointer, "A pin set needs at least one pin");
  } else {
    if (value.length > MAX_POLICY_PINS) {
      tooMany("pins of one host", MAX_POLICY_PINS);
    }
    return Object.freeze(
      value.flatMap((one: JsonValue, index) =>
        readRule(fields, one, pointerTo(pointer, index)) ?? []
      ),
    );
  }
  return [];
}

function readExpiry(
  fields: Fields,
  entry: JsonObject,
  pointer: string,
): number | undefined {
  const text = fields.text(entry, pointer, "expiresAt");
  if (text === undefined) return undefined;
  const time = parseDate(text);
  if (!Number.isNaN(time)) return time;
  fields.report(
    pointerTo(pointer, "expiresAt"),
    `Expected a date such as "2027-06-01T00:00:00Z", got ${quoteText(text)}`,
  );
  return undefined;
}

/** Reads one pin set; undefined without a hostname. */
export function readEntry(
  fields: Fields,
  key: string,
  value: JsonValue,
  pointer: string,
): HostEntry | undefined {
  const wildcard = key.startsWith("*.");
  let host;
  try {
    host = canonicalHost(wildcard ? key.slice(2) : key);
    if (wildcard && host.kind === "ip") {
      fields.report(
        pointer,
        `${quoteText(key)}: addresses have no subdomains`,
        "ERR_CERTPIN_HOST_INVALID",
      );
    }
  } catch (error) {
    fields.reportError(pointer, error);
  }
  const named = host && {
    pattern: wildcard ? `*.${host.text}` : host.text,
    host,
    wildcard,
    pointer,
  };
  if (!isJsonObject(value)) {
    fields.report(
      pointer,
      `Expected an object with "pins", got ${shown(value)}`,
    );
    // Its name still counts: another entry may be for the same host.
    return named && Object.freeze({
      ...named,
      includeSubdomains: false,
      mode: "enforce",
      require: "any",
      profile: "web",
      onExpiry: "block",
      rules: [],
    });
  }
  fields.checkKeys(value, pointer, HOST_KEYS);
  const { includeSubdomains = false } = value;
  const includeAt = pointerTo(pointer, "includeSubdomains");
  if (typeof includeSubdomains !== "boolean") {
    fields.report(
      includeAt,
      `Expected true or false, got ${shown(includeSubdomains)}`,
    );
  } else if (includeSubdomains && (wildcard || host?.kind === "ip")) {
    fields.report(
      includeAt,
      wildcard
        ? '"*." means exactly one label deeper; for any depth leave it out of the hostname'
        : "Addresses have no subdomains",
    );
  }
  const total = fields.total;
  const rules = readRules(fields, value.pins, pointerTo(pointer, "pins"));
  const require = fields.word(value, pointer, "require", [
    "any",
    "each-role",
  ]);
  if (
    require === "each-role" && fields.total === total &&
    rules.every(({ role }) => role === undefined)
  ) {
    fields.report(
      pointerTo(pointer, "require"),
      '"each-role" needs a pin with a role',
      undefined,
      "each-role-without-roles",
    );
  }
  const expiresAt = readExpiry(fields, value, pointer);
  const profile = fields.word(value, pointer, "profile", ["web", "private"]);
  const mode = fields.word(value, pointer, "mode", ["enforce", "report-only"]);
  const onExpiry = fields.word(value, pointer, "onExpiry", ["block", "allow"]);
  return named && Object.freeze({
    ...named,
    includeSubdomains: includeSubdomains === true,
    mode,
    require,
    profile,
    ...expiresAt !== undefined && { expiresAt },
    onExpiry,
    rules,
  });
}
