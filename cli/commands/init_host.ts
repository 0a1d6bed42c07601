/**
 * Looks at the hosts that `certpin init` is to pin.
 *
 * @module
 */
import {
  type Certificate,
  CertpinError,
  fingerprint,
  parseCertificates,
  type Pin,
  type Role,
} from "@certpin/certpin";
import { defaultPort } from "./check_host.ts";
import { Failure } from "../failure.ts";
import { findPath } from "./inspection.ts";
import { probe } from "../probe.ts";
import { type PinChoice, type Proposal, propose } from "./proposal.ts";
import type { StartTls } from "../starttls.ts";
import { anchorStore } from "@certpin/certpin/internal";
import type { Trust } from "../trust.ts";
import { type Address, formatTarget, type Target } from "../values.ts";

const DAY_MILLISECONDS = 86_400_000;

/** How hosts are looked at. */
export interface InitHostOptions {
  /** In days from now. */
  readonly expires: number;
  readonly at?: Date;
  /** Default: what suits the path. */
  readonly pin?: PinChoice;
  readonly starttls?: StartTls;
  readonly connectTo?: Address;
  /** In seconds. */
  readonly timeout: number;
}

/** What is known of other CAs than the one at hand. */
export interface KnownRoots {
  /** The platform's own roots; undefined if it does not list them. */
  readonly publicRoots: readonly Certificate[] | undefined;
  /** The caller's own anchors. */
  readonly own: readonly Certificate[];
}

/** A host with what is proposed for it, or why nothing is. */
export interface Found {
  readonly target: Target;
  readonly proposal?: Proposal;
  /** Every key of the verified path, leaf first. */
  readonly keys?: readonly { readonly pin: string; readonly role: Role }[];
  readonly error?: CertpinError;
}

/** Looks at a host, verifies, and proposes. */
export async function findHost(
  target: Target,
  options: InitHostOptions,
  trust: Trust,
  backups: readonly Pin[],
  known: KnownRoots,
): Promise<Found> {
  const { starttls, connectTo } = options;
  const { hostname } = target;
  const at = options.at ?? new Date();
  try {
    const { presented } = await probe({
      hostname,
      port: target.port ?? defaultPort(starttls),
      ca: [],
      timeoutMilliseconds: options.timeout * 1000,
      ...(connectTo === undefined ? {} : { address: connectTo }),
      ...(starttls === undefined ? {} : { starttls }),
    });
    const chain = parseCertificates(presented);
    const path = await findPath(chain, trust.anchors, at, hostname);
    if (path instanceof CertpinError) return { target, error: path };
    const expiry = at.getTime() + options.expires * DAY_MILLISECONDS;
    const day = new Date(expiry).toISOString().slice(0, 10);
    const end = `${day}T00:00:00Z`;
    const isUsual = target.port === defaultPort(starttls);
    const port = isUsual ? undefined : target.port;
    const { publicRoots, own } = known;
    const proposal = await propose(path, {
      backups,
      expiresAt: end,
      roots: [...own, ...publicRoots ?? []],
      at,
      ...(port === undefined ? {} : { port }),
      ...(options.pin === undefined ? {} : { choice: options.pin }),
      ...(publicRoots === undefined ? {} : {
        isPublic: anchorStore(publicRoots).hasKeyOf(path.certificates.at(-1)!),
      }),
    });
    const keys = await Promise.all(
      path.certificates.map(async (certificate, i) => ({
        pin: `${await fingerprint(certificate)}`,
        role: path.roles[i],
      })),
    );
    return { target, proposal, keys };
  } catch (error) {
    if (error instanceof CertpinError) return { target, error };
    throw error;
  }
}

/** A key on the current path cannot be a backup for that path, the root included. */
export function refuseFalseBackups(
  found: readonly Found[],
  backups: readonly Pin[],
): void {
  for (const { target, keys } of found) {
    const same = keys?.find(({ pin }) =>
      backups.some((backup) => `${backup}` === pin)
    );
    if (same === undefined) continue;
    throw new Failure(
      `Cannot use ${same.pin} as a backup: it is the ${same.role}'s own key`,
      {
        subject: formatTarget(target.hostname, target.port),
        hint: "make another key, and keep it offline",
      },
    );
  }
}
