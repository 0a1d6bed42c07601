/**
 * curl's command line: `--pinnedpubkey`.
 *
 * curl compares pins with the key of the leaf alone, one command a host.
 * It knows no subdomains and no expiry.
 *
 * Source: curl's manual page, `--pinnedpubkey`.
 *
 * @module
 */
import { type HostDocument, parsePin } from "@certpin/certpin";
import type { PolicyRecord } from "@certpin/certpin/internal";
import {
  digestFor,
  loseEmptyHost,
  loseExpiry,
  losePolicySettings,
  losesReportOnly,
  losesWildcard,
} from "./common.ts";
import {
  boundDocument,
  documentOf,
  type Format,
  Losses,
  plainHost,
  type ReadFormat,
  syntaxError,
  type WrittenFormat,
} from "./format.ts";
import { leafDigests } from "./leaf_only.ts";
import { quoteShell, type ShellCommand, splitCommands } from "./shell.ts";

const TITLE = "curl command line";
const TARGET = "curl";

interface CurlCommand {
  readonly pins?: string;
  readonly urls: readonly string[];
  readonly insecure: boolean;
}

/** Options that take a value, as far as a word after them could be taken for a URL. */
const SHORT_WITH_VALUE = "AbcCdDeEFHhKmoPQrTtuUwxXyYzm";
const LONG_FLAGS = new Set([
  ...["fail", "silent", "show-error", "location", "verbose", "include", "head"],
  ...["compressed", "insecure", "http1.1", "http2", "http3", "ipv4", "ipv6"],
  ...["fail-with-body", "get", "remote-name", "progress-bar", "tlsv1.2"],
  ...["tlsv1.3", "no-progress-meter", "ssl-reqd", "remote-header-name"],
  ...["globoff", "netrc", "parallel", "path-as-is", "raw", "no-buffer"],
]);

function parseWords({ words, line }: ShellCommand): CurlCommand {
  let pins: string | undefined;
  let insecure = false;
  const urls: string[] = [];
  const rest = words.slice(1);
  for (let at = 0; at < rest.length; at++) {
    const word = rest[at];
    const long = /^--([^=]+)(?:=([\s\S]*))?$/.exec(word);
    if (long !== null) {
      const [, name, attached] = long;
      if (name === "insecure") insecure = true;
      if (LONG_FLAGS.has(name) || name.startsWith("no-")) continue;
      const value = attached ?? rest[++at];
      if (name === "url" && value !== undefined) urls.push(value);
      if (name === "pinnedpubkey") {
        pins = value ??
          syntaxError(TITLE, "--pinnedpubkey has no value", `line ${line}`);
      }
    } else if (/^-[^-]/.test(word)) {
      if (word.includes("k")) insecure = true;
      // -sXPOST: the value is attached; -sX POST: it is the next word.
      const last = word.search(new RegExp(`[${SHORT_WITH_VALUE}]`));
      if (last === word.length - 1) at++;
    } else urls.push(word);
  }
  return { pins, urls, insecure };
}

function hostOf(url: string, place: string, losses: Losses): string {
  const match =
    /^(?:([a-z][a-z\d+.-]*):\/\/)?(?:[^/?#@]*@)?(\[[^\]]*\]|[^/?#:]*)(?::(\d*))?/i
      .exec(url)!;
  const [, scheme, host, port] = match;
  if (port !== undefined && port !== "" && port !== "443") {
    losses.add(
      "port",
      place,
      `the policy's pins hold for all ports, not for ${port} alone`,
    );
  }
  if (scheme === undefined || scheme.toLowerCase() === "http") {
    losses.add(
      "validation",
      place,
      "curl would speak plain HTTP here, where no pin counts; we never do",
    );
  }
  return plainHost(host, TITLE, place);
}

function readPins(value: string, place: string): string[] {
  const pins = value.split(";").filter((pin) => pin !== "");
  if (!pins.every((pin) => pin.startsWith("sha256//"))) {
    syntaxError(
      TITLE,
      "the pins are no hashes but a file: read that with the pin command",
      place,
    );
  }
  return pins.map((pin) => parsePin(pin).toString());
}

function read(text: string): ReadFormat {
  boundDocument(text);
  const losses = new Losses();
  const hosts = new Map<string, HostDocument>();
  for (const command of splitCommands(text, TITLE)) {
    const place = `line ${command.line}`;
    if (!/(?:^|\/)curl(?:\.exe)?$/.test(command.words[0])) continue;
    const { pins, urls, insecure } = parseWords(command);
    if (pins === undefined) continue;
    if (urls.length === 0) syntaxError(TITLE, "there is no URL", place);
    if (insecure) {
      losses.add(
        "validation",
        place,
        "curl validates nothing but the pin here (--insecure); we always validate",
      );
    }
    const read = readPins(pins, place);
    for (const url of urls) {
      const host = hostOf(url, place, losses);
      const rules = read.map((pin) => ({ pin, role: "leaf" as const }));
      const same = hosts.get(host);
      if (
        same !== undefined &&
        JSON.stringify(same.pins) !== JSON.stringify(rules)
      ) {
        syntaxError(
          TITLE,
          `${host} has other pins in an earlier command`,
          place,
        );
      }
      hosts.set(host, { pins: rules });
    }
  }
  if (hosts.size === 0) {
    syntaxError(TITLE, "no command of curl has --pinnedpubkey");
  }
  return { document: documentOf(hosts, "deny"), losses: losses.list() };
}

function write(policy: PolicyRecord): WrittenFormat {
  const losses = new Losses();
  losePolicySettings(policy, losses, TARGET, false);
  const lines: string[] = [];
  for (const entry of policy.entries.values()) {
    if (losesReportOnly(entry, losses, TARGET)) continue;
    if (losesWildcard(entry, losses, TARGET)) continue;
    loseExpiry(entry, losses, TARGET);
    const digests = leafDigests(
      entry,
      losses,
      TARGET,
      (rule) => digestFor(rule, losses, TARGET),
    );
    if (digests.length === 0) {
      loseEmptyHost(entry, losses, TARGET);
      continue;
    }
    const { kind, text } = entry.host;
    const host = kind === "ip" && text.includes(":") ? `[${text}]` : text;
    const pins = digests.map((digest) => `sha256//${digest}`).join(";");
    lines.push(
      `curl --pinnedpubkey ${quoteShell(pins)} ${
        quoteShell(`https://${host}/`)
      }\n`,
    );
  }
  return { text: lines.join(""), losses: losses.list() };
}

/** curl's command line. */
export const curl: Format = {
  name: "curl",
  title: TITLE,
  read,
  write,
};
