/**
 * The tables of the rules of a path: in `SECURITY.md` those that are stricter
 * than elsewhere, in `docs/private-ca.md` all of them.
 *
 * The type makes the texts complete: a rule without one does not compile.
 *
 * @module
 */
import {
  PATH_RULES,
  type PathRule,
  type PathRuleName,
} from "../../src/path/rule_table.ts";
import { type Client, CLIENTS, MEASURED } from "../rules/measured.ts";
import { between } from "./between.ts";

/** One rule, for people. */
interface RuleText {
  /** What it refuses. */
  readonly refuses: string;
  /** Whether RFC 5280 allows that, or leaves it open. */
  readonly isAllowedByRfc?: true;
}

const TEXTS: Readonly<Record<PathRuleName, RuleText>> = {
  "no-issuer": { refuses: "a certificate without an issuer at hand" },
  "algorithm": {
    refuses:
      "SHA-1 and MD5; RSA under 2,048 or above 8,192 bits, or with an exponent above four bytes; curves other than P-256, P-384 and P-521 by name; compressed points; Ed448; PSS with two hashes",
    isAllowedByRfc: true,
  },
  "rsa-key-size": {
    refuses: "an RSA modulus that is no multiple of 8 bits",
    isAllowedByRfc: true,
  },
  "signature": { refuses: "a signature of another key" },
  "version": { refuses: "versions 1 and 2" },
  "anchor-version": { refuses: "a self-issued anchor of version 1" },
  "serial-number": {
    refuses: "a serial number of zero, or of more than 20 octets",
  },
  "negative-serial-number": { refuses: "a negative serial number" },
  "malformed-extension": {
    refuses:
      "an extension twice, or a known one whose value is malformed, also where it decides nothing",
  },
  "empty-name": { refuses: "an empty issuer, or a CA without a subject" },
  "authority-key-identifier": {
    refuses: "no key identifier of the issuer, below an anchor",
  },
  "critical-identifier": {
    refuses: "key identifiers or authorityInfoAccess that are critical",
  },
  "basic-constraints-critical": {
    refuses: "a CA whose basicConstraints are not critical",
  },
  "subject-alt-name-critical": {
    refuses: "an empty subject beside a subjectAltName that is not critical",
  },
  "policy-constraints": {
    refuses: "policyConstraints, critical or not",
    isAllowedByRfc: true,
  },
  "leaf-name-constraints": { refuses: "nameConstraints in a leaf" },
  "critical-extension": {
    refuses:
      "a critical extension that certpin does not process (policyMappings, inhibitAnyPolicy and unknown ones), and unknown qualifiers of critical policies",
    isAllowedByRfc: true,
  },
  "not-yet-valid": {
    refuses: "a certificate before its time, an anchor too",
    isAllowedByRfc: true,
  },
  "expired": {
    refuses: "a certificate after its time, an anchor too",
    isAllowedByRfc: true,
  },
  "ca-bit": {
    refuses: "an issuer without the CA bit, an anchor too",
    isAllowedByRfc: true,
  },
  "path-length": {
    refuses: "more intermediates than a CA allows, an anchor too",
    isAllowedByRfc: true,
  },
  "issuer-key-usage": {
    refuses: "an issuer whose keyUsage lacks keyCertSign, an anchor too",
    isAllowedByRfc: true,
  },
  "leaf-key-usage": {
    refuses: "a leaf whose keyUsage is of no use for TLS",
    isAllowedByRfc: true,
  },
  "leaf-key-cert-sign": {
    refuses: "a leaf with keyCertSign and without the CA bit",
  },
  "issuer-extended-key-usage": {
    refuses:
      "an issuer whose extKeyUsage has neither serverAuth nor anyExtendedKeyUsage",
    isAllowedByRfc: true,
  },
  "leaf-extended-key-usage": {
    refuses:
      "a leaf whose extKeyUsage lacks serverAuth; anyExtendedKeyUsage is not enough",
    isAllowedByRfc: true,
  },
  "name-constraints": {
    refuses:
      "a name outside of the constraints of a CA or an anchor, and constraints that cannot be compared (URI and the like)",
    isAllowedByRfc: true,
  },
  "hostname": {
    refuses:
      "a host that subjectAltName does not name: a common name is not looked at, a wildcard is a whole label with two more behind it",
    isAllowedByRfc: true,
  },
  "common-name": {
    refuses: "a common name that spells a host in another way",
    isAllowedByRfc: true,
  },
  "leaf-is-ca": {
    refuses: "a leaf that is a CA, unless it is the anchor itself",
    isAllowedByRfc: true,
  },
};

const NAMES: Readonly<Record<Client, string>> = {
  deno: "Deno",
  node: "Node",
  go: "Go",
  openssl: "OpenSSL",
};

function isWaived(name: PathRuleName): boolean {
  return (PATH_RULES[name] as PathRule).isWaivable === true;
}

function acceptedBy(name: PathRuleName): readonly Client[] {
  return CLIENTS.filter((client) =>
    MEASURED.rules[name] !== undefined &&
    MEASURED.rules[name][client] !== "none"
  );
}

/** The rules that RFC 5280 or one of the clients does not hold to in full. */
export const STRICTER_RULES: readonly PathRuleName[] =
  (Object.keys(PATH_RULES) as PathRuleName[]).filter((name) =>
    TEXTS[name].isAllowedByRfc || acceptedBy(name).length > 0
  );

function table(head: readonly string[], rows: readonly (readonly string[])[]) {
  return [head, head.map(() => "---"), ...rows]
    .map((row) => `| ${row.join(" | ")} |`).join("\n");
}

function versions(): string {
  return CLIENTS.map((client) =>
    `${NAMES[client]} ${MEASURED.versions[client]}`
  ).join(", ");
}

/** `SECURITY.md` with the list of stricter rules. */
export function withStricterRules(now: string): string {
  const rows = STRICTER_RULES.map((name) => {
    const lenient = [
      ...TEXTS[name].isAllowedByRfc ? ["RFC 5280"] : [],
      ...acceptedBy(name).map((client) => NAMES[client]),
    ];
    return [
      `\`${name}\``,
      TEXTS[name].refuses,
      lenient.join(", "),
      isWaived(name) ? "reports" : "refuses",
    ];
  });
  return between(
    "rules",
    now,
    `${
      table([
        "rule",
        "what `web` refuses",
        "who allows it, or a part of it",
        "`private`",
      ], rows)
    }\n\nMeasured with ${versions()}.`,
  );
}

/** `docs/policy.md` with the rules that the profile `private` reports. */
export function withWaivedRules(now: string): string {
  const names = (Object.keys(PATH_RULES) as PathRuleName[]).filter(isWaived);
  const rows = names.map((name) => [
    `\`${name}\``,
    TEXTS[name].refuses,
    PATH_RULES[name].source,
  ]);
  return between(
    "profile",
    now,
    table(["rule", "what `private` reports and `web` refuses", "source"], rows),
  );
}

const ANSWERS = { all: "accepts", some: "accepts some", none: "refuses" };

/** `docs/private-ca.md` with the table of all rules. */
export function withAllRules(now: string): string {
  const rows = (Object.keys(PATH_RULES) as PathRuleName[]).map((name) => [
    `\`${name}\`: ${TEXTS[name].refuses}`,
    "refuses",
    isWaived(name) ? "reports" : "refuses",
    ...CLIENTS.map((client) =>
      ANSWERS[MEASURED.rules[name]?.[client]] ?? "not measured"
    ),
  ]);
  return between(
    "rules",
    now,
    `${
      table(
        [
          "rule and what breaks it",
          "`web`",
          "`private`",
          ...CLIENTS.map((client) => NAMES[client]),
        ],
        rows,
      )
    }\n\nMeasured with ${versions()}: chains that break one rule each, presented by a\nserver on the loopback interface. "Accepts some" means that a rule has several\ncases, and that some of them are accepted.`,
  );
}
