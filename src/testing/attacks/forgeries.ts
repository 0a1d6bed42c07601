/**
 * Chains that nobody trusted has signed.
 *
 * @module
 */
import { bothTrusted } from "./walks.ts";
import type { AttackDefinition, Scene, World } from "./world.ts";

const SIGNATURE = ["ERR_CERTPIN_PATH_SIGNATURE"] as const;
const NO_ISSUER = ["ERR_CERTPIN_PATH_NO_ISSUER"] as const;

/** The good chain, its leaf signed with some key in the intermediate's name. */
async function forged(world: World, key: string): Promise<Scene> {
  const leaf = await world.mint({
    hostnames: [world.hostname],
    key: await world.key("attacker"),
    issuer: world.intermediate,
    signingKey: await world.key(key),
  });
  return {
    chain: [leaf, world.intermediate],
    anchors: [world.root],
    pins: world.pins,
  };
}

/** A leaf under a root that is presented, and perhaps trusted. */
async function ownRoot(world: World, trusted: boolean): Promise<Scene> {
  const root = await world.mint({
    subject: "good root",
    ca: true,
    key: await world.key("own root"),
  });
  const intermediate = await world.mint({
    subject: "good intermediate",
    ca: true,
    key: await world.key("good intermediate"),
    issuer: root,
  });
  const leaf = await world.mint({
    hostnames: [world.hostname],
    key: await world.key("attacker"),
    issuer: intermediate,
  });
  return {
    chain: [leaf, intermediate, root],
    anchors: trusted ? [world.root, root] : [world.root],
    pins: world.pins,
  };
}

/** Attacks of this kind. */
export const FORGERY_ATTACKS: readonly AttackDefinition[] = [
  {
    name: "forged-leaf",
    description:
      "The attacker signs a leaf in the pinned CA's name, key identifier included, with a key of their own.",
    codes: SIGNATURE,
    attack: (world) => forged(world, "attacker's CA"),
    control: (world) => forged(world, "good intermediate"),
  },
  {
    name: "twin-root",
    description:
      "The attacker's root bears the trusted one's name, and is presented with the chain below it.",
    codes: SIGNATURE,
    attack: (world) => ownRoot(world, false),
    control: (world) => ownRoot(world, true),
  },
  {
    name: "self-signed-leaf",
    description: "A self-signed leaf, with the pinned intermediate behind it.",
    codes: NO_ISSUER,
    attack: async (world) => ({
      ...bothTrusted(world, [
        await world.mint({
          hostnames: [world.hostname],
          key: await world.key("attacker"),
        }),
        world.intermediate,
      ]),
    }),
    control: async (world) => ({
      ...bothTrusted(world, [
        await world.mint({
          hostnames: [world.hostname],
          key: await world.key("attacker"),
          issuer: world.intermediate,
        }),
        world.intermediate,
      ]),
    }),
  },
];
