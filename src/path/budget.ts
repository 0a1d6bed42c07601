/**
 * What one path search may spend. A hostile chain ends a search early with a
 * `LimitError`; it never keeps it going.
 *
 * @module
 */
import { LimitError } from "../errors.ts";
import type { Limits } from "../limits.ts";

/** What is paid for: each has its limit. */
export type Expense = "candidates" | "signatures" | "nameConstraintComparisons";

/** Counters of one search. */
export class Budget {
  readonly #spent: Record<Expense, number> = {
    candidates: 0,
    signatures: 0,
    nameConstraintComparisons: 0,
  };
  readonly #limits: Limits;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /**
   * Pays before the work is done: for candidates looked at, signatures asked
   * about (answered from the cache or not), looks at a name constraint.
   *
   * @throws {LimitError} `ERR_CERTPIN_LIMIT_PATH_WORK`
   */
  pay(expense: Expense, count = 1): void {
    this.#spent[expense] += count;
    const limit = this.#limits[expense];
    if (this.#spent[expense] <= limit) return;
    throw new LimitError(
      "ERR_CERTPIN_LIMIT_PATH_WORK",
      `Cannot finish the path search: the limit "${expense}" of ${limit} is reached`,
    );
  }
}
