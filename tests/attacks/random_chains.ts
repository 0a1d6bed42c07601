/**
 * Chains minted at random from a seed, sound or with one defect.
 *
 * @module
 */
import {
  basicConstraints,
  type ChainCertificateOptions,
  type GeneralName,
  type KeyType,
  mintCertificate,
  type MintedCertificate,
  mintKey,
  sharedKey,
} from "../../src/testing/mod.ts";

const DAY_MS = 86_400_000;

/** One chain, and what it is checked for. */
export interface RandomChain {
  /** What was done, for messages. */
  readonly label: string;
  /** As presented. */
  readonly chain: readonly MintedCertificate[];
  readonly root: MintedCertificate;
  readonly hostname: string;
  readonly at: Date;
}

/** A small generator of random numbers (mulberry32): the same for the same seed. */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

type Part = ChainCertificateOptions;

interface Plan {
  hostname: string;
  /** Root first, leaf last. */
  parts: Part[];
  /** Index of a certificate that is signed with a key that is not its issuer's. */
  forged?: number;
  /** Indexes of presented certificates, leaf first, that are left out. */
  dropped?: number;
}

const KEY_TYPES: readonly KeyType[] = [
  "P-256",
  "P-256",
  "P-384",
  "Ed25519",
  "RSA-2048",
];

const HOSTS: readonly { hostname: string; names: readonly GeneralName[] }[] = [
  { hostname: "api.example.com", names: [{ dns: "api.example.com" }] },
  { hostname: "api.example.com", names: [{ dns: "*.example.com" }] },
  { hostname: "10.1.2.3", names: [{ ip: "10.1.2.3" }] },
  { hostname: "fd00::7", names: [{ ip: "fd00::7" }, { dns: "x.example" }] },
  {
    hostname: "api.example.com",
    names: [{ dns: "other.example" }, { dns: "API.example.COM" }],
  },
];

/** Defects by name; each changes one thing of a sound plan. */
const DEFECTS: Readonly<
  Record<
    string,
    (plan: Plan, at: Date, pick: (below: number) => number) => void
  >
> = {
  "a certificate has expired": ({ parts }, at, pick) => {
    const part = parts[pick(parts.length)];
    Object.assign(part, {
      notBefore: new Date(at.getTime() - 9 * DAY_MS),
      notAfter: new Date(at.getTime() - 2 * DAY_MS),
    });
  },
  "a certificate is not yet valid": ({ parts }, at, pick) => {
    const notBefore = new Date(at.getTime() + 2 * DAY_MS);
    Object.assign(parts[pick(parts.length)], { notBefore });
  },
  "the host is another one": (plan) => {
    plan.hostname = "api.example.org";
  },
  "the wildcard stands for two labels": (plan) => {
    plan.hostname = "a.b.example.com";
    Object.assign(plan.parts.at(-1)!, { names: [{ dns: "*.example.com" }] });
  },
  "the issuer says CA:FALSE": ({ parts }) => {
    Object.assign(parts.at(-2)!, { basicConstraints: { ca: false } });
  },
  "the issuer has no basicConstraints": ({ parts }) => {
    Object.assign(parts.at(-2)!, { basicConstraints: false });
  },
  "the issuer may not sign certificates": ({ parts }) => {
    Object.assign(parts.at(-2)!, { keyUsage: ["cRLSign"] });
  },
  "the root allows no CA below it": ({ parts }) => {
    parts[0] = { ...parts[0], pathLength: 0 };
    if (parts.length === 2) parts.splice(1, 0, { ca: true });
  },
  "the leaf is for clients": ({ parts }) => {
    Object.assign(parts.at(-1)!, { extendedKeyUsage: ["clientAuth"] });
  },
  "the issuer is for clients": ({ parts }) => {
    if (parts.length === 2) parts.splice(1, 0, { ca: true });
    Object.assign(parts.at(-2)!, { extendedKeyUsage: ["clientAuth"] });
  },
  "the leaf's name is not permitted": ({ parts }) => {
    if (parts.length === 2) parts.splice(1, 0, { ca: true });
    Object.assign(parts[1], {
      nameConstraints: {
        permitted: [{ dns: "permitted.example" }, { ip: "192.0.2.0/24" }],
      },
    });
  },
  "the leaf's name is excluded": ({ parts }) => {
    if (parts.length === 2) parts.splice(1, 0, { ca: true });
    Object.assign(parts[1], {
      nameConstraints: {
        excluded: [{ dns: "com" }, { dns: "example" }, { ip: "10.0.0.0/8" }],
      },
    });
  },
  "a critical extension is unknown": ({ parts }, _at, pick) => {
    Object.assign(parts[1 + pick(parts.length - 1)], {
      extraExtensions: [{
        oid: "1.3.6.1.4.1.99999.7",
        critical: true,
        value: Uint8Array.of(5, 0),
      }],
    });
  },
  "an extension stands twice": ({ parts }) => {
    Object.assign(parts.at(-1)!, {
      extraExtensions: [basicConstraints({ ca: false })],
    });
  },
  "a signature is forged": (plan, _at, pick) => {
    plan.forged = 1 + pick(plan.parts.length - 1);
  },
  "an intermediate is missing": (plan) => {
    if (plan.parts.length === 2) plan.parts.splice(1, 0, { ca: true });
    plan.dropped = 1;
  },
  "the leaf is signed over SHA-1": ({ parts }) => {
    Object.assign(parts.at(-2)!, { keyType: "P-256", key: undefined });
    Object.assign(parts.at(-1)!, { signature: { hash: "sha1" } });
  },
};

const DEFECT_NAMES = Object.keys(DEFECTS);

/** Mints the chain of one seed; a little more than half of them have a defect. */
export async function mintRandomChain(
  seed: number,
  at: Date,
): Promise<RandomChain> {
  const random = createRandom(seed);
  const pick = (below: number) => Math.floor(random() * below);
  const host = HOSTS[pick(HOSTS.length)];
  const intermediates = pick(4);
  const plan: Plan = { hostname: host.hostname, parts: [] };
  for (let place = 0; place <= intermediates; place++) {
    const below = intermediates - place;
    const part: Part = {
      ca: true,
      keyType: KEY_TYPES[pick(KEY_TYPES.length)],
      ...(pick(3) === 0 ? { pathLength: below + pick(2) } : {}),
      ...(pick(4) === 0 && place > 0
        ? { extendedKeyUsage: ["serverAuth", "clientAuth"] }
        : {}),
      ...(pick(4) === 0 && place > 0
        ? {
          nameConstraints: {
            excluded: [{ dns: "excluded.example" }, { ip: "192.0.2.0/24" }],
          },
        }
        : {}),
    };
    plan.parts.push(part);
  }
  plan.parts.push({
    keyType: KEY_TYPES[pick(KEY_TYPES.length)],
    names: host.names,
    ...(pick(3) === 0 ? { basicConstraints: false as const } : {}),
    ...(pick(4) === 0 ? { extendedKeyUsage: false as const } : {}),
  });
  let label = "sound";
  if (pick(100) < 60) {
    label = DEFECT_NAMES[seed % DEFECT_NAMES.length];
    DEFECTS[label](plan, at, pick);
  }
  const made: MintedCertificate[] = [];
  for (const [place, part] of plan.parts.entries()) {
    const issuer = made.at(-1);
    made.push(
      await mintCertificate({
        subject: `certificate ${place} of seed ${seed}`,
        now: at,
        key: part.keyType === "RSA-2048"
          ? await sharedKey("RSA-2048", `random ${place}`)
          : undefined,
        ...part,
        issuer,
        signingKey: plan.forged === place
          ? await mintKey(
            issuer!.key.type === "RSA-2048" ? "P-256" : issuer!.key.type,
          )
          : undefined,
      }),
    );
  }
  const presented = made.slice(1).reverse();
  if (plan.dropped !== undefined) presented.splice(plan.dropped, 1);
  return {
    label: `seed ${seed}, ${label}`,
    chain: presented,
    root: made[0],
    hostname: plan.hostname,
    at,
  };
}
