/**
 * Random chains for TLS servers, right ones and ones with one defect.
 */
import {
  type ChainCertificateOptions,
  type KeyType,
  keyUsage,
  mintChain,
  type MintChainOptions,
  type MintedChain,
  mintKey,
  sharedKey,
} from "../../src/testing/mod.ts";
import type { Random } from "../conformance/random.ts";

const DAY_MS = 86_400_000;

/** What of a certificate may be changed while it is planned. */
export type Part = {
  -readonly [Name in keyof ChainCertificateOptions]:
    ChainCertificateOptions[Name];
};

/** A chain before it is minted. */
export interface Plan {
  readonly root: Part;
  /** The leaf's issuer first; at least one where there is a defect. */
  readonly intermediates: Part[];
  readonly leaf: Part;
  readonly hostnames: string[];
  /** The name that is asked for. */
  hostname: string;
  /** When. */
  at: Date;
  /** The place of an intermediate that is not presented. */
  missing?: number;
}

/** A minted chain, and what it is asked for. */
export interface RandomChain {
  /** The defect; null for a right chain. */
  readonly defect: string | null;
  readonly minted: MintedChain;
  /** What stands behind the leaf, in any order. */
  readonly presented: readonly {
    readonly der: Uint8Array;
    readonly pem: string;
  }[];
  readonly hostname: string;
  readonly at: Date;
}

type Defect = (plan: Plan, choice: Random) => void | Promise<void>;

const issuer = (plan: Plan, choice: Random): Part =>
  choice.pick([...plan.intermediates, plan.root]);
const intermediate = (plan: Plan, choice: Random): Part =>
  choice.pick(plan.intermediates);
const belowRoot = (plan: Plan, choice: Random): Part =>
  choice.pick([plan.leaf, ...plan.intermediates]);
const anyPart = (plan: Plan, choice: Random): Part =>
  choice.pick([plan.leaf, ...plan.intermediates, plan.root]);

function add(
  part: Part,
  ...extensions: NonNullable<Part["extraExtensions"]>
): void {
  part.extraExtensions = [...part.extraExtensions ?? [], ...extensions];
}

const UNKNOWN = { oid: "1.3.6.1.4.1.99999.1", value: Uint8Array.of(5, 0) };

/** What can go wrong, each by its name. */
export const DEFECTS: Readonly<Record<string, Defect>> = {
  "expired": (plan, choice) => {
    anyPart(plan, choice).notAfter = new Date(plan.at.getTime() - 1000);
  },
  "not yet valid": (plan, choice) => {
    anyPart(plan, choice).notBefore = new Date(plan.at.getTime() + 1000);
  },
  "another host": (plan, choice) => {
    plan.hostname = choice.pick(["other.example", `x.${plan.hostname}`]);
  },
  "another address": (plan) => {
    plan.hostnames.push("192.0.2.1");
    plan.hostname = "192.0.2.2";
  },
  "a wildcard over two labels": (plan) => {
    plan.hostnames.splice(0, Infinity, "*.wild.example");
    plan.hostname = "a.b.wild.example";
  },
  "a missing intermediate": (plan, choice) => {
    plan.missing = choice.below(plan.intermediates.length);
  },
  "an issuer without the CA bit": (plan, choice) => {
    issuer(plan, choice).basicConstraints = { ca: false };
  },
  "an issuer without basicConstraints": (plan, choice) => {
    intermediate(plan, choice).basicConstraints = false;
  },
  "an issuer that must not certify": (plan, choice) => {
    issuer(plan, choice).keyUsage = ["digitalSignature", "cRLSign"];
  },
  "a path length that is too short": (plan, choice) => {
    const upper = choice.below(plan.intermediates.length);
    const part = plan.intermediates[upper + 1] ?? plan.root;
    part.pathLength = upper;
    if (upper > 0) part.pathLength = choice.below(upper + 1);
  },
  "a leaf for clients": (plan) => {
    plan.leaf.extendedKeyUsage = ["clientAuth", "codeSigning"];
  },
  "an issuer for clients": (plan, choice) => {
    intermediate(plan, choice).extendedKeyUsage = ["clientAuth"];
  },
  "a host that is not permitted": (plan, choice) => {
    issuer(plan, choice).nameConstraints = {
      permitted: [{ dns: "elsewhere.example" }],
    };
  },
  "a host that is excluded": (plan, choice) => {
    issuer(plan, choice).nameConstraints = {
      excluded: [{ dns: "elsewhere.example" }, { dns: "test" }],
    };
    plan.hostnames.push("some.test");
  },
  "an address that is not permitted": (plan, choice) => {
    plan.hostnames.push("192.0.2.1");
    issuer(plan, choice).nameConstraints = {
      permitted: [{ ip: "198.51.100.0/24" }],
    };
  },
  "a subject that is not permitted": (plan, choice) => {
    plan.leaf.subject = [{ type: "O", value: "Tenant" }];
    plan.intermediates[0].subject = [{ type: "O", value: "Other" }];
    intermediate(plan, choice).nameConstraints = {
      permitted: [{ directory: [{ type: "O", value: "Other" }] }],
    };
  },
  "a mailbox that is excluded": (plan, choice) => {
    plan.leaf.names = [{ email: "a@mail.example" }];
    issuer(plan, choice).nameConstraints = {
      excluded: [{ email: "mail.example" }],
    };
  },
  "an unknown critical extension": (plan, choice) => {
    add(belowRoot(plan, choice), {
      ...UNKNOWN,
      critical: true,
    });
  },
  "a known extension that stands there twice": (plan, choice) => {
    const part = belowRoot(plan, choice);
    const isLeaf = part === plan.leaf;
    part.keyUsage = isLeaf ? ["digitalSignature"] : ["keyCertSign"];
    add(part, keyUsage(part.keyUsage));
  },
  "a signature with SHA-1": async (plan, choice) => {
    const at = choice.below(plan.intermediates.length);
    plan.intermediates[at].key = await sharedKey("P-256", `random sha1 ${at}`);
    (plan.intermediates[at - 1] ?? plan.leaf).signature = { hash: "sha1" };
  },
  "a leaf for any purpose": (plan) => {
    plan.leaf.extendedKeyUsage = ["anyExtendedKeyUsage"];
  },
  "a signature by another key": async (plan, choice) => {
    belowRoot(plan, choice).signingKey = await mintKey();
  },
  "a signature with a turned bit": (plan, choice) => {
    belowRoot(plan, choice).surgery = {
      signature: (signature) => {
        const turned = new Uint8Array(signature);
        turned[turned.length - 1] ^= 1;
        return turned;
      },
    };
  },
  "a key of 1,024 bits": async (plan, choice) => {
    belowRoot(plan, choice).key = await sharedKey(
      "RSA-1024",
      "random",
    );
  },
  "a missing authority key identifier": (plan, choice) => {
    belowRoot(plan, choice).authorityKeyIdentifier = false;
  },
  "a leaf that certifies without the CA bit": (plan) => {
    plan.leaf.basicConstraints = { ca: false };
    plan.leaf.keyUsage = ["digitalSignature", "keyCertSign"];
  },
  "basicConstraints that are not critical": (plan, choice) => {
    const part = intermediate(plan, choice);
    part.basicConstraints = false;
    add(part, { oid: "2.5.29.19", value: Uint8Array.of(0x30, 3, 1, 1, 0xff) });
  },
  "an issuer without a name": (plan, choice) => {
    intermediate(plan, choice).subject = [];
  },
  "a subject that is empty beside names that are not critical": (plan) => {
    plan.leaf.subject = [];
    const names = plan.hostnames.splice(0);
    add(plan.leaf, {
      oid: "2.5.29.17",
      value: Uint8Array.of(
        0x30,
        2 + names[0].length,
        0x82,
        names[0].length,
        ...new TextEncoder().encode(names[0]),
      ),
    });
  },
};

/** What can go wrong too, and OpenSSL lets pass or sees otherwise: rare, since known. */
export const RARITIES: Readonly<Record<string, Defect>> = {
  "a common name alone": (plan) => {
    plan.hostnames.splice(0);
    plan.hostname = "api.host.example";
    plan.leaf.subject = plan.hostname;
  },
  "an unknown extension that stands there twice": (plan, choice) => {
    add(belowRoot(plan, choice), UNKNOWN, UNKNOWN);
  },
  "a serial number of zero": (plan, choice) => {
    belowRoot(plan, choice).serialNumber = Uint8Array
      .of(0);
  },
  "the last second of a leaf": (plan) => {
    plan.at = plan.leaf.notAfter!;
  },
};

const KEYS: readonly KeyType[] = [
  "P-256",
  "P-256",
  "P-256",
  "P-384",
  "P-521",
  "Ed25519",
  "RSA-2048",
  "RSA-PSS-2048",
];

/** Things that make chains differ, and are right all the same. */
const VARIATIONS: readonly Defect[] = [
  (plan, choice) => {
    issuer(plan, choice).nameConstraints = {
      permitted: [{ dns: "example" }, { ip: "192.0.2.0/24" }],
      excluded: [{ dns: "bad.example" }],
    };
  },
  (plan) => {
    plan.root.pathLength = plan.intermediates.length;
  },
  (plan) => {
    for (const lowest of plan.intermediates.slice(0, 1)) lowest.pathLength = 0;
  },
  (plan, choice) => {
    belowRoot(plan, choice).extendedKeyUsage = ["clientAuth", "serverAuth"];
  },
  (plan) => {
    plan.leaf.keyUsage = false;
  },
  (plan) => {
    plan.leaf.extendedKeyUsage = false;
  },
  (plan) => {
    plan.leaf.basicConstraints = false;
  },
  (plan) => {
    plan.leaf.subject = [
      { type: "C", value: "AT" },
      { type: "O", value: "Größe, Inc." },
    ];
  },
  (plan) => {
    plan.hostnames.push("192.0.2.7");
    plan.hostname = "192.0.2.7";
  },
  (plan) => {
    plan.hostnames.push("2001:db8::7");
    plan.hostname = "2001:db8::7";
  },
  (plan) => {
    plan.hostnames.push("*.wild.example");
    plan.hostname = "a.wild.example";
  },
  (plan) => {
    plan.hostname = plan.hostname.toUpperCase();
  },
  (plan, choice) => {
    // In place of others, since no extension may stand there twice.
    anyPart(plan, choice).extraExtensions = [UNKNOWN];
  },
  (plan, choice) => {
    plan.leaf.serialNumber = choice.bytes(20).with(0, 0x7f);
  },
  (plan) => {
    plan.at = new Date(plan.leaf.notAfter!.getTime() - 1000);
  },
  (plan) => {
    plan.at = plan.leaf.notBefore!;
  },
];

async function keyed(choice: Random, name: string): Promise<Part> {
  const type = choice.pick(KEYS);
  return { key: await sharedKey(type, `random ${name}`) };
}

/** Of so many chains with a defect, one has a rare one. */
const RARE = 60;

function pickDefect(choice: Random): string | null {
  if (choice.below(2) === 0) return null;
  const defects = choice.below(RARE) === 0 ? RARITIES : DEFECTS;
  return choice.pick(Object.keys(defects));
}

/** Mints one; with a defect in every second one, unless said which. */
export async function randomChain(
  choice: Random,
  defect: string | null = pickDefect(choice),
): Promise<RandomChain> {
  const start = Date.UTC(2026, 0, 1) + choice.below(300) * DAY_MS;
  const period = (days: number) => ({
    notBefore: new Date(start - days * DAY_MS),
    notAfter: new Date(start + days * DAY_MS),
  });
  const intermediates: Part[] = [];
  const least = defect === null ? 0 : 1;
  for (let left = least + choice.below(4 - least); left > 0; left--) {
    const key = await keyed(choice, `intermediate ${left}`);
    intermediates.push({ ...key, ...period(400) });
  }
  const plan: Plan = {
    root: { ...await keyed(choice, "root"), ...period(800) },
    intermediates,
    leaf: { ...await keyed(choice, "leaf"), ...period(50) },
    hostnames: ["api.host.example"],
    hostname: "api.host.example",
    at: new Date(start),
  };
  for (let left = choice.below(4); left > 0; left--) {
    await choice.pick(VARIATIONS)(plan, choice);
  }
  if (defect !== null) {
    await (DEFECTS[defect] ?? RARITIES[defect])(plan, choice);
  }
  const options: MintChainOptions = {
    root: plan.root,
    intermediates: plan.intermediates,
    leaf: plan.leaf,
    hostnames: plan.hostnames,
    random: (length) => choice.bytes(length),
  };
  const minted = await mintChain(options);
  const presented = minted.intermediates.filter((_, i) => i !== plan.missing);
  return {
    defect,
    minted,
    presented: choice.shuffle(presented),
    hostname: plan.hostname,
    at: plan.at,
  };
}
