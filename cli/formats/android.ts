/**
 * Android's Network Security Configuration: `<pin-set>` of `<domain-config>`.
 *
 * Android compares pins with every certificate of the validated chain, stops
 * pinning when a set expires, and lets hosts without pins through. It reads the
 * day of expiry in the device's time zone; we read and write it in UTC.
 *
 * Source: developer.android.com/privacy-and-security/security-config.
 *
 * @module
 */
import { type HostDocument, parsePin } from "@certpin/certpin";
import type { PolicyRecord } from "@certpin/certpin/internal";
import {
  losePolicySettings,
  losesReportOnly,
  losesWildcard,
  plainPins,
} from "./common.ts";
import {
  dayToInstant,
  documentOf,
  expiryDay,
  type Format,
  Losses,
  plainHost,
  type ReadFormat,
  syntaxError,
  type WrittenFormat,
} from "./format.ts";
import { escapeXml } from "../escape_xml.ts";
import {
  childElements,
  childrenNamed,
  type Element,
  parseXml,
  placeOf,
  textOf,
} from "./xml.ts";

const TITLE = "Network Security Configuration";
const TARGET = "Android";

interface PinSet {
  readonly pins: readonly string[];
  readonly expiresAt?: string;
}

function readPinSet(element: Element): PinSet | undefined {
  const pins = childrenNamed(element, "pin").map((pin) => {
    const digest = pin.getAttribute("digest") ?? "";
    if (!/^SHA-256$/i.test(digest)) {
      syntaxError(TITLE, "a pin's digest is SHA-256", placeOf(pin));
    }
    return parsePin(`sha256/${textOf(pin)}`).toString();
  });
  if (pins.length === 0) return undefined;
  const expiration = element.getAttribute("expiration");
  if (expiration === null) return { pins };
  const expiresAt = dayToInstant(expiration.trim());
  if (expiresAt === undefined) {
    syntaxError(
      TITLE,
      "the expiration is a day such as 2027-06-01",
      placeOf(element),
    );
  }
  return { pins, expiresAt };
}

class Reader {
  readonly hosts = new Map<string, HostDocument>();
  readonly losses = new Losses();

  read(root: Element): void {
    for (const child of childElements(root)) {
      if (child.tagName === "domain-config") this.#config(child, undefined);
      else this.#setting(child);
    }
  }

  /** What a policy has no word for. */
  #setting(element: Element): void {
    this.losses.add(
      "setting",
      placeOf(element),
      `<${element.tagName}> says nothing about pins: it is left out`,
    );
    this.#anchors(element);
  }

  #anchors(element: Element): void {
    for (const one of childrenNamed(element, "certificates")) {
      if (one.getAttribute("overridePins") === "true") {
        this.losses.add(
          "validation",
          placeOf(one),
          "Android compares no pins under these anchors; the policy always does",
        );
      }
    }
    for (const child of childrenNamed(element, "trust-anchors")) {
      this.#anchors(child);
    }
  }

  /** A nested one inherits the pins of the one around it. */
  #config(element: Element, inherited: PinSet | undefined): void {
    const sets = childrenNamed(element, "pin-set");
    if (sets.length > 1) {
      syntaxError(TITLE, "one <pin-set> is allowed", placeOf(sets[1]));
    }
    // An empty one says that nothing is pinned here.
    const set = sets.length === 0 ? inherited : readPinSet(sets[0]);
    for (const child of childElements(element)) {
      switch (child.tagName) {
        case "domain":
          this.#domain(child, set);
          break;
        case "domain-config":
          this.#config(child, set);
          break;
        case "pin-set":
          break;
        default:
          this.#setting(child);
      }
    }
    if (element.getAttribute("cleartextTrafficPermitted") === "true") {
      this.losses.add(
        "setting",
        placeOf(element),
        "plain HTTP is allowed here; we never speak it",
      );
    }
  }

  #domain(element: Element, set: PinSet | undefined): void {
    const place = placeOf(element);
    const name = plainHost(textOf(element), TITLE, place);
    if (this.hosts.has(name)) {
      syntaxError(TITLE, `the domain ${name} stands there twice`, place);
    }
    if (set === undefined) {
      this.losses.add(
        "host",
        place,
        `${name} has no pins: it is left out, and an entry above it may now hold for it`,
      );
      return;
    }
    const subdomains = element.getAttribute("includeSubdomains") === "true";
    this.hosts.set(name, {
      ...(subdomains ? { includeSubdomains: true } : {}),
      ...(set.expiresAt === undefined
        ? {}
        : { expiresAt: set.expiresAt, onExpiry: "allow" }),
      pins: set.pins,
    });
  }
}

function read(text: string): ReadFormat {
  const root = parseXml(text, TITLE);
  if (root.tagName !== "network-security-config") {
    syntaxError(TITLE, `it begins with <${root.tagName}>`, placeOf(root));
  }
  const reader = new Reader();
  reader.read(root);
  if (reader.hosts.size === 0) syntaxError(TITLE, "it pins nothing");
  return {
    document: documentOf(reader.hosts, "allow"),
    losses: reader.losses.list(),
  };
}

function write(policy: PolicyRecord): WrittenFormat {
  const losses = new Losses();
  losePolicySettings(policy, losses, TARGET, true);
  const lines = [
    '<?xml version="1.0" encoding="utf-8"?>',
    "<network-security-config>",
  ];
  for (const entry of policy.entries.values()) {
    if (losesReportOnly(entry, losses, TARGET)) continue;
    if (losesWildcard(entry, losses, TARGET)) continue;
    const pins = plainPins(entry, losses, TARGET);
    if (pins.length === 0) continue;
    const day = expiryDay(entry, losses, TARGET);
    lines.push(
      "  <domain-config>",
      `    <domain includeSubdomains="${entry.includeSubdomains}">${
        escapeXml(entry.host.text)
      }</domain>`,
      day === undefined ? "    <pin-set>" : `    <pin-set expiration="${day}">`,
      ...pins.map((pin) => `      <pin digest="SHA-256">${pin}</pin>`),
      "    </pin-set>",
      "  </domain-config>",
    );
  }
  lines.push("</network-security-config>", "");
  return { text: lines.join("\n"), losses: losses.list() };
}

/** Android's Network Security Configuration. */
export const android: Format = {
  name: "android",
  title: TITLE,
  read,
  write,
};
