/**
 * Options of an updater, checked once.
 *
 * @module
 */
import type { CertpinError } from "../errors.ts";
import { checkOptionNames } from "../option_names.ts";
import { isHttpUrl } from "../text.ts";
import { isSequence } from "./claims.ts";
import type { UpdateFetch } from "./download.ts";
import type { PolicyStore } from "./stores.ts";
import type { SignedPolicy } from "./verify.ts";

/** What a build carries. */
export interface BuiltInPolicy {
  /** The sequence of the policy that the pinner was made with. */
  sequence: number;
  /** When it was issued; with it, `maxAge` counts before the first update too. */
  issuedAt?: Date;
}

/** Options of `createUpdater`; exactly one of `url` and `load` is needed. */
export interface UpdaterOptions {
  /**
   * Where the signed policy is. Plain `http:` will do: safety rests on the
   * signature. Redirects are not followed.
   */
  url?: string | URL;
  /** Brings the signed policy by another way. Ends early where the signal aborts. */
  load?: (options: { signal: AbortSignal }) => string | Promise<string>;
  /** The public keys, any of which may have signed; see `verifySignedPolicy`. */
  keys: readonly (CryptoKey | string)[];
  /** Which clients the policy must be for. */
  audience: string;
  /** Keeps the newest policy over restarts. */
  store: PolicyStore;
  /** Which policy the pinner was made with: a newer build wins over an older store. */
  builtIn?: BuiltInPolicy;
  /** Milliseconds between two updates. Default 3,600,000; 0 leaves it to `update()`. */
  interval?: number;
  /** Most milliseconds added to each interval at random. Default: a tenth of it. */
  jitter?: number;
  /**
   * How old the policy may become, in milliseconds since it was issued. A
   * signed policy's `expiresAt` ends it in any case.
   */
  maxAge?: number;
  /**
   * What happens to a policy that is too old: `block` (the default) refuses
   * every host with pins, `keep` goes on with it.
   */
  onMaxAge?: "block" | "keep";
  /**
   * Lets a refused connection ask for a newer policy before it fails. At most
   * once a host in `minimumInterval` milliseconds, by default 60,000.
   */
  refreshOnMismatch?: boolean | { minimumInterval?: number };
  /** Called with each policy that is put in force. */
  onUpdate?: (signed: SignedPolicy) => void;
  /** Called with each failure, also those that `update()` rejects with. */
  onError?: (error: CertpinError) => void;
  /** Fetches `url`. Default: the global `fetch`. */
  fetch?: UpdateFetch;
}

/** The options with their defaults. */
export interface CheckedOptions {
  readonly url: URL | undefined;
  readonly load: UpdaterOptions["load"];
  readonly keys: UpdaterOptions["keys"];
  readonly audience: string;
  readonly store: PolicyStore;
  readonly builtIn: BuiltInPolicy | undefined;
  readonly interval: number;
  readonly jitter: number;
  readonly maxAge: number;
  readonly blocksOldPolicies: boolean;
  /** Milliseconds; undefined where connections ask for nothing. */
  readonly refreshInterval: number | undefined;
  readonly onUpdate: NonNullable<UpdaterOptions["onUpdate"]>;
  readonly onError: NonNullable<UpdaterOptions["onError"]>;
  readonly fetch: UpdateFetch | undefined;
}

const NAMES: Readonly<Record<keyof UpdaterOptions, true>> = {
  url: true,
  load: true,
  keys: true,
  audience: true,
  store: true,
  builtIn: true,
  interval: true,
  jitter: true,
  maxAge: true,
  onMaxAge: true,
  refreshOnMismatch: true,
  onUpdate: true,
  onError: true,
  fetch: true,
};

/** Above it, timers of all runtimes fire at once. */
const MAX_TIMER_MS = 2_147_483_647;

function refuse(why: string): never {
  throw new TypeError(`Cannot make an updater: ${why}`);
}

function milliseconds(
  value: number | undefined,
  name: string,
  otherwise: number,
  most: number = MAX_TIMER_MS,
): number {
  if (value === undefined) return otherwise;
  if (typeof value === "number" && value >= 0 && value <= most) return value;
  throw new RangeError(
    `Cannot make an updater: ${name} must be milliseconds, from 0 to ${most}`,
  );
}

function callback<T extends ((...args: never[]) => unknown) | undefined>(
  value: T,
  name: string,
): T {
  if (value !== undefined && typeof value !== "function") {
    refuse(`${name} must be a function`);
  }
  return value;
}

function urlOf({ url, load }: UpdaterOptions): URL | undefined {
  if ((url === undefined) === (load === undefined)) {
    refuse("it needs a url or a load, and not both");
  }
  callback(load, "load");
  if (url === undefined) return undefined;
  const parsed = URL.parse(String(url));
  if (isHttpUrl(parsed)) return parsed;
  refuse("url must be an absolute URL with https: or http:, without a user");
}

function builtInOf(
  value: BuiltInPolicy | undefined,
): BuiltInPolicy | undefined {
  if (value === undefined) return undefined;
  const { sequence, issuedAt } = value;
  if (!isSequence(sequence)) {
    refuse("builtIn.sequence must be a whole number, not negative");
  }
  if (issuedAt !== undefined && !Number.isFinite(issuedAt.getTime?.())) {
    refuse("builtIn.issuedAt must be a valid Date");
  }
  return { sequence, ...issuedAt && { issuedAt: new Date(issuedAt) } };
}

function refreshIntervalOf(
  value: UpdaterOptions["refreshOnMismatch"],
): number | undefined {
  if (value === undefined || value === false) return undefined;
  const { minimumInterval } = value === true ? {} : value;
  return milliseconds(
    minimumInterval,
    "refreshOnMismatch.minimumInterval",
    60_000,
  );
}

/**
 * Checks the options, and fills in the defaults.
 *
 * @throws {TypeError} For an option that is unknown, missing or of the wrong type.
 * @throws {RangeError} For a time out of range.
 */
export function checkOptions(options: UpdaterOptions): CheckedOptions {
  checkOptionNames("make an updater", options, Object.keys(NAMES));
  const { keys, audience, store, onMaxAge = "block" } = options;
  if (!Array.isArray(keys) || keys.length === 0) {
    refuse("keys must be a list of public keys");
  }
  if (typeof audience !== "string" || audience === "") {
    refuse("audience must be a text");
  }
  if (
    typeof store?.load !== "function" || typeof store?.save !== "function"
  ) refuse("store must be a store, such as memoryStore()");
  if (onMaxAge !== "block" && onMaxAge !== "keep") {
    refuse('onMaxAge must be "block" or "keep"');
  }
  const interval = milliseconds(options.interval, "interval", 3_600_000);
  return {
    url: urlOf(options),
    load: options.load,
    keys: [...keys],
    audience,
    store,
    builtIn: builtInOf(options.builtIn),
    interval,
    jitter: milliseconds(options.jitter, "jitter", interval / 10),
    maxAge: milliseconds(
      options.maxAge,
      "maxAge",
      Infinity,
      Number.MAX_SAFE_INTEGER,
    ),
    blocksOldPolicies: onMaxAge === "block",
    refreshInterval: refreshIntervalOf(options.refreshOnMismatch),
    onUpdate: callback(options.onUpdate, "onUpdate") ?? (() => {}),
    onError: callback(options.onError, "onError") ?? (() => {}),
    fetch: callback(options.fetch, "fetch"),
  };
}
