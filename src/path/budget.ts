/**
 * What one path search may spend. A hostile chain ends a search early with a
 * `LimitError`; it never keeps it going.
 *
 * @module
 */
import { LimitError } from "../errors.ts";
import type { Limits } from "../limits.ts";

/** Counters of one search, each with its limit. */
export class Budget {
  /** Issuer candidates looked at so far. */
  candidates = 0;
  /** Signatures asked about so far, answered from the cache or not. */
  signatures = 0;
  /** Comparisons of a name with a name constraint so far. */
  comparisons = 0;
  readonly #limits: Limits;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** Pays for one candidate. */
  candidate(): void {
    if (++this.candidates > this.#limits.candidates) {
      exhausted("candidates", this.#limits.candidates);
    }
  }

  /** Pays for one signature. */
  signature(): void {
    if (++this.signatures > this.#limits.signatures) {
      exhausted("signatures", this.#limits.signatures);
    }
  }

  /** Pays for one comparison with a name constraint. */
  comparison(): void {
    if (++this.comparisons > this.#limits.nameConstraintComparisons) {
      exhausted(
        "nameConstraintComparisons",
        this.#limits.nameConstraintComparisons,
      );
    }
  }
}

function exhausted(name: keyof Limits, limit: number): never {
  throw new LimitError(
    "ERR_CERTPIN_LIMIT_PATH_WORK",
    `Cannot finish the path search: the limit "${name}" of ${limit} is reached`,
  );
}
