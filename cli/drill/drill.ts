/**
 * Replays events against a policy: which clients would be locked out, and which
 * impostors accepted?
 *
 * @module
 */
import {
  createPinner,
  parseCertificates,
  type Policy,
  type PolicyDocument,
} from "@certpin/certpin";
import { type HostEntry, policyRecordOf } from "@certpin/certpin/internal";
import {
  type Attempt,
  type DrillEvent,
  type EventName,
  EVENTS,
} from "./events.ts";
import {
  type AssignedPin,
  assignPins,
  issueLeaf,
  type Knowledge,
  mintWorld,
  modelPolicy,
  type World,
} from "./model.ts";

/** How a policy takes an event. */
export type Outcome =
  | "fine"
  | "locked-out"
  | "fooled"
  | "not-applicable";

/** What lets clients go on after they are locked out. */
export type Cover = "backup" | "update" | "release";

/** One event on one host. */
export interface EventResult {
  readonly event: EventName;
  readonly title: string;
  readonly known: string;
  readonly outcome: Outcome;
  /** Set if clients are locked out or fooled, and something helps. */
  readonly coveredBy?: Cover;
  /** The day on which it would bite, if that is known: `2027-06-01`. */
  readonly date?: string;
  /** What to change; set unless the outcome is fine. */
  readonly change?: string;
}

/** All events on one host. */
export interface HostDrill {
  /** The entry of the policy. */
  readonly host: string;
  /** What each pin was taken for, as `/hosts/…/pins/0: leaf`. */
  readonly pins: readonly { readonly pointer: string; readonly part: string }[];
  readonly events: readonly EventResult[];
}

/** What a drill is told. */
export interface DrillOptions {
  /** The time to drill from. Default: now. */
  readonly at?: Date;
  /** Whether clients fetch signed policies. Default false. */
  readonly updates?: boolean;
  /** What is known of the hosts' keys, by canonical hostname. */
  readonly knowledge?: ReadonlyMap<string, Knowledge>;
  /** Roots of public CAs. */
  readonly publicRoots?: Knowledge["publicRoots"];
}

const DAY_MS = 86_400_000;
/** A pin set that holds at least this long is renewed with a release in time. */
const RELEASE_DAYS = 90;
/** Servers renew when a third of the certificate's lifetime is left. */
const RENEWAL_PART = 1 / 3;

/** Events of a renewal: they bite when the certificate is renewed. */
const AT_RENEWAL: ReadonlySet<EventName> = new Set([
  "renewal-same-key",
  "renewal-new-key",
  "ca-switches-intermediates",
]);

/** What fools clients until they get a newer policy, and not after. */
const ENDED_BY_UPDATES: ReadonlySet<EventName> = new Set([
  "key-stolen",
  "clock-a-year-behind",
]);

async function isAllowed(
  document: PolicyDocument,
  hostname: string,
  { chain, anchors, at }: Attempt,
): Promise<boolean> {
  const trusted = parseCertificates(anchors.map(({ der }) => der));
  const pinner = createPinner(document, {
    anchors: trusted,
    publicAnchors: trusted,
    now: () => at,
    onWarning: () => {},
  });
  const { decision } = await pinner.check({
    hostname,
    chain: chain.map(({ der }) => der),
  });
  return decision === "allow";
}

interface Model {
  readonly entry: HostEntry;
  readonly world: World;
  readonly document: PolicyDocument;
  readonly assigned: readonly AssignedPin[];
  readonly updates: boolean;
  readonly knowledge: Knowledge;
}

/** The server switches to the backup key, with a certificate of today's CA. */
async function backupHelps(model: Model, at: Date): Promise<boolean> {
  const { world, assigned, document } = model;
  if (!assigned.some(({ part }) => part === "backup")) return false;
  const { intermediate, root } = world.ca;
  const leaf = await issueLeaf(
    world.hostname,
    intermediate,
    at,
    world.backupKey,
  );
  return await isAllowed(document, world.hostname, {
    chain: [leaf, intermediate],
    anchors: [root],
    at,
  });
}

async function coverOf(
  model: Model,
  { name }: DrillEvent,
  at: Date,
): Promise<Cover | undefined> {
  const { entry, world, updates } = model;
  if (name === "policy-expires" && entry.expiresAt !== undefined) {
    const left = entry.expiresAt - world.now.getTime();
    if (left >= RELEASE_DAYS * DAY_MS) return "release";
  } else if (name !== "backup-lost" && await backupHelps(model, at)) {
    return "backup";
  }
  return updates ? "update" : undefined;
}

function dateOf(
  { name }: DrillEvent,
  { entry, knowledge, world }: Model,
): string | undefined {
  const day = (time: number) => new Date(time).toISOString().slice(0, 10);
  if (name === "policy-expires" || name === "clock-a-year-behind") {
    return entry.expiresAt === undefined ? undefined : day(entry.expiresAt);
  }
  if (name === "offline-six-weeks") return day(world.now.getTime());
  const leaf = knowledge.path?.[0];
  if (leaf === undefined || !AT_RENEWAL.has(name)) return undefined;
  const [start, end] = [leaf.notBefore.getTime(), leaf.notAfter.getTime()];
  const renewal = end - (end - start) * RENEWAL_PART;
  return day(Math.max(renewal, world.now.getTime()));
}

async function replay(
  event: DrillEvent,
  model: Model,
): Promise<EventResult> {
  const { name, title, known, ifLockedOut, ifFooled } = event;
  const { entry, world, document } = model;
  const date = dateOf(event, model);
  const common = {
    event: name,
    title,
    known,
    ...(date === undefined ? {} : { date }),
  };
  const played = await event.replay(world, entry);
  if (played === undefined) return { ...common, outcome: "not-applicable" };
  for (const attempt of played.server ?? []) {
    if (await isAllowed(document, world.hostname, attempt)) continue;
    const coveredBy = await coverOf(model, event, attempt.at);
    return {
      ...common,
      outcome: "locked-out",
      ...(coveredBy === undefined ? {} : { coveredBy }),
      change: ifLockedOut,
    };
  }
  for (const attempt of played.impostor ?? []) {
    if (await isAllowed(document, world.hostname, attempt)) {
      const helps = model.updates && ENDED_BY_UPDATES.has(name);
      return {
        ...common,
        outcome: "fooled",
        ...(helps ? { coveredBy: "update" as const } : {}),
        change: ifFooled,
      };
    }
  }
  return { ...common, outcome: "fine" };
}

/**
 * Drills every host of a policy.
 *
 * Keys are minted: nothing connects, and the policy's own keys are not needed.
 * Without knowledge of a host's chain the roles of its pins say what they are.
 */
export async function drillPolicy(
  policy: Policy,
  options: DrillOptions = {},
): Promise<HostDrill[]> {
  const { at = new Date(), updates = false, publicRoots } = options;
  const record = policyRecordOf(policy);
  const drilled: HostDrill[] = [];
  for (const entry of record.entries.values()) {
    const knowledge: Knowledge = {
      ...options.knowledge?.get(entry.host.text),
      ...(publicRoots === undefined ? {} : { publicRoots }),
    };
    const assigned = await assignPins(entry, knowledge);
    // The model needs a name that certificates may carry.
    const world = await mintWorld("host.example.com", at);
    const model: Model = {
      entry,
      world,
      assigned,
      updates,
      knowledge,
      document: await modelPolicy(entry, assigned, world, record.rootOnly),
    };
    const events: EventResult[] = [];
    for (const event of EVENTS) events.push(await replay(event, model));
    drilled.push({
      host: entry.pattern,
      pins: assigned.map(({ rule, part }) => ({ pointer: rule.pointer, part })),
      events,
    });
  }
  return drilled;
}

/** Whether an event locks clients out, and nothing helps. */
export function isUncovered({ outcome, coveredBy }: EventResult): boolean {
  return outcome === "locked-out" && coveredBy === undefined;
}
