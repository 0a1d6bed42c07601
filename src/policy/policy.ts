/**
 * Policies: parsed whole, frozen, known to be ours.
 *
 * @module
 */
import { PolicyError } from "../errors.ts";
import { escapeText } from "../text.ts";
import type { PolicyDocument, PolicyInput } from "./document.ts";
import { readPolicy } from "./read.ts";
import type { PolicyRecord } from "./record.ts";

/** A checked policy, made by {@linkcode parsePolicy} alone, and frozen. */
export interface Policy {
  /** The version of the format. */
  readonly version: 1;
  /** The hosts in canonical form, with `*.` before a wildcard, in the file's order. */
  readonly hostnames: readonly string[];
  /** The document that it was parsed from, with comments and extensions; frozen. */
  toJSON(): PolicyDocument;
}

const records = new WeakMap<object, PolicyRecord>();

class PolicyValue implements Policy {
  readonly version = 1;
  readonly hostnames: readonly string[];

  constructor(record: PolicyRecord) {
    this.hostnames = Object.freeze([...record.entries.keys()]);
    records.set(this, record);
    Object.freeze(this);
  }

  toJSON(): PolicyDocument {
    return policyRecordOf(this).document;
  }
}

/** Whether a value is a policy that {@linkcode parsePolicy} made. */
export function isPolicy(value: unknown): value is Policy {
  return typeof value === "object" && value !== null && records.has(value);
}

/**
 * The private record of a policy: what decisions read.
 *
 * @throws {PolicyError} `ERR_CERTPIN_POLICY_INVALID` for an object that
 * {@linkcode parsePolicy} of this very module did not make.
 */
export function policyRecordOf(policy: Policy): PolicyRecord {
  const record = isPolicy(policy) ? records.get(policy) : undefined;
  if (record === undefined) {
    throw new PolicyError(
      "ERR_CERTPIN_POLICY_INVALID",
      "Cannot use the policy: parsePolicy did not make it",
    );
  }
  return record;
}

/**
 * Checks a policy as a whole.
 *
 * Hostnames are brought into their canonical form, pins and certificates are
 * parsed, nothing is hashed yet. Unknown keys are refused, except those that
 * begin with `x-`; in `hosts` every key is a hostname.
 *
 * @example
 * ```ts
 * import { parsePolicy } from "@certpin/certpin";
 *
 * const policy = parsePolicy({
 *   version: 1,
 *   hosts: {
 *     "API.example.com": {
 *       pins: ["sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="],
 *     },
 *   },
 * });
 * console.log(policy.hostnames); // ["api.example.com"]
 * ```
 * @param input A document, or its JSON text; never a path. Copied.
 * @returns A frozen policy.
 * @throws {PolicyError} `ERR_CERTPIN_POLICY_INVALID` with every problem (100 at
 * most), each with its JSON pointer (RFC 6901) and its own code.
 * @throws {LimitError} `ERR_CERTPIN_LIMIT_POLICY_SIZE` above 8 Mi characters,
 * 10,000 hosts, 256 pins of a host or 256 extra certificates.
 */
export function parsePolicy(input: PolicyInput | string): Policy {
  const { record, problems, total, cause } = readPolicy(input);
  if (record !== undefined) return new PolicyValue(record);
  const lines = problems.map(({ pointer, message }) =>
    `  ${pointer === "" ? "(the document)" : escapeText(pointer)}: ${message}`
  );
  if (total > problems.length) {
    lines.push(`  … and ${total - problems.length} more`);
  }
  throw new PolicyError(
    "ERR_CERTPIN_POLICY_INVALID",
    `Cannot use the policy: ${total} ${total === 1 ? "problem" : "problems"}\n${
      lines.join("\n")
    }`,
    {
      cause,
      problems: problems.map(({ pointer, code, message }) => ({
        pointer,
        code,
        message,
      })),
    },
  );
}
