/**
 * Chains that break one rule of a path each, beside one that keeps it.
 */
import type { PathErrorCode } from "../../../src/errors.ts";
import {
  boolean,
  childrenOf,
  explicit,
  integer,
  namedBits,
  nullValue,
  objectIdentifier,
  octetString,
  sequence,
  tlv,
} from "../../../src/testing/der_writer.ts";
import {
  type ChainCertificateOptions,
  type Extension,
  type MintChainOptions,
  mintKey,
} from "../../../src/testing/mod.ts";

/** What a chain is minted from, and what it is asked for. */
export interface Setting extends MintChainOptions {
  /** Default: the leaf's first name. */
  readonly hostname?: string;
  /** Default: now. */
  readonly at?: Date;
  /** Presents all intermediates but these many, counted from the root. */
  readonly without?: number;
}

/** One rule that is broken. */
export interface PathCase {
  readonly what: string;
  readonly code: PathErrorCode;
  wrong(): Setting | Promise<Setting>;
  /** Differs from `wrong` in one thing. */
  right(): Setting | Promise<Setting>;
}

/** The host that chains are for. */
export const HOSTNAME = "api.example.com";

const START = new Date("2026-03-01T00:00:00Z");
const END = new Date("2026-06-01T00:00:00Z");
const LONG_BEFORE = new Date("2020-01-01T00:00:00Z");
const LONG_AFTER = new Date("2040-01-01T00:00:00Z");
const secondAfter = (date: Date) => new Date(date.getTime() + 1000);
const secondBefore = (date: Date) => new Date(date.getTime() - 1000);

type Options = ChainCertificateOptions;

function entry(
  what: string,
  code: PathErrorCode,
  wrong: PathCase["wrong"],
  right: PathCase["right"] = () => ({}),
): PathCase {
  return { what, code, wrong, right };
}

/** Something about the leaf. */
function leaf(
  what: string,
  code: PathErrorCode,
  wrong: Options,
  right: Options = {},
): PathCase {
  return entry(what, code, () => ({ leaf: wrong }), () => ({ leaf: right }));
}

/** Something about the intermediate. */
function issuer(
  what: string,
  code: PathErrorCode,
  wrong: Options,
  right: Options = {},
): PathCase {
  return entry(
    what,
    code,
    () => ({ intermediates: [wrong] }),
    () => ({ intermediates: [right] }),
  );
}

/** Something about the root. */
function anchor(
  what: string,
  code: PathErrorCode,
  wrong: Options,
  right: Options = {},
): PathCase {
  return entry(what, code, () => ({ root: wrong }), () => ({ root: right }));
}

/** An extension of the leaf whose value cannot be read, and one that can. */
function unreadable(
  what: string,
  oid: string,
  wrong: Uint8Array,
  right: Uint8Array,
  without: Options = {},
): PathCase {
  const extended = (value: Uint8Array): Options => ({
    ...without,
    extraExtensions: [{ oid, value }],
  });
  return leaf(
    what,
    "ERR_CERTPIN_PATH_EXTENSION",
    extended(wrong),
    extended(right),
  );
}

const SOME: Extension = { oid: "1.2.3.4", value: nullValue() };
const bits = (...octets: number[]) => tlv(3, Uint8Array.from(octets));
const SERVER_AUTH = objectIdentifier("1.3.6.1.5.5.7.3.1");
const HOST_NAME = tlv(0x82, new TextEncoder().encode(HOSTNAME));
const POLICY_CONSTRAINTS: Extension = {
  oid: "2.5.29.36",
  critical: true,
  value: sequence(tlv(0x80, Uint8Array.of(0))),
};

/** A critical extension of the intermediate whose value cannot be read, and one that can. */
function unreadableOfIssuer(
  what: string,
  oid: string,
  wrong: Uint8Array,
  right: Uint8Array,
  without: Options = {},
): PathCase {
  const extended = (value: Uint8Array): Options => ({
    ...without,
    extraExtensions: [{ oid, critical: true, value }],
  });
  return issuer(
    what,
    "ERR_CERTPIN_PATH_EXTENSION",
    extended(wrong),
    extended(right),
  );
}

const VALIDITY: readonly PathCase[] = [
  ...(["leaf", "root"] as const).flatMap((who): PathCase[] => {
    const period = { notBefore: START, notAfter: END };
    const others = { notBefore: LONG_BEFORE, notAfter: LONG_AFTER };
    const at = (at: Date) => () => ({ ...others, [who]: period, at });
    return [
      entry(
        `a ${who} one second after its end`,
        "ERR_CERTPIN_PATH_EXPIRED",
        at(secondAfter(END)),
        // Validity has a resolution of one second.
        at(new Date(END.getTime() + 999)),
      ),
      entry(
        `a ${who} one second before its start`,
        "ERR_CERTPIN_PATH_NOT_YET_VALID",
        at(secondBefore(START)),
        at(START),
      ),
    ];
  }),
  entry(
    "an expired intermediate",
    "ERR_CERTPIN_PATH_EXPIRED",
    () => ({ intermediates: [{ notBefore: LONG_BEFORE, notAfter: START }] }),
    () => ({ intermediates: [{ notBefore: LONG_BEFORE }] }),
  ),
  entry(
    "a time that is none",
    "ERR_CERTPIN_PATH_EXPIRED",
    () => ({ at: new Date(NaN) }),
    () => ({ at: new Date() }),
  ),
];

const SIGNATURES: readonly PathCase[] = [
  entry(
    "a signature by another key",
    "ERR_CERTPIN_PATH_SIGNATURE",
    async () => ({ leaf: { signingKey: await mintKey() } }),
  ),
  leaf(
    "a signature that is no ECDSA signature",
    "ERR_CERTPIN_PATH_SIGNATURE",
    { surgery: { signature: () => new Uint8Array(64).fill(1) } },
    { surgery: { signature: (signature) => signature } },
  ),
  leaf(
    "a signature of zeros",
    "ERR_CERTPIN_PATH_SIGNATURE",
    { surgery: { signature: () => sequence(integer(0), integer(0)) } },
  ),
  leaf(
    "another algorithm outside than inside",
    "ERR_CERTPIN_PATH_ALGORITHM",
    {
      surgery: {
        outerAlgorithm: sequence(objectIdentifier("1.2.840.10045.4.3.3")),
      },
    },
    {
      surgery: {
        outerAlgorithm: sequence(objectIdentifier("1.2.840.10045.4.3.2")),
      },
    },
  ),
  leaf(
    "a signature with SHA-1",
    "ERR_CERTPIN_PATH_ALGORITHM",
    { signature: { hash: "sha1" } },
    { signature: { hash: "sha256" } },
  ),
  leaf("an RSA key of 1,024 bits", "ERR_CERTPIN_PATH_ALGORITHM", {
    keyType: "RSA-1024",
  }, { keyType: "RSA-2048" }),
  leaf("a curve that is not named", "ERR_CERTPIN_PATH_ALGORITHM", {
    surgery: {
      fields: (fields) => ({
        ...fields,
        spki: sequence(
          sequence(objectIdentifier("1.2.840.10045.2.1"), sequence()),
          childrenOf(fields.spki)[1].der,
        ),
      }),
    },
  }),
  leaf("a key of an unknown algorithm", "ERR_CERTPIN_PATH_ALGORITHM", {
    surgery: {
      fields: (fields) => ({
        ...fields,
        spki: sequence(
          sequence(objectIdentifier("1.2.840.10040.4.1")),
          childrenOf(fields.spki)[1].der,
        ),
      }),
    },
  }),
];

const SOME_IDENTIFIER = { authorityKeyIdentifier: Uint8Array.of(1) };

const FRAME: readonly PathCase[] = [
  leaf("a leaf of version 1", "ERR_CERTPIN_PATH_VERSION", { version: 1 }),
  entry(
    "an issuer of version 1",
    "ERR_CERTPIN_PATH_VERSION",
    () => ({ intermediates: [{ version: 1 }], leaf: SOME_IDENTIFIER }),
    () => ({ intermediates: [{ version: 3 }], leaf: SOME_IDENTIFIER }),
  ),
  leaf(
    "a serial number of zero",
    "ERR_CERTPIN_PATH_SERIAL",
    { serialNumber: Uint8Array.of(0) },
    { serialNumber: Uint8Array.of(1) },
  ),
  entry(
    "an intermediate's serial number of zero, where an anchor's is moot",
    "ERR_CERTPIN_PATH_SERIAL",
    () => ({ intermediates: [{ serialNumber: Uint8Array.of(0) }] }),
    () => ({ root: { serialNumber: Uint8Array.of(0) } }),
  ),
  leaf(
    "a negative serial number",
    "ERR_CERTPIN_PATH_SERIAL",
    { serialNumber: Uint8Array.of(0x80) },
    { serialNumber: Uint8Array.of(0x00, 0x80) },
  ),
  leaf(
    "a serial number of 21 octets",
    "ERR_CERTPIN_PATH_SERIAL",
    { serialNumber: new Uint8Array(21).fill(1) },
    // A leading zero is the sign's, and does not count.
    { serialNumber: new Uint8Array(21).fill(0x80).with(0, 0) },
  ),
];

const EXTENSIONS: readonly PathCase[] = [
  leaf(
    "an extension that stands there twice",
    "ERR_CERTPIN_PATH_EXTENSION",
    { extraExtensions: [SOME, SOME] },
    { extraExtensions: [SOME] },
  ),
  anchor(
    "an extension of the root that stands there twice",
    "ERR_CERTPIN_PATH_EXTENSION",
    { extraExtensions: [SOME, SOME] },
    { extraExtensions: [SOME] },
  ),
  leaf(
    "an unknown critical extension",
    "ERR_CERTPIN_PATH_CRITICAL_EXTENSION",
    { extraExtensions: [{ ...SOME, critical: true }] },
    { extraExtensions: [SOME] },
  ),
  anchor(
    "an unknown critical extension of the root",
    "ERR_CERTPIN_PATH_CRITICAL_EXTENSION",
    { extraExtensions: [{ ...SOME, critical: true }] },
    { extraExtensions: [SOME] },
  ),
  leaf("a missing key identifier", "ERR_CERTPIN_PATH_EXTENSION", {
    authorityKeyIdentifier: false,
  }),
  leaf("constraints on names below a leaf", "ERR_CERTPIN_PATH_EXTENSION", {
    nameConstraints: { permitted: [{ dns: "example.com" }] },
  }),
  issuer("an issuer without a name", "ERR_CERTPIN_PATH_EXTENSION", {
    subject: [],
  }),
  issuer("constraints on policies", "ERR_CERTPIN_PATH_EXTENSION", {
    extraExtensions: [POLICY_CONSTRAINTS],
  }, { extraExtensions: [SOME] }),
  issuer(
    "basicConstraints that are not critical",
    "ERR_CERTPIN_PATH_EXTENSION",
    {
      basicConstraints: false,
      extraExtensions: [{ oid: "2.5.29.19", value: sequence(boolean(true)) }],
    },
    {
      basicConstraints: false,
      extraExtensions: [{
        oid: "2.5.29.19",
        critical: true,
        value: sequence(boolean(true)),
      }],
    },
  ),
  leaf("a key identifier that is critical", "ERR_CERTPIN_PATH_EXTENSION", {
    subjectKeyIdentifier: false,
    extraExtensions: [{
      oid: "2.5.29.14",
      critical: true,
      value: octetString(Uint8Array.of(1)),
    }],
  }, {
    subjectKeyIdentifier: false,
    extraExtensions: [{
      oid: "2.5.29.14",
      value: octetString(Uint8Array.of(1)),
    }],
  }),
  leaf(
    "names that are critical beside a subject",
    "ERR_CERTPIN_PATH_EXTENSION",
    {
      hostnames: [],
      subject: HOSTNAME,
      extraExtensions: [{
        oid: "2.5.29.17",
        critical: true,
        value: sequence(HOST_NAME),
      }],
    },
    {
      hostnames: [],
      subject: [],
      extraExtensions: [{
        oid: "2.5.29.17",
        critical: true,
        value: sequence(HOST_NAME),
      }],
    },
  ),
  unreadable(
    "a keyUsage without a bit",
    "2.5.29.15",
    bits(0),
    namedBits([0]),
    { keyUsage: false },
  ),
  unreadable(
    "a keyUsage that is no BIT STRING",
    "2.5.29.15",
    octetString(Uint8Array.of(0x80)),
    namedBits([0]),
    { keyUsage: false },
  ),
  unreadable(
    "an extKeyUsage without a purpose",
    "2.5.29.37",
    sequence(),
    sequence(SERVER_AUTH),
    { extendedKeyUsage: false },
  ),
  unreadable(
    "subjectAltName without a name",
    "2.5.29.17",
    sequence(),
    sequence(HOST_NAME),
    { hostnames: [], subject: HOSTNAME },
  ),
  unreadable(
    "a name that is not ASCII",
    "2.5.29.17",
    sequence(HOST_NAME, tlv(0x82, Uint8Array.of(0xe4))),
    sequence(HOST_NAME, tlv(0x82, Uint8Array.of(0x61))),
    { hostnames: [], subject: HOSTNAME },
  ),
  unreadable(
    "an address of three bytes",
    "2.5.29.17",
    sequence(HOST_NAME, tlv(0x87, Uint8Array.of(127, 0, 1))),
    sequence(HOST_NAME, tlv(0x87, Uint8Array.of(127, 0, 0, 1))),
    { hostnames: [], subject: HOSTNAME },
  ),
  unreadable(
    "another name without a type",
    "2.5.29.17",
    sequence(HOST_NAME, explicit(0)),
    sequence(HOST_NAME, explicit(0, objectIdentifier("1.2.3"), explicit(0))),
    { hostnames: [], subject: HOSTNAME },
  ),
  unreadable(
    "a path length without the CA bit",
    "2.5.29.19",
    sequence(integer(0)),
    sequence(),
    { basicConstraints: false },
  ),
  unreadable(
    "bytes after an extension's value",
    "2.5.29.19",
    Uint8Array.of(0x30, 0, 0),
    Uint8Array.of(0x30, 0),
    { basicConstraints: false },
  ),
  unreadable(
    "elements of a key identifier out of order",
    "2.5.29.35",
    sequence(tlv(0x82, Uint8Array.of(1)), tlv(0x80, Uint8Array.of(1))),
    sequence(tlv(0x80, Uint8Array.of(1)), tlv(0x82, Uint8Array.of(1))),
    { authorityKeyIdentifier: false },
  ),
  unreadable(
    "an unknown element in a key identifier",
    "2.5.29.35",
    sequence(tlv(0x80, Uint8Array.of(1)), explicit(3, nullValue())),
    sequence(tlv(0x80, Uint8Array.of(1))),
    { authorityKeyIdentifier: false },
  ),
];

/** An intermediate that does not bear the root's name. */
const ROOTED: Setting = { intermediates: [{ subject: "other" }] };

const NO_BASIC: Options = { basicConstraints: false };
const CONSTRAINED = "2.5.29.30";
/** A subtree of name constraints: a DNS name, and what may follow it. */
const subtree = (...more: readonly Uint8Array[]) =>
  sequence(tlv(0x82, new TextEncoder().encode("example.com")), ...more);

const UNREADABLE_OF_ISSUERS: readonly PathCase[] = [
  unreadableOfIssuer(
    "a negative path length",
    "2.5.29.19",
    sequence(boolean(true), integer(Uint8Array.of(0xff))),
    sequence(boolean(true), integer(Uint8Array.of(0x7f))),
    NO_BASIC,
  ),
  unreadableOfIssuer(
    "an extra element in basicConstraints",
    "2.5.29.19",
    sequence(boolean(true), integer(1), integer(1)),
    sequence(boolean(true), integer(1)),
    NO_BASIC,
  ),
  unreadableOfIssuer(
    "name constraints without any",
    CONSTRAINED,
    sequence(),
    sequence(explicit(0, subtree())),
  ),
  unreadableOfIssuer(
    "permitted subtrees without any",
    CONSTRAINED,
    sequence(explicit(0)),
    sequence(explicit(0, subtree())),
  ),
  unreadableOfIssuer(
    "excluded subtrees before the permitted",
    CONSTRAINED,
    sequence(explicit(1, subtree()), explicit(0, subtree())),
    sequence(explicit(0, subtree())),
  ),
  unreadableOfIssuer(
    "permitted subtrees twice",
    CONSTRAINED,
    sequence(explicit(0, subtree()), explicit(0, subtree())),
    sequence(explicit(0, subtree(), subtree())),
  ),
  unreadableOfIssuer(
    "a subtree with a minimum",
    CONSTRAINED,
    sequence(explicit(0, subtree(tlv(0x80, Uint8Array.of(0))))),
    sequence(explicit(0, subtree())),
  ),
  unreadableOfIssuer(
    "a subtree with a maximum",
    CONSTRAINED,
    sequence(explicit(0, subtree(tlv(0x81, Uint8Array.of(9))))),
    sequence(explicit(0, subtree())),
  ),
];

const ISSUERS: readonly PathCase[] = [
  entry(
    "a missing intermediate",
    "ERR_CERTPIN_PATH_NO_ISSUER",
    () => ({ without: 1 }),
    () => ({ without: 0 }),
  ),
  entry(
    "a gap between two intermediates",
    "ERR_CERTPIN_PATH_NO_ISSUER",
    () => ({ intermediates: 3, without: 1 }),
    () => ({ intermediates: 3, without: 0 }),
  ),
  issuer("an issuer without the CA bit", "ERR_CERTPIN_PATH_NOT_CA", {
    basicConstraints: { ca: false },
  }, { basicConstraints: { ca: true } }),
  issuer("an issuer without basicConstraints", "ERR_CERTPIN_PATH_NOT_CA", {
    basicConstraints: false,
  }),
  anchor("a root without the CA bit", "ERR_CERTPIN_PATH_NOT_CA", {
    basicConstraints: { ca: false },
  }, { basicConstraints: { ca: true } }),
  entry(
    "an intermediate below a path length of 0",
    "ERR_CERTPIN_PATH_LENGTH",
    () => ({ intermediates: 2, root: { pathLength: 1 } }),
    () => ({ intermediates: 2, root: { pathLength: 2 } }),
  ),
  entry(
    "an intermediate below a path length of 0 that is not self-issued",
    "ERR_CERTPIN_PATH_LENGTH",
    () => ({ ...ROOTED, root: { subject: "Root", pathLength: 0 } }),
    () => ({
      root: { subject: "Root", pathLength: 0 },
      intermediates: [{ subject: "root" }],
    }),
  ),
  entry(
    "a path length of the upper intermediate",
    "ERR_CERTPIN_PATH_LENGTH",
    () => ({ intermediates: [{}, { pathLength: 0 }] }),
    () => ({ intermediates: [{}, { pathLength: 1 }] }),
  ),
  issuer("an issuer whose key must not certify", "ERR_CERTPIN_PATH_KEY_USAGE", {
    keyUsage: ["cRLSign"],
  }, { keyUsage: ["cRLSign", "keyCertSign"] }),
  anchor("a root whose key must not certify", "ERR_CERTPIN_PATH_KEY_USAGE", {
    keyUsage: ["cRLSign"],
  }, { keyUsage: false }),
  issuer(
    "an issuer for mail alone",
    "ERR_CERTPIN_PATH_EXTENDED_KEY_USAGE",
    { extendedKeyUsage: ["emailProtection"] },
    { extendedKeyUsage: ["emailProtection", "serverAuth"] },
  ),
  anchor(
    "a root for mail alone",
    "ERR_CERTPIN_PATH_EXTENDED_KEY_USAGE",
    { extendedKeyUsage: ["emailProtection"] },
    { extendedKeyUsage: ["anyExtendedKeyUsage"] },
  ),
];

const LEAVES: readonly PathCase[] = [
  leaf(
    "a leaf whose key certifies without the CA bit",
    "ERR_CERTPIN_PATH_KEY_USAGE",
    { keyUsage: ["digitalSignature", "keyCertSign"] },
    { keyUsage: ["digitalSignature"] },
  ),
  leaf(
    "a leaf whose key does not serve TLS",
    "ERR_CERTPIN_PATH_KEY_USAGE",
    { keyUsage: ["dataEncipherment"] },
    { keyUsage: ["keyAgreement"] },
  ),
  leaf(
    "a leaf for clients alone",
    "ERR_CERTPIN_PATH_EXTENDED_KEY_USAGE",
    { extendedKeyUsage: ["clientAuth"] },
    { extendedKeyUsage: ["clientAuth", "serverAuth"] },
  ),
  leaf(
    "a leaf for any purpose",
    "ERR_CERTPIN_PATH_EXTENDED_KEY_USAGE",
    { extendedKeyUsage: ["anyExtendedKeyUsage"] },
    { extendedKeyUsage: false },
  ),
  leaf("a leaf that is a CA", "ERR_CERTPIN_PATH_LEAF_IS_CA", {
    basicConstraints: { ca: true },
  }, { basicConstraints: { ca: false } }),
];

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

const NAMES: readonly PathCase[] = [
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

const CONSTRAINTS: readonly PathCase[] = [
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
    () => ({ ...ROOTED, ...TENANTS }),
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

/** All of them. */
export const PATH_CASES: readonly PathCase[] = [
  ...VALIDITY,
  ...SIGNATURES,
  ...FRAME,
  ...EXTENSIONS,
  ...UNREADABLE_OF_ISSUERS,
  ...ISSUERS,
  ...LEAVES,
  ...NAMES,
  ...CONSTRAINTS,
];
