/**
 * The one canonicaliser of hostnames: policies, checks and certificates' names
 * all go through it, so that no two spellings of a host meet different rules.
 *
 * @module
 */
import type { Bytes } from "./crypto/routine.ts";
import { PolicyError } from "./errors.ts";
import { MAX_HOSTNAME_LENGTH } from "./limits.ts";
import { quoteText } from "./text.ts";

/** Most octets of a DNS label (RFC 1035, section 2.3.4). */
const MAX_LABEL_LENGTH = 63;
/** Most octets of a DNS name as text, without the trailing dot (RFC 1035, section 2.3.4). */
const MAX_NAME_LENGTH = 253;

/** A hostname in its only spelling. */
export interface CanonicalHost {
  /** Lower-case A-labels without a trailing dot, or an address: IPv6 by RFC 5952, without brackets. */
  readonly text: string;
  /** Whether it is matched against dNSName or against iPAddress. */
  readonly kind: "dns" | "ip";
  /** 4 or 16 bytes in network order, for `ip` alone. */
  readonly address?: Bytes;
}

const OCTET = "(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";
const IPV4 = new RegExp(`^${OCTET}(?:\\.${OCTET}){3}$`);
/** What the URL standard would read as an IPv4 address, however odd its spelling. */
const ENDS_IN_NUMBER = /(?:^|\.)(?:\d+|0x[\da-f]*)$/;
const NAME = /^[a-z\d_-]+(?:\.[a-z\d_-]+)*$/;
/** Full stops that UTS #46 maps to ".": ideographic, full-width, half-width. */
const DOTS = /[\u3002\uff0e\uff61]/g;
// deno-lint-ignore no-control-regex -- ASCII is what it is about
const ASCII = /^[\u0000-\u007f]*$/;
/** Characters that no hostname has; the URL parser would cut or decode there. */
const FOREIGN_ASCII = /[^A-Za-z\d_.\u0080-\uffff-]/;

function refuse(text: string, why: string): never {
  throw new PolicyError(
    "ERR_CERTPIN_HOST_INVALID",
    `Cannot use ${quoteText(text)} as a hostname: ${why}`,
  );
}

function parseIpv6(text: string): Bytes | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const sides: number[][] = [];
  for (const [side, half] of halves.entries()) {
    const groups: number[] = [];
    const parts = half === "" ? [] : half.split(":");
    for (const [index, part] of parts.entries()) {
      const isLast = side === halves.length - 1 && index === parts.length - 1;
      if (isLast && IPV4.test(part)) {
        const [a, b, c, d] = part.split(".").map(Number);
        groups.push(a * 256 + b, c * 256 + d);
      } else if (/^[\da-f]{1,4}$/i.test(part)) {
        groups.push(parseInt(part, 16));
      } else return undefined;
    }
    sides.push(groups);
  }
  const [head, tail = []] = sides;
  const missing = 8 - head.length - tail.length;
  // "::" stands for at least one group (RFC 4291, section 2.2).
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined;
  const groups = [...head, ...new Array<number>(missing).fill(0), ...tail];
  return Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 255]));
}

/**
 * Writes an address as text: dotted decimal for 4 bytes, RFC 5952 for 16.
 *
 * IPv4-mapped addresses stay hexadecimal (`::ffff:102:304`), as in URLs.
 */
export function formatAddress(address: Uint8Array): string {
  if (address.length === 4) return address.join(".");
  const groups: string[] = [];
  for (let at = 0; at < 16; at += 2) {
    groups.push((address[at] * 256 + address[at + 1]).toString(16));
  }
  const text = groups.join(":");
  // The longest run of at least two zero groups, the first of equals (section 4.2).
  let longest = "";
  for (const [run] of text.matchAll(/\b0(?::0)+\b/g)) {
    if (run.length > longest.length) longest = run;
  }
  if (longest === "") return text;
  const at = text.search(new RegExp(`(?:^|:)${longest}(?:$|:)`));
  const before = text.slice(0, at);
  const after = text.slice(at).replace(/^:/, "").slice(longest.length + 1);
  return `${before}::${after}`;
}

function ip(address: Bytes): CanonicalHost {
  return Object.freeze({ text: formatAddress(address), kind: "ip", address });
}

/** UTS #46 as the URL standard applies it; `undefined` where it refuses. */
function toAscii(name: string): string | undefined {
  try {
    return new URL(`https://${name}/`).hostname;
  } catch {
    return undefined;
  }
}

/**
 * Some runtimes let through any all-ASCII name that begins with `xn--`. Beside
 * a label that is not ASCII, all of them look whether it decodes to a label
 * that encodes to it again.
 */
function isALabel(label: string): boolean {
  return !label.endsWith("-") &&
    toAscii(`${label}.\u00fc`)?.startsWith(`${label}.`) === true;
}

/**
 * Brings a hostname into its only spelling: lower case, A-labels, no trailing
 * dot, addresses as {@linkcode formatAddress} writes them.
 *
 * Refused: empty labels, labels over 63 and names over 253 octets, ports, zone
 * identifiers, percent-encoding, IPv4 addresses in any form but four decimal
 * numbers, and labels that UTS #46 refuses. Underscores are allowed.
 *
 * @throws {PolicyError} `ERR_CERTPIN_HOST_INVALID`.
 */
export function canonicalHost(text: string): CanonicalHost {
  if (typeof text !== "string") refuse(String(typeof text), "it is no text");
  if (text.length > MAX_HOSTNAME_LENGTH) {
    refuse(text, `it is longer than ${MAX_HOSTNAME_LENGTH} characters`);
  }
  if (/^[a-z][a-z\d+.-]*:\/\//i.test(text)) {
    refuse(text, "it is a URL; take the hostname of it alone");
  }
  if (/[[\]:]/.test(text)) {
    const bare = /^\[([^[\]]*)\]$/.exec(text)?.[1] ?? text;
    const address = parseIpv6(bare);
    if (address !== undefined) return ip(address);
    refuse(
      text,
      /^(?:\[.*\]|[^:]*):\d+$/.test(text)
        ? "it carries a port, and pins hold for all ports; leave the port out"
        : "it is no IPv6 address",
    );
  }
  let name = text.replace(DOTS, ".");
  if (name.endsWith(".")) name = name.slice(0, -1);
  if (name === "") refuse(text, "it is empty");
  // Compatibility forms too: Chromium decodes what a full-width "%" begins.
  if (FOREIGN_ASCII.test(name + name.normalize("NFKC"))) {
    refuse(text, "it holds a character that no hostname has");
  }
  const labels = name.split(".").length;
  const isAscii = ASCII.test(name);
  if (isAscii) name = name.toLowerCase();
  else {
    // Runtimes differ on capital sharp s (ss, or sharp s): two hosts, one spelling.
    const mapped = name.includes("\u1e9e") ? undefined : toAscii(name);
    if (mapped === undefined) refuse(text, "UTS #46 refuses a label of it");
    name = mapped;
  }
  if (!NAME.test(name) || name.split(".").length !== labels) {
    refuse(text, "it has an empty or a malformed label");
  }
  if (isAscii && IPV4.test(name)) {
    return ip(Uint8Array.from(name.split("."), Number));
  }
  if (ENDS_IN_NUMBER.test(name)) {
    refuse(
      text,
      "it ends in a number; an IPv4 address is four decimal numbers from 0 to 255 without leading zeros",
    );
  }
  if (name.length > MAX_NAME_LENGTH) {
    refuse(text, `a name has at most ${MAX_NAME_LENGTH} octets`);
  }
  for (const label of name.split(".")) {
    if (label.length > MAX_LABEL_LENGTH) {
      refuse(text, `a label has at most ${MAX_LABEL_LENGTH} octets`);
    }
    if (label.startsWith("xn--") && !isALabel(label)) {
      refuse(text, `${quoteText(label)} is no A-label`);
    }
  }
  return Object.freeze({ text: name, kind: "dns" });
}
