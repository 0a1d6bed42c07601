/**
 * Name constraints (RFC 5280, sections 4.2.1.10 and 6.1).
 *
 * Each constraining CA is held against each certificate below it, so that
 * permitted subtrees intersect down the path by themselves.
 *
 * @module
 */
import type { Bytes } from "../crypto/steps.ts";
import type { CertificateRecord } from "../x509/record.ts";
import type { GeneralName, NameConstraints } from "../x509/general_names.ts";
import { attributeText, EMAIL_ADDRESS, isWithin } from "../x509/names.ts";
import type { Budget } from "./budget.ts";
import { dnsLabels, dnsPattern } from "./hostname.ts";

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
  const { permitted, excluded } = constraints;
  const expense = "nameConstraintComparisons";
  budget.pay(expense, permitted.length + excluded.length);
  for (const base of [...permitted, ...excluded]) {
    const defect = malformedBase(base);
    if (defect) return defect;
  }
  for (const [i, record] of below.entries()) {
    if (i > 0 && record.selfIssued) continue;
    for (const name of constrainedNames(record)) {
      budget.pay(expense, permitted.length + excluded.length);
      const defect = checkName(name, permitted, excluded);
      if (defect) return defect;
    }
  }
}

function malformedBase(base: GeneralName): string | undefined {
  switch (base.kind) {
    case "dns":
      return base.text === "" || dnsLabels(base.text)
        ? undefined
        : "a name constraint that is no DNS name";
    case "email":
      return emailConstraint(base.text)
        ? undefined
        : "a name constraint that is no mail address, host or domain";
    case "ip":
      return isPrefixMask(base.bytes.subarray(base.bytes.length / 2))
        ? undefined
        : "a name constraint whose mask is not a prefix";
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
  permitted: readonly GeneralName[],
  excluded: readonly GeneralName[],
): string | undefined {
  const sameKind = (base: GeneralName) => applies(base, name);
  const allowing = permitted.filter(sameKind);
  const forbidding = excluded.filter(sameKind);
  if (allowing.length + forbidding.length === 0) return undefined;
  if (name.kind === "other" || name.kind === "uri") {
    // RFC 5280, section 4.2.1.10: process the constraint or reject.
    return "a constrained kind of name that cannot be compared";
  }
  if (!isWellFormed(name)) return "a constrained name that is malformed";
  if (forbidding.some((base) => touches(name, base))) return "an excluded name";
  if (allowing.length > 0 && !allowing.some((base) => lies(name, base))) {
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

function isWellFormed(name: GeneralName): boolean {
  switch (name.kind) {
    case "dns":
      return dnsPattern(name.text) !== undefined;
    case "email":
      return mailbox(name.text) !== undefined;
    default:
      return true;
  }
}

/** Whether all that the name stands for lies within the subtree. */
function lies(name: GeneralName, base: GeneralName): boolean {
  if (name.kind === "dns" && base.kind === "dns") {
    const { labels } = dnsPattern(name.text)!;
    return endsWithLabels(labels, labelsOf(base.text));
  }
  if (name.kind === "email" && base.kind === "email") {
    return emailLies(mailbox(name.text)!, emailConstraint(base.text)!);
  }
  if (name.kind === "ip" && base.kind === "ip") {
    return addressLies(name.bytes, base.bytes);
  }
  return name.kind === "directory" && base.kind === "directory" &&
    isWithin(name.name, base.name);
}

/** Whether anything that the name stands for lies within the subtree. */
function touches(name: GeneralName, base: GeneralName): boolean {
  if (lies(name, base)) return true;
  if (name.kind !== "dns" || base.kind !== "dns") return false;
  // `*.example.com` stands for `host.example.com` too.
  const { wildcard, labels } = dnsPattern(name.text)!;
  const baseLabels = labelsOf(base.text);
  return wildcard && baseLabels.length === labels.length + 1 &&
    endsWithLabels(baseLabels, labels);
}

function labelsOf(constraint: string): readonly string[] {
  return constraint === "" ? [] : constraint.toLowerCase().split(".");
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

interface Mailbox {
  readonly local: string;
  readonly domain: readonly string[];
}

function mailbox(text: string): Mailbox | undefined {
  const at = text.lastIndexOf("@");
  const domain = dnsLabels(text.slice(at + 1));
  // Quoted local parts can hide another "@": none of them is let through.
  if (at < 1 || !domain || !/^[^\s"@\\]+$/.test(text.slice(0, at))) {
    return undefined;
  }
  return { local: text.slice(0, at), domain };
}

type EmailConstraint =
  | { readonly kind: "mailbox"; readonly mailbox: Mailbox }
  | { readonly kind: "host" | "domain"; readonly labels: readonly string[] };

/** A mailbox, all mailboxes of a host, or (leading period) of a domain. */
function emailConstraint(text: string): EmailConstraint | undefined {
  if (text.includes("@")) {
    const box = mailbox(text);
    return box && { kind: "mailbox", mailbox: box };
  }
  const isDomain = text.startsWith(".");
  const labels = dnsLabels(isDomain ? text.slice(1) : text);
  return labels && { kind: isDomain ? "domain" : "host", labels };
}

function emailLies({ local, domain }: Mailbox, base: EmailConstraint): boolean {
  switch (base.kind) {
    case "mailbox":
      return local === base.mailbox.local &&
        domain.join(".") === base.mailbox.domain.join(".");
    case "host":
      return domain.join(".") === base.labels.join(".");
    case "domain":
      return domain.length > base.labels.length &&
        endsWithLabels(domain, base.labels);
  }
}
