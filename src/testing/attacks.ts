/**
 * A catalogue of attack chains.
 *
 * @module
 */
import type { ErrorCode } from "../errors.ts";
import { ALGORITHM_ATTACKS } from "./attacks/algorithms.ts";
import { CONSTRAINT_ATTACKS } from "./attacks/constraints.ts";
import { DEFECT_ATTACKS } from "./attacks/defects.ts";
import { ENCODING_ATTACKS } from "./attacks/encodings.ts";
import { FORGERY_ATTACKS } from "./attacks/forgeries.ts";
import { WALK_ATTACKS } from "./attacks/walks.ts";
import {
  type AttackDefinition,
  type AttackSide,
  createWorld,
  sideOf,
} from "./attacks/world.ts";

export type { AttackSide };

const DEFINITIONS: readonly AttackDefinition[] = [
  ...WALK_ATTACKS,
  ...FORGERY_ATTACKS,
  ...DEFECT_ATTACKS,
  ...ALGORITHM_ATTACKS,
  ...CONSTRAINT_ATTACKS,
  ...ENCODING_ATTACKS,
];

/** The names of all attacks, in the order of {@linkcode mintAttacks}. */
export const ATTACK_NAMES: readonly string[] = Object.freeze(
  DEFINITIONS.map(({ name }) => name),
);

/** An attack chain and its positive control. */
export interface Attack {
  /** Words with hyphens; one of {@linkcode ATTACK_NAMES}. */
  readonly name: string;
  /** What the attacker tries, one sentence. */
  readonly description: string;
  /** The code with which a check must refuse it: one of these. */
  readonly codes: readonly ErrorCode[];
  /** Must be refused: a `check` blocks with one of `codes`. */
  readonly attack: AttackSide;
  /** Must be accepted: differs from `attack` in one thing. */
  readonly control: AttackSide;
}

/** What {@linkcode mintAttacks} may be told. */
export interface MintAttacksOptions {
  /** The host under attack, a DNS name. Default `localhost`, so that real servers can present the chains. */
  readonly hostname?: string;
  /** What "now" is: check at this time. Default: the clock. */
  readonly now?: Date;
  /** Source of random bytes for serial numbers; keys always come from WebCrypto. */
  readonly random?: (length: number) => Uint8Array;
  /** Only these, by name. Default: all. */
  readonly only?: readonly string[];
}

/**
 * Mints attack chains, each with what a client would trust and pin, the codes
 * with which it must be refused, and a positive control that must pass.
 *
 * They are attacks on a client that pins: a pinned certificate that signed
 * nothing, an evil twin, a leaf used as a CA, broken constraints, bad dates,
 * odd encodings. A test that refuses all the attacks and accepts all the
 * controls has shown that it evaluates the verified path.
 *
 * @example
 * ```ts
 * import { createPinner, parseCertificates } from "@certpin/certpin";
 * import { mintAttacks } from "@certpin/certpin/testing";
 *
 * for (const { name, attack, codes } of await mintAttacks()) {
 *   const pinner = createPinner(attack.policy, {
 *     anchors: parseCertificates(attack.anchors),
 *     onWarning: () => {},
 *   });
 *   const { hostname, chain } = attack;
 *   const verdict = await pinner.check({ hostname, chain });
 *   console.log(name, codes.includes(verdict.error!.code)); // … true
 * }
 * ```
 * @throws {RangeError} on a name in `only` that is no attack's.
 */
export async function mintAttacks(
  options: MintAttacksOptions = {},
): Promise<Attack[]> {
  const unknown = options.only?.find((name) => !ATTACK_NAMES.includes(name));
  if (unknown !== undefined) {
    throw new RangeError(`Cannot mint the attack "${unknown}": no such attack`);
  }
  const world = await createWorld(
    options.hostname ?? "localhost",
    options.now ?? new Date(),
    options.random,
  );
  const attacks: Attack[] = [];
  for (const { name, description, codes, ...scenes } of DEFINITIONS) {
    if (options.only && !options.only.includes(name)) continue;
    attacks.push(Object.freeze({
      name,
      description,
      codes,
      attack: sideOf(world, await scenes.attack(world)),
      control: sideOf(world, await scenes.control(world)),
    }));
  }
  return attacks;
}
