/**
 * Chains that break one rule of a path each, beside one that keeps it.
 */
import {
  childrenOf,
  integer,
  objectIdentifier,
  sequence,
} from "../../../src/testing/der_writer.ts";
import { mintKey } from "../../../src/testing/mod.ts";
import { entry, leaf, type PathCase } from "./path_case.ts";
import { EXTENSION_CASES } from "./path_cases_extensions.ts";
import { CONSTRAINT_CASES, NAME_CASES } from "./path_cases_names.ts";
import { ISSUER_CASES, LEAF_CASES } from "./path_cases_roles.ts";

const START = new Date("2026-03-01T00:00:00Z");
const END = new Date("2026-06-01T00:00:00Z");
const LONG_BEFORE = new Date("2020-01-01T00:00:00Z");
const LONG_AFTER = new Date("2040-01-01T00:00:00Z");
const secondAfter = (date: Date) => new Date(date.getTime() + 1000);
const secondBefore = (date: Date) => new Date(date.getTime() - 1000);

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
  entry(
    "a root of version 1",
    "ERR_CERTPIN_PATH_VERSION",
    () => ({ root: { version: 1 }, intermediates: [SOME_IDENTIFIER] }),
    () => ({ root: { version: 3 }, intermediates: [SOME_IDENTIFIER] }),
  ),
  entry(
    "a root of version 2",
    "ERR_CERTPIN_PATH_VERSION",
    () => ({ root: { version: 2 }, intermediates: [SOME_IDENTIFIER] }),
    () => ({ root: { version: 3 }, intermediates: [SOME_IDENTIFIER] }),
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

/** All of them. */
export const PATH_CASES: readonly PathCase[] = [
  ...VALIDITY,
  ...SIGNATURES,
  ...FRAME,
  ...EXTENSION_CASES,
  ...ISSUER_CASES,
  ...LEAF_CASES,
  ...NAME_CASES,
  ...CONSTRAINT_CASES,
];
