/**
 * What callers say to a pinner, and what it offers.
 *
 * @module
 */
import type { Limits } from "../limits.ts";
import type { Pin } from "../pins/value.ts";
import type { PolicyInput } from "../policy/document.ts";
import type { Finding } from "../policy/findings.ts";
import type { Policy } from "../policy/policy.ts";
import type { Certificate } from "../x509/certificate.ts";
import type { Report } from "./report.ts";
import type { Verdict } from "./verdict.ts";

/** Options of `createPinner`. */
export interface PinnerOptions {
  /** Trusted certificates. An empty list trusts nothing; absent, adapters take the platform's. */
  anchors?: readonly Certificate[];
  /**
   * The platform's own store, to tell a public root from a private one. Trusts
   * nothing by itself. Adapters fill it where the platform lists it.
   */
  publicAnchors?: readonly Certificate[];
  /** The clock. Default: the system's. */
  now?: () => Date;
  /** Budgets of the path search. */
  limits?: Partial<Limits>;
  /**
   * Called with each finding of each verdict. Default: `console.warn`, once for
   * each hostname and code until the policy is updated. What it throws is ignored.
   */
  onWarning?: (finding: Finding & { hostname: string }) => void;
  /** Called for every block and every softened hit. What it throws is ignored. */
  onReport?: (report: Report) => void;
}

/** A peer to be evaluated. */
export interface Peer {
  /** The name that the caller meant to reach: DNS name or IP literal. */
  hostname: string;
  /** For reports alone: pins hold for all ports. */
  port?: number;
  /** DER as presented, the leaf first, the rest in any order. Copied on entry. */
  chain: readonly Uint8Array[];
  /** Trusted certificates, instead of the pinner's. */
  anchors?: readonly Certificate[];
  /**
   * Whether a TLS stack has validated this very connection: then, and only
   * where no anchors are known, a path may end before an anchor. Set by adapters.
   */
  platformValidated?: boolean;
}

/** Evaluates peers by a policy; made by `createPinner`, and frozen. */
export interface Pinner {
  /** Evaluates a peer. Never throws on a bad one: it blocks. */
  check(peer: Peer): Promise<Verdict>;
  /**
   * Evaluates a peer, and throws the verdict's error on a block.
   *
   * @throws {CertpinError} With the code that the verdict's `error` has.
   */
  enforce(peer: Peer): Promise<Verdict>;
  /**
   * The pins for a hostname; an empty list if the policy does not list it. The pin of
   * a certificate has no digest until it was hashed: await one `check` first.
   *
   * @throws {PolicyError} `ERR_CERTPIN_HOST_INVALID`.
   */
  pinsFor(hostname: string): readonly Pin[];
  /**
   * Puts another policy in place, whole or not at all. Evaluations under way
   * end with the policy that they began with.
   *
   * @throws {PolicyError} `ERR_CERTPIN_POLICY_INVALID`; nothing has changed then.
   * @throws {LimitError} `ERR_CERTPIN_LIMIT_POLICY_SIZE`; nothing has changed then.
   */
  update(policy: Policy | PolicyInput | string): void;
  /** The policy in force. */
  readonly policy: Policy;
}
