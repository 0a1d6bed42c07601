/**
 * Extensions that break a rule of RFC 5280, section 4.2, or cannot be read.
 */
import { MAX_EXTENSION_ENTRIES, MAX_REFERENCES } from "../../../src/limits.ts";
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
const SHORT_NAME = tlv(0x82, Uint8Array.of(0x61));
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

const ascii = (text: string) => new TextEncoder().encode(text);
const LOCATION = tlv(0x86, ascii("http://ca.example/"));
const OCSP = objectIdentifier("1.3.6.1.5.5.7.48.1");
const POLICY = objectIdentifier("2.23.140.1.2.1");
const CPS = objectIdentifier("1.3.6.1.5.5.7.2.1");
const USER_NOTICE = objectIdentifier("1.3.6.1.5.5.7.2.2");
/** A certificate policy with one qualifier. */
const qualified = (kind: Uint8Array, value: Uint8Array) =>
  sequence(sequence(POLICY, sequence(sequence(kind, value))));
/** A list of one timestamp of version 1, signed with so many bytes. */
function timestamps(version: number, signatureBytes: number): Uint8Array {
  const timestamp = [
    version,
    ...new Uint8Array(32),
    ...new Uint8Array(8),
    ...[0, 0],
    ...[4, 3, 0, 8],
    ...new Uint8Array(signatureBytes),
  ];
  const { length } = timestamp;
  return octetString(
    Uint8Array.from([0, length + 2, 0, length, ...timestamp]),
  );
}

/** Extensions that decide nothing, and must be well formed all the same. */
const UNREADABLE_REFERENCES: readonly PathCase[] = [
  ...[
    ["authorityInfoAccess", "1.3.6.1.5.5.7.1.1"],
    ["subjectInfoAccess", "1.3.6.1.5.5.7.1.11"],
  ].flatMap(([name, oid]) => [
    unreadable(
      `${name} without a place`,
      oid,
      sequence(),
      sequence(sequence(OCSP, LOCATION)),
    ),
    unreadable(
      `${name} that is no DER`,
      oid,
      Uint8Array.of(0xde, 0xad),
      sequence(sequence(OCSP, LOCATION)),
    ),
    unreadable(
      `${name} with a third element`,
      oid,
      sequence(sequence(OCSP, LOCATION, nullValue())),
      sequence(sequence(OCSP, LOCATION)),
    ),
    unreadable(
      `${name} whose place is a UTF8String`,
      oid,
      sequence(sequence(OCSP, tlv(0x0c, ascii("http://ca.example/")))),
      sequence(sequence(OCSP, LOCATION)),
    ),
    unreadable(
      `${name} with places beyond the bound`,
      oid,
      sequence(
        ...new Array(MAX_REFERENCES + 1).fill(sequence(OCSP, LOCATION)),
      ),
      sequence(...new Array(MAX_REFERENCES).fill(sequence(OCSP, LOCATION))),
    ),
  ]),
  ...[["distribution points", "2.5.29.31"], ["freshestCRL", "2.5.29.46"]]
    .flatMap(([name, oid]) => [
      unreadable(
        `${name} without one`,
        oid,
        sequence(),
        sequence(sequence(explicit(0, explicit(0, LOCATION)))),
      ),
      unreadable(
        `${name} whose name is not tagged`,
        oid,
        sequence(sequence(explicit(0, LOCATION))),
        sequence(sequence(explicit(0, explicit(0, LOCATION)))),
      ),
      unreadable(
        `${name} with elements out of order`,
        oid,
        sequence(
          sequence(
            tlv(0x81, Uint8Array.of(6, 0x40)),
            explicit(0, explicit(0, LOCATION)),
          ),
        ),
        sequence(
          sequence(
            explicit(0, explicit(0, LOCATION)),
            tlv(0x81, Uint8Array.of(6, 0x40)),
          ),
        ),
      ),
      unreadable(
        `${name} relative to an issuer, without an attribute`,
        oid,
        sequence(sequence(explicit(0, explicit(1)))),
        sequence(
          sequence(
            explicit(
              0,
              explicit(
                1,
                sequence(objectIdentifier("2.5.4.3"), tlv(0x0c, ascii("a"))),
              ),
            ),
          ),
        ),
      ),
    ]),
  ...([["issuer", issuer], ["root", anchor]] as const).map(([name, about]) =>
    about(
      `authorityInfoAccess without a place in the ${name}`,
      "ERR_CERTPIN_PATH_EXTENSION",
      { extraExtensions: [{ oid: "1.3.6.1.5.5.7.1.1", value: sequence() }] },
      {
        extraExtensions: [{
          oid: "1.3.6.1.5.5.7.1.1",
          value: sequence(sequence(OCSP, LOCATION)),
        }],
      },
    )
  ),
  unreadable(
    "issuerAltName without a name",
    "2.5.29.18",
    sequence(),
    sequence(HOST_NAME),
  ),
  unreadable(
    "policyMappings with one policy",
    "2.5.29.33",
    sequence(sequence(POLICY)),
    sequence(sequence(POLICY, POLICY)),
  ),
  ...[false, true].flatMap((critical) => {
    const policies = (what: string, wrong: Uint8Array, right: Uint8Array) =>
      leaf(
        `${critical ? "critical " : ""}certificatePolicies ${what}`,
        "ERR_CERTPIN_PATH_EXTENSION",
        {
          extraExtensions: [{ oid: "2.5.29.32", critical, value: wrong }],
        },
        {
          extraExtensions: [{ oid: "2.5.29.32", critical, value: right }],
        },
      );
    return [
      policies(
        "that are no DER",
        Uint8Array.of(0xde, 0xad),
        sequence(sequence(POLICY)),
      ),
      policies("without one", sequence(), sequence(sequence(POLICY))),
      policies(
        "without a qualifier in their list",
        sequence(sequence(POLICY, sequence())),
        sequence(sequence(POLICY)),
      ),
      policies(
        "whose CPS is a UTF8String",
        qualified(CPS, tlv(0x0c, ascii("http://ca.example/"))),
        qualified(CPS, tlv(0x16, ascii("http://ca.example/"))),
      ),
      policies(
        "whose notice has a number in place of text",
        qualified(USER_NOTICE, sequence(integer(1))),
        qualified(USER_NOTICE, sequence(tlv(0x0c, ascii("text")))),
      ),
      policies(
        "that name the same policy twice",
        sequence(sequence(POLICY), sequence(POLICY)),
        sequence(sequence(POLICY), sequence(OCSP)),
      ),
    ];
  }),
  leaf(
    "critical certificatePolicies with an unknown qualifier",
    "ERR_CERTPIN_PATH_CRITICAL_EXTENSION",
    {
      extraExtensions: [{
        oid: "2.5.29.32",
        critical: true,
        value: qualified(OCSP, nullValue()),
      }],
    },
    {
      extraExtensions: [{
        oid: "2.5.29.32",
        value: qualified(OCSP, nullValue()),
      }],
    },
  ),
  ...([
    [
      "of another length than it says",
      octetString(
        Uint8Array.from([...new Uint8Array(4)]),
      ),
    ],
    ["of an unknown version", timestamps(1, 8)],
    ["with a signature that is cut", timestamps(0, 7)],
  ] as const).map(([what, wrong]) =>
    unreadable(
      `a list of timestamps ${what}`,
      "1.3.6.1.4.1.11129.2.4.2",
      wrong,
      timestamps(0, 8),
    )
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
    "names beyond the bound",
    "2.5.29.17",
    sequence(HOST_NAME, ...new Array(MAX_EXTENSION_ENTRIES).fill(SHORT_NAME)),
    sequence(
      HOST_NAME,
      ...new Array(MAX_EXTENSION_ENTRIES - 1).fill(SHORT_NAME),
    ),
    { hostnames: [], subject: HOSTNAME },
  ),
  unreadable(
    "another name without a type",
    "2.5.29.17",
    sequence(HOST_NAME, explicit(0, explicit(0, nullValue()))),
    sequence(
      HOST_NAME,
      explicit(0, objectIdentifier("1.2.3"), explicit(0, nullValue())),
    ),
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
  ...UNREADABLE_REFERENCES,
];
