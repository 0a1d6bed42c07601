/**
 * Judges a peer: parses, searches, compares, decides, and says why.
 *
 * @module
 */
import type { Steps } from "../crypto/steps.ts";
import { type CertpinError, LimitError, PathError } from "../errors.ts";
import type { Limits } from "../limits.ts";
import { type AnchorStore, anchorStore } from "../path/anchors.ts";
import { searchPaths } from "../path/search.ts";
import type { SignatureCache } from "../path/signature.ts";
import {
  decide,
  type Decision,
  demandOf,
  type Situation,
  weigh,
} from "../policy/decide.ts";
import {
  findEntry,
  type HostEntry,
  type PolicyRecord,
} from "../policy/record.ts";
import { settleSteps } from "../policy/settle.ts";
import { type Certificate, recordOf } from "../x509/certificate.ts";
import type { CertificateCache } from "./certificates.ts";
import { factsOf, type Weighed } from "./facts.ts";
import { chainError, type CopiedPeer } from "./peer.ts";
import { refusal } from "./refusal.ts";
import { makeVerdict, type Verdict } from "./verdict.ts";

/** What a judgement rests on beside the peer. */
export interface Bench {
  /** The policy, as it was when the judgement began. */
  readonly record: PolicyRecord;
  /** Milliseconds since the epoch; NaN where the clock failed. */
  readonly at: number;
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
export interface Judgement {
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
  bench: Bench,
  situation: Situation,
): Steps<Weighed> {
  const { record } = bench;
  const { entry } = situation;
  const anchors = peer.anchors ?? bench.anchors;
  const isPinned = demandOf(situation) === "pinned";
  const rules = isPinned ? entry?.rules ?? [] : [];
  let first: Weighed | undefined;
  let onRoots: Weighed | undefined;
  const search = searchPaths<Weighed>(
    {
      chain,
      intermediates: record.certificates,
      anchors: anchors ?? NO_ANCHORS,
      mayEndEarly: anchors === undefined && peer.platformValidated,
      host: peer.host,
      at: bench.at,
      limits: bench.limits,
      signatures: bench.signatures,
    },
    function* (path) {
      const publicAnchors = bench.publicAnchors ?? peer.publicAnchors;
      const facts = yield* factsOf(path, rules, publicAnchors);
      const weighed = { path, facts };
      if (!isPinned || entry === undefined) return weighed;
      const { grade } = weigh(entry, record.rootOnly, facts);
      if (grade === "full") return weighed;
      first ??= weighed;
      if (grade === "roots") onRoots ??= weighed;
      return undefined;
    },
  );
  let found: { accepted?: Weighed; error?: PathError } = {};
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
    "Cannot judge the peer: no path",
  );
}

/** When a verdict ends: see `validUntil`. */
function endOf(
  decision: Decision,
  certificates: readonly Certificate[],
  entry: HostEntry | undefined,
): number {
  if (decision.decision === "block") return 0;
  const ends = certificates.map((one) => recordOf(one).notAfter);
  const isFinal = entry?.onExpiry === "block" && entry.mode === "enforce";
  if (isFinal && entry.expiresAt !== undefined) ends.push(entry.expiresAt);
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

function* judgeValid(peer: CopiedPeer, bench: Bench): Steps<Judgement> {
  const { host, hostname, platformValidated } = peer;
  const { record, at } = bench;
  if (!Number.isFinite(at)) {
    throw new PathError(
      "ERR_CERTPIN_PATH_EXPIRED",
      "Cannot judge the peer: the clock gives no date",
    );
  }
  const entry = host && findEntry(record, host);
  // A host that is refused whatever it shows makes no more work than its leaf.
  const isHopeless = entry === undefined && record.unlisted === "deny";
  const chain = yield* bench.certificates.parse(
    isHopeless ? peer.chain.slice(0, 1) : peer.chain,
  );
  const situation = { record, entry, at, platformValidated };
  yield* settleSteps(entry?.rules ?? []);
  const weighed = demandOf(situation) === "nothing"
    ? undefined
    : yield* findPath(chain, peer, bench, situation);
  const decision = decide(situation, weighed?.facts);
  const { code, matches, findings } = decision;
  const error = code && (yield* refusal(code, hostname, entry, weighed));
  const path = weighed?.path;
  const matched = path === undefined
    ? []
    : matches.map(({ rule, place }) =>
      Object.freeze({
        pin: entry!.rules[rule].pin,
        certificate: path.certificates[place],
        role: weighed!.facts.places[place].role,
      })
    );
  const verdict = makeVerdict({
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
  }, endOf(decision, path?.certificates ?? chain.slice(0, 1), entry));
  return { verdict, entry };
}

/** Judges a peer. Never throws: whatever goes wrong blocks as `invalid-chain`. */
export function* judge(peer: CopiedPeer, bench: Bench): Steps<Judgement> {
  try {
    if (peer.failure !== undefined) throw peer.failure;
    return yield* judgeValid(peer, bench);
  } catch (error) {
    const entry = peer.host && findEntry(bench.record, peer.host);
    return { verdict: blocked(peer.hostname, chainError(error)), entry };
  }
}
