/**
 * A model of one pin set: the same settings, and pins of keys that are minted
 * here, so that what may happen to real keys can be tried.
 *
 * @module
 */
import {
  type Certificate,
  fingerprint,
  type HostDocument,
  type PinDocument,
  type PolicyDocument,
} from "@certpin/certpin";
import {
  digestOf,
  type HostEntry,
  organisationOf,
  type PinRule,
} from "@certpin/certpin/internal";
import {
  mintCertificate,
  type MintedCertificate,
  type MintedKey,
  mintKey,
} from "@certpin/certpin/testing";
import { encodeBase64 } from "@std/encoding/base64";

/** What a pin of the set is the pin of. */
export type Part =
  | "leaf"
  | "intermediate"
  | "root"
  | "sibling-root"
  | "other-root"
  | "other-intermediate"
  | "backup";

/** Where the assignment of a pin comes from. */
export interface AssignedPin {
  readonly rule: PinRule;
  readonly part: Part;
}

/** What is known of the keys that the pins stand for. */
export interface Knowledge {
  /** The current path, leaf first. */
  readonly path?: readonly Certificate[];
  /** Roots of public CAs, to tell whose root a pin names. */
  readonly publicRoots?: readonly Certificate[];
}

async function hasPin(
  certificate: Certificate,
  { pin }: PinRule,
): Promise<boolean> {
  const wanted = digestOf(pin);
  if (wanted === undefined) return false;
  const { digest } = await fingerprint(certificate, {
    of: pin.of,
    hash: pin.hash,
  });
  return encodeBase64(digest) === encodeBase64(wanted);
}

/** The organisation in a subject; the whole subject if it names none. */
function ownerOf(certificate: Certificate): string {
  return organisationOf(certificate) ?? certificate.subject;
}

/** Which key of a path at hand a pin names. */
async function partOnPath(
  rule: PinRule,
  path: readonly Certificate[],
): Promise<Part | undefined> {
  for (const [place, certificate] of path.entries()) {
    if (!await hasPin(certificate, rule)) continue;
    if (place === 0) return "leaf";
    return certificate.selfIssued ? "root" : "intermediate";
  }
  return undefined;
}

/** What the role and the public roots say of a pin that is on no path at hand. */
async function partByRole(
  rule: PinRule,
  { path, publicRoots = [] }: Knowledge,
  taken: ReadonlySet<Part>,
): Promise<Part> {
  const isCa = rule.role !== undefined && rule.role !== "leaf";
  let root: Certificate | undefined;
  for (const one of isCa ? publicRoots : []) {
    if (await hasPin(one, rule)) {
      root = one;
      break;
    }
  }
  const own = path?.at(-1);
  if (root !== undefined && own !== undefined) {
    return ownerOf(root) === ownerOf(own) ? "sibling-root" : "other-root";
  }
  const knowsPath = path !== undefined;
  switch (rule.role) {
    case "root":
      return knowsPath || taken.has("root") ? "other-root" : "root";
    case "intermediate":
      return knowsPath || taken.has("intermediate")
        ? "other-intermediate"
        : "intermediate";
    case "ca":
      if (root !== undefined) return taken.has("root") ? "other-root" : "root";
      return knowsPath || taken.has("intermediate")
        ? "other-intermediate"
        : "intermediate";
    default:
      // A pin that is on no path is a backup. Without a path, the first one
      // stands for the server's key.
      return knowsPath || taken.has("leaf") ? "backup" : "leaf";
  }
}

/** Tells which key each pin of a set stands for. */
export async function assignPins(
  entry: HostEntry,
  knowledge: Knowledge,
): Promise<AssignedPin[]> {
  const assigned: AssignedPin[] = [];
  const taken = new Set<Part>();
  for (const rule of entry.rules) {
    const part = await partOnPath(rule, knowledge.path ?? []) ??
      await partByRole(rule, knowledge, taken);
    taken.add(part);
    assigned.push({ rule, part });
  }
  return assigned;
}

/** A CA of the model. */
export interface ModelCa {
  readonly root: MintedCertificate;
  readonly intermediate: MintedCertificate;
  /** Another intermediate of the same root. */
  readonly sibling: MintedCertificate;
}

/** The keys and CAs of the model. */
export interface World {
  readonly hostname: string;
  /** When the model's "now" is. */
  readonly now: Date;
  /** The CA of today. */
  readonly ca: ModelCa;
  /** The same owner's next root, with its intermediate. */
  readonly next: ModelCa;
  /** Another owner's CA. */
  readonly other: ModelCa;
  readonly leafKey: MintedKey;
  readonly backupKey: MintedKey;
  readonly leaf: MintedCertificate;
}

const DAY_MS = 86_400_000;
const CA_DAYS = 10 * 365;
/** Clients may be six weeks behind or a year: certificates of the model outlive both. */
const PAST_DAYS = 2 * 365;

const days = (date: Date, number: number) =>
  new Date(date.getTime() + number * DAY_MS);

/** Makes a CA. */
async function mintCa(name: string, now: Date): Promise<ModelCa> {
  const validity = {
    ca: true,
    notBefore: days(now, -PAST_DAYS),
    notAfter: days(now, CA_DAYS),
  };
  const root = await mintCertificate({ subject: `${name} root`, ...validity });
  const issue = (subject: string) =>
    mintCertificate({ subject, issuer: root, ...validity });
  return {
    root,
    intermediate: await issue(`${name} intermediate 1`),
    sibling: await issue(`${name} intermediate 2`),
  };
}

/** Issues a leaf of the model. */
export async function issueLeaf(
  hostname: string,
  issuer: MintedCertificate,
  at: Date,
  key?: MintedKey,
): Promise<MintedCertificate> {
  return await mintCertificate({
    hostnames: [hostname],
    issuer,
    notBefore: days(at, -1),
    notAfter: days(at, 46),
    ...(key === undefined ? {} : { key }),
  });
}

/** Makes the model of one host. */
export async function mintWorld(hostname: string, now: Date): Promise<World> {
  const ca = await mintCa("Today's CA", now);
  const leafKey = await mintKey();
  return {
    hostname,
    now,
    ca,
    next: await mintCa("The next root of today's CA", now),
    other: await mintCa("Another CA", now),
    leafKey,
    backupKey: await mintKey(),
    leaf: await issueLeaf(hostname, ca.intermediate, now, leafKey),
  };
}

async function pinText(
  of: "spki" | "certificate",
  bytes: Uint8Array<ArrayBuffer>,
): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  const text = `sha256/${encodeBase64(digest)}`;
  return of === "spki" ? text : `certificate:${text}`;
}

function certificateFor(
  part: Exclude<Part, "backup">,
  { ca, next, other, leaf }: World,
): MintedCertificate {
  switch (part) {
    case "leaf":
      return leaf;
    case "intermediate":
      return ca.intermediate;
    case "root":
      return ca.root;
    case "sibling-root":
      return next.root;
    case "other-root":
      return other.root;
    case "other-intermediate":
      return other.intermediate;
  }
}

/** Writes the policy of the model: the set's settings over the model's keys. */
export async function modelPolicy(
  entry: HostEntry,
  assigned: readonly AssignedPin[],
  world: World,
  rootOnly: "warn" | "deny",
): Promise<PolicyDocument> {
  const pins = await Promise.all(
    assigned.map(async ({ rule, part }): Promise<PinDocument> => {
      const { of } = rule.pin;
      const pin = part === "backup"
        ? await pinText("spki", world.backupKey.spki)
        : await pinText(
          of,
          certificateFor(part, world)[of === "spki" ? "spki" : "der"],
        );
      return rule.role === undefined ? { pin } : { pin, role: rule.role };
    }),
  );
  const host: HostDocument = {
    mode: entry.mode,
    require: entry.require,
    onExpiry: entry.onExpiry,
    ...(entry.expiresAt === undefined
      ? {}
      : { expiresAt: new Date(entry.expiresAt).toISOString() }),
    pins,
  };
  return { version: 1, rootOnly, hosts: { [world.hostname]: host } };
}
