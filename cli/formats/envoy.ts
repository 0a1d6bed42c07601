/**
 * Envoy's `CertificateValidationContext`: `verify_certificate_spki` and
 * `verify_certificate_hash`, in YAML or JSON.
 *
 * Envoy compares both lists with the leaf alone; a match in either is enough.
 * It validates the chain only where `trusted_ca` or the system's store is
 * given. There is no expiry.
 *
 * Source: Envoy's API reference, extensions.transport_sockets.tls.v3.
 *
 * @module
 */
import { encodeHex } from "@std/encoding/hex";
import { isAlias, parseDocument, stringify, visit } from "yaml";
import {
  CertpinError,
  type HostDocument,
  parsePin,
  PolicyError,
} from "@certpin/certpin";
import type {
  HostEntry,
  PinRule,
  PolicyRecord,
} from "@certpin/certpin/internal";
import { MAX_DOCUMENT_ALIASES, MAX_DOCUMENT_DEPTH } from "../limits.ts";
import {
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
  plainDigest,
  plainHost,
  type ReadFormat,
  syntaxError,
  type WrittenFormat,
} from "./format.ts";
import { leafDigests } from "./leaf_only.ts";

const TITLE = "Envoy configuration";
const TARGET = "Envoy";
const SPKI = "verify_certificate_spki";
const HASH = "verify_certificate_hash";

type Members = { readonly [key: string]: unknown };

function isMembers(value: unknown): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** YAML, JSON included: duplicate keys refused, aliases and depth bounded. */
function parseYaml(text: string): unknown {
  boundDocument(text);
  boundFlowDepth(text);
  try {
    const document = parseDocument(text, { uniqueKeys: true });
    if (document.errors.length > 0) {
      syntaxError(TITLE, document.errors[0].message.split("\n")[0]);
    }
    let aliases = 0;
    visit(document, (_, node, path) => {
      if (path.length > 2 * MAX_DOCUMENT_DEPTH) tooDeep();
      if (isAlias(node) && ++aliases > MAX_DOCUMENT_ALIASES) {
        throw new PolicyError(
          "ERR_CERTPIN_DOCUMENT_ENTITY",
          `Cannot read the ${TITLE}: over ${MAX_DOCUMENT_ALIASES} aliases`,
        );
      }
    });
    return document.toJS({ maxAliasCount: MAX_DOCUMENT_ALIASES });
  } catch (error) {
    if (error instanceof CertpinError) throw error;
    // The library's own refusal of aliases that multiply.
    if (error instanceof ReferenceError) {
      throw new PolicyError(
        "ERR_CERTPIN_DOCUMENT_ENTITY",
        `Cannot read the ${TITLE}: its aliases expand without limit`,
        { cause: error },
      );
    }
    return syntaxError(TITLE, error instanceof Error ? error.message : "YAML");
  }
}

function tooDeep(): never {
  return syntaxError(TITLE, `nested over ${MAX_DOCUMENT_DEPTH} levels deep`);
}

/** The parser recurses; brackets and indicators in a row are what makes it do so. */
function boundFlowDepth(text: string): void {
  let depth = 0;
  for (const character of text) {
    if (character === "[" || character === "{") depth++;
    else if (character === "]" || character === "}") depth--;
    if (depth > MAX_DOCUMENT_DEPTH) tooDeep();
  }
  if (/^[ \t]*(?:[-?:][ \t]+){65}/m.test(text)) tooDeep();
}

/** A TLS context and where it stands. */
interface Context {
  readonly sni: unknown;
  readonly validation: Members;
  readonly place: string;
}

/** Finds validation contexts with pins; `sni` stands two levels above them. */
function* contexts(
  value: unknown,
  place: string,
  sni: unknown,
  depth: number,
): Generator<Context> {
  if (depth > MAX_DOCUMENT_DEPTH) tooDeep();
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) {
      yield* contexts(item, `${place}/${index}`, sni, depth + 1);
    }
  } else if (isMembers(value)) {
    const here = value.sni ?? sni;
    if (value[SPKI] !== undefined || value[HASH] !== undefined) {
      yield { sni: here, validation: value, place };
    }
    for (const [key, item] of Object.entries(value)) {
      yield* contexts(item, `${place}/${key}`, here, depth + 1);
    }
  }
}

/** The hosts that a context is for: exact SANs, else its SNI. */
function hostsOf({ validation, sni, place }: Context): string[] {
  const names: unknown[] = [];
  const typed = validation.match_typed_subject_alt_names;
  for (const one of Array.isArray(typed) ? typed : []) {
    if (!isMembers(one) || !isMembers(one.matcher)) continue;
    if (one.san_type === "DNS" || one.san_type === "IP_ADDRESS") {
      names.push(one.matcher.exact);
    }
  }
  const old = validation.match_subject_alt_names;
  for (const one of Array.isArray(old) ? old : []) {
    if (isMembers(one)) names.push(one.exact);
  }
  const exact = names.filter((name) => typeof name === "string");
  const found = exact.length > 0 ? exact : [sni];
  return found.map((name) => {
    if (typeof name !== "string" || name === "") {
      syntaxError(
        TITLE,
        "the pins have neither an exact SAN nor an sni",
        place,
      );
    }
    return plainHost(name, TITLE, place);
  });
}

function strings(validation: Members, key: string, place: string): string[] {
  const value = validation[key] ?? [];
  const list = Array.isArray(value) ? value : [value];
  return list.map((item) =>
    typeof item === "string"
      ? item
      : syntaxError(TITLE, `${key} holds strings`, `${place}/${key}`)
  );
}

function read(text: string): ReadFormat {
  const losses = new Losses();
  const hosts = new Map<string, HostDocument>();
  for (const context of contexts(parseYaml(text), "", undefined, 0)) {
    const { validation, place } = context;
    const pins = [
      ...strings(validation, SPKI, place).map((one) => `sha256/${one}`),
      ...strings(validation, HASH, place).map((one) =>
        `certificate:sha256:${one}`
      ),
    ].map((pin) => ({
      pin: parsePin(pin).toString(),
      role: "leaf" as const,
    }));
    if (pins.length === 0) continue;
    if (!validation.trusted_ca && !validation.system_root_certs) {
      losses.add(
        "validation",
        place,
        "Envoy validates nothing but the pin here (no trusted_ca); we always validate",
      );
    }
    for (const host of hostsOf(context)) {
      const same = hosts.get(host);
      if (same && JSON.stringify(same.pins) !== JSON.stringify(pins)) {
        syntaxError(TITLE, `${host} has other pins further up`, place);
      }
      hosts.set(host, { pins });
    }
  }
  if (hosts.size === 0) {
    syntaxError(TITLE, `there is neither ${SPKI} nor ${HASH}`);
  }
  return { document: documentOf(hosts, "deny"), losses: losses.list() };
}

interface Lists {
  readonly spki: string[];
  readonly hash: string[];
}

function listsOf(entry: HostEntry, losses: Losses): Lists {
  const lists: Lists = { spki: [], hash: [] };
  const digestOf = (rule: PinRule): string | undefined => {
    if (rule.pin.hash !== "sha256") {
      const message = `Envoy takes no ${rule.pin.hash}: this pin is left out`;
      losses.add("pin", rule.pointer, message);
      return undefined;
    }
    return rule.pin.toString();
  };
  for (const text of leafDigests(entry, losses, TARGET, digestOf)) {
    const pin = parsePin(text);
    const digest = plainDigest(pin);
    if (digest === undefined) lists.hash.push(encodeHex(pin.digest));
    else lists.spki.push(digest);
  }
  return lists;
}

function clusterFor(entry: HostEntry, { spki, hash }: Lists): unknown {
  const { kind, text } = entry.host;
  const name = text.replace(/[^a-z\d-]/g, "_");
  return {
    name,
    type: kind === "dns" ? "LOGICAL_DNS" : "STATIC",
    load_assignment: {
      cluster_name: name,
      endpoints: [{
        lb_endpoints: [{
          endpoint: {
            address: { socket_address: { address: text, port_value: 443 } },
          },
        }],
      }],
    },
    transport_socket: {
      name: "envoy.transport_sockets.tls",
      typed_config: {
        "@type":
          "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
        ...(kind === "dns" ? { sni: text } : {}),
        common_tls_context: {
          validation_context: {
            trusted_ca: { filename: "/etc/ssl/certs/ca-certificates.crt" },
            match_typed_subject_alt_names: [{
              san_type: kind === "dns" ? "DNS" : "IP_ADDRESS",
              matcher: { exact: text },
            }],
            ...(spki.length > 0 ? { [SPKI]: spki } : {}),
            ...(hash.length > 0 ? { [HASH]: hash } : {}),
          },
        },
      },
    },
  };
}

function write(policy: PolicyRecord): WrittenFormat {
  const losses = new Losses();
  losePolicySettings(policy, losses, TARGET, false);
  const clusters: unknown[] = [];
  for (const entry of policy.entries.values()) {
    if (losesReportOnly(entry, losses, TARGET)) continue;
    if (losesWildcard(entry, losses, TARGET)) continue;
    loseExpiry(entry, losses, TARGET);
    const lists = listsOf(entry, losses);
    if (lists.spki.length + lists.hash.length === 0) {
      loseEmptyHost(entry, losses, TARGET);
    } else clusters.push(clusterFor(entry, lists));
  }
  const text = stringify({ static_resources: { clusters } }, { lineWidth: 0 });
  return { text, losses: losses.list() };
}

/** Envoy's clusters with pins. */
export const envoy: Format = {
  name: "envoy",
  title: TITLE,
  read,
  write,
};
