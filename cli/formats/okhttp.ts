/**
 * OkHttp's `CertificatePinner`, as Kotlin; Java's calls are read as well.
 *
 * OkHttp compares pins with every certificate of the cleaned chain. All
 * patterns that match a host count together; `*.` is one label deeper, `**.`
 * the name itself and any depth. There is no expiry, and hosts without pins
 * are let through.
 *
 * Source: square.github.io/okhttp, CertificatePinner.
 *
 * @module
 */
import { type HostDocument, parsePin, PolicyError } from "@certpin/certpin";
import {
  canonicalHost,
  type HostEntry,
  type PolicyRecord,
} from "@certpin/certpin/internal";
import {
  loseExpiry,
  losePolicySettings,
  losesReportOnly,
  plainPins,
} from "./common.ts";
import {
  boundDocument,
  documentOf,
  type Format,
  Losses,
  type ReadFormat,
  syntaxError,
  type WrittenFormat,
} from "./format.ts";
import { findCalls, quoteKotlin } from "./kotlin.ts";

const TITLE = "CertificatePinner";
const TARGET = "OkHttp";

/** A pattern taken apart: what stands before the name, and the name. */
interface Pattern {
  readonly prefix: "" | "*." | "**.";
  readonly name: string;
}

function parsePattern(text: string, place: string): Pattern {
  const prefix = /^\*{0,2}\.|/.exec(text)![0] as Pattern["prefix"];
  const isKnown = ["", "*.", "**."].includes(prefix);
  try {
    const { kind, text: name } = canonicalHost(text.slice(prefix.length));
    if (isKnown && (prefix === "" || kind === "dns")) return { prefix, name };
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
  }
  return syntaxError(TITLE, `"${text}" is not a valid pattern`, place);
}

/** Whether every host that `inner` matches is matched by `outer` too. */
function covers(outer: Pattern, inner: Pattern): boolean {
  const below = inner.name.endsWith(`.${outer.name}`);
  switch (outer.prefix) {
    case "":
      return inner.prefix === "" && inner.name === outer.name;
    case "**.":
      return inner.name === outer.name || below;
    case "*.": {
      if (inner.prefix === "*.") return inner.name === outer.name;
      const label = inner.name.slice(0, -outer.name.length - 1);
      return inner.prefix === "" && below && !label.includes(".");
    }
  }
}

type Pinned = Map<string, { pattern: Pattern; pins: Set<string> }>;

function readCalls(text: string, losses: Losses): Pinned {
  const pinned: Pinned = new Map();
  for (const call of findCalls(text, "add")) {
    const place = `line ${call.line}`;
    if (call.strings === undefined) {
      losses.add(
        "pin",
        place,
        "this call has arguments that are no plain strings: it is left out",
      );
      continue;
    }
    const [first, ...pins] = call.strings;
    // Other builders have an add() too.
    if (!pins.some((pin) => /^sha\d+\//.test(pin))) continue;
    const pattern = parsePattern(first, place);
    const key = pattern.prefix + pattern.name;
    const one = pinned.get(key) ?? { pattern, pins: new Set<string>() };
    for (const pin of pins) one.pins.add(parsePin(pin).toString());
    pinned.set(key, one);
  }
  return pinned;
}

/**
 * Says where a policy is stricter: `*.a` and `**.x.a` meet at `x.a`, though
 * neither covers the other, and where `x` and `**.x` are one entry.
 */
function loseMeetings(pinned: Pinned, losses: Losses): void {
  for (const { pattern: { prefix, name } } of pinned.values()) {
    if (prefix !== "**.") continue;
    const parent = `*.${name.slice(name.indexOf(".") + 1)}`;
    if (pinned.has(name)) {
      losses.add(
        "pins-merged",
        `**.${name}`,
        `${name} has pins of its own: in the policy, names below it take them as well`,
      );
    } else if (pinned.has(parent)) {
      losses.add(
        "pins-merged",
        `**.${name}`,
        `OkHttp takes the pins of ${parent} for ${name} as well, the policy does not`,
      );
    }
  }
}

function read(text: string): ReadFormat {
  boundDocument(text);
  const losses = new Losses();
  const pinned = readCalls(text, losses);
  if (pinned.size === 0) syntaxError(TITLE, "no call of add() holds pins");
  loseMeetings(pinned, losses);
  const hosts = new Map<string, HostDocument>();
  const all = [...pinned.values()];
  for (const { pattern } of all) {
    const { prefix, name } = pattern;
    if (prefix === "" && pinned.has(`**.${name}`)) continue;
    // All patterns that hold for these hosts count together.
    const covering = all.filter((one) => covers(one.pattern, pattern));
    const own = pinned.get(prefix + name)!;
    const pins = new Set([own, ...covering].flatMap((one) => [...one.pins]));
    if (prefix === "**.") {
      for (const pin of pinned.get(name)?.pins ?? []) pins.add(pin);
    }
    hosts.set(prefix === "*." ? `*.${name}` : name, {
      ...(prefix === "**." ? { includeSubdomains: true } : {}),
      pins: [...pins],
    });
  }
  return { document: documentOf(hosts, "allow"), losses: losses.list() };
}

function patternOf(entry: HostEntry): string {
  return entry.includeSubdomains ? `**.${entry.host.text}` : entry.pattern;
}

function write(policy: PolicyRecord): WrittenFormat {
  const losses = new Losses();
  losePolicySettings(policy, losses, TARGET, true);
  const calls: { pattern: Pattern; entry: HostEntry; pins: string[] }[] = [];
  for (const entry of policy.entries.values()) {
    if (losesReportOnly(entry, losses, TARGET)) continue;
    loseExpiry(entry, losses, TARGET);
    const pins = plainPins(entry, losses, TARGET);
    if (pins.length === 0) continue;
    const pattern = parsePattern(patternOf(entry), entry.pointer);
    calls.push({ pattern, entry, pins });
  }
  for (const inner of calls) {
    const outer = calls.find((one) =>
      one !== inner && covers(one.pattern, inner.pattern)
    );
    if (outer === undefined) continue;
    losses.add(
      "pins-merged",
      inner.entry.pointer,
      `OkHttp takes the pins of ${
        patternOf(outer.entry)
      } for ${inner.entry.pattern} as well`,
    );
  }
  const lines = calls.flatMap(({ entry, pins }) => [
    "  .add(",
    `    ${quoteKotlin(patternOf(entry))},`,
    ...pins.map((pin) => `    ${quoteKotlin(`sha256/${pin}`)},`),
    "  )",
  ]);
  const text = [
    "import okhttp3.CertificatePinner",
    "",
    "val certificatePinner: CertificatePinner = CertificatePinner.Builder()",
    ...lines,
    "  .build()",
    "",
  ].join("\n");
  return { text, losses: losses.list() };
}

/** OkHttp's `CertificatePinner`. */
export const okhttp: Format = {
  name: "okhttp",
  title: TITLE,
  read,
  write,
};
