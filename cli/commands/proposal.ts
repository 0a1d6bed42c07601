/**
 * What `certpin init` proposes for a host.
 *
 * @module
 */
import {
  fingerprint,
  type HostDocument,
  type Pin,
  type PinDocument,
} from "@certpin/certpin";
import { escapeText, type FoundPath } from "@certpin/certpin/internal";
import { BACKUP_GAP, PORT_KEY } from "../policy_keys.ts";

/** What stands there. */
const GAP_TEXT =
  "Add the pin of a key kept offline (certpin pin backup-key.pem) to pins, then remove this line";

/** What is proposed for a host. */
export interface Proposal {
  readonly host: HostDocument;
  /** The pins of the path, without the backup. */
  readonly pins: readonly { pin: string; role: "leaf" | "intermediate" }[];
}

/** Subjects are foreign text, also in a comment. */
function comment(subject: string): string {
  return escapeText(subject) || "(empty subject)";
}

/**
 * Proposes the pins of a path: of the intermediate that issued the leaf, and
 * of the leaf; never of the root, which would let in everything that its CA
 * signs. A path without an intermediate gives the leaf alone. A `port` is
 * written down for `certpin check`.
 */
export async function propose(
  path: FoundPath,
  backups: readonly Pin[],
  expiresAt: string,
  port?: number,
): Promise<Proposal> {
  const [leaf, issuer] = path.certificates;
  const pins: { pin: string; role: "leaf" | "intermediate" }[] = [];
  const documents: PinDocument[] = [];
  const add = async (
    certificate: typeof leaf,
    role: "leaf" | "intermediate",
  ) => {
    const pin = `${await fingerprint(certificate)}`;
    pins.push({ pin, role });
    documents.push({ pin, role, comment: comment(certificate.subject) });
  };
  if (path.roles[1] === "intermediate") await add(issuer, "intermediate");
  await add(leaf, "leaf");
  for (const pin of backups) {
    // Of a key that may become a leaf's or a CA's: no role.
    documents.push({ pin: `${pin}`, comment: "backup: a key kept offline" });
  }
  const gap = backups.length > 0 ? {} : { [BACKUP_GAP]: GAP_TEXT };
  const place = port === undefined ? {} : { [PORT_KEY]: port };
  return { host: { ...place, expiresAt, pins: documents, ...gap }, pins };
}
