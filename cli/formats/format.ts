/**
 * What a format of another tool is: how it is read, how it is written, and
 * what is lost on the way.
 *
 * @module
 */
import {
  type HostDocument,
  LimitError,
  type Pin,
  type PolicyDocument,
  PolicyError,
} from "@certpin/certpin";
import {
  canonicalHost,
  hashCertificatePins,
  type PolicyRecord,
  quoteText,
  runWithWebCrypto,
} from "@certpin/certpin/internal";
import { MAX_DOCUMENT_LENGTH } from "../limits.ts";

/**
 * What is lost, for programs:
 *
 * - `unlisted`: what happens to hosts without pins differs
 * - `root-only`: root pins alone cannot be refused
 * - `certificates`: extra intermediates are left out
 * - `host`: a host is left out
 * - `subdomains`: pins hold for fewer or more names below
 * - `pin`: a pin is left out
 * - `role`: a pin matches at more or other places of the path
 * - `each-role`: one match is enough, or every role must match
 * - `report-only`: a host that only reports is left out, or enforced
 * - `expiry`: the set expires at another time, never, or with another effect
 * - `port`: pins hold for one port
 * - `pins-merged`: pins of several entries hold for one host
 * - `validation`: the other side validates less than we do
 * - `profile`: the target has rules of its own for private CAs
 * - `setting`: a setting that has nothing to do with pins is left out
 */
export type LossCode =
  | "unlisted"
  | "root-only"
  | "certificates"
  | "host"
  | "subdomains"
  | "pin"
  | "role"
  | "each-role"
  | "report-only"
  | "profile"
  | "expiry"
  | "port"
  | "pins-merged"
  | "validation"
  | "setting";

/** Something that the target cannot say as the source did. */
export interface Loss {
  /** What kind of thing, for programs. */
  readonly code: LossCode;
  /** Where: a JSON pointer into the policy, or a place in the foreign file. */
  readonly pointer: string;
  /** What, for people. */
  readonly message: string;
}

/** What reading a foreign file gives. */
export interface ReadFormat {
  /** A document that `parsePolicy` takes. */
  readonly document: PolicyDocument;
  /** What the policy cannot say, or says differently. */
  readonly losses: readonly Loss[];
}

/** What writing a policy gives. */
export interface WrittenFormat {
  /** The file. */
  readonly text: string;
  /** What the file cannot say, or says differently. */
  readonly losses: readonly Loss[];
}

/** A format of another tool. */
export interface Format {
  /** As `convert --to` names it. */
  readonly name: string;
  /** What it is, for people. */
  readonly title: string;
  /** Reads a file; throws a `PolicyError` where it is not one of these. */
  read(text: string): ReadFormat;
  /** Writes a settled policy. */
  write(policy: PolicyRecord): WrittenFormat;
}

/** The file is not what the format demands. */
export function syntaxError(what: string, why: string, place = ""): never {
  throw new PolicyError(
    "ERR_CERTPIN_DOCUMENT_SYNTAX",
    `Cannot read the ${what}: ${why}`,
    {
      problems: [{
        pointer: place,
        code: "ERR_CERTPIN_DOCUMENT_SYNTAX",
        message: why,
      }],
    },
  );
}

/**
 * The canonical spelling of a name that stands for one host there: `*.` means
 * nothing in these formats, and must not begin to mean something in a policy.
 */
export function plainHost(name: string, what: string, place: string): string {
  try {
    return canonicalHost(name).text;
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    return syntaxError(what, `${quoteText(name)} is no hostname`, place);
  }
}

/** Refuses a text that is too long to be a configuration. */
export function boundDocument(text: string): void {
  if (text.length > MAX_DOCUMENT_LENGTH) {
    throw new LimitError(
      "ERR_CERTPIN_LIMIT_POLICY_SIZE",
      `Cannot read ${text.length} characters: at most ${MAX_DOCUMENT_LENGTH} are allowed`,
    );
  }
}

/** Computes the pins that a policy gives as certificates. */
export async function setPinDigests(policy: PolicyRecord): Promise<void> {
  for (const { rules } of policy.entries.values()) {
    await runWithWebCrypto(hashCertificatePins(rules));
  }
}

/** Collects losses; one of a kind at a place. */
export class Losses {
  readonly #losses = new Map<string, Loss>();

  /** Adds a loss. */
  add(code: LossCode, pointer: string, message: string): void {
    const key = `${code} ${pointer}`;
    if (!this.#losses.has(key)) {
      this.#losses.set(key, Object.freeze({ code, pointer, message }));
    }
  }

  /** All of them, in their order. */
  list(): readonly Loss[] {
    return [...this.#losses.values()];
  }
}

/** The base64 digest of a SHA-256 pin of a key; undefined for any other pin. */
export function plainDigest(pin: Pin): string | undefined {
  const text = pin.toString();
  return text.startsWith("sha256/") ? text.slice("sha256/".length) : undefined;
}

/** A policy document from entries, in the order of keys that people expect. */
export function documentOf(
  hosts: ReadonlyMap<string, HostDocument>,
  unlisted: "deny" | "allow",
): PolicyDocument {
  return {
    version: 1,
    ...(unlisted === "allow" ? { unlisted } : {}),
    hosts: Object.fromEntries(hosts),
  };
}

/** A date as those formats have it that know days only. */
const DAY = /^\d{4}-\d{2}-\d{2}$/;

/** Midnight UTC of a day such as `2027-06-01`; undefined if the text is not a day. */
export function dayToInstant(day: string): string | undefined {
  if (!DAY.test(day)) return undefined;
  const date = new Date(`${day}T00:00:00Z`);
  const isReal = !Number.isNaN(date.getTime()) &&
    date.toISOString().startsWith(day);
  return isReal ? `${day}T00:00:00Z` : undefined;
}

const DAY_MILLISECONDS = 86_400_000;

/**
 * The day on which a set expires in a format that knows days only and stops
 * pinning then. Rounded up: pins hold rather longer than shorter.
 */
export function expiryDay(
  entry: {
    readonly expiresAt?: number;
    readonly onExpiry: "block" | "allow";
    readonly pointer: string;
  },
  losses: Losses,
  target: string,
): string | undefined {
  if (entry.expiresAt === undefined) return undefined;
  const pointer = `${entry.pointer}/expiresAt`;
  if (entry.onExpiry === "block") {
    losses.add(
      "expiry",
      pointer,
      `${target} stops pinning when a set expires, and cannot block then: the pins are written without an expiry`,
    );
    return undefined;
  }
  const days = Math.ceil(entry.expiresAt / DAY_MILLISECONDS);
  const day = new Date(days * DAY_MILLISECONDS).toISOString().slice(0, 10);
  if (days * DAY_MILLISECONDS !== entry.expiresAt) {
    losses.add(
      "expiry",
      pointer,
      `${target} knows days only: the set expires on ${day}`,
    );
  }
  return day;
}
