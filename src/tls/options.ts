/**
 * The one parser of options: each is known by name and by kind, what would
 * weaken the check is refused, and what comes out is typed.
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
import { didYouMean } from "../suggest.ts";
import { quoteText } from "../text.ts";
import type { CertificateInput } from "./trust.ts";

/** What an adapter pins with: a pinner, or a policy to make one of. */
export type PinnerSource = Pinner | Policy | PolicyInput | string;

/** What an option must be. */
export interface Kind<T> {
  /** For the message that refuses a value. */
  readonly expected: string;
  readonly holds: (value: unknown) => value is T;
}

/** Makes a kind of option. */
export function kindOf<T>(
  expected: string,
  holds: (value: unknown) => boolean,
): Kind<T> {
  return { expected, holds: (value): value is T => holds(value) };
}

/** An option that is checked by the function that takes it. */
export function passed<T>(): Kind<T> {
  return kindOf<T>("", () => true);
}

const isText = (value: unknown) => typeof value === "string";

/** A string. */
export const TEXT: Kind<string> = kindOf("a string", isText);
/** A list of strings. */
export const TEXTS: Kind<string[]> = kindOf(
  "a list of strings",
  (value) => Array.isArray(value) && value.every(isText),
);
/** A truth value. */
export const FLAG: Kind<boolean> = kindOf(
  "true or false",
  (value) => typeof value === "boolean",
);
/** A function. */
export function functionOf<T>(): Kind<T> {
  return kindOf("a function", (value) => typeof value === "function");
}
/** A duration that a timer can wait; 0 is no limit. */
export const MILLISECONDS: Kind<number> = kindOf(
  "a number of milliseconds, or 0",
  (value) => typeof value === "number" && value >= 0 && value < 2 ** 31,
);
/** A TCP port. */
export const PORT: Kind<number> = kindOf(
  "a port number",
  (value) =>
    Number.isInteger(value) && Number(value) > 0 && Number(value) < 65_536,
);
/** Something that aborts. */
export const SIGNAL: Kind<AbortSignal> = kindOf(
  "an AbortSignal",
  (value) =>
    typeof (value as AbortSignal | null)?.aborted === "boolean" &&
    typeof (value as AbortSignal).addEventListener === "function",
);
/** Certificates; they are read where they are used. */
export const CERTIFICATES: Kind<CertificateInput> = passed();

/** The options of a function, by name. */
export type Shape = Readonly<Record<string, Kind<unknown>>>;

/** Options of a shape; each but the required ones may be missing. */
export type OptionsOf<S extends Shape, Required extends string = never> =
  & {
    readonly [Name in Exclude<keyof S, Required>]?: S[Name] extends
      Kind<infer T> ? T : never;
  }
  & {
    readonly [Name in keyof S & Required]: S[Name] extends Kind<infer T> ? T
      : never;
  };

/** Options of `createPinner`, which checks them; refused beside a pinner. */
export const PINNER_OPTIONS = {
  anchors: passed<PinnerOptions["anchors"]>(),
  publicAnchors: passed<PinnerOptions["publicAnchors"]>(),
  now: passed<PinnerOptions["now"]>(),
  limits: passed<PinnerOptions["limits"]>(),
  onWarning: passed<PinnerOptions["onWarning"]>(),
  onReport: passed<PinnerOptions["onReport"]>(),
} as const satisfies Readonly<Record<keyof PinnerOptions, Kind<unknown>>>;

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

function fail(message: string): never {
  throw new ConnectionError("ERR_CERTPIN_OPTION", message);
}

function refuse(name: string, why: string): never {
  return fail(`Cannot accept the option "${name}": ${why}`);
}

/**
 * Copies options, so that nothing changes between the look and the use, and
 * drops those that are `undefined`. Does not look at names that it does not
 * know: for the options of one request, which belong to a library.
 *
 * @throws {ConnectionError} `ERR_CERTPIN_OPTION` on one that would weaken the check.
 */
export function refuseWeakening(
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

/**
 * Does as {@linkcode refuseWeakening}, without a copy: for options whose
 * reader takes each of them once.
 *
 * @throws {ConnectionError} `ERR_CERTPIN_OPTION`
 */
export function refuseOptions(
  options: object,
  alsoRefused: readonly string[],
): void {
  const given = options as Record<string, unknown>;
  const { rejectUnauthorized } = given;
  if (rejectUnauthorized !== undefined && rejectUnauthorized !== true) {
    refuse("rejectUnauthorized", "only true keeps the validation on");
  }
  for (const list of [REFUSED, alsoRefused]) {
    for (const name of list) {
      if (given[name] !== undefined) {
        refuse(name, "with it the check could be weakened or passed by");
      }
    }
  }
}

/** What {@linkcode readOptions} is told beside the shapes. */
export interface OptionRules<Required extends string> {
  /** Further options that would weaken the check. */
  readonly refused?: readonly string[];
  /** Options that must be there. */
  readonly required?: readonly Required[];
}

/**
 * Reads the options of a public function.
 *
 * @param shapes The options that exist, in groups. A name that stands in two
 * groups belongs to the first.
 * @returns The options by group, each of its kind.
 * @throws {ConnectionError} `ERR_CERTPIN_OPTION` for an option that would
 * weaken the check, is unknown, is of another kind, or is missing.
 */
export function readOptions<
  Shapes extends Readonly<Record<string, Shape>>,
  Required extends string = never,
>(
  options: object | undefined,
  shapes: Shapes,
  { refused = [], required = [] }: OptionRules<Required> = {},
): { readonly [Group in keyof Shapes]: OptionsOf<Shapes[Group], Required> } {
  if (options !== undefined && (typeof options !== "object" || !options)) {
    fail("The options must be an object");
  }
  const { rejectUnauthorized: _, ...taken } = refuseWeakening(options, refused);
  const groups = Object.entries(shapes);
  const read: Record<string, Record<string, unknown>> = {};
  for (const [group] of groups) read[group] = {};
  for (const [name, value] of Object.entries(taken)) {
    const found = groups.find(([, shape]) => Object.hasOwn(shape, name));
    if (found === undefined) {
      const known = groups.flatMap(([, shape]) => Object.keys(shape));
      fail(`There is no option ${quoteText(name)}${didYouMean(name, known)}`);
    }
    const [group, shape] = found;
    const { expected, holds } = shape[name];
    if (!holds(value)) fail(`The option "${name}" must be ${expected}`);
    read[group][name] = value;
  }
  for (const name of required) {
    if (!Object.hasOwn(taken, name)) fail(`Set the option "${name}"`);
  }
  return read as {
    readonly [Group in keyof Shapes]: OptionsOf<Shapes[Group], Required>;
  };
}

/** The options with these names. */
export function pickOptions(
  options: object,
  names: readonly string[],
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(options).filter(([name]) => names.includes(name)),
  );
}

/**
 * The pinner itself, or a new one with the options that belong to it.
 *
 * @throws {ConnectionError} `ERR_CERTPIN_OPTION` on such an option beside a pinner.
 * @throws {PolicyError} where the policy is wrong.
 */
export function resolvePinner(
  source: PinnerSource,
  options: OptionsOf<typeof PINNER_OPTIONS>,
): Pinner {
  if (!isPinner(source)) return createPinner(source, options);
  const [name] = Object.keys(options);
  if (name !== undefined) {
    refuse(name, "the pinner was made with its own; set it there");
  }
  return source;
}
