/**
 * What an updater says of the policy in force, and what to ask for a newer one.
 *
 * @module
 */
import type { Policy } from "../policy/policy.ts";
import type { Verdict } from "./verdict.ts";

/** What is known of the policy in force beside its text. */
export interface Freshness {
  /** Its sequence; undefined where no updater knows it. */
  readonly sequence?: number;
  /**
   * Milliseconds since the epoch that have passed for sure: a clock that says
   * less revives no pin set that has expired. `-Infinity` where nothing is known.
   */
  readonly floor: number;
  /** From then on the policy is too old, in milliseconds since the epoch; `Infinity` is never. */
  readonly deadline: number;
}

/** Of a policy that no updater has brought. */
export const UNKNOWN_FRESHNESS: Freshness = Object.freeze({
  floor: -Infinity,
  deadline: Infinity,
});

/** A refused connection that a newer policy might allow. */
export interface RefreshRequest {
  /** Canonical. */
  readonly hostname: string;
  readonly port?: number;
  /** The policy that refused it. */
  readonly policy: Policy;
}

/** Asks for a newer policy; resolves when there is no more to wait for. Never rejects. */
export type Refresher = (
  request: RefreshRequest,
  signal: AbortSignal | undefined,
) => Promise<void>;

/** Whether a newer policy could allow what a verdict refuses: no policy mends a chain. */
export function isRefreshable({ decision, reason }: Verdict): boolean {
  return decision === "block" &&
    (reason === "mismatch" || reason === "root-only" || reason === "expired");
}
