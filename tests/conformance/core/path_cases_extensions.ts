/**
 * Extensions that break a rule of RFC 5280, section 4.2, or cannot be read.
 */
import {
  boolean,
  explicit,
  integer,
  namedBits,
  nullValue,
  objectIdentifier,
  octetString,
  sequence,
  tlv,
} from "../../../src/testing/der_writer.ts";
import type { Extension } from "../../../src/testing/mod.ts";
import {
  anchor,
  HOSTNAME,
  issuer,
  leaf,
  type Options,
  type PathCase,
} from "./path_case.ts";

const SOME: Extension = { oid: "1.2.3.4", value: nullValue() };
const bits = (...octets: number[]) => tlv(3, Uint8Array.from(octets));
const SERVER_AUTH = objectIdentifier("1.3.6.1.5.5.7.3.1");
const HOST_NAME = tlv(0x82, new TextEncoder().encode(HOSTNAME));
const POLICY_CONSTRAINTS: Extension = {
  oid: "2.5.29.36",
  critical: true,
  value: sequence(tlv(0x80, Uint8Array.of(0))),
};

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

/** Extensions of leaves and roots, and those of issuers that cannot be read. */
export const EXTENSION_CASES: readonly PathCase[] = [
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
  leaf(
    "an issuer's name and serial number instead of a key identifier",
    "ERR_CERTPIN_PATH_EXTENSION",
    {
      authorityKeyIdentifier: false,
      extraExtensions: [{
        oid: "2.5.29.35",
        value: sequence(
          explicit(1, explicit(4, sequence())),
          tlv(0x82, Uint8Array.of(1)),
        ),
      }],
    },
    {
      authorityKeyIdentifier: false,
      extraExtensions: [{
        oid: "2.5.29.35",
        value: sequence(
          tlv(0x80, Uint8Array.of(1)),
          explicit(1, explicit(4, sequence())),
          tlv(0x82, Uint8Array.of(1)),
        ),
      }],
    },
  ),
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
    "names that are not critical, without a subject",
    "ERR_CERTPIN_PATH_EXTENSION",
    {
      hostnames: [],
      subject: [],
      extraExtensions: [{ oid: "2.5.29.17", value: sequence(HOST_NAME) }],
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
  ...UNREADABLE_OF_ISSUERS,
];
