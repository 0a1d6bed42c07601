/**
 * `verifyPath`: one search, over WebCrypto.
 *
 * @module
 */
import type { CryptoRoutine } from "../crypto/routine.ts";
import { runWithWebCrypto } from "../crypto/webcrypto.ts";
import { CertpinError, PathError } from "../errors.ts";
import { type CanonicalHost, canonicalHost } from "../host.ts";
import { type Limits, resolveLimits } from "../limits.ts";
import { checkOptionNames } from "../option_names.ts";
import { quoteText } from "../text.ts";
import { type Certificate, recordOf } from "../x509/certificate.ts";
import { anchorStore } from "./anchors.ts";
import { type FoundPath, searchPaths } from "./search.ts";
import { isProfile, type Profile } from "./rule_table.ts";
import { SignatureCache } from "./signature.ts";

/** A verified path. */
export interface Path {
  /** The certificates, leaf first. */
  readonly certificates: readonly Certificate[];
  /** Whether it ends at an anchor. */
  readonly anchored: boolean;
}

/** Options of {@linkcode verifyPath}. */
export interface VerifyPathOptions {
  /** DNS name or IP literal, matched against subjectAltName alone; left out, no name is checked. */
  hostname?: string;
  /** Trusted certificates; an empty list trusts nothing. */
  anchors: readonly Certificate[];
  /** The time to evaluate at, to the second. Default: now. */
  at?: Date;
  /** Budgets of the search. */
  limits?: Partial<Limits>;
  /**
   * `web`, the default, or `private`: then rules that bind public CAs alone are
   * waived. The anchors are taken for your own.
   */
  profile?: Profile;
}

const OPTION_NAMES = Object.keys(
  {
    hostname: true,
    anchors: true,
    at: true,
    limits: true,
    profile: true,
  } satisfies Record<keyof VerifyPathOptions, true>,
);
const NO_ANCHORS = anchorStore([]);

function checkProfile(profile: unknown): void {
  if (profile === undefined || isProfile(profile)) return;
  throw new TypeError(
    `Cannot verify the chain: expected the profile "web" or "private", got ${
      quoteText(String(profile))
    }`,
  );
}

/** Shared by all calls: see {@linkcode SignatureCache} for why that is safe. */
const sharedSignatures: SignatureCache = new SignatureCache();

/** The steps of {@linkcode verifyPath}, for any driver. */
export function* verifyPathRoutine(
  chain: readonly Certificate[],
  options: VerifyPathOptions,
  signatures: SignatureCache = sharedSignatures,
): CryptoRoutine<Path> {
  const at = (options.at ?? new Date()).getTime();
  if (!Number.isFinite(at)) {
    throw new PathError(
      "ERR_CERTPIN_PATH_EXPIRED",
      'Cannot verify the chain: "at" is not a valid Date',
    );
  }
  if (chain.length === 0) {
    throw new PathError(
      "ERR_CERTPIN_PATH_EMPTY_CHAIN",
      "Cannot verify the chain: it is empty",
    );
  }
  checkProfile(options.profile);
  chain.forEach(recordOf);
  const { accepted, error } = yield* searchPaths<FoundPath>(
    {
      chain,
      intermediates: [],
      anchors: anchorStore(options.anchors),
      mayEndEarly: false,
      host: hostOf(options.hostname),
      at,
      limits: resolveLimits(options.limits),
      signatures,
      profile: options.profile,
      // All anchors are the caller's own.
      publicAnchors: NO_ANCHORS,
    },
    function* (path) {
      return path;
    },
  );
  if (!accepted) throw error;
  return Object.freeze({
    certificates: Object.freeze([...accepted.certificates]),
    anchored: accepted.anchored,
  });
}

function hostOf(hostname: string | undefined): CanonicalHost | undefined {
  if (hostname === undefined) return undefined;
  try {
    return canonicalHost(hostname);
  } catch (cause) {
    if (!(cause instanceof CertpinError)) throw cause;
    throw new PathError("ERR_CERTPIN_PATH_HOSTNAME", cause.message, { cause });
  }
}

/**
 * Finds a valid path from the first certificate of a chain to an anchor.
 *
 * Holds when it returns: every signature on the path, names, validity, the CA
 * bit, path lengths, key usages, name constraints, critical extensions, the
 * algorithm policy (no SHA-1, RSA from 2,048 bits, named curves), and the
 * hostname in subjectAltName (RFC 5280, section 6; RFC 9525). Does not hold:
 * that nothing is revoked, that anything is logged, that the peer has the key.
 *
 * @example
 * ```ts
 * import { parseCertificates, verifyPath } from "@certpin/certpin";
 * import { mintChain } from "@certpin/certpin/testing";
 *
 * const { pem, ca } = await mintChain({ hostnames: ["api.example.com"] });
 * const { certificates } = await verifyPath(parseCertificates(pem), {
 *   hostname: "api.example.com",
 *   anchors: parseCertificates(ca),
 * });
 * console.log(certificates.length); // 3
 * ```
 *
 * With `profile: "private"`, rules of shape that bind public CAs alone are
 * waived; see the guide to private CAs.
 *
 * @param chain As presented: the leaf first, the rest in any order; what does
 * not belong is passed over.
 * @returns The path, always anchored.
 * @throws {PathError} the reason of the candidate that got furthest.
 * @throws {LimitError} `ERR_CERTPIN_LIMIT_CHAIN_LENGTH`,
 * `ERR_CERTPIN_LIMIT_PATH_WORK`.
 * @throws {CertificateError} `ERR_CERTPIN_CERTIFICATE_FOREIGN`.
 * @throws {TypeError} for an unknown option or profile.
 * @throws {RangeError} for limits that do not exist or are no whole numbers.
 */
export async function verifyPath(
  chain: readonly Certificate[],
  options: VerifyPathOptions,
): Promise<Path> {
  checkOptionNames("verify the chain", options, OPTION_NAMES);
  return await runWithWebCrypto(verifyPathRoutine([...chain], options));
}
