/**
 * Findings that a policy accepts: each by its code and place, with a reason.
 *
 * @module
 */
import { MAX_POLICY_ACCEPTS } from "../limits.ts";
import { quoteText } from "../text.ts";
import { type Fields, shown, tooMany } from "./fields.ts";
import { type Finding, FINDINGS } from "./findings.ts";
import { pointerTo } from "./json.ts";
import { isJsonObject, type JsonValue } from "./json_value.ts";
import { didYouMean } from "../suggest.ts";

/** One finding that is accepted. */
export interface Acceptance {
  /** The finding's code. */
  readonly code: string;
  /** The finding's place: a JSON pointer into the policy. */
  readonly at: string;
  /** Why. */
  readonly reason: string;
  /** Where the acceptance itself stands. */
  readonly pointer: string;
}

const KEYS = ["code", "pointer", "reason"];
/** RFC 6901, section 3. */
const JSON_POINTER = /^(?:\/(?:[^~/]|~[01])*)*$/;

function readOne(
  fields: Fields,
  value: JsonValue,
  pointer: string,
): Acceptance | undefined {
  if (!isJsonObject(value)) {
    fields.report(pointer, `Expected an object, got ${shown(value)}`);
    return undefined;
  }
  fields.checkKeys(value, pointer, KEYS);
  const required = (key: string): string => {
    const text = fields.text(value, pointer, key);
    if (value[key] === undefined || text?.trim() === "") {
      fields.report(
        pointerTo(pointer, key),
        `Expected ${key === "reason" ? "a reason" : `the finding's ${key}`}`,
      );
    }
    return text ?? "";
  };
  // The whole document's pointer is the empty text.
  const at = value.pointer === "" ? "" : required("pointer");
  const [code, reason] = [required("code"), required("reason")];
  if (code !== "" && !Object.hasOwn(FINDINGS, code)) {
    fields.report(
      pointerTo(pointer, "code"),
      `No finding has the code ${quoteText(code)}${
        didYouMean(code, Object.keys(FINDINGS))
      }`,
    );
  }
  if (!JSON_POINTER.test(at)) {
    fields.report(
      pointerTo(pointer, "pointer"),
      `Expected a JSON pointer such as "/hosts/api.example.com/pins", got ${
        quoteText(at)
      }`,
    );
  }
  return Object.freeze({ code, at, reason, pointer });
}

/** Reads `accept`: at least one acceptance, where it is there. */
export function readAccept(
  fields: Fields,
  value: JsonValue | undefined,
): readonly Acceptance[] {
  if (value === undefined) return Object.freeze([]);
  if (!Array.isArray(value) || value.length === 0) {
    fields.report(
      "/accept",
      `Expected a list of at least one accepted finding, got ${shown(value)}`,
    );
    return [];
  }
  if (value.length > MAX_POLICY_ACCEPTS) {
    tooMany("accepted findings", MAX_POLICY_ACCEPTS);
  }
  return Object.freeze(
    value.flatMap((one: JsonValue, index) =>
      readOne(fields, one, pointerTo("/accept", index)) ?? []
    ),
  );
}

/** A finding with the reason for which it is accepted. */
export interface AcceptedFinding {
  /** What was found. */
  readonly finding: Finding;
  /** Why it may stay. */
  readonly reason: string;
}

/** Findings sorted by what a policy accepts. */
export interface SortedFindings {
  /** Those that nobody has accepted. */
  readonly findings: Finding[];
  /** Those that the policy accepts. */
  readonly accepted: AcceptedFinding[];
  /** Acceptances of what was not found. */
  readonly unused: Acceptance[];
}

/** Sorts findings; equal code and equal place make an acceptance hold. */
export function applyAccept(
  accept: readonly Acceptance[],
  found: readonly Finding[],
): SortedFindings {
  const findings: Finding[] = [];
  const accepted: AcceptedFinding[] = [];
  const used = new Set<Acceptance>();
  for (const finding of found) {
    const acceptance = accept.find(({ code, at }) =>
      code === finding.code && at === finding.pointer
    );
    if (acceptance === undefined) findings.push(finding);
    else {
      used.add(acceptance);
      accepted.push({ finding, reason: acceptance.reason });
    }
  }
  return { findings, accepted, unused: accept.filter((one) => !used.has(one)) };
}
