/**
 * A year with pins, simulated: one server, 10,000 clients with old policies, an
 * impostor that tries every day, and four ways to pin.
 *
 * Each distinct policy, chain and day is evaluated once, by the pinner that
 * clients use. The dates, the lags and so the counts are the same in every run.
 *
 * @module
 */
import {
  type Certificate,
  createPinner,
  type HostDocument,
  parseCertificates,
  type Pinner,
} from "../../mod.ts";
import {
  mintCertificate,
  type MintedCertificate,
  type MintedKey,
  mintKey,
} from "../../src/testing/mod.ts";
import { random } from "../../tests/conformance/random.ts";
import { encodeBase64 } from "@std/encoding/base64";

/** The first day. */
const START = Date.UTC(2027, 0, 1);
const DAY_MS = 86_400_000;
/** Days of the simulation. */
export const DAYS = 365;
/** Clients. */
export const CLIENTS = 10_000;
const HOST = "api.example.com";

/** What happens, by the day on which it does. */
export const TIMELINE = {
  /** Leaves live 90 days, and are renewed with 30 days left. */
  renewalEvery: 60,
  /** The CA issues from another intermediate, without notice. */
  intermediateChanges: 75,
  /** The key is stolen; the backup takes over the same day. */
  keyStolen: 150,
  /** No update reaches anyone for six weeks. */
  updaterDown: [180, 222],
  /** The host moves to another CA. The key is kept. */
  caMoves: 240,
  /** The next key's pin is published. */
  nextKeyPublished: 250,
  /** The next key is on the server. */
  nextKeyServed: 310,
} as const;

/** Who connects the client to what. */
export type Actor =
  | "server"
  | "impostor-same-ca"
  | "impostor-other-ca"
  | "thief";

/** How the operator pins. */
export interface Strategy {
  readonly name: string;
  readonly title: string;
  /** The policies, by the day on which each is published. */
  policies(world: YearWorld): Promise<Map<number, HostDocument>>;
}

interface Ca {
  readonly root: MintedCertificate;
  readonly intermediates: readonly MintedCertificate[];
}

/** Keys, CAs and certificates of the year. */
export interface YearWorld {
  readonly first: Ca;
  readonly second: Ca;
  /** First key, backup, next backup, planned key. */
  readonly keys: readonly [MintedKey, MintedKey, MintedKey, MintedKey];
  /** What the server shows, by the day on which it begins to. */
  readonly served: ReadonlyMap<number, readonly MintedCertificate[]>;
}

const dateOf = (day: number) => new Date(START + day * DAY_MS);

async function mintCa(name: string): Promise<Ca> {
  const validity = {
    ca: true,
    notBefore: dateOf(-400),
    notAfter: dateOf(4000),
  };
  const root = await mintCertificate({ subject: `${name} root`, ...validity });
  const intermediates = await Promise.all(
    [1, 2].map((number) =>
      mintCertificate({
        subject: `${name} intermediate ${number}`,
        issuer: root,
        ...validity,
      })
    ),
  );
  return { root, intermediates };
}

async function issue(
  issuer: MintedCertificate,
  key: MintedKey | undefined,
  day: number,
  lifetime: number = 90,
): Promise<readonly MintedCertificate[]> {
  const leaf = await mintCertificate({
    hostnames: [HOST],
    issuer,
    notBefore: dateOf(day - 1),
    notAfter: dateOf(day + lifetime),
    ...(key === undefined ? {} : { key }),
  });
  return [leaf, issuer];
}

/** Mints the year. */
export async function mintYear(): Promise<YearWorld> {
  const [first, second] = [await mintCa("First CA"), await mintCa("Second CA")];
  const keys = [
    await mintKey(),
    await mintKey(),
    await mintKey(),
    await mintKey(),
  ] as const;
  const served = new Map<number, readonly MintedCertificate[]>();
  const days = new Set<number>([
    TIMELINE.intermediateChanges,
    TIMELINE.keyStolen,
    TIMELINE.caMoves,
    TIMELINE.nextKeyServed,
  ]);
  for (let day = 0; day < DAYS; day += TIMELINE.renewalEvery) days.add(day);
  for (const day of [...days].sort((a, b) => a - b)) {
    const ca = day >= TIMELINE.caMoves ? second : first;
    const issuer = ca.intermediates[
      ca === first && day >= TIMELINE.intermediateChanges ? 1 : 0
    ];
    const key = day >= TIMELINE.nextKeyServed
      ? keys[3]
      : day >= TIMELINE.keyStolen
      ? keys[1]
      : keys[0];
    served.set(day, await issue(issuer, key, day));
  }
  return { first, second, keys, served };
}

async function spkiPin({ spki }: { readonly spki: Uint8Array<ArrayBuffer> }) {
  const digest = await crypto.subtle.digest("SHA-256", spki);
  return `sha256/${encodeBase64(digest)}`;
}

/** The certificates that the server shows on a day. */
function servedOn(
  { served }: YearWorld,
  day: number,
): readonly MintedCertificate[] {
  const [latest] = [...served.keys()].filter((from) => from <= day)
    .sort((a, b) => b - a);
  return served.get(latest)!;
}

/** The ways to pin, the advised one first. */
export const STRATEGIES: readonly Strategy[] = [
  {
    name: "plan",
    title: "server's key and backup, rotated by the plan",
    policies: async ({ keys }) => {
      const [first, backup, nextBackup, planned] = await Promise.all(
        keys.map(spkiPin),
      );
      return new Map([
        [0, { pins: [first, backup] }],
        // The stolen key goes, and a new backup comes.
        [TIMELINE.keyStolen, { pins: [backup, nextBackup] }],
        [TIMELINE.nextKeyPublished, { pins: [backup, planned, nextBackup] }],
      ]);
    },
  },
  {
    name: "certificate",
    title: "whole leaf certificate",
    policies: async (world) => {
      const policies = new Map<number, HostDocument>();
      for (const [day, [leaf]] of world.served) {
        const digest = await crypto.subtle.digest("SHA-256", leaf.der);
        const pin = `certificate:sha256/${encodeBase64(digest)}`;
        policies.set(day, { pins: [{ pin, role: "leaf" }] });
      }
      return policies;
    },
  },
  {
    name: "intermediate",
    title: "intermediate alone",
    policies: async ({ first, second }) => {
      const pin = async (certificate: MintedCertificate) => ({
        pins: [{
          pin: await spkiPin(certificate),
          role: "intermediate" as const,
        }],
      });
      return new Map([
        [0, await pin(first.intermediates[0])],
        [TIMELINE.intermediateChanges, await pin(first.intermediates[1])],
        [TIMELINE.caMoves, await pin(second.intermediates[0])],
      ]);
    },
  },
  {
    name: "root",
    title: "root alone",
    policies: async ({ first, second }) => {
      const pin = async (certificate: MintedCertificate) => ({
        pins: [{ pin: await spkiPin(certificate), role: "root" as const }],
      });
      return new Map([
        [0, await pin(first.root)],
        [TIMELINE.caMoves, await pin(second.root)],
      ]);
    },
  },
];

/** What impostors show on a day; nothing from one that cannot try yet. */
async function impostors(
  { first, second, keys, served }: YearWorld,
  day: number,
): Promise<ReadonlyMap<Actor, readonly MintedCertificate[]>> {
  const other = day >= TIMELINE.caMoves ? first : second;
  const current = servedOn({ first, second, keys, served }, day)[1];
  const found = new Map<Actor, readonly MintedCertificate[]>([
    ["impostor-same-ca", await issue(current, undefined, day)],
    ["impostor-other-ca", await issue(other.intermediates[0], undefined, day)],
  ]);
  if (day >= TIMELINE.keyStolen) {
    // The stolen key's last certificate, until it expires.
    const [begin] = [...served.keys()].filter((from) =>
      from < TIMELINE.keyStolen
    ).sort((a, b) => b - a);
    found.set("thief", served.get(begin)!);
  }
  return found;
}

/** Days from publishing to applying, by percent of the clients; most need two at most. */
const LAGS: readonly (readonly [upTo: number, from: number, to: number])[] = [
  [60, 0, 2],
  [85, 3, 7],
  [97, 8, 21],
  [100, 22, 42],
];

/** How many clients have each lag, by days. */
export function lagsOfClients(): readonly number[] {
  const draw = random(20_270_101);
  const counts = new Array<number>(43).fill(0);
  for (let client = 0; client < CLIENTS; client++) {
    const percent = draw.below(100);
    const [, from, to] = LAGS.find(([upTo]) => percent < upTo)!;
    counts[from + draw.below(to - from + 1)]++;
  }
  return counts;
}

/** The day on which a policy reaches a client with a lag. */
function arrival(published: number, lag: number): number {
  const [down, up] = TIMELINE.updaterDown;
  const day = published + lag;
  // What the updater could not fetch waits until it is up again.
  return day >= down && day < up ? up : day;
}

/** What one day was like. */
export interface DayCount {
  readonly day: number;
  /** Clients that refused the true server. */
  readonly refused: number;
  /** Clients that accepted an impostor with a certificate of its own. */
  readonly fooled: number;
  /** Clients that accepted the thief with the stolen key. */
  readonly robbed: number;
}

/** What one strategy was like. */
export interface YearResult {
  readonly name: string;
  readonly title: string;
  readonly days: readonly DayCount[];
  /** Pinner evaluations. */
  readonly evaluations: number;
}

/** Runs the year for one strategy. */
export async function runYear(
  strategy: Strategy,
  world: YearWorld,
  /** Every how many days. */
  step = 1,
): Promise<YearResult> {
  const anchors: Certificate[] = parseCertificates(
    [world.first.root, world.second.root].map(({ der }) => der),
  );
  const published = [...await strategy.policies(world)]
    .sort(([a], [b]) => a - b);
  const clock = { now: dateOf(0) };
  const pinners: readonly Pinner[] = published.map(([, host]) =>
    createPinner({ version: 1, hosts: { [HOST]: host } }, {
      anchors,
      publicAnchors: anchors,
      now: () => clock.now,
      onWarning: () => {},
    })
  );
  let evaluations = 0;
  const accepts = async (
    pinner: Pinner,
    chain: readonly MintedCertificate[],
  ) => {
    evaluations++;
    const shown = chain.map(({ der }) => der);
    const { decision } = await pinner.check({ hostname: HOST, chain: shown });
    return decision === "allow";
  };
  const lags = lagsOfClients();
  const days: DayCount[] = [];
  for (let day = 0; day < DAYS; day += step) {
    clock.now = new Date(START + (day + 0.5) * DAY_MS);
    // How many clients hold each policy.
    const holders = new Array<number>(pinners.length).fill(0);
    for (const [lag, clients] of lags.entries()) {
      let held = 0;
      for (const [index, [from]] of published.entries()) {
        if (index === 0 || arrival(from, lag) <= day) held = index;
      }
      holders[held] += clients;
    }
    const others = await impostors(world, day);
    let [refused, fooled, robbed] = [0, 0, 0];
    for (const [index, clients] of holders.entries()) {
      if (clients === 0) continue;
      const pinner = pinners[index];
      if (!await accepts(pinner, servedOn(world, day))) refused += clients;
      let isFooled = false;
      for (const [actor, chain] of others) {
        if (!await accepts(pinner, chain)) continue;
        if (actor === "thief") robbed += clients;
        else isFooled = true;
      }
      if (isFooled) fooled += clients;
    }
    days.push({ day, refused, fooled, robbed });
  }
  const { name, title } = strategy;
  return { name, title, days, evaluations };
}
