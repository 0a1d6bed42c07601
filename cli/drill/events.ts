/**
 * What happened to others, as events that can be replayed against a model.
 *
 * @module
 */
import {
  mintCertificate,
  type MintedCertificate,
  type MintedKey,
} from "@certpin/certpin/testing";
import { issueLeaf, type World } from "./model.ts";

/** One connection of the model. */
export interface Attempt {
  /** Leaf and intermediates, as a server presents them. */
  readonly chain: readonly MintedCertificate[];
  /** What the client trusts. */
  readonly anchors: readonly MintedCertificate[];
  readonly at: Date;
}

/** What the clients meet. */
export interface Replay {
  /** Connections to the true server: each must be allowed. */
  readonly server?: readonly Attempt[];
  /** Connections to an impostor: each must be refused. */
  readonly impostor?: readonly Attempt[];
}

/** The name of an event. */
export type EventName =
  | "renewal-same-key"
  | "renewal-new-key"
  | "ca-switches-intermediates"
  | "host-moves-to-another-ca"
  | "intermediate-retired"
  | "cross-signed-root"
  | "intermediate-becomes-anchor"
  | "key-stolen"
  | "backup-lost"
  | "misissued-by-pinned-ca"
  | "misissued-by-another-ca"
  | "inspecting-proxy"
  | "offline-six-weeks"
  | "policy-expires"
  | "clock-a-year-behind";

/** One event. */
export interface DrillEvent {
  readonly name: EventName;
  /** What happens, in one line. */
  readonly title: string;
  /** Where it happened, or who does it. */
  readonly known: string;
  /** What helps clients that are locked out. */
  readonly ifLockedOut: string;
  /** What helps clients that are fooled. */
  readonly ifFooled: string;
  /** What has to happen; `undefined` if the policy leaves it no room. */
  replay(world: World, policy: PolicyTimes): Promise<Replay | undefined>;
}

/** The times of the policy that events depend on. */
export interface PolicyTimes {
  /** When the set expires, in milliseconds since the epoch. */
  readonly expiresAt?: number;
}

const DAY_MS = 86_400_000;
/** How long a client of the drill stays offline. */
const OFFLINE_DAYS = 42;
const YEAR_DAYS = 365;

const later = ({ now }: World, days: number) =>
  new Date(now.getTime() + days * DAY_MS);

/** A connection to a leaf that is issued for it; by default with a fresh key, today, under today's root. */
async function attempt(
  world: World,
  issuer: MintedCertificate,
  options: {
    readonly key?: MintedKey;
    readonly at?: Date;
    readonly anchors?: readonly MintedCertificate[];
  } = {},
): Promise<Attempt> {
  const { key, at = world.now, anchors = [world.ca.root] } = options;
  const leaf = await issueLeaf(world.hostname, issuer, at, key);
  return { chain: [leaf, issuer], anchors, at };
}

const ADD_BACKUP =
  "add the pin of a backup key, and serve with that key; or send the next pin with a signed policy first (certpin rotate)";
const KEEP_KEY =
  "keep the key at renewals (docs/rotation.md says how), or pin the roots of your CA beside it";
const ALL_ROOTS =
  "pin all roots of the CA with the role ca, and a second CA beside it; or the server's own key";
const PIN_LEAF =
  "pin the server's own key; with CA pins, bind the CA to your account (CAA with accounturi)";

/** Every event, in the order in which they are printed. */
export const EVENTS: readonly DrillEvent[] = [
  {
    name: "renewal-same-key",
    title: "The certificate is renewed, the key is kept",
    known: "certbot and lego --reuse-key, Caddy reuse_private_keys",
    ifLockedOut: "pin the key (SPKI), not the whole certificate",
    ifFooled: "",
    replay: async (world) => ({
      server: [
        await attempt(world, world.ca.intermediate, { key: world.leafKey }),
      ],
    }),
  },
  {
    name: "renewal-new-key",
    title: "The certificate is renewed with a new key",
    known: "AWS ACM always, cert-manager since 1.18",
    ifLockedOut: KEEP_KEY,
    ifFooled: "",
    replay: async (world) => ({
      server: [await attempt(world, world.ca.intermediate)],
    }),
  },
  {
    name: "ca-switches-intermediates",
    title: "The CA issues from another intermediate; the key is kept",
    known: "Let's Encrypt, at random at each renewal",
    ifLockedOut: ALL_ROOTS,
    ifFooled: "",
    replay: async (world) => ({
      server: [await attempt(world, world.ca.sibling, { key: world.leafKey })],
    }),
  },
  {
    name: "host-moves-to-another-ca",
    title: "The host's certificates come from another CA, with a new key",
    known: "Expensify behind Cloudflare, 2026-07-07",
    ifLockedOut: ALL_ROOTS,
    ifFooled: "",
    replay: async (world) => ({
      server: [
        await attempt(world, world.other.intermediate, {
          anchors: [world.ca.root, world.other.root],
        }),
      ],
    }),
  },
  {
    name: "intermediate-retired",
    title: "The CA retires the intermediate, and the key is new",
    known: "CloudFront, Amazon M01 to M04, 2026",
    ifLockedOut: ALL_ROOTS,
    ifFooled: "",
    replay: async (world) => ({
      server: [await attempt(world, world.ca.sibling)],
    }),
  },
  {
    name: "cross-signed-root",
    title: "The CA moves to its next root, cross-signed by today's",
    known: "Let's Encrypt, Root YR signed by ISRG Root X1, May 2026",
    ifLockedOut: ALL_ROOTS,
    ifFooled: "",
    replay: async (world) => {
      const { next, ca } = world;
      const crossSigned = await mintCertificate({
        subject: "The next root of today's CA root",
        key: next.root.key,
        issuer: ca.root,
        ca: true,
        notBefore: next.root.notBefore,
        notAfter: next.root.notAfter,
      });
      const leaf = await issueLeaf(
        world.hostname,
        next.intermediate,
        world.now,
        world.leafKey,
      );
      const chain = [leaf, next.intermediate, crossSigned];
      return {
        server: [[ca.root], [ca.root, next.root], [next.root]].map(
          (anchors) => ({ chain, anchors, at: world.now }),
        ),
      };
    },
  },
  {
    name: "intermediate-becomes-anchor",
    title: "A client trusts the intermediate itself, and its path ends there",
    known: "Brave, 2026",
    ifLockedOut:
      "pin the server's own key, or the intermediate beside the root",
    ifFooled: "",
    replay: (world) =>
      Promise.resolve({
        server: [{
          chain: [world.leaf, world.ca.intermediate],
          anchors: [world.ca.intermediate],
          at: world.now,
        }],
      }),
  },
  {
    name: "key-stolen",
    title: "The key is stolen, and the backup key takes over",
    known: "every server, some day",
    ifLockedOut: ADD_BACKUP,
    ifFooled:
      "the thief is accepted until the old pin is gone: send the new policy with a signed update, and revoke the certificate",
    replay: async (world) => ({
      server: [
        await attempt(world, world.ca.intermediate, { key: world.backupKey }),
      ],
      impostor: [{
        chain: [world.leaf, world.ca.intermediate],
        anchors: [world.ca.root],
        at: world.now,
      }],
    }),
  },
  {
    name: "backup-lost",
    title: "The key and the backup are lost: the server starts with a new key",
    known: "a broken disk, an offline key that nobody finds",
    ifLockedOut:
      "keep two backups in two places, or pin all roots of your CA beside the keys",
    ifFooled: "",
    replay: async (world) => ({
      server: [await attempt(world, world.ca.intermediate)],
    }),
  },
  {
    name: "misissued-by-pinned-ca",
    title: "An impostor gets a certificate from the CA that you use",
    known: "a hijacked domain validation",
    ifLockedOut: "",
    ifFooled: PIN_LEAF,
    replay: async (world) => ({
      impostor: [await attempt(world, world.ca.intermediate)],
    }),
  },
  {
    name: "misissued-by-another-ca",
    title: "An impostor gets a certificate from another CA that clients trust",
    known: "DigiNotar, 2011",
    ifLockedOut: "",
    ifFooled:
      "leave the other CA out if you do not need it; else pin the server's own key",
    replay: async (world) => ({
      impostor: [
        await attempt(world, world.other.intermediate, {
          anchors: [world.ca.root, world.other.root],
        }),
      ],
    }),
  },
  {
    name: "inspecting-proxy",
    title: "A proxy with a root of its own in the client's store reads along",
    known: "company networks, malware",
    ifLockedOut: "",
    ifFooled: "enforce the pins; report-only lets it pass",
    replay: async (world) => {
      const root = await mintCertificate({
        subject: "An inspecting proxy",
        ca: true,
        notBefore: world.ca.root.notBefore,
        notAfter: world.ca.root.notAfter,
      });
      return {
        impostor: [{
          chain: [await issueLeaf(world.hostname, root, world.now)],
          anchors: [world.ca.root, root],
          at: world.now,
        }],
      };
    },
  },
  {
    name: "offline-six-weeks",
    title: "A client was offline for six weeks, while the backup took over",
    known: "phones in drawers, devices without a network",
    ifLockedOut: ADD_BACKUP,
    ifFooled: "",
    replay: async (world) => {
      const at = later(world, OFFLINE_DAYS);
      return {
        server: [
          await attempt(world, world.ca.intermediate, {
            key: world.backupKey,
            at,
          }),
        ],
      };
    },
  },
  {
    name: "policy-expires",
    title: "The pin set expires on a client that got no newer one",
    known: "applications that nobody updates",
    ifLockedOut:
      'release or sign a newer policy in time; or set "onExpiry": "allow", which drops the pins then',
    ifFooled: "",
    replay: async (world, { expiresAt }) => {
      if (expiresAt === undefined) return undefined;
      const at = new Date(Math.max(expiresAt, world.now.getTime()) + DAY_MS);
      return {
        server: [
          await attempt(world, world.ca.intermediate, {
            key: world.leafKey,
            at,
          }),
        ],
      };
    },
  },
  {
    name: "clock-a-year-behind",
    title: "A clock is a year behind, and a key of an expired set is shown",
    known: "devices without a battery for their clock",
    ifLockedOut: "",
    ifFooled:
      "an expired pin set counts again if the clock is set back: signed updates keep a lowest date",
    replay: async (world, { expiresAt }) => {
      if (expiresAt === undefined) return undefined;
      // The set has expired, and the clock says that it has not.
      const at = new Date(expiresAt + (1 - YEAR_DAYS) * DAY_MS);
      return {
        impostor: [
          await attempt(world, world.ca.intermediate, {
            key: world.leafKey,
            at,
          }),
        ],
      };
    },
  },
];
