/**
 * Name constraints (RFC 5280, sections 4.2.1.10 and 6.1).
 *
 * Each constraining CA is held against each certificate below it, so that
 * permitted subtrees intersect down the path by themselves.
 *
 * @module
 */
import type { NameConstraints } from "../x509/general_names.ts";
import type { CertificateRecord } from "../x509/record.ts";
import type { Budget } from "./budget.ts";
import {
  type ConstrainedName,
  constrainedNamesOf,
  Subtrees,
} from "./subtrees.ts";

/** The constraints of one CA, indexed. */
interface Index {
  readonly permitted: Subtrees;
  readonly excluded: Subtrees;
}

function readIndex({ permitted, excluded }: NameConstraints): Index | string {
  const index = { permitted: new Subtrees(), excluded: new Subtrees() };
  for (const base of permitted) {
    const defect = index.permitted.add(base);
    if (defect) return defect;
  }
  for (const base of excluded) {
    const defect = index.excluded.add(base);
    if (defect) return defect;
  }
  return index;
}

/**
 * The constraints and the names of one search, each taken apart once. They take
 * a multiple of the certificates' size, so they do not outlive the search.
 */
export class NameChecker {
  readonly #budget: Budget;
  /** By the CA; a text says what is wrong with its constraints. */
  readonly #indexes = new Map<NameConstraints, Index | string>();
  readonly #names = new Map<CertificateRecord, readonly ConstrainedName[]>();

  constructor(budget: Budget) {
    this.#budget = budget;
  }

  /**
   * Holds a CA's constraints against the certificates below it.
   *
   * @param below Leaf first. Self-issued ones are exempt, the leaf never is.
   * @returns What is wrong, or undefined.
   */
  check(
    constraints: NameConstraints,
    below: readonly CertificateRecord[],
  ): string | undefined {
    const { permitted, excluded } = constraints;
    this.#pay(permitted.length + excluded.length);
    const index = this.#indexOf(constraints);
    if (typeof index === "string") return index;
    for (const [i, record] of below.entries()) {
      if (i > 0 && record.selfIssued) continue;
      for (const name of this.#namesOf(record)) {
        this.#pay(
          Math.max(index.permitted.costOf(name), index.excluded.costOf(name)),
        );
        const defect = checkName(name, index);
        if (defect) return defect;
      }
    }
  }

  #pay(count: number): void {
    this.#budget.pay("nameConstraintComparisons", count);
  }

  #indexOf(constraints: NameConstraints): Index | string {
    let index = this.#indexes.get(constraints);
    if (index === undefined) {
      index = readIndex(constraints);
      this.#indexes.set(constraints, index);
    }
    return index;
  }

  #namesOf(record: CertificateRecord): readonly ConstrainedName[] {
    let names = this.#names.get(record);
    if (names === undefined) {
      names = constrainedNamesOf(record);
      this.#names.set(record, names);
    }
    return names;
  }
}

function checkName(
  name: ConstrainedName,
  { permitted, excluded }: Index,
): string | undefined {
  const isLimited = permitted.concern(name);
  if (!isLimited && !excluded.concern(name)) return undefined;
  if (name.kind === "other" || name.kind === "uri") {
    // RFC 5280, section 4.2.1.10: process the constraint or reject.
    return "a constrained kind of name that cannot be compared";
  }
  if (name.kind === "malformed") return "a constrained name that is malformed";
  if (excluded.touch(name)) return "an excluded name";
  if (isLimited && !permitted.contain(name)) {
    return "a name outside the permitted subtrees";
  }
}
