/**
 * Keeps a pinner's policy up to date.
 *
 * A policy is accepted in one order: fetched, verified whole, newer than all
 * that was accepted before, kept by the store, put in force. Whatever fails,
 * the policy in force stays in force.
 *
 * @module
 */
import { canonicalHost } from "../host.ts";
import { CertpinError, UpdateError } from "../errors.ts";
import { MAX_REFRESH_MS, MAX_STORE_RACES, MAX_UPDATE_MS } from "../limits.ts";
import {
  applyUpdate,
  freshnessOf,
  hasRefresher,
  isPinner,
  nowOf,
  type Pinner,
  pinnerOf,
  type RefreshRequest,
  setRefresher,
} from "../pinner/pinner.ts";
import { parsePolicy } from "../policy/policy.ts";
import { laterUnref, settledWithin } from "../timers.ts";
import { withDeadline } from "../tls/deadline.ts";
import { download, fetchError, orAborted } from "./download.ts";
import { type JwsKey, readVerifyingKeys } from "./keys.ts";
import { RefreshLimit } from "./refresh_limit.ts";
import {
  type CheckedOptions,
  checkOptions,
  type UpdaterOptions,
} from "./updater_options.ts";
import { type SignedPolicy, verifyWith } from "./verify.ts";

/** How an updater stands. */
export interface UpdaterStatus {
  /** Of the policy in force; undefined where nobody has said it. */
  readonly sequence: number | undefined;
  /** When the signed policy in force expires; undefined before the first one. */
  readonly policyExpiresAt: Date | undefined;
  /** When the newest policy was fetched last, changed or not. */
  readonly lastSuccess: Date | undefined;
  /** What failed last; undefined after a success. */
  readonly lastError: CertpinError | undefined;
}

/** Keeps a pinner's policy up to date until it is closed. */
export interface Updater extends AsyncDisposable {
  /** Resolves when the store has been read, and its policy is in force. Never rejects. */
  readonly ready: Promise<void>;
  /**
   * Fetches the newest policy now. Calls that overlap share one fetch.
   *
   * @returns Whether another policy is in force now than before.
   * @throws {UpdateError} Any of its codes but `ERR_CERTPIN_UPDATE_MAX_AGE`; the policy in
   * force stays in force.
   * @throws {CertificateError} For keys that cannot be used.
   */
  update(): Promise<"updated" | "unchanged">;
  /** How it stands. */
  readonly status: UpdaterStatus;
  /**
   * Ends it: no more updates, no more timers, what is being fetched is
   * dropped. The policy stays in force, and grows old as before.
   */
  close(): Promise<void>;
}

/** A policy that was accepted, with the text that proves it. */
interface Accepted {
  readonly text: string;
  readonly signed: SignedPolicy;
}

function storeError(why: string, cause: unknown): UpdateError {
  return new UpdateError(
    "ERR_CERTPIN_UPDATE_STORE",
    `Cannot use the store: ${why}`,
    { cause },
  );
}

function rollbackError(why: string): UpdateError {
  return new UpdateError(
    "ERR_CERTPIN_UPDATE_ROLLBACK",
    `Refusing the signed policy: ${why}`,
  );
}

/** Calls back; what it throws changes nothing. */
function tell<Value>(callback: (value: Value) => unknown, value: Value): void {
  try {
    const result = callback(value);
    if (result instanceof Promise) result.catch(() => {});
  } catch {
    // A callback never changes what is in force.
  }
}

class PolicyUpdater implements Updater {
  readonly ready: Promise<void>;
  readonly #pinner: Pinner;
  readonly #options: CheckedOptions;
  readonly #keys: Promise<readonly JwsKey[]>;
  readonly #closing = new AbortController();
  /** Newest sequence that is known; -1 if there is no known one. */
  #sequence: number;
  #accepted: Accepted | undefined;
  #lastSuccess: Date | undefined;
  #lastError: CertpinError | undefined;
  #flight: Promise<"updated" | "unchanged"> | undefined;
  #cancelTimer = () => {};

  constructor(pinner: Pinner, options: CheckedOptions) {
    this.#pinner = pinner;
    this.#options = options;
    this.#keys = readVerifyingKeys(options.keys);
    this.#keys.catch(() => {});
    this.#sequence = options.builtIn?.sequence ?? -1;
    this.#takeBuiltIn();
    this.ready = this.#takeStored();
    const { refreshInterval } = options;
    if (refreshInterval !== undefined) {
      const limit = new RefreshLimit(refreshInterval);
      setRefresher(
        pinner,
        (request, signal) => this.#refresh(limit, request, signal),
      );
    }
    this.#schedule();
  }

  get status(): UpdaterStatus {
    const { signed } = this.#accepted ?? {};
    return Object.freeze({
      sequence: this.#sequence < 0 ? undefined : this.#sequence,
      policyExpiresAt: signed && new Date(signed.expiresAt),
      lastSuccess: this.#lastSuccess && new Date(this.#lastSuccess),
      lastError: this.#lastError,
    });
  }

  update(): Promise<"updated" | "unchanged"> {
    return this.#flight ??= this.#update().finally(() => {
      this.#flight = undefined;
    });
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort(fetchError("the updater was closed"));
    this.#cancelTimer();
    if (this.#options.refreshInterval !== undefined) {
      setRefresher(this.#pinner, undefined);
    }
    await this.ready;
    await this.#flight?.catch(() => {});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** The time that has passed for sure; NaN where the clock fails. */
  #now(): number {
    return Math.max(nowOf(this.#pinner), freshnessOf(this.#pinner).floor);
  }

  #deadlineOf(issuedAt: Date, expiresAt?: Date): number {
    const { maxAge, blocksOldPolicies } = this.#options;
    if (!blocksOldPolicies) return Infinity;
    return Math.min(
      issuedAt.getTime() + maxAge,
      expiresAt?.getTime() ?? Infinity,
    );
  }

  #takeBuiltIn(): void {
    const { builtIn } = this.#options;
    if (builtIn === undefined) return;
    const { sequence, issuedAt } = builtIn;
    const { policy } = this.#pinner;
    const deadline = issuedAt ? this.#deadlineOf(issuedAt) : Infinity;
    const floor = issuedAt?.getTime() ?? -Infinity;
    applyUpdate(
      this.#pinner,
      // Parsed anew, it is another policy: pools evaluate their connections again.
      deadline === Infinity ? policy : parsePolicy(policy.toJSON()),
      { sequence, floor, deadline },
    );
  }

  async #takeStored(): Promise<void> {
    try {
      const stored = await this.#readStore();
      // A build that is newer than the store wins.
      if (stored && stored.signed.sequence >= this.#sequence) {
        this.#accept(stored);
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  /**
   * What the store holds, verified again. Its dates are not looked at: they
   * were when it was accepted, and the clock may be wrong now.
   */
  async #readStore(): Promise<Accepted | undefined> {
    const keys = await this.#keys;
    const { store, audience } = this.#options;
    let text: unknown;
    try {
      text = await store.load();
    } catch (cause) {
      throw storeError("it cannot be read", cause);
    }
    if (text === undefined) return undefined;
    try {
      const trimmed = String(text).trim();
      const expected = { audience, at: undefined, minimumSequence: 0 };
      const signed = await verifyWith(trimmed, keys, expected);
      return { text: trimmed, signed };
    } catch (cause) {
      throw storeError("what it holds cannot be verified", cause);
    }
  }

  #accept(accepted: Accepted): void {
    const { policy, sequence, issuedAt, expiresAt } = accepted.signed;
    this.#accepted = accepted;
    this.#sequence = sequence;
    applyUpdate(this.#pinner, policy, {
      sequence,
      floor: Math.max(
        issuedAt.getTime(),
        freshnessOf(this.#pinner).floor,
      ),
      deadline: this.#deadlineOf(issuedAt, expiresAt),
    });
    tell(this.#options.onUpdate, accepted.signed);
  }

  #fail(error: unknown): CertpinError {
    const known = error instanceof CertpinError
      ? error
      : fetchError("an unexpected error, see its cause", error);
    this.#lastError = known;
    if (!this.#closing.signal.aborted) tell(this.#options.onError, known);
    return known;
  }

  async #update(): Promise<"updated" | "unchanged"> {
    try {
      await this.ready;
      const before = this.#accepted?.text;
      await this.#bringNewest();
      const now = nowOf(this.#pinner);
      this.#lastSuccess = Number.isNaN(now) ? undefined : new Date(now);
      this.#lastError = undefined;
      return this.#accepted?.text === before ? "unchanged" : "updated";
    } catch (error) {
      throw this.#fail(error);
    }
  }

  async #bringNewest(): Promise<void> {
    const keys = await this.#keys;
    const text = (await this.#fetchText()).trim();
    const { audience } = this.#options;
    const expected = { audience, at: this.#now(), minimumSequence: 0 };
    const signed = await verifyWith(text, keys, expected);
    await this.#keep({ text, signed });
    this.#closing.signal.throwIfAborted();
    if (this.#accepted?.text !== text) this.#accept({ text, signed });
  }

  async #fetchText(): Promise<string> {
    const { url, load, fetch = globalThis.fetch } = this.#options;
    try {
      return await withDeadline({
        milliseconds: MAX_UPDATE_MS,
        onLate: () => fetchError(`not done after ${MAX_UPDATE_MS} ms`),
        signals: [this.#closing.signal],
      }, async (signal) => {
        signal.throwIfAborted();
        if (load === undefined) return await download(url!.href, fetch, signal);
        const loaded = Promise.resolve(load({ signal }));
        const text: unknown = await orAborted(loaded, signal);
        if (typeof text !== "string") throw fetchError("load gave no text");
        return text;
      });
    } catch (error) {
      if (error instanceof UpdateError) throw error;
      throw fetchError("see the cause", error);
    }
  }

  /** Compares a policy with the newest known, and has the store keep it. */
  async #keep(candidate: Accepted): Promise<void> {
    const { store } = this.#options;
    for (let race = 1;; race++) {
      // What cannot be verified is replaced.
      const stored = await this.#readStore().catch(() => undefined);
      this.#closing.signal.throwIfAborted();
      if (stored && stored.signed.sequence > this.#sequence) {
        // Another process has accepted a newer one meanwhile.
        this.#accept(stored);
      }
      this.#requireNewer(candidate);
      if (stored?.text === candidate.text) return;
      try {
        return await store.save(candidate.text);
      } catch (cause) {
        if (race < MAX_STORE_RACES) continue;
        throw storeError("it cannot be written", cause);
      }
    }
  }

  #requireNewer({ text, signed: { sequence } }: Accepted): void {
    if (sequence < this.#sequence) {
      throw rollbackError(
        `its sequence is ${sequence}, and ${this.#sequence} was accepted before`,
      );
    }
    const { signed, text: known } = this.#accepted ?? {};
    if (sequence === signed?.sequence && text !== known) {
      throw rollbackError(
        `another one with the sequence ${sequence} was accepted before`,
      );
    }
  }

  async #refresh(
    limit: RefreshLimit,
    request: RefreshRequest,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    if (this.#isOwnConnection(request)) return;
    if (this.#flight === undefined && !limit.take(request.hostname)) return;
    await settledWithin(this.update(), MAX_REFRESH_MS, signal);
  }

  /** Whether it is the connection of a `fetch` that this very pinner guards. */
  #isOwnConnection({ hostname, port = 443 }: RefreshRequest): boolean {
    const { url, fetch } = this.#options;
    if (url?.protocol !== "https:" || fetch === undefined) return false;
    return pinnerOf(fetch) === this.#pinner &&
      canonicalHost(url.hostname).text === hostname &&
      Number(url.port || 443) === port;
  }

  #schedule(): void {
    const { interval, jitter } = this.#options;
    if (interval === 0 || this.#closing.signal.aborted) return;
    this.#cancelTimer = laterUnref(
      () => {
        this.update().catch(() => {}).then(() => this.#schedule());
      },
      interval + Math.random() * jitter,
    );
  }
}

/**
 * Keeps a pinner's policy up to date from a URL.
 *
 * The newest policy that the store holds is put in force first; `ready` says
 * when. The first fetch comes with `update()`, with a refused connection, or
 * after `interval`. Timers do not keep the process alive.
 *
 * Only a policy with a higher sequence than all before replaces the one in
 * force. The highest `issuedAt` that was accepted is the least that the time
 * can be: a clock that is set back revives no pin set that has expired.
 *
 * @example
 * ```ts
 * import { createPinner } from "@certpin/certpin";
 * import {
 *   createUpdater,
 *   memoryStore,
 *   signPolicy,
 * } from "@certpin/certpin/updates";
 * import { mintChain } from "@certpin/certpin/testing";
 *
 * const { policy } = await mintChain({ hostnames: ["api.example.com"] });
 * const { privateKey, publicKey } = await crypto.subtle.generateKey(
 *   "Ed25519",
 *   false,
 *   ["sign", "verify"],
 * ) as CryptoKeyPair;
 *
 * const pinner = createPinner({ version: 1, hosts: {} });
 * await using updater = createUpdater(pinner, {
 *   load: () =>
 *     signPolicy(policy, {
 *       key: privateKey,
 *       audience: "shop-app",
 *       sequence: 1,
 *       expiresAt: new Date(Date.now() + 30 * 86_400_000),
 *     }),
 *   keys: [publicKey],
 *   audience: "shop-app",
 *   store: memoryStore(),
 * });
 * console.log(await updater.update(), pinner.policy.hostnames);
 * // updated [ "api.example.com" ]
 * ```
 * @param pinner A pinner that `createPinner` made, with the built-in policy.
 * @param options Where the policies come from, and what they must say.
 * @returns The updater; close it, or let `await using` do it.
 * @throws {TypeError} For an option that is unknown, missing or of the wrong type.
 * @throws {RangeError} For a time out of range.
 */
export function createUpdater(
  pinner: Pinner,
  options: UpdaterOptions,
): Updater {
  if (!isPinner(pinner)) {
    throw new TypeError(
      "Cannot make an updater: it needs a pinner that createPinner made",
    );
  }
  const checked = checkOptions(options);
  if (checked.refreshInterval !== undefined && hasRefresher(pinner)) {
    throw new TypeError(
      "Cannot make an updater: this pinner already has one that refreshes on refusal",
    );
  }
  return new PolicyUpdater(pinner, checked);
}
