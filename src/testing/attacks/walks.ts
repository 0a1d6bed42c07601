/**
 * Attacks on whoever pins what a peer presents instead of what was verified:
 * a trusted authority vouches for the attacker's certificate, and a pinned
 * one stands in the chain for show (CVE-2016-2402 is the first of them).
 *
 * @module
 */
import type { ErrorCode } from "../../errors.ts";
import { pinOf } from "../keys.ts";
import type { MintedCertificate } from "../certificate_options.ts";
import type { AttackDefinition, Part, Scene, World } from "./world.ts";

const MISMATCH = ["ERR_CERTPIN_MISMATCH"] as const;

/** Both authorities trusted, the good intermediate pinned. */
export function bothTrusted(
  world: World,
  chain: readonly MintedCertificate[],
): Scene {
  return {
    chain,
    anchors: [world.root, world.otherRoot],
    pins: world.pins,
  };
}

/** The attacker's chain over two intermediates, with a stranger at a place. */
function strangerAt(place: number, where: string): AttackDefinition {
  const scene = async (
    world: World,
    issuerOf: "intermediate" | "otherIntermediate",
    stranger: MintedCertificate,
  ): Promise<Scene> => {
    const lower = await world.mint({
      subject: "lower intermediate",
      ca: true,
      key: await world.key("lower intermediate"),
      issuer: world[issuerOf],
    });
    const leaf = await world.mint({
      hostnames: [world.hostname],
      key: await world.key("attacker"),
      issuer: lower,
    });
    const chain = [leaf, lower, world[issuerOf]];
    chain.splice(place, 0, stranger);
    return bothTrusted(world, chain);
  };
  return {
    name: `unrelated-pinned-ca-${where}`,
    description:
      `A pinned CA that signed nothing stands ${where} in a chain of another trusted authority.`,
    codes: MISMATCH,
    attack: (world) => scene(world, "otherIntermediate", world.intermediate),
    control: (world) => scene(world, "intermediate", world.otherIntermediate),
  };
}

/** An intermediate of the other authority with the pinned one's name. */
async function twinScene(
  world: World,
  identifiers: Part,
  signer: "twin" | "pinned",
): Promise<Scene> {
  const twin = await world.mint({
    subject: "good intermediate",
    ca: true,
    key: await world.key("twin"),
    ...identifiers,
    issuer: world.otherRoot,
  });
  const leaf = await world.mint({
    hostnames: [world.hostname],
    key: await world.key("attacker"),
    issuer: signer === "twin" ? twin : world.intermediate,
  });
  return bothTrusted(world, [leaf, twin, world.intermediate]);
}

function twin(
  name: string,
  what: string,
  identifiers: (world: World) => Part,
  codes: readonly ErrorCode[] = MISMATCH,
): AttackDefinition {
  return {
    name: `evil-twin-${name}`,
    description:
      `Another trusted authority issues a CA with the pinned one's name, ${what}; both are presented.`,
    codes,
    attack: (world) => twinScene(world, identifiers(world), "twin"),
    control: (world) => twinScene(world, identifiers(world), "pinned"),
  };
}

/** The key of the good leaf, certified as a CA, and a leaf below it. */
async function leafKeyAsCa(
  world: World,
  role: "leaf" | "ca",
): Promise<Scene> {
  const authority = await world.mint({
    subject: "certified leaf key",
    ca: true,
    key: world.leaf.key,
    issuer: world.otherRoot,
  });
  const leaf = await world.mint({
    hostnames: [world.hostname],
    key: await world.key("attacker"),
    issuer: authority,
  });
  return {
    ...bothTrusted(world, [leaf, authority]),
    pins: [{ pin: await pinOf(world.leaf.spki), role }],
  };
}

async function leafPinned(
  world: World,
  chain: readonly MintedCertificate[],
): Promise<Scene> {
  return {
    ...bothTrusted(world, chain),
    pins: [{ pin: await pinOf(world.leaf.spki), role: "leaf" }],
  };
}

/** Two certificates of one intermediate key; perhaps the pinned one has expired. */
async function crossOfExpired(world: World, expired: boolean): Promise<Scene> {
  const pinned = await world.mint({
    subject: "good intermediate",
    ca: true,
    key: world.intermediate.key,
    issuer: world.root,
    notBefore: world.days(-900),
    notAfter: world.days(expired ? -1 : 900),
  });
  const live = await world.mint({
    subject: "good intermediate",
    ca: true,
    key: world.intermediate.key,
    issuer: world.otherRoot,
  });
  return {
    ...bothTrusted(world, [world.leaf, pinned, live]),
    pins: [{ pin: `certificate:${await pinOf(pinned.der)}` }],
  };
}

/** Attacks of this kind. */
export const WALK_ATTACKS: readonly AttackDefinition[] = [
  strangerAt(1, "second"),
  strangerAt(2, "third"),
  strangerAt(3, "last"),
  {
    name: "unrelated-pinned-root",
    description:
      "A pinned root is presented at the end of a chain of another trusted authority.",
    codes: MISMATCH,
    attack: async (world) => ({
      ...bothTrusted(world, [
        world.otherLeaf,
        world.otherIntermediate,
        world.root,
      ]),
      pins: [{ pin: await pinOf(world.root.spki) }],
    }),
    control: async (world) => ({
      ...bothTrusted(world, [
        world.otherLeaf,
        world.otherIntermediate,
        world.root,
      ]),
      pins: [{ pin: await pinOf(world.otherRoot.spki) }],
    }),
  },
  {
    name: "unrelated-pinned-leaf",
    description:
      "The pinned leaf stands behind the attacker's own, which another trusted authority issued.",
    codes: MISMATCH,
    attack: (world) =>
      leafPinned(world, [
        world.otherLeaf,
        world.leaf,
        world.otherIntermediate,
        world.intermediate,
      ]),
    control: (world) =>
      leafPinned(world, [
        world.leaf,
        world.otherLeaf,
        world.otherIntermediate,
        world.intermediate,
      ]),
  },
  twin("with-key-identifiers", "with its own key identifier", () => ({})),
  twin("without-key-identifiers", "without key identifiers", () => ({
    subjectKeyIdentifier: false,
    authorityKeyIdentifier: false,
  }), [...MISMATCH, "ERR_CERTPIN_PATH_EXTENSION"]),
  twin("with-copied-key-identifier", "with the pinned key identifier", (
    world,
  ) => ({ subjectKeyIdentifier: world.intermediate.keyIdentifier })),
  {
    name: "pinned-leaf-key-as-ca",
    description:
      "A trusted authority certifies the pinned leaf's key as a CA; a pin for the leaf must not match it above a leaf.",
    codes: MISMATCH,
    attack: (world) => leafKeyAsCa(world, "leaf"),
    control: (world) => leafKeyAsCa(world, "ca"),
  },
  {
    name: "expired-pinned-intermediate-beside-live-cross-sign",
    description:
      "The pinned certificate has expired; a cross-sign of its key is still valid and carries the path.",
    codes: MISMATCH,
    attack: (world) => crossOfExpired(world, true),
    control: (world) => crossOfExpired(world, false),
  },
];
