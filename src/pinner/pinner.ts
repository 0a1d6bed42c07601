/**
 * The pinner: holds a policy and evaluates peers by it.
 *
 * @module
 */
import type { CryptoRoutine } from "../crypto/routine.ts";
import { runWithWebCrypto } from "../crypto/webcrypto.ts";
import { canonicalHost } from "../host.ts";
import {
  type Limits,
  MAX_REMEMBERED_WARNINGS,
  resolveLimits,
} from "../limits.ts";
import { type AnchorStore, anchorStore } from "../path/anchors.ts";
import { SignatureCache } from "../path/signature.ts";
import { CertificateCache } from "./certificates.ts";
import {
  blocked,
  type CheckContext,
  evaluate,
  type Evaluation,
} from "./check.ts";
import {
  type Freshness,
  isRefreshable,
  type Refresher,
  type RefreshRequest,
  UNKNOWN_FRESHNESS,
} from "./freshness.ts";
import { copyOptions } from "./options.ts";
import {
  chainError,
  type CopiedPeer,
  copyPeer,
  type EvaluateRequest,
} from "./peer.ts";
import type { Peer, Pinner, PinnerOptions } from "./types.ts";
import { makeReport } from "./report.ts";
import type { Verdict } from "./verdict.ts";
import type { Pin } from "../pins/value.ts";
import type { PolicyInput } from "../policy/document.ts";
import type { Finding } from "../policy/findings.ts";
import {
  isPolicy,
  parsePolicy,
  type Policy,
  policyRecordOf,
} from "../policy/policy.ts";
import { findEntry } from "../policy/record.ts";
import { hashCertificatePins } from "../policy/hash_certificate_pins.ts";
import type { Certificate } from "../x509/certificate.ts";

export {
  type Freshness,
  isRefreshable,
  type RefreshRequest,
} from "./freshness.ts";
export type { EvaluateRequest } from "./peer.ts";
export type { Report, ReportJson } from "./report.ts";
export type { Peer, Pinner, PinnerOptions } from "./types.ts";
export {
  type AllowVerdict,
  type BlockVerdict,
  type PinMatch,
  validUntil,
  type Verdict,
  type VerdictBase,
  type VerdictJson,
} from "./verdict.ts";

interface State {
  policy: Policy;
  freshness: Freshness;
  refresher?: Refresher;
  readonly options: PinnerOptions;
  readonly limits: Limits;
  readonly anchors?: AnchorStore;
  readonly publicAnchors?: AnchorStore;
  readonly certificates: CertificateCache;
  readonly signatures: SignatureCache;
  /** Hostnames and codes that were warned about, the oldest first. */
  readonly remembered: Set<string>;
  /** Heard after each update. */
  readonly listeners: Set<() => void>;
}

const states = new WeakMap<object, State>();

function stateOf(pinner: Pinner): State {
  const state = states.get(pinner);
  if (state === undefined) {
    throw new TypeError("Cannot use the pinner: createPinner did not make it");
  }
  return state;
}

/** Whether a value is a pinner that {@linkcode createPinner} made. */
export function isPinner(value: unknown): value is Pinner {
  return typeof value === "object" && value !== null && states.has(value);
}

/** The anchors that a pinner was made with. */
export function anchorsOf(pinner: Pinner): AnchorStore | undefined {
  return stateOf(pinner).anchors;
}

/** The same as certificates, to hand them to a TLS stack. */
export function anchorCertificatesOf(
  pinner: Pinner,
): readonly Certificate[] | undefined {
  return stateOf(pinner).options.anchors;
}

/** Calls back at once after each update; what is returned ends that. */
export function onUpdate(pinner: Pinner, listener: () => void): () => void {
  const { listeners } = stateOf(pinner);
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

/** Puts a policy in place, and what its updater knows of it, in one step. */
export function applyUpdate(
  pinner: Pinner,
  policy: Policy,
  freshness: Freshness,
): void {
  const state = stateOf(pinner);
  state.freshness = freshness;
  replacePolicy(state, policy);
}

/** What an updater has said of the policy in force. */
export function freshnessOf(pinner: Pinner): Freshness {
  return stateOf(pinner).freshness;
}

/** Sets what to ask for a newer policy; `undefined` ends that. */
export function setRefresher(
  pinner: Pinner,
  refresher: Refresher | undefined,
): void {
  stateOf(pinner).refresher = refresher;
}

/** Whether there is somebody to ask for a newer policy. */
export function hasRefresher(pinner: Pinner): boolean {
  return stateOf(pinner).refresher !== undefined;
}

/**
 * Asks for a newer policy, if the one that refused is still in force. Whoever
 * calls evaluates again afterwards, whatever came of it. Rejects only with the
 * reason of the signal.
 */
export async function refreshPolicy(
  pinner: Pinner,
  request: RefreshRequest,
  signal?: AbortSignal,
): Promise<void> {
  const { policy, refresher } = stateOf(pinner);
  if (policy === request.policy) await refresher?.(request, signal);
  signal?.throwIfAborted();
}

const guarded = new WeakMap<object, Pinner>();

/** Remembers which pinner evaluates every connection of a `fetch`. */
export function rememberPinner(fetch: object, pinner: Pinner): void {
  guarded.set(fetch, pinner);
}

/** The pinner that evaluates every connection of a `fetch`. */
export function pinnerOf(fetch: object): Pinner | undefined {
  return guarded.get(fetch);
}

/** The pinner's clock, in milliseconds since the epoch; NaN where it fails. */
export function nowOf(pinner: Pinner): number {
  return readClock(stateOf(pinner));
}

function readClock({ options }: State): number {
  const { now = () => new Date() } = options;
  try {
    const time: unknown = now().getTime();
    // `getTime()` may be outside the valid Date range of 8.64e15 milliseconds.
    return typeof time === "number" ? new Date(time).getTime() : NaN;
  } catch {
    // A clock that fails blocks, as one that gives no date.
    return NaN;
  }
}

/** Calls back; neither a throw nor a rejection gets out. */
function tell<Value>(callback: (value: Value) => unknown, value: Value): void {
  try {
    const result = callback(value);
    if (typeof result === "object") {
      Promise.resolve(result).catch(() => {});
    }
  } catch {
    // A callback never changes a verdict.
  }
}

function warnOnce(state: State, found: Finding & { hostname: string }): void {
  const { remembered } = state;
  const { hostname, code, message, hint } = found;
  const key = `${hostname} ${code}`;
  if (remembered.has(key)) return;
  if (remembered.size >= MAX_REMEMBERED_WARNINGS) {
    const [oldest] = remembered;
    remembered.delete(oldest);
  }
  remembered.add(key);
  console.warn(`certpin: ${hostname}: ${message} (${code}). ${hint ?? ""}`);
}

function announce(
  state: State,
  { verdict, entry }: Evaluation,
  peer: CopiedPeer,
  { at, freshness: { sequence } }: CheckContext,
): void {
  const { onWarning, onReport } = state.options;
  const { hostname } = verdict;
  const warn = onWarning ??
    ((found: Finding & { hostname: string }) => warnOnce(state, found));
  for (const found of verdict.warnings) {
    tell(warn, Object.freeze({ ...found, hostname }));
  }
  const { error } = verdict;
  if (onReport === undefined || error === undefined) return;
  const { port, chain } = peer;
  const fields = { at, port, entry, sequence, verdict, chain };
  tell(onReport, makeReport(fields, error));
}

function replacePolicy(state: State, policy: Policy): void {
  state.policy = policy;
  state.remembered.clear();
  for (const listener of [...state.listeners]) tell(listener, undefined);
  beginToSettle(policy);
}

function contextOf(state: State): CheckContext {
  const at = readClock(state);
  const { limits, anchors, publicAnchors, certificates, signatures } = state;
  return {
    record: policyRecordOf(state.policy),
    at,
    freshness: state.freshness,
    limits,
    anchors,
    publicAnchors,
    certificates,
    signatures,
  };
}

function* evaluateAndAnnounce(
  state: State,
  peer: CopiedPeer,
  context: CheckContext,
  isPreliminary: boolean,
): CryptoRoutine<Verdict> {
  const evaluation = yield* evaluate(peer, context);
  const { verdict } = evaluation;
  if (!isPreliminary || !isRefreshable(verdict)) {
    announce(state, evaluation, peer, context);
  }
  return verdict;
}

/**
 * Evaluates a peer step by step, for any driver.
 *
 * Copies the request, reads the clock and takes hold of the policy before it
 * returns; never throws on a bad peer. Calls the pinner's callbacks.
 *
 * @param isPreliminary Says nothing to the callbacks of a refusal that a newer
 * policy might lift: the caller asks for one, and evaluates again.
 */
export function evaluateRoutine(
  pinner: Pinner,
  request: EvaluateRequest,
  isPreliminary = false,
): CryptoRoutine<Verdict> {
  const state = stateOf(pinner);
  const peer = copyPeer(request, state.limits, (store: AnchorStore) => store);
  return evaluateAndAnnounce(state, peer, contextOf(state), isPreliminary);
}

async function check(state: State, given: Peer): Promise<Verdict> {
  const copied = copyPeer(given, state.limits, anchorStore);
  const peer: CopiedPeer = { ...copied, publicAnchors: undefined };
  const context = contextOf(state);
  try {
    return await runWithWebCrypto(
      evaluateAndAnnounce(state, peer, context, false),
    );
  } catch (error) {
    // WebCrypto itself failed: what cannot be verified is refused.
    const verdict = blocked(peer.hostname, chainError(error));
    announce(state, { verdict }, peer, context);
    return verdict;
  }
}

function toPolicy(policy: Policy | PolicyInput | string): Policy {
  return isPolicy(policy) ? policy : parsePolicy(policy);
}

/** Begins to hash the certificates among the pins; an evaluation waits for its own. */
function beginToSettle(policy: Policy): void {
  const rules = [...policyRecordOf(policy).entries.values()]
    .flatMap((entry) => entry.rules)
    .filter(({ certificate }) => certificate !== undefined);
  if (rules.length > 0) {
    runWithWebCrypto(hashCertificatePins(rules)).catch(() => {});
  }
}

/**
 * Makes a pinner.
 *
 * @example
 * ```ts
 * import { createPinner, parseCertificates } from "@certpin/certpin";
 * import { mintChain } from "@certpin/certpin/testing";
 *
 * const { chain, ca, policy } = await mintChain({ hostnames: ["api.example.com"] });
 * const pinner = createPinner(policy, { anchors: parseCertificates(ca) });
 *
 * const verdict = await pinner.check({ hostname: "api.example.com", chain });
 * console.log(verdict.decision, verdict.reason); // allow pinned
 * ```
 * @param policy A policy, a document, or JSON text; never a path.
 * @param options Anchors, clock, budgets and callbacks.
 * @returns A frozen pinner. Its functions need no `this`.
 * @throws {PolicyError} `ERR_CERTPIN_POLICY_INVALID` with every problem.
 * @throws {LimitError} `ERR_CERTPIN_LIMIT_POLICY_SIZE`.
 * @throws {CertificateError} `ERR_CERTPIN_CERTIFICATE_FOREIGN` for anchors that
 * `parseCertificates` did not make.
 * @throws {TypeError} for an option that is unknown, or of the wrong type.
 * @throws {RangeError} for a limit that is not a whole number.
 */
export function createPinner(
  policy: Policy | PolicyInput | string,
  options: PinnerOptions = {},
): Pinner {
  const copied = copyOptions(options);
  const { anchors, publicAnchors } = copied;
  const state: State = {
    policy: toPolicy(policy),
    freshness: UNKNOWN_FRESHNESS,
    options: copied,
    limits: resolveLimits(copied.limits),
    ...anchors && { anchors: anchorStore(anchors) },
    ...publicAnchors && { publicAnchors: anchorStore(publicAnchors) },
    certificates: new CertificateCache(),
    signatures: new SignatureCache(),
    remembered: new Set(),
    listeners: new Set(),
  };
  const pinner: Pinner = Object.freeze({
    check: (peer: Peer) => check(state, peer),
    async enforce(peer: Peer): Promise<Verdict> {
      const verdict = await check(state, peer);
      if (verdict.decision === "block") throw verdict.error;
      return verdict;
    },
    pinsFor(hostname: string): readonly Pin[] {
      const record = policyRecordOf(state.policy);
      const rules = findEntry(record, canonicalHost(hostname))?.rules ?? [];
      return Object.freeze(rules.map(({ pin }) => pin));
    },
    update(next: Policy | PolicyInput | string): void {
      replacePolicy(state, toPolicy(next));
    },
    get policy(): Policy {
      return state.policy;
    },
  });
  states.set(pinner, state);
  beginToSettle(state.policy);
  return pinner;
}
