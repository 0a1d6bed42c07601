/**
 * What `certpin init` proposes for a host.
 *
 * @module
 */
import {
  type Certificate,
  fingerprint,
  type HostDocument,
  type Pin,
  type PinDocument,
} from "@certpin/certpin";
import {
  escapeText,
  type FoundPath,
  organisationOf,
} from "@certpin/certpin/internal";
import { BACKUP_GAP, PORT_KEY } from "../policy_keys.ts";

/** What stands there. */
const GAP_TEXT =
  "Add the pin of a key kept offline (certpin pin backup-key.pem) to pins, then remove this line";
/** The owner of the CA behind AWS Certificate Manager, in its subjects. */
const AMAZON = "Amazon";

/** What can be asked for. */
export const PIN_CHOICES = ["leaf", "intermediate", "ca-set"] as const;

/** What is to be pinned. */
export type PinChoice = typeof PIN_CHOICES[number];

/** A pin that is proposed. */
export interface ProposedPin {
  readonly pin: string;
  readonly role: "leaf" | "intermediate" | "ca";
}

/** What is proposed for a host. */
export interface Proposal {
  readonly host: HostDocument;
  /** The pins without the backups. */
  readonly pins: readonly ProposedPin[];
  /** Why, and which change the pins do not survive: two lines. */
  readonly why: readonly [reason: string, limit: string];
}

/** What a proposal depends on, beside the path. */
export interface ProposalRequest {
  readonly backups: readonly Pin[];
  readonly expiresAt: string;
  /** Written down for `certpin check`. */
  readonly port?: number;
  /** Default: what suits the path. */
  readonly choice?: PinChoice;
  /** Whether the path ends at a public CA; undefined where that cannot be told. */
  readonly isPublic?: boolean;
  /** Certificates of the stores that can be seen: the other roots of a CA come from them. */
  readonly roots?: readonly Certificate[];
  /** Roots that have expired by then are left out. */
  readonly at: Date;
}

/** Subjects are foreign text, also in a comment. */
function shown(text: string): string {
  return escapeText(text) || "(empty subject)";
}

/** The roots of one owner that are valid, one certificate a key. */
async function caSet(
  end: Certificate,
  roots: readonly Certificate[],
  at: Date,
): Promise<Map<string, Certificate>> {
  const owner = organisationOf(end);
  const set = new Map([[`${await fingerprint(end)}`, end]]);
  for (const root of roots) {
    if (owner === undefined || organisationOf(root) !== owner) continue;
    if (root.notAfter < at) continue;
    const pin = `${await fingerprint(root)}`;
    if (!set.has(pin)) set.set(pin, root);
  }
  return set;
}

function leafLimit(isAmazon: boolean): string {
  return isAmazon
    ? "ACM makes a new key at each renewal: if this certificate is of ACM, the pin will not survive the next one. Use --pin ca-set, or do not pin"
    : "It survives renewals that keep the key (certbot --reuse-key and the like). It will not survive a new key, unless that key is the backup";
}

/** Says why, in two lines. */
function whyOf(
  choice: PinChoice | "both",
  end: Certificate,
  isPublic: boolean | undefined,
  roots: number,
): [string, string] {
  const name = shown(organisationOf(end) ?? end.subject);
  const kind = isPublic === undefined
    ? `The path ends at a root of ${name}`
    : isPublic
    ? `The path ends at a public root of ${name}`
    : `The path ends at a private root of ${name}`;
  switch (choice) {
    case "leaf":
      return [
        isPublic === true
          ? `${kind}. Its intermediates change without notice, so the server's own key is pinned`
          : `${kind}. The server's own key is pinned`,
        leafLimit(isPublic === true && organisationOf(end) === AMAZON),
      ];
    case "intermediate":
      return [
        `${kind}. The issuing intermediate is pinned, as asked`,
        isPublic === true
          ? "It will not survive another intermediate, and public CAs change them without notice"
          : "It survives new server keys. It will not survive another intermediate, unless that one is pinned first",
      ];
    case "ca-set":
      return [
        `${kind}. ${
          roots === 1
            ? "This root is pinned"
            : `All its ${roots} roots that this machine trusts are pinned`
        }, so the server's key and its intermediate may change`,
        `It will not survive a move to another CA: add the roots of a second one${
          isPublic === false
            ? ""
            : ", and limit who can get certificates with CAA and accounturi"
        }`,
      ];
    case "both":
      return [
        `${kind}. The key of its intermediate is pinned, and the server's own key`,
        "It survives a renewal that keeps one of the two. It will not survive a new key from another intermediate, unless it is pinned first",
      ];
  }
}

/**
 * Proposes pins for a path. Under a public root that is the leaf's key: an
 * intermediate of a public CA changes without notice. Elsewhere it is the
 * intermediate that issued the leaf, and the leaf. A root is pinned only as
 * part of a `ca-set`, with all other roots of its owner.
 */
export async function propose(
  path: FoundPath,
  request: ProposalRequest,
): Promise<Proposal> {
  const { backups, expiresAt, port, isPublic, roots = [], at } = request;
  const [leaf, issuer] = path.certificates;
  const end = path.certificates[path.certificates.length - 1];
  const hasIntermediate = path.roles[1] === "intermediate";
  const wanted = request.choice ?? (isPublic === true ? "leaf" : "both");
  // A path without an intermediate has the leaf's key alone to offer.
  const choice = hasIntermediate || wanted === "ca-set" ? wanted : "leaf";
  const pins: ProposedPin[] = [];
  const documents: PinDocument[] = [];
  const add = (
    pin: string,
    role: ProposedPin["role"],
    { subject }: Certificate,
  ) => {
    pins.push({ pin, role });
    documents.push({ pin, role, comment: shown(subject) });
  };
  if (choice === "ca-set") {
    for (const [pin, root] of await caSet(end, roots, at)) add(pin, "ca", root);
  }
  if (choice === "intermediate" || choice === "both") {
    add(`${await fingerprint(issuer)}`, "intermediate", issuer);
  }
  if (choice === "leaf" || choice === "both") {
    add(`${await fingerprint(leaf)}`, "leaf", leaf);
  }
  for (const pin of backups) {
    // Of a key that may become a leaf's or a CA's: no role.
    documents.push({ pin: `${pin}`, comment: "backup: a key kept offline" });
  }
  const gap = backups.length > 0 ? {} : { [BACKUP_GAP]: GAP_TEXT };
  const place = port === undefined ? {} : { [PORT_KEY]: port };
  const [reason, limit] = whyOf(choice, end, isPublic, pins.length);
  const note = request.choice === "intermediate" && !hasIntermediate
    ? ": there is no intermediate on the path"
    : "";
  return {
    host: { ...place, expiresAt, pins: documents, ...gap },
    pins,
    why: [`${reason}${note}`, limit],
  };
}
