/**
 * What attack chains are built from: one good chain, one other trusted
 * authority, and keys that attack and control share.
 *
 * @module
 */
import type { Bytes } from "../../crypto/routine.ts";
import type { ErrorCode } from "../../errors.ts";
import { mintCertificate } from "../certificate.ts";
import type {
  MintCertificateOptions,
  MintedCertificate,
} from "../certificate_options.ts";
import type { PinDocument } from "../../policy/document.ts";
import type { MintedPolicy } from "../chain.ts";
import { type MintedKey, mintKey, pinOf } from "../keys.ts";

const DAY_MS = 86_400_000;

/** Options of one certificate; the issuer comes from its place. */
export type Part = Omit<MintCertificateOptions, "issuer">;

/** One chain before it is presented. */
export interface ChainPlan {
  /** What is special about the root. */
  readonly root?: Part;
  /** What is special about each intermediate, the leaf's issuer first. Default: one plain one. */
  readonly intermediates?: readonly Part[];
  /** What is special about the leaf. */
  readonly leaf?: Part;
  /** The name that the client asks for. Default: the world's. */
  readonly hostname?: string;
}

/** A chain with everything that a client would check it against. */
export interface Scene {
  /** As presented. */
  readonly chain: readonly MintedCertificate[];
  /** What the client trusts. */
  readonly anchors: readonly MintedCertificate[];
  /** What it pins. */
  readonly pins: readonly PinDocument[];
  /** The name that it asks for. Default: the world's. */
  readonly hostname?: string;
}

/** What an attack is made from. */
export interface World {
  /** The host under attack. */
  readonly hostname: string;
  /** This many days from now. */
  days(count: number): Date;
  /** Mints with the world's clock. */
  mint(options: MintCertificateOptions): Promise<MintedCertificate>;
  /** The same key for the same name. */
  key(name: string): Promise<MintedKey>;
  /** Root, pinned intermediate and leaf of the good side. */
  readonly root: MintedCertificate;
  readonly intermediate: MintedCertificate;
  readonly leaf: MintedCertificate;
  /** Another authority that the client trusts, with a leaf for the same host. */
  readonly otherRoot: MintedCertificate;
  readonly otherIntermediate: MintedCertificate;
  readonly otherLeaf: MintedCertificate;
  /** Pins the good intermediate's key. */
  readonly pins: readonly PinDocument[];
  /** Root, intermediates and leaf after a plan, with the world's keys; the root is last. */
  build(plan: ChainPlan): Promise<MintedCertificate[]>;
  /** The scene of a plan: presented without its root, which alone is trusted. */
  scene(plan: ChainPlan): Promise<Scene>;
}

/** How an attack is written down. */
export interface AttackDefinition {
  /** Words with hyphens, unique. */
  readonly name: string;
  /** What the attacker tries. */
  readonly description: string;
  /** The codes with which it may be refused. */
  readonly codes: readonly ErrorCode[];
  /** The chain that must be refused. */
  attack(world: World): Promise<Scene>;
  /** The same but for one thing, and accepted. */
  control(world: World): Promise<Scene>;
}

/** One side of a minted attack: what a peer presents and a client holds. */
export interface AttackSide {
  /** DER as presented, leaf first. */
  readonly chain: readonly Bytes[];
  /** The same as PEM: what a TLS server takes as `cert`. */
  readonly pem: string;
  /** The leaf's private key: what a TLS server takes as `key`. */
  readonly keyPem: string;
  /** DER of what the client trusts. */
  readonly anchors: readonly Bytes[];
  /** The same as PEM: what a TLS client takes as `ca`. */
  readonly ca: string;
  /** The name that the client asks for. */
  readonly hostname: string;
  /** The client's policy. */
  readonly policy: MintedPolicy;
}

/** Writes a scene out. */
export function sideOf(world: World, scene: Scene): AttackSide {
  const hostname = scene.hostname ?? world.hostname;
  return Object.freeze({
    chain: Object.freeze(scene.chain.map(({ der }) => der)),
    pem: scene.chain.map(({ pem }) => pem).join(""),
    keyPem: scene.chain[0].key.pem,
    anchors: Object.freeze(scene.anchors.map(({ der }) => der)),
    ca: scene.anchors.map(({ pem }) => pem).join(""),
    hostname,
    policy: {
      version: 1,
      hosts: { [hostname]: { pins: scene.pins.map((pin) => ({ ...pin })) } },
    } satisfies MintedPolicy,
  });
}

/** Makes a world. */
export async function createWorld(
  hostname: string,
  now: Date,
  random?: (length: number) => Uint8Array,
): Promise<World> {
  const keys = new Map<string, Promise<MintedKey>>();
  const key = (name: string): Promise<MintedKey> => {
    let made = keys.get(name);
    if (made === undefined) {
      made = mintKey();
      keys.set(name, made);
    }
    return made;
  };
  const mint = (options: MintCertificateOptions) =>
    mintCertificate({ now, random, ...options });

  const authority = async (name: string): Promise<MintedCertificate[]> => {
    const root = await mint({
      subject: `${name} root`,
      ca: true,
      key: await key(`${name} root`),
    });
    const intermediate = await mint({
      subject: `${name} intermediate`,
      ca: true,
      key: await key(`${name} intermediate`),
      issuer: root,
    });
    const leaf = await mint({
      hostnames: [hostname],
      key: await key(`${name} leaf`),
      issuer: intermediate,
    });
    return [leaf, intermediate, root];
  };
  const [leaf, intermediate, root] = await authority("good");
  const [otherLeaf, otherIntermediate, otherRoot] = await authority("other");

  const build = async (plan: ChainPlan): Promise<MintedCertificate[]> => {
    let issuer = await mint({
      subject: "good root",
      ca: true,
      key: await key("good root"),
      ...plan.root,
    });
    const built = [issuer];
    const parts = plan.intermediates ?? [{}];
    for (let at = parts.length - 1; at >= 0; at--) {
      const name = at === 0 ? "good intermediate" : `good upper ${at}`;
      issuer = await mint({
        subject: name,
        ca: true,
        key: await key(name),
        ...parts[at],
        issuer,
      });
      built.unshift(issuer);
    }
    built.unshift(
      await mint({
        hostnames: [hostname],
        key: await key("good leaf"),
        ...plan.leaf,
        issuer,
      }),
    );
    return built;
  };
  const scene = async (plan: ChainPlan): Promise<Scene> => {
    const built = await build(plan);
    // The pinned certificate is the leaf's issuer, whatever became of it.
    const pin = await pinOf(built[1].spki);
    return {
      chain: built.slice(0, -1),
      anchors: built.slice(-1),
      pins: [{ pin }],
      hostname: plan.hostname,
    };
  };
  return {
    hostname,
    days: (count) => new Date(now.getTime() + count * DAY_MS),
    mint,
    key,
    root,
    intermediate,
    leaf,
    otherRoot,
    otherIntermediate,
    otherLeaf,
    pins: [{ pin: await pinOf(intermediate.spki), role: "intermediate" }],
    build,
    scene,
  };
}
