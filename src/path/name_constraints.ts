/**
 * Name constraints (RFC 5280, sections 4.2.1.10 and 6.1).
 *
 * Each constraining CA is held against each certificate below it, so that
 * permitted subtrees intersect down the path by themselves.
 *
 * @module
 */
import type { Bytes } from "../crypto/routine.ts";
import type { CertificateRecord } from "../x509/record.ts";
import type { GeneralName, NameConstraints } from "../x509/general_names.ts";
import { attributeText, EMAIL_ADDRESS, isWithin } from "../x509/names.ts";
import type { Budget } from "./budget.ts";
import { dnsLabels, dnsPattern } from "./hostname.ts";

/** Longest mailbox compared, in characters: 64 before the "@", 255 after it (RFC 5321, section 4.5.3.1). */
const MAX_MAILBOX_LENGTH = 320;

/** A name or the base of a subtree, taken apart once for all comparisons. */
interface Operand {
  readonly name: GeneralName;
  /** Of a DNS name. */
  readonly wildcard?: boolean;
  /** Of a DNS name, of a mailbox's host, of a constraint on hosts. */
  readonly labels?: readonly string[];
  /** Of a mailbox, before the "@". */
  readonly local?: string;
  /** Of a constraint with a leading period: what is below the name, the name itself not. */
  readonly isDomain?: boolean;
}

/**
 * Holds a CA's constraints against the certificates below it.
 *
 * @param below Leaf first. Self-issued ones are exempt, the leaf never is.
 * @returns What is wrong, or undefined.
 */
export function checkNameConstraints(
  constraints: NameConstraints,
  below: readonly CertificateRecord[],
  budget: Budget,
): string | undefined {
  const expense = "nameConstraintComparisons";
  const count = constraints.permitted.length + constraints.excluded.length;
  budget.pay(expense, count);
  const bases: Operand[] = [];
  for (const base of [...constraints.permitted, ...constraints.excluded]) {
    const read = readBase(base);
    if (typeof read === "string") return read;
    bases.push(read);
  }
  const permitted = bases.slice(0, constraints.permitted.length);
  const excluded = bases.slice(constraints.permitted.length);
  for (const [i, record] of below.entries()) {
    if (i > 0 && record.selfIssued) continue;
    for (const name of constrainedNames(record)) {
      budget.pay(expense, count);
      const defect = checkName(name, permitted, excluded);
      if (defect) return defect;
    }
  }
}

/** The base of a subtree; what is wrong with it, where it is none. */
function readBase(name: GeneralName): Operand | string {
  switch (name.kind) {
    case "dns": {
      // Section 4.2.1.10 gives the leading period no meaning here; OpenSSL, Go,
      // BoringSSL and webpki agree on "what stands below, and not the name".
      const isDomain = name.text.startsWith(".");
      const text = isDomain ? name.text.slice(1) : name.text;
      const labels = name.text === "" ? [] : dnsLabels(text);
      return labels
        ? { name, labels, isDomain }
        : "a name constraint that is no DNS name";
    }
    case "email": {
      const read = readEmailBase(name.text);
      return read
        ? { name, ...read }
        : "a name constraint that is no mail address, host or domain";
    }
    case "ip":
      return isPrefixMask(name.bytes.subarray(name.bytes.length / 2))
        ? { name }
        : "a name constraint whose mask is not a prefix";
    default:
      return { name };
  }
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

/** Every name that constraints apply to (RFC 5280, section 4.2.1.10). */
function* constrainedNames(
  record: CertificateRecord,
): Generator<GeneralName> {
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

function checkName(
  name: GeneralName,
  permitted: readonly Operand[],
  excluded: readonly Operand[],
): string | undefined {
  const sameKind = (base: Operand) => applies(base.name, name);
  const allowing = permitted.filter(sameKind);
  const forbidding = excluded.filter(sameKind);
  if (allowing.length + forbidding.length === 0) return undefined;
  if (name.kind === "other" || name.kind === "uri") {
    // RFC 5280, section 4.2.1.10: process the constraint or reject.
    return "a constrained kind of name that cannot be compared";
  }
  const read = readConstrained(name);
  if (!read) return "a constrained name that is malformed";
  if (forbidding.some((base) => touches(read, base))) return "an excluded name";
  if (allowing.length > 0 && !allowing.some((base) => lies(read, base))) {
    return "a name outside the permitted subtrees";
  }
}

/** id-on-SmtpUTF8Mailbox: constraints on mailboxes hold for it (RFC 9598, section 6). */
const SMTP_UTF8_MAILBOX = "1.3.6.1.5.5.7.8.9";

function applies(base: GeneralName, name: GeneralName): boolean {
  if (name.kind !== "other") return base.kind === name.kind;
  return base.kind === "other"
    ? base.tag === name.tag
    : base.kind === "email" && name.type === SMTP_UTF8_MAILBOX;
}

/** A name that constraints apply to; undefined where it is malformed. */
function readConstrained(name: GeneralName): Operand | undefined {
  if (name.kind !== "dns" && name.kind !== "email") return { name };
  const read = name.kind === "dns"
    ? dnsPattern(name.text)
    : readMailbox(name.text);
  return read && { name, ...read };
}

/** Whether all that the name stands for lies within the subtree. */
function lies(one: Operand, base: Operand): boolean {
  const { name } = one;
  if (name.kind === "ip" && base.name.kind === "ip") {
    return addressLies(name.bytes, base.name.bytes);
  }
  if (name.kind === "directory" && base.name.kind === "directory") {
    return isWithin(name.name, base.name.name);
  }
  const { labels } = one;
  if (!labels || !base.labels || !endsWithLabels(labels, base.labels)) {
    return false;
  }
  if (name.kind === "dns") {
    return !base.isDomain || one.wildcard === true ||
      labels.length > base.labels.length;
  }
  if (base.isDomain) return labels.length > base.labels.length;
  return labels.length === base.labels.length &&
    (base.local === undefined || base.local === one.local);
}

/** Whether anything that the name stands for lies within the subtree. */
function touches(name: Operand, base: Operand): boolean {
  if (lies(name, base)) return true;
  // `*.example.com` stands for `host.example.com` too.
  return name.wildcard === true && !base.isDomain &&
    base.labels!.length === name.labels!.length + 1 &&
    endsWithLabels(base.labels!, name.labels!);
}

function endsWithLabels(
  labels: readonly string[],
  end: readonly string[],
): boolean {
  const skip = labels.length - end.length;
  return skip >= 0 && end.every((label, i) => labels[skip + i] === label);
}

function addressLies(address: Bytes, base: Bytes): boolean {
  const half = base.length / 2;
  if (address.length !== half) return false;
  return address.every((byte, i) => ((byte ^ base[i]) & base[half + i]) === 0);
}

type Mailbox = Required<Pick<Operand, "local" | "labels">>;

function readMailbox(text: string): Mailbox | undefined {
  if (text.length > MAX_MAILBOX_LENGTH) return undefined;
  const at = text.lastIndexOf("@");
  const labels = dnsLabels(text.slice(at + 1));
  const local = text.slice(0, Math.max(at, 0));
  // Quoted local parts can hide another "@": none of them is let through.
  if (!labels || !/^[^\s"@\\]+$/.test(local)) return undefined;
  return { local, labels };
}

/** A mailbox, all mailboxes of a host, or (leading period) of a domain. */
function readEmailBase(text: string): Omit<Operand, "name"> | undefined {
  if (text.includes("@")) return readMailbox(text);
  const isDomain = text.startsWith(".");
  const labels = dnsLabels(isDomain ? text.slice(1) : text);
  return labels && { labels, isDomain };
}
