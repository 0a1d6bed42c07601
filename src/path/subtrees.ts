/**
 * The subtrees of name constraints, indexed: holding a name against thousands
 * of them takes as many steps as the name has labels.
 *
 * @module
 */
import type { Bytes } from "../crypto/routine.ts";
import { bytesKey } from "../x509/der.ts";
import type { GeneralName } from "../x509/general_names.ts";
import { attributeText, EMAIL_ADDRESS } from "../x509/names.ts";
import type { CertificateRecord } from "../x509/record.ts";
import { dnsLabels, dnsPattern } from "./hostname.ts";

/** Longest mailbox compared, in characters: 64 before the "@", 255 after it (RFC 5321, section 4.5.3.1). */
const MAX_MAILBOX_LENGTH = 320;
/** id-on-SmtpUTF8Mailbox: constraints on mailboxes hold for it (RFC 9598, section 6). */
const SMTP_UTF8_MAILBOX = "1.3.6.1.5.5.7.8.9";

/** A name that constraints apply to, taken apart. */
export type ConstrainedName =
  | {
    readonly kind: "dns";
    readonly wildcard: boolean;
    /** Last label first, the wildcard left out. */
    readonly steps: readonly string[];
  }
  | {
    readonly kind: "email";
    readonly local: string;
    /** The host's labels, the last first. */
    readonly steps: readonly string[];
  }
  | { readonly kind: "directory"; readonly steps: readonly string[] }
  | { readonly kind: "ip"; readonly bytes: Bytes }
  /** A kind that cannot be compared. */
  | { readonly kind: "uri" }
  | { readonly kind: "other"; readonly tag: number; readonly type?: string }
  /** Text that is no such name. */
  | { readonly kind: "malformed"; readonly of: "dns" | "email" };

/** A place in a tree of labels, or of relative names. */
class Node {
  /** The name itself and all below it are in the subtree. */
  isWhole = false;
  /** All below it are, and it is not. */
  isBelow = false;
  /** The very host is (of mailboxes). */
  isHost = false;
  /** Whether a name one step below is in the subtree, itself included. */
  hasWholeChild = false;
  /** Mailboxes of the host. */
  locals: Set<string> | undefined;
  readonly children = new Map<string, Node>();
}

/** The place of a path below a node, made where it is not there. */
function grow(root: Node, steps: readonly string[]): Node {
  let node = root;
  for (const step of steps) {
    let next = node.children.get(step);
    if (next === undefined) node.children.set(step, next = new Node());
    node = next;
  }
  return node;
}

/** The permitted or the excluded subtrees of one CA. */
export class Subtrees {
  readonly #kinds = new Set<string>();
  readonly #dns = new Node();
  readonly #email = new Node();
  readonly #directory = new Node();
  /** By the mask, the addresses under it. */
  readonly #addresses = new Map<
    string,
    { readonly mask: Bytes; readonly bases: Set<string> }
  >();

  /** Adds a subtree; returns what is wrong with it, where something is. */
  add(base: GeneralName): string | undefined {
    this.#kinds.add(kindKey(base));
    switch (base.kind) {
      case "dns":
        return this.#addDns(base.text);
      case "email":
        return this.#addEmail(base.text);
      case "directory":
        grow(this.#directory, base.name.canonical).isWhole = true;
        return undefined;
      case "ip":
        return this.#addAddress(base.bytes);
      default:
        return undefined;
    }
  }

  #addDns(text: string): string | undefined {
    // RFC 5280, section 4.2.1.10 gives the leading period no meaning here;
    // OpenSSL, Go, BoringSSL and webpki agree on "what stands below the name".
    const isBelow = text.startsWith(".");
    const labels = text === "" ? [] : dnsLabels(isBelow ? text.slice(1) : text);
    if (!labels) return "a name constraint that is no DNS name";
    const steps = labels.toReversed();
    const node = grow(this.#dns, steps);
    if (isBelow) node.isBelow = true;
    else {
      node.isWhole = true;
      grow(this.#dns, steps.slice(0, -1)).hasWholeChild ||= steps.length > 0;
    }
  }

  #addEmail(text: string): string | undefined {
    const mailbox = text.includes("@") ? readMailbox(text) : undefined;
    const isBelow = text.startsWith(".");
    const labels = mailbox?.labels ??
      (text.includes("@") ? undefined : dnsLabels(
        isBelow ? text.slice(1) : text,
      ));
    if (!labels) {
      return "a name constraint that is no mail address, host or domain";
    }
    const node = grow(this.#email, labels.toReversed());
    if (mailbox) (node.locals ??= new Set()).add(mailbox.local);
    else if (isBelow) node.isBelow = true;
    else node.isHost = true;
  }

  #addAddress(bytes: Bytes): string | undefined {
    const half = bytes.length / 2;
    const mask = bytes.subarray(half);
    if (!isPrefixMask(mask)) {
      return "a name constraint whose mask is not a prefix";
    }
    const key = bytesKey(mask);
    let entry = this.#addresses.get(key);
    if (entry === undefined) {
      this.#addresses.set(key, entry = { mask, bases: new Set() });
    }
    entry.bases.add(masked(bytes.subarray(0, half), mask));
  }

  /** Whether a subtree is of the name's kind. */
  concern(name: ConstrainedName): boolean {
    const kinds = this.#kinds;
    switch (name.kind) {
      case "malformed":
        return kinds.has(name.of);
      case "other":
        return kinds.has(`other ${name.tag}`) ||
          (name.type === SMTP_UTF8_MAILBOX && kinds.has("email"));
      default:
        return kinds.has(name.kind);
    }
  }

  /** Whether all that the name stands for lies within a subtree. */
  contain(name: ConstrainedName): boolean {
    switch (name.kind) {
      case "dns":
        return this.#walk(this.#dns, name.steps, name.wildcard).isWithin;
      case "directory":
        return this.#walk(this.#directory, name.steps, false).isWithin;
      case "email": {
        const { isWithin, end } = this.#walk(this.#email, name.steps, false);
        return isWithin || end?.isHost === true ||
          end?.locals?.has(name.local) === true;
      }
      case "ip":
        return this.#containAddress(name.bytes);
      default:
        return false;
    }
  }

  /** Whether anything that the name stands for lies within a subtree. */
  touch(name: ConstrainedName): boolean {
    if (this.contain(name)) return true;
    // `*.example.com` stands for `host.example.com` too.
    return name.kind === "dns" && name.wildcard &&
      this.#walk(this.#dns, name.steps, true).end?.hasWholeChild === true;
  }

  #walk(
    root: Node,
    steps: readonly string[],
    wildcard: boolean,
  ): { isWithin: boolean; end?: Node } {
    let node: Node | undefined = root;
    for (let i = 0; i <= steps.length; i++) {
      const isAtEnd = i === steps.length;
      if (node.isWhole || (node.isBelow && (!isAtEnd || wildcard))) {
        return { isWithin: true };
      }
      if (isAtEnd) return { isWithin: false, end: node };
      node = node.children.get(steps[i]);
      if (node === undefined) break;
    }
    return { isWithin: false };
  }

  #containAddress(address: Bytes): boolean {
    for (const { mask, bases } of this.#addresses.values()) {
      if (mask.length === address.length && bases.has(masked(address, mask))) {
        return true;
      }
    }
    return false;
  }

  /** What it takes to hold the name against them. */
  costOf(name: ConstrainedName): number {
    return name.kind === "ip"
      ? Math.max(1, this.#addresses.size)
      : costOf(name);
  }
}

/** Steps that are taken at the price of one comparison. */
const STEPS_OF_COMPARISON = 8;

/** Comparisons that a walk over this name counts as. */
function costOf(name: ConstrainedName): number {
  return "steps" in name
    ? 1 + Math.floor(name.steps.length / STEPS_OF_COMPARISON)
    : 1;
}

function kindKey(name: GeneralName): string {
  return name.kind === "other" ? `other ${name.tag}` : name.kind;
}

function masked(address: Bytes, mask: Bytes): string {
  return bytesKey(address.map((byte, i) => byte & mask[i]));
}

function isPrefixMask(mask: Bytes): boolean {
  let ended = false;
  for (const byte of mask) {
    if (ended ? byte !== 0 : (~byte & 0xff) & ((~byte & 0xff) + 1)) {
      return false;
    }
    if (byte !== 0xff) ended = true;
  }
  return true;
}

function readMailbox(
  text: string,
): { local: string; labels: readonly string[] } | undefined {
  if (text.length > MAX_MAILBOX_LENGTH) return undefined;
  const at = text.lastIndexOf("@");
  const labels = dnsLabels(text.slice(at + 1));
  const local = text.slice(0, Math.max(at, 0));
  // Quoted local parts can hide another "@": none of them is let through.
  if (!labels || !/^[^\s"@\\]+$/.test(local)) return undefined;
  return { local, labels };
}

function readConstrained(name: GeneralName): ConstrainedName {
  switch (name.kind) {
    case "dns": {
      const read = dnsPattern(name.text);
      return read
        ? {
          kind: "dns",
          wildcard: read.wildcard,
          steps: read.labels.toReversed(),
        }
        : { kind: "malformed", of: "dns" };
    }
    case "email": {
      const read = readMailbox(name.text);
      return read
        ? {
          kind: "email",
          local: read.local,
          steps: read.labels.toReversed(),
        }
        : { kind: "malformed", of: "email" };
    }
    case "directory":
      return { kind: "directory", steps: name.name.canonical };
    case "ip":
      return { kind: "ip", bytes: name.bytes };
    case "uri":
      return { kind: "uri" };
    case "other":
      return { kind: "other", tag: name.tag, type: name.type };
  }
}

/** Every name of a certificate that constraints apply to (RFC 5280, section 4.2.1.10). */
export function constrainedNamesOf(
  record: CertificateRecord,
): readonly ConstrainedName[] {
  return [...generalNames(record)].map(readConstrained);
}

function* generalNames(record: CertificateRecord): Generator<GeneralName> {
  const { subject } = record;
  const names = record.decoded.subjectAltName ?? [];
  if (subject.rdns.length > 0) yield { kind: "directory", name: subject };
  yield* names;
  if (names.some(({ kind }) => kind === "email")) return;
  for (const attribute of subject.rdns.flat()) {
    if (attribute.type !== EMAIL_ADDRESS) continue;
    yield { kind: "email", text: attributeText(attribute.value) ?? "" };
  }
}
