/**
 * Evaluates a peer: parses, searches, compares, decides, and says why.
 *
 * @module
 */
import type { CryptoRoutine } from "../crypto/routine.ts";
import {
  type CertificateError,
  type CertpinError,
  LimitError,
  PathError,
} from "../errors.ts";
import type { Limits } from "../limits.ts";
import { type AnchorStore, anchorStore } from "../path/anchors.ts";
import { searchPaths } from "../path/search.ts";
import type { SignatureCache } from "../path/signature.ts";
import {
  decide,
  type Decision,
  demandOf,
  matchPins,
  type Situation,
} from "../policy/decide.ts";
import {
  findEntry,
  type HostEntry,
  type PolicyRecord,
} from "../policy/record.ts";
import { hashCertificatePins } from "../policy/hash_certificate_pins.ts";
import { type Certificate, recordOf } from "../x509/certificate.ts";
import type { CertificateCache } from "./certificates.ts";
import type { Freshness } from "./freshness.ts";
import { type MatchedPath, matchPath } from "./match.ts";
import { chainError, type CopiedPeer } from "./peer.ts";
import { refusal } from "./refusal.ts";
import { makeVerdict, type Verdict } from "./verdict.ts";

/** What an evaluation rests on beside the peer. */
export interface CheckContext {
  /** The policy, as it was when the evaluation began. */
  readonly record: PolicyRecord;
  /** Milliseconds since the epoch; NaN where the clock failed. */
  readonly at: number;
  /** What an updater knows of the policy. */
  readonly freshness: Freshness;
  /** Budgets of the search. */
  readonly limits: Limits;
  /** The pinner's anchors. */
  readonly anchors?: AnchorStore;
  /** The platform's anchors. */
  readonly publicAnchors?: AnchorStore;
  /** Parsed certificates. */
  readonly certificates: CertificateCache;
  /** Verified signatures. */
  readonly signatures: SignatureCache;
}

/** A verdict, and the pin set that it rests on. */
export interface Evaluation {
  /** The verdict. */
  readonly verdict: Verdict;
  /** The pin set of the host. */
  readonly entry?: HostEntry;
}

const NO_ANCHORS: AnchorStore = anchorStore([]);

/** Searches for the best path: a match, else one on roots alone, else any. */
function* findPath(
  chain: readonly Certificate[],
  peer: CopiedPeer,
  context: CheckContext,
  situation: Situation,
): CryptoRoutine<MatchedPath> {
  const { record } = context;
  const { entry } = situation;
  const anchors = peer.anchors ?? context.anchors;
  const isPinned = demandOf(situation) === "pinned";
  const rules = isPinned ? entry?.rules ?? [] : [];
  const publicAnchors = context.publicAnchors ?? peer.publicAnchors;
  let first: MatchedPath | undefined;
  let onRoots: MatchedPath | undefined;
  const search = searchPaths<MatchedPath>(
    {
      chain,
      intermediates: record.certificates,
      anchors: anchors ?? NO_ANCHORS,
      mayEndEarly: anchors === undefined && peer.platformValidated,
      host: peer.host,
      at: context.at,
      limits: context.limits,
      signatures: context.signatures,
      profile: entry?.profile,
      publicAnchors,
    },
    function* (path) {
      const match = yield* matchPath(path, rules, publicAnchors);
      if (!isPinned || entry === undefined) return { path, match };
      const pins = matchPins(entry, record.rootOnly, match);
      const matchedPath = { path, match, pins };
      if (pins.grade === "full") return matchedPath;
      first ??= matchedPath;
      if (pins.grade === "roots") onRoots ??= matchedPath;
      return undefined;
    },
  );
  let found: { accepted?: MatchedPath; error?: PathError } = {};
  try {
    found = yield* search;
  } catch (error) {
    // One path that satisfies the policy is enough, even where a limit ended
    // the search for a better one.
    const isEnough = error instanceof LimitError && onRoots !== undefined &&
      record.rootOnly === "warn";
    if (!isEnough) throw error;
  }
  const best = found.accepted ?? onRoots ?? first;
  if (best !== undefined) return best;
  if (
    anchors === undefined && found.error?.code === "ERR_CERTPIN_PATH_NO_ISSUER"
  ) {
    throw new PathError(
      found.error.code,
      `${found.error.message}; no anchors were given, set the option "anchors"`,
      { cause: found.error },
    );
  }
  throw found.error ?? new PathError(
    "ERR_CERTPIN_PATH_NO_ISSUER",
    "Cannot evaluate the peer: no path",
  );
}

/** The same; a refusal says what could not be read of the chain. */
function* findReadablePath(
  chain: readonly Certificate[],
  unreadable: readonly CertificateError[],
  peer: CopiedPeer,
  context: CheckContext,
  situation: Situation,
): CryptoRoutine<MatchedPath> {
  try {
    return yield* findPath(chain, peer, context, situation);
  } catch (error) {
    if (unreadable.length === 0 || !(error instanceof PathError)) throw error;
    const [{ message }] = unreadable;
    throw new PathError(
      error.code,
      `${error.message}; of the presented certificates ${unreadable.length} cannot be read, the first because: ${message}`,
      { cause: error, rule: error.rule },
    );
  }
}

/** When a verdict ends: see `validUntil`. */
function endOf(
  decision: Decision,
  certificates: readonly Certificate[],
  entry: HostEntry | undefined,
  { deadline }: Freshness,
): number {
  if (decision.decision === "block") return 0;
  const ends = certificates.map((one) => recordOf(one).notAfter);
  if (entry?.mode === "enforce") {
    ends.push(deadline);
    if (entry.onExpiry === "block" && entry.expiresAt !== undefined) {
      ends.push(entry.expiresAt);
    }
  }
  return Math.min(Infinity, ...ends);
}

/** The verdict on a chain that cannot be valid. */
export function blocked(hostname: string, error: CertpinError): Verdict {
  return makeVerdict({
    decision: "block",
    reason: "invalid-chain",
    hostname,
    matched: [],
    warnings: [],
    error,
  }, 0);
}

function* evaluateChain(
  peer: CopiedPeer,
  context: CheckContext,
): CryptoRoutine<Evaluation> {
  const { host, hostname, platformValidated } = peer;
  const { record, at } = context;
  if (!Number.isFinite(at)) {
    throw new PathError(
      "ERR_CERTPIN_PATH_EXPIRED",
      'Cannot evaluate the peer: "now" did not return a valid Date',
    );
  }
  const entry = host && findEntry(record, host);
  // A host that is refused whatever it shows makes no more work than its leaf.
  const isHopeless = entry === undefined && record.unlisted === "deny";
  const { certificates: chain, unreadable } = yield* context.certificates.parse(
    isHopeless ? peer.chain.slice(0, 1) : peer.chain,
  );
  // What has passed for sure counts for expiry alone, never for paths.
  const { floor, deadline } = context.freshness;
  const policyAt = Math.max(at, floor);
  const isTooOld = policyAt >= deadline;
  const situation = {
    record,
    entry,
    at: policyAt,
    isTooOld,
    platformValidated,
  };
  yield* hashCertificatePins(entry?.rules ?? []);
  const matchedPath = demandOf(situation) === "nothing"
    ? undefined
    : yield* findReadablePath(chain, unreadable, peer, context, situation);
  const decision = decide(situation, matchedPath?.match, matchedPath?.pins);
  const { code, matches, findings } = decision;
  const error = code && (yield* refusal(code, hostname, entry, matchedPath));
  const path = matchedPath?.path;
  const matched = path === undefined
    ? []
    : matches.map(({ rule, place }) =>
      Object.freeze({
        pin: entry!.rules[rule].pin,
        certificate: path.certificates[place],
        role: matchedPath!.match.places[place].role,
      })
    );
  const verdict = makeVerdict(
    {
      decision: decision.decision,
      reason: decision.reason,
      hostname,
      matched,
      ...path && {
        path: Object.freeze({
          certificates: Object.freeze([...path.certificates]),
          anchored: path.anchored,
        }),
      },
      warnings: [...findings],
      ...error && { error },
    },
    endOf(
      decision,
      path?.certificates ?? chain.slice(0, 1),
      entry,
      context.freshness,
    ),
  );
  return { verdict, entry };
}

/** Evaluates a peer. Never throws: whatever goes wrong blocks as `invalid-chain`. */
export function* evaluate(
  peer: CopiedPeer,
  context: CheckContext,
): CryptoRoutine<Evaluation> {
  try {
    if (peer.failure !== undefined) throw peer.failure;
    return yield* evaluateChain(peer, context);
  } catch (error) {
    const entry = peer.host && findEntry(context.record, peer.host);
    return { verdict: blocked(peer.hostname, chainError(error)), entry };
  }
}
