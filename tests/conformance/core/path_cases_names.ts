/**
 * Names that do not match the host (RFC 9525), and names outside of constraints (RFC 5280, section 4.2.1.10).
 */
import { tlv } from "../../../src/testing/der_writer.ts";
import {
  entry,
  HOSTNAME,
  type Options,
  type PathCase,
  type Setting,
} from "./path_case.ts";

/** A name of the leaf, a hostname that it does not match, and one that it does. */
function name(
  what: string,
  names: readonly string[],
  wrong: string,
  right: string,
): PathCase {
  const asked = (hostname: string) => () => ({ hostnames: names, hostname });
  return entry(
    what,
    "ERR_CERTPIN_PATH_HOSTNAME",
    asked(wrong),
    asked(right),
  );
}

/** Names that do not match. */
export const NAME_CASES: readonly PathCase[] = [
  name("another host", ["a.example.com"], "b.example.com", "A.Example.COM."),
  name("a host above", ["a.example.com"], "example.com", "a.example.com"),
  name(
    "two labels for one wildcard",
    ["*.example.com"],
    "b.a.example.com",
    "a.example.com",
  ),
  name(
    "no label for a wildcard",
    ["*.example.com"],
    "example.com",
    "b.example.com",
  ),
  name("a wildcard for a whole domain", ["*.com", "a.com"], "b.com", "a.com"),
  name(
    "a wildcard within a label",
    ["a*.example.com", "b.example.com"],
    "ab.example.com",
    "b.example.com",
  ),
  name(
    "a wildcard that is not leftmost",
    ["a.*.com", "a.b.com"],
    "a.c.com",
    "a.b.com",
  ),
  name("another address", ["192.0.2.1"], "192.0.2.2", "192.0.2.1"),
  name("another IPv6 address", ["2001:db8::1"], "2001:db8::2", "2001:DB8:0::1"),
  name(
    "a hostname that is none",
    ["a.example.com"],
    "a.example.com/",
    "a.example.com",
  ),
  entry(
    "a common name alone",
    "ERR_CERTPIN_PATH_HOSTNAME",
    () => ({
      hostname: HOSTNAME,
      hostnames: ["b.example.com"],
      leaf: { subject: HOSTNAME },
    }),
    () => ({
      hostname: HOSTNAME,
      hostnames: ["b.example.com", HOSTNAME],
      leaf: { subject: HOSTNAME },
    }),
  ),
  entry(
    "a common name that spells an address otherwise",
    "ERR_CERTPIN_PATH_HOSTNAME",
    () => ({ hostnames: ["192.0.2.1"], leaf: { subject: "0xc0.0.2.1" } }),
    () => ({ hostnames: ["192.0.2.1"], leaf: { subject: "192.0.2.1" } }),
  ),
];

/** Constraints of the intermediate that the leaf breaks, and ones it keeps. */
function constraint(
  what: string,
  wrong: Options["nameConstraints"],
  right: Options["nameConstraints"],
  setting: Setting = {},
): PathCase {
  const under = (nameConstraints: Options["nameConstraints"]) => () => ({
    ...setting,
    intermediates: [{ nameConstraints }],
  });
  return entry(
    what,
    "ERR_CERTPIN_PATH_NAME_CONSTRAINTS",
    under(wrong),
    under(right),
  );
}

const WILDCARD: Setting = {
  hostnames: ["*.example.com"],
  hostname: "a.example.com",
};
const MAIL: Setting = { leaf: { names: [{ email: "a@mail.example.com" }] } };

const longMailbox = (length: number): Setting => ({
  intermediates: [{
    nameConstraints: { permitted: [{ email: "mail.example.com" }] },
  }],
  leaf: {
    names: [{ email: "@mail.example.com".padStart(length, "a") }],
  },
});

const TENANT = [{ type: "O", value: "Tenant" }] as const;
/** A root that permits the leaf's subject, and not its own. */
const TENANTS: Setting = {
  root: {
    subject: "Root",
    nameConstraints: { permitted: [{ directory: TENANT }] },
  },
  leaf: { subject: TENANT },
};

const MAIL_SUBJECT = [
  { type: "emailAddress", value: "a@example.org" },
] as const;
/** An issuer that permits one mail host, not the one of that subject. */
const MAILBOXES: Setting = {
  intermediates: [{ nameConstraints: { permitted: [{ email: "a.example" }] } }],
};

/** Name constraints that are broken. */
export const CONSTRAINT_CASES: readonly PathCase[] = [
  constraint(
    "a host outside of the permitted",
    { permitted: [{ dns: "example.org" }] },
    { permitted: [{ dns: "example.org" }, { dns: "example.com" }] },
  ),
  constraint(
    "a host that is excluded",
    { excluded: [{ dns: "API.example.COM" }] },
    { excluded: [{ dns: "pi.example.com" }] },
  ),
  constraint(
    "all hosts excluded",
    { excluded: [{ dns: "" }] },
    { permitted: [{ dns: "" }] },
  ),
  constraint(
    "a wildcard that covers an excluded host",
    { excluded: [{ dns: "b.example.com" }] },
    { excluded: [{ dns: "c.b.example.com" }] },
    WILDCARD,
  ),
  constraint(
    "a wildcard that is wider than the permitted",
    { permitted: [{ dns: "a.example.com" }] },
    { permitted: [{ dns: "example.com" }] },
    WILDCARD,
  ),
  constraint(
    "a host that is the name of a constraint with a leading period",
    { permitted: [{ dns: ".api.example.com" }] },
    { permitted: [{ dns: ".example.com" }] },
  ),
  constraint(
    "a host below an excluded name with a leading period",
    { excluded: [{ dns: ".example.com" }] },
    { excluded: [{ dns: ".api.example.com" }] },
  ),
  constraint(
    "a wildcard below an excluded name with a leading period",
    { excluded: [{ dns: ".example.com" }] },
    { excluded: [{ dns: ".a.example.com" }] },
    WILDCARD,
  ),
  constraint(
    "a wildcard wider than a permitted name with a leading period",
    { permitted: [{ dns: ".a.example.com" }] },
    { permitted: [{ dns: ".example.com" }] },
    WILDCARD,
  ),
  constraint(
    "a constraint with two leading periods",
    { permitted: [{ dns: "..example.com" }] },
    { permitted: [{ dns: ".example.com" }] },
  ),
  constraint(
    "a constraint that is no DNS name",
    { permitted: [{ dns: "example.com" }, { dns: "*.example.com" }] },
    { permitted: [{ dns: "example.com" }, { dns: "www.example.com" }] },
  ),
  constraint(
    "an address outside of the permitted",
    { permitted: [{ ip: "192.0.2.0/25" }] },
    { permitted: [{ ip: "192.0.2.128/25" }] },
    { hostnames: ["192.0.2.200"] },
  ),
  constraint(
    "an IPv6 address where IPv4 is permitted",
    { permitted: [{ ip: "0.0.0.0/0" }] },
    { permitted: [{ ip: "0.0.0.0/0" }, { ip: "::/0" }] },
    { hostnames: ["2001:db8::1"] },
  ),
  constraint(
    "a mask that is no prefix",
    { excluded: [{ ip: Uint8Array.of(10, 0, 0, 0, 255, 0, 255, 0) }] },
    { excluded: [{ ip: Uint8Array.of(10, 0, 0, 0, 255, 0, 0, 0) }] },
  ),
  constraint(
    "a mailbox of another host",
    { permitted: [{ email: "example.com" }] },
    { permitted: [{ email: "mail.example.com" }] },
    MAIL,
  ),
  constraint(
    "a mailbox of an excluded domain",
    { excluded: [{ email: ".example.com" }] },
    { excluded: [{ email: ".mail.example.com" }] },
    MAIL,
  ),
  constraint(
    "an excluded mailbox",
    { excluded: [{ email: "a@mail.example.com" }] },
    { excluded: [{ email: "A@mail.example.com" }] },
    MAIL,
  ),
  entry(
    "a mailbox of over 320 characters where mailboxes are constrained",
    "ERR_CERTPIN_PATH_NAME_CONSTRAINTS",
    () => longMailbox(321),
    () => longMailbox(320),
  ),
  constraint(
    "a mail address in the subject",
    { excluded: [{ email: "example.org" }] },
    { excluded: [{ email: "example.net" }] },
    {
      leaf: {
        subject: [{ type: "emailAddress", value: "a@example.org" }],
      },
    },
  ),
  entry(
    "a mail address in the subject, where subjectAltName has none",
    "ERR_CERTPIN_PATH_NAME_CONSTRAINTS",
    () => ({ ...MAILBOXES, leaf: { subject: MAIL_SUBJECT } }),
    () => ({
      ...MAILBOXES,
      leaf: { subject: MAIL_SUBJECT, names: [{ email: "b@a.example" }] },
    }),
  ),
  constraint(
    "a DNS name that is an address, where DNS names are constrained",
    { permitted: [{ dns: "" }] },
    { permitted: [{ ip: "0.0.0.0/0" }] },
    { leaf: { names: [{ dns: "192.0.2.1" }] } },
  ),
  constraint(
    "a subject outside of the permitted",
    { permitted: [{ directory: [{ type: "O", value: "Other" }] }] },
    { permitted: [{ directory: [{ type: "O", value: "  test  ORG " }] }] },
    {
      leaf: {
        subject: [{ type: "O", value: "Test Org" }, {
          type: "CN",
          value: HOSTNAME,
        }],
      },
    },
  ),
  constraint(
    "a kind of name that is constrained and cannot be compared",
    { permitted: [{ uri: "example.com" }] },
    { permitted: [{ registeredId: "1.2.3" }] },
    { leaf: { names: [{ uri: "https://example.com/" }] } },
  ),
  constraint(
    "an internationalised mailbox where mailboxes are constrained",
    { excluded: [{ email: "example.org" }] },
    { excluded: [{ dns: "example.org" }] },
    {
      leaf: {
        names: [{
          otherName: { type: "1.3.6.1.5.5.7.8.9", value: tlv(0x0c) },
        }],
      },
    },
  ),
  entry(
    "an intermediate outside of the permitted that is not self-issued",
    "ERR_CERTPIN_PATH_NAME_CONSTRAINTS",
    () => ({ intermediates: [{ subject: "other" }], ...TENANTS }),
    () => ({ intermediates: [{ subject: "root" }], ...TENANTS }),
  ),
  entry(
    "a leaf outside of the permitted, be it self-issued or not",
    "ERR_CERTPIN_PATH_NAME_CONSTRAINTS",
    () => ({
      intermediates: [],
      ...TENANTS,
      leaf: { subject: "Root" },
    }),
    () => ({ intermediates: [], ...TENANTS }),
  ),
  entry(
    "a host that only one of two issuers permits",
    "ERR_CERTPIN_PATH_NAME_CONSTRAINTS",
    () => ({
      intermediates: [
        { nameConstraints: { permitted: [{ dns: "com" }] } },
        { nameConstraints: { permitted: [{ dns: "org" }] } },
      ],
    }),
    () => ({
      intermediates: [
        { nameConstraints: { permitted: [{ dns: "com" }] } },
        { nameConstraints: { permitted: [{ dns: "example.com" }] } },
      ],
    }),
  ),
  entry(
    "a host that the root does not permit",
    "ERR_CERTPIN_PATH_NAME_CONSTRAINTS",
    () => ({ root: { nameConstraints: { excluded: [{ dns: "com" }] } } }),
    () => ({ root: { nameConstraints: { excluded: [{ dns: "org" }] } } }),
  ),
];
