/**
 * The search for valid paths: depth first from the leaf, every dead end left
 * again, within a budget (RFC 5280, section 6; RFC 4158 for the search).
 *
 * @module
 */
import type { CryptoRoutine } from "../crypto/routine.ts";
import { LimitError, PATH_ERROR_CODES, PathError } from "../errors.ts";
import type { CanonicalHost } from "../host.ts";
import type { Limits } from "../limits.ts";
import { type Certificate, recordOf } from "../x509/certificate.ts";
import type { CertificateRecord } from "../x509/record.ts";
import type { AnchorStore } from "./anchors.ts";
import { Budget } from "./budget.ts";
import { candidateOrder, isSameEntity, signatureScheme } from "./candidates.ts";
import { ISSUER_RULES } from "./issuer_rules.ts";
import { LEAF_RULES } from "./leaf_rules.ts";
import { NameChecker } from "./name_constraints.ts";
import { certificatePool, type Pool } from "./pool.ts";
import { type Place, refusal, refuse, type Rule, type Waiver } from "./rule.ts";
import type { Profile } from "./rule_table.ts";
import { isSignedBy, type SignatureCache } from "./signature.ts";

/** A place on a path: the first is the leaf, the self-issued end or a key of an anchor is a root. */
export type Role = "leaf" | "intermediate" | "root";

/** What to search for. */
export interface SearchRequest {
  /** As presented: the leaf first, the rest in any order. Not empty. */
  readonly chain: readonly Certificate[];
  /** Further certificates to build with; never trusted by themselves. */
  readonly intermediates: readonly Certificate[];
  readonly anchors: AnchorStore;
  /** Whether a path may end before an anchor: the platform validated, and its store cannot be listed. */
  readonly mayEndEarly: boolean;
  readonly host?: CanonicalHost;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly limits: Limits;
  readonly signatures: SignatureCache;
  /** Default `web`. `private` holds only on paths to anchors that the platform does not have. */
  readonly profile?: Profile;
  /** The platform's own store: its anchors are trusted as they stand. Undefined where it cannot be told. */
  readonly publicAnchors?: AnchorStore;
}

/** A valid path. */
export interface FoundPath {
  /** Leaf first. */
  readonly certificates: readonly Certificate[];
  /** The role of each. */
  readonly roles: readonly Role[];
  /** Whether it ends at an anchor. */
  readonly anchored: boolean;
  /** What the profile `private` let pass on it. */
  readonly waivers: readonly Waiver[];
}

/** How a search ended. */
export interface SearchResult<T> {
  /** What `accept` returned, where it returned something. */
  readonly accepted?: T;
  /** Valid paths that were offered. */
  readonly paths: number;
  /** Where there was no valid path: why the deepest candidate failed. */
  readonly error?: PathError;
}

/**
 * Offers each valid path to `accept`, until it returns something else than
 * undefined. The order of the presented certificates does not matter, but
 * that the first is the leaf.
 *
 * @throws {LimitError} `ERR_CERTPIN_LIMIT_CHAIN_LENGTH`,
 * `ERR_CERTPIN_LIMIT_PATH_WORK`
 */
export function* searchPaths<T>(
  request: SearchRequest,
  accept: (path: FoundPath) => CryptoRoutine<T | undefined>,
): CryptoRoutine<SearchResult<T>> {
  const { chain, limits } = request;
  if (chain.length > limits.chainCertificates) {
    throw new LimitError(
      "ERR_CERTPIN_LIMIT_CHAIN_LENGTH",
      `Cannot verify the chain: ${chain.length} certificates, at most ${limits.chainCertificates} allowed`,
    );
  }
  const search = new Search(request, accept);
  const accepted = yield* search.run();
  if (accepted !== undefined) return { accepted, paths: search.paths };
  if (search.paths > 0) return { paths: search.paths };
  if (search.tooLong) {
    throw new LimitError(
      "ERR_CERTPIN_LIMIT_CHAIN_LENGTH",
      "Cannot verify the chain: no path within the limits on its length",
    );
  }
  return { paths: 0, error: search.error };
}

class Search<T> {
  /** Valid paths offered so far. */
  paths = 0;
  /** Whether a branch ended at a limit of length. */
  tooLong = false;
  error: PathError | undefined;
  #errorDepth = -1;
  readonly #request: SearchRequest;
  readonly #accept: (path: FoundPath) => CryptoRoutine<T | undefined>;
  readonly #budget: Budget;
  readonly #names: NameChecker;
  readonly #at: number;
  #pool: Pool = new Map();

  constructor(
    request: SearchRequest,
    accept: (path: FoundPath) => CryptoRoutine<T | undefined>,
  ) {
    this.#request = request;
    this.#accept = accept;
    this.#budget = new Budget(request.limits);
    this.#names = new NameChecker(this.#budget);
    // Validity has a resolution of one second (RFC 5280, section 4.1.2.5).
    this.#at = Math.floor(request.at / 1000) * 1000;
  }

  *run(): CryptoRoutine<T | undefined> {
    const { chain, intermediates, anchors } = this.#request;
    const [leaf] = chain;
    const isAnchor = anchors.has(leaf);
    const waivers = this.#check(LEAF_RULES, leaf, [], isAnchor);
    if (waivers === undefined) return;
    if (isAnchor) {
      const accepted = yield* this.#offer([leaf], waivers, true);
      if (accepted !== undefined) return accepted;
    }
    this.#pool = yield* certificatePool(
      [...chain.slice(1), ...intermediates],
      anchors,
    );
    return yield* this.#extend([leaf], waivers, isAnchor);
  }

  /** Holds a certificate to rules: what was waived, or undefined where it fails. */
  #check(
    rules: readonly Rule[],
    certificate: Certificate,
    path: readonly Certificate[],
    isAnchor: boolean,
  ): readonly Waiver[] | undefined {
    const { profile, publicAnchors, host } = this.#request;
    const waivers: Waiver[] = [];
    const place: Place = {
      record: recordOf(certificate),
      below: path.map(recordOf),
      isAnchor,
      isPlatformAnchor: isAnchor && publicAnchors?.has(certificate) === true,
      at: this.#at,
      host,
      names: this.#names,
      waivers: profile === "private" ? waivers : undefined,
    };
    const isPassed = this.#attempt(path.length, () => {
      for (const rule of rules) rule(place);
    });
    return isPassed ? waivers : undefined;
  }

  /** Keeps the error of the candidate that got deepest, ties by the order of the rules. */
  #fail(depth: number, error: PathError): void {
    const isBetter = depth > this.#errorDepth ||
      (depth === this.#errorDepth &&
        rank(error) > rank(this.error!));
    if (!isBetter) return;
    this.error = error;
    this.#errorDepth = depth;
  }

  #attempt(depth: number, check: () => void): boolean {
    try {
      check();
      return true;
    } catch (error) {
      if (!(error instanceof PathError)) throw error;
      this.#fail(depth, error);
      return false;
    }
  }

  /**
   * Goes on from the last certificate of the path.
   *
   * @param waivers What was waived on it so far.
   * @param isOffered Whether the path was offered as it stands: then it need
   * not end early.
   */
  *#extend(
    path: readonly Certificate[],
    waivers: readonly Waiver[],
    isOffered: boolean,
  ): CryptoRoutine<T | undefined> {
    const { anchors, mayEndEarly } = this.#request;
    const last = path[path.length - 1];
    const paths = this.paths;
    const trusted = anchors.bySubject(last);
    const pooled = this.#pool.get(recordOf(last).issuerKey) ?? [];
    this.#budget.pay("candidates", trusted.length + pooled.length);
    const candidates = candidateOrder(last, trusted, pooled).filter((
      { certificate },
    ) => !path.some((earlier) => isSameEntity(earlier, certificate)));
    if (candidates.length === 0) {
      this.#attempt(path.length, () =>
        refuse(
          "no-issuer",
          recordOf(last),
          "its issuer is neither presented nor trusted",
        ));
    }
    for (const { certificate, isAnchor } of candidates) {
      if (!(yield* this.#issued(certificate, path, isAnchor))) continue;
      const more = this.#check(ISSUER_RULES, certificate, path, isAnchor);
      if (more === undefined) continue;
      const longer = [...path, certificate];
      const waived = [...waivers, ...more];
      if (isAnchor) {
        const accepted = yield* this.#offer(longer, waived, true);
        if (accepted !== undefined) return accepted;
        // The store may hold more of the path: any key on it may be pinned.
      }
      const accepted = yield* this.#extend(longer, waived, isAnchor);
      if (accepted !== undefined) return accepted;
    }
    // Nothing led on: the platform, which saw more anchors, may know the rest.
    if (mayEndEarly && !isOffered && this.paths === paths) {
      return yield* this.#offer(path, waivers, false);
    }
  }

  /** Whether the candidate issued the last certificate. */
  *#issued(
    candidate: Certificate,
    path: readonly Certificate[],
    isAnchor: boolean,
  ): CryptoRoutine<boolean> {
    const depth = path.length;
    const issuer = recordOf(candidate);
    const issued = recordOf(path[depth - 1]);
    if (this.#exceedsLength(issuer, path, isAnchor)) {
      this.tooLong = true;
      return false;
    }
    const scheme = signatureScheme(issued, issuer);
    if (typeof scheme === "string") {
      return this.#attempt(
        depth,
        () => refuse("algorithm", issued, scheme),
      );
    }
    this.#budget.pay("signatures");
    if (yield* isSignedBy(issued, issuer, scheme, this.#request.signatures)) {
      return true;
    }
    return this.#attempt(depth, () =>
      refuse(
        "signature",
        issued,
        "the key of its supposed issuer did not sign it",
      ));
  }

  #exceedsLength(
    issuer: CertificateRecord,
    path: readonly Certificate[],
    isAnchor: boolean,
  ): boolean {
    const { limits } = this.#request;
    if (path.length >= limits.pathCertificates) return true;
    const above = isAnchor ? path.slice(1) : [...path.slice(1), issuer];
    const counted = above.filter(({ selfIssued }) => !selfIssued).length;
    return counted > limits.intermediates;
  }

  *#offer(
    certificates: readonly Certificate[],
    waivers: readonly Waiver[],
    anchored: boolean,
  ): CryptoRoutine<T | undefined> {
    const [first] = waivers;
    if (first !== undefined) {
      const refusedFor = this.#whyPublic(certificates, anchored);
      if (refusedFor !== undefined) {
        const { rule, record, reason } = first;
        this.#fail(
          certificates.length,
          refusal(rule, record, reason, `; ${refusedFor}`),
        );
        return undefined;
      }
    }
    const leaf = recordOf(certificates[0]);
    const trustsLeafItself = certificates.length === 1 && anchored;
    // Last, so that an unknown self-signed authority is reported as unknown.
    if (leaf.decoded.basicConstraints?.ca && !trustsLeafItself) {
      this.#attempt(certificates.length, () =>
        refuse(
          "leaf-is-ca",
          leaf,
          "it is a CA, and a server's certificate must not be one",
        ));
      return undefined;
    }
    this.paths++;
    return yield* this.#accept({
      certificates,
      roles: certificates.map((certificate, i) =>
        this.#role(certificate, i, i === certificates.length - 1)
      ),
      anchored,
      waivers,
    });
  }

  /** Why the profile `private` does not hold for a path; undefined where it does. */
  #whyPublic(
    path: readonly Certificate[],
    anchored: boolean,
  ): string | undefined {
    const { publicAnchors } = this.#request;
    if (!anchored || publicAnchors === undefined) {
      return 'the profile "private" is for anchors that the platform does not have, and its store is not known here: let the program list it, or set publicAnchors, which may be empty';
    }
    return publicAnchors.hasKeyOf(path[path.length - 1])
      ? 'the profile "private" is not for paths to an anchor of the platform'
      : undefined;
  }

  #role(certificate: Certificate, i: number, isLast: boolean): Role {
    if (i === 0) return "leaf";
    const isEnd = isLast && recordOf(certificate).selfIssued;
    return isEnd || this.#request.anchors.hasKeyOf(certificate)
      ? "root"
      : "intermediate";
  }
}

function rank(error: PathError): number {
  return PATH_ERROR_CODES.indexOf(error.code);
}
