/**
 * The policy file as types: exact for authors, loose for JSON imports.
 *
 * @module
 */

import type { Profile } from "../path/rule_table.ts";

/**
 * Where on the verified path a pin matches: `leaf` the first certificate, every
 * other role any certificate above it. Whether a CA stands there as an
 * intermediate or as a root depends on the client's store; where the place is
 * not the one that the pin names, the verdict has the finding `role-differs`.
 */
export type PinRole = "leaf" | "intermediate" | "root" | "ca";

/** A pin as text, with what can be said of it. */
export interface PinDocument {
  /** The pin, in any form that `parsePin` reads; hex with a prefix alone. */
  readonly pin: string;
  /** Where it must match. Default: anywhere; of TLSA text, what its usage says. */
  readonly role?: PinRole;
  /** For people. */
  readonly comment?: string;
  /** Goes without `pin`. */
  readonly certificate?: never;
  /** Goes with `certificate`; a pin's text says it itself. */
  readonly of?: never;
  /** Ignored. */
  readonly [extra: `x-${string}`]: unknown;
}

/** A pin as the certificate itself: parsed when loaded, hashed (SHA-256) at first use. */
export interface CertificatePinDocument {
  /** One certificate in PEM. */
  readonly certificate: string;
  /** Goes without `certificate`. */
  readonly pin?: never;
  /** What of it is pinned. Default `spki`. */
  readonly of?: "spki" | "certificate";
  /** Where it must match. Default: anywhere. */
  readonly role?: PinRole;
  /** For people. */
  readonly comment?: string;
  /** Ignored. */
  readonly [extra: `x-${string}`]: unknown;
}

/** The pin set of one host. */
export interface HostDocument {
  /** Whether it holds for the name itself and all names below. Default false. */
  readonly includeSubdomains?: boolean;
  /** `report-only` softens mismatch, expiry and `rootOnly`, never an invalid chain. Default `enforce`. */
  readonly mode?: "enforce" | "report-only";
  /** One pin anywhere; or one for the leaf and one for a CA, as far as pins name these roles. Default `any`. */
  readonly require?: "any" | "each-role";
  /**
   * `private` for a CA of your own: rules that bind public CAs alone are
   * reported (`private-profile`) and not refused. Default `web`.
   */
  readonly profile?: Profile;
  /** From when on the set no longer holds; RFC 3339 with a time zone. */
  readonly expiresAt?: string;
  /** What happens then. Default `block`. */
  readonly onExpiry?: "block" | "allow";
  /** At least one pin; name a backup too. */
  readonly pins: readonly (string | PinDocument | CertificatePinDocument)[];
  /** Ignored. */
  readonly [extra: `x-${string}`]: unknown;
}

/** A finding of lint that is known and accepted. */
export interface AcceptDocument {
  /** The finding's code, such as `root-only`. */
  readonly code: string;
  /** The finding's place: a JSON pointer into this document. */
  readonly pointer: string;
  /** Why; not empty. */
  readonly reason: string;
  /** Ignored. */
  readonly [extra: `x-${string}`]: unknown;
}

/**
 * The policy file, version 1, exactly.
 *
 * @example A policy in TypeScript
 * ```ts
 * import type { PolicyDocument } from "@certpin/certpin";
 *
 * const policy = {
 *   version: 1,
 *   hosts: {
 *     "api.example.com": {
 *       expiresAt: "2027-06-01T00:00:00Z",
 *       pins: [
 *         "sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
 *         "sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
 *       ],
 *     },
 *   },
 * } satisfies PolicyDocument;
 * console.log(Object.keys(policy.hosts));
 * ```
 */
export interface PolicyDocument {
  /** Where editors find the schema. */
  readonly $schema?: string;
  /** The version of the format. */
  readonly version: 1;
  /** What happens to hosts without a pin set. Default `deny`. */
  readonly unlisted?: "deny" | "allow";
  /** What happens where root pins alone match. Default `warn`. */
  readonly rootOnly?: "warn" | "deny";
  /** Extra intermediates in PEM, offered to path building, never trusted by themselves. */
  readonly certificates?: readonly string[];
  /** Findings that lint leaves out; verdicts and their warnings stay as they are. At least one. */
  readonly accept?: readonly AcceptDocument[];
  /** Pin sets by hostname, or by `*.` and a hostname: exactly one label deeper. */
  readonly hosts: { readonly [hostname: string]: HostDocument };
  /** Ignored. */
  readonly [extra: `x-${string}`]: unknown;
}

/** One pin of a {@linkcode PolicyInput}. */
export interface PinInput {
  /** The pin as text; or `certificate`. */
  readonly pin?: string | undefined;
  /** One certificate in PEM; or `pin`. */
  readonly certificate?: string | undefined;
  /** What of the certificate is pinned. */
  readonly of?: string | undefined;
  /** Where it must match. */
  readonly role?: string | undefined;
  /** For people. */
  readonly comment?: string | undefined;
  /** Ignored. */
  readonly [extra: `x-${string}`]: unknown;
}

/** One host of a {@linkcode PolicyInput}. */
export interface HostInput {
  /** See {@linkcode HostDocument}. */
  readonly includeSubdomains?: boolean | undefined;
  /** See {@linkcode HostDocument}. */
  readonly mode?: string | undefined;
  /** See {@linkcode HostDocument}. */
  readonly require?: string | undefined;
  /** See {@linkcode HostDocument}. */
  readonly profile?: string | undefined;
  /** See {@linkcode HostDocument}. */
  readonly expiresAt?: string | undefined;
  /** See {@linkcode HostDocument}. */
  readonly onExpiry?: string | undefined;
  /** See {@linkcode HostDocument}. */
  readonly pins: readonly (string | PinInput)[];
  /** Ignored. */
  readonly [extra: `x-${string}`]: unknown;
}

/**
 * What a JSON import of a policy file has for a type: words widened to
 * `string`. `parsePolicy` checks the words.
 *
 * @example
 * ```ts ignore
 * import policy from "./pins.json" with { type: "json" };
 *
 * const pinner = createPinner(policy);
 * ```
 */
export interface PolicyInput {
  /** See {@linkcode PolicyDocument}. */
  readonly $schema?: string | undefined;
  /** See {@linkcode PolicyDocument}. */
  readonly version: number;
  /** See {@linkcode PolicyDocument}. */
  readonly unlisted?: string | undefined;
  /** See {@linkcode PolicyDocument}. */
  readonly rootOnly?: string | undefined;
  /** See {@linkcode PolicyDocument}. */
  readonly certificates?: readonly string[] | undefined;
  /** See {@linkcode PolicyDocument}. */
  readonly accept?: readonly AcceptDocument[] | undefined;
  /** See {@linkcode PolicyDocument}. */
  readonly hosts: { readonly [hostname: string]: HostInput };
  /** Ignored. */
  readonly [extra: `x-${string}`]: unknown;
}
