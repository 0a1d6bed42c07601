/**
 * Options of the adapters: what they share, and what they refuse by name.
 *
 * @module
 */
import { ConnectionError } from "../errors.ts";
import {
  createPinner,
  isPinner,
  type Pinner,
  type PinnerOptions,
} from "../pinner/pinner.ts";
import type { PolicyInput } from "../policy/document.ts";
import type { Policy } from "../policy/policy.ts";

/** What an adapter pins with: a pinner, or a policy to make one of. */
export type PinnerSource = Pinner | Policy | PolicyInput | string;

/** Options of `createPinner`; refused where the first argument is a pinner. */
const PINNER_OPTIONS = [
  "anchors",
  "publicAnchors",
  "now",
  "limits",
  "onWarning",
  "onReport",
] as const satisfies readonly (keyof PinnerOptions)[];

/**
 * Each would weaken the check: take another verdict, skip it (a resumed
 * session, a pre-shared key), or bring another trust or another connection.
 */
const REFUSED = [
  "checkServerIdentity",
  "session",
  "secureContext",
  "pskCallback",
  "allowPartialTrustChain",
  "createConnection",
  "unsafelyDisableHostnameVerification",
] as const;

/** Ways of runtimes to send a `fetch` over another connection. */
export const REFUSED_BY_FETCH: readonly string[] = [
  "dispatcher",
  "client",
  "agent",
  "tls",
  "proxy",
  "unix",
];

/** Options of undici that would take another connection than the gate's. */
export const REFUSED_BY_DISPATCHER: readonly string[] = [
  "connect",
  "factory",
  "socketPath",
  "useH2c",
];

/** Hears the verdict of the connection that a request starts on, and whether it served one before. */
export const ON_VERDICT: unique symbol = Symbol("certpin.onVerdict");

function refuse(name: string, why: string): never {
  throw new ConnectionError(
    "ERR_CERTPIN_OPTION",
    `Cannot accept the option "${name}": ${why}`,
  );
}

/**
 * Copies options, so that nothing changes between the look and the use, and
 * drops those that are `undefined`.
 *
 * @throws {ConnectionError} `ERR_CERTPIN_OPTION` on one that would weaken the check.
 */
export function takeOptions(
  options: object | undefined,
  alsoRefused: readonly string[] = [],
): Record<string, unknown> {
  const taken: Record<string, unknown> = {};
  for (const name in options) {
    const value = (options as Record<string, unknown>)[name];
    if (value !== undefined) taken[name] = value;
  }
  if (Object.hasOwn(taken, "rejectUnauthorized")) {
    if (taken.rejectUnauthorized !== true) {
      refuse("rejectUnauthorized", "only true keeps the validation on");
    }
  }
  for (const name of [...REFUSED, ...alsoRefused]) {
    if (Object.hasOwn(taken, name)) {
      refuse(name, "with it the check could be weakened or passed by");
    }
  }
  return taken;
}

/** Takes named options out of a copy made by {@linkcode takeOptions}. */
export function pickOptions(
  taken: Record<string, unknown>,
  names: readonly string[],
): Record<string, unknown> {
  const picked: Record<string, unknown> = {};
  for (const name of names) {
    if (Object.hasOwn(taken, name)) picked[name] = taken[name];
    delete taken[name];
  }
  return picked;
}

/**
 * The pinner itself, or a new one; takes `createPinner`'s options out of `taken`.
 *
 * @throws {ConnectionError} `ERR_CERTPIN_OPTION` on such an option beside a pinner.
 * @throws {PolicyError} where the policy is wrong.
 */
export function resolvePinner(
  source: PinnerSource,
  taken: Record<string, unknown>,
): Pinner {
  const options = pickOptions(taken, PINNER_OPTIONS);
  if (!isPinner(source)) return createPinner(source, options as PinnerOptions);
  const [name] = Object.keys(options);
  if (name !== undefined) {
    refuse(name, "the pinner was made with its own; set it there");
  }
  return source;
}
