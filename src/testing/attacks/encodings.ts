/**
 * Certificates whose bytes are wrong, or say one thing twice.
 *
 * @module
 */
import type { ErrorCode } from "../../errors.ts";
import { integer, nullValue, objectIdentifier } from "../der_writer.ts";
import { childrenOf, sequence, tlv, withLongLength } from "../der_writer.ts";
import { basicConstraints, subjectAltName } from "../extensions.ts";
import { rewrapSpki } from "../keys.ts";
import { defect } from "./defects.ts";
import type { AttackDefinition, Part } from "./world.ts";

const DER = ["ERR_CERTPIN_CERTIFICATE_DER"] as const;
const CRITICAL = ["ERR_CERTPIN_PATH_CRITICAL_EXTENSION"] as const;
// A reader may refuse the certificate, or the path may refuse the extension.
const EXTENSION: readonly ErrorCode[] = [
  "ERR_CERTPIN_PATH_EXTENSION",
  "ERR_CERTPIN_CERTIFICATE_DER",
];

/** An extension that nobody knows. */
function unknown(critical: boolean): Part {
  return {
    extraExtensions: [{
      oid: "1.3.6.1.4.1.99999.1",
      critical,
      value: nullValue(),
    }],
  };
}

/** P-256 as explicit parameters: the curve of CVE-2020-0601. */
const P256_PARAMETERS = sequence(
  integer(1),
  sequence(
    objectIdentifier("1.2.840.10045.1.1"),
    integer(hex(
      "00ffffffff00000001000000000000000000000000ffffffffffffffffffffffff",
    )),
  ),
  sequence(
    tlv(
      4,
      hex("ffffffff00000001000000000000000000000000fffffffffffffffffffffffc"),
    ),
    tlv(
      4,
      hex("5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b"),
    ),
  ),
  tlv(
    4,
    hex(
      "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296" +
        "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5",
    ),
  ),
  integer(hex(
    "00ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
  )),
  integer(1),
);

function hex(digits: string): Uint8Array {
  return Uint8Array.from(
    digits.match(/../g)!,
    (pair) => parseInt(pair, 16),
  );
}

/** Attacks of this kind. */
export const ENCODING_ATTACKS: readonly AttackDefinition[] = [
  defect(
    "unknown-critical-extension",
    "The leaf has a critical extension that nobody knows.",
    CRITICAL,
    () => ({ leaf: unknown(true) }),
    () => ({ leaf: unknown(false) }),
  ),
  defect(
    "unknown-critical-extension-of-intermediate",
    "The intermediate has a critical extension that nobody knows.",
    CRITICAL,
    () => ({ intermediates: [unknown(true)] }),
    () => ({ intermediates: [unknown(false)] }),
  ),
  defect(
    "two-subject-alt-names",
    "The leaf has subjectAltName twice: one for its own host, one for ours.",
    EXTENSION,
    (world) => ({
      leaf: {
        hostnames: ["customer.example"],
        extraExtensions: [subjectAltName([{ dns: world.hostname }])],
      },
    }),
    (world) => ({
      leaf: { hostnames: ["customer.example", world.hostname] },
    }),
  ),
  defect(
    "two-basic-constraints",
    "The intermediate has basicConstraints twice: CA:FALSE, then CA:TRUE.",
    EXTENSION,
    () => ({
      intermediates: [{
        basicConstraints: { ca: false },
        extraExtensions: [basicConstraints({ ca: true })],
      }],
    }),
    () => ({
      intermediates: [{
        basicConstraints: false,
        extraExtensions: [basicConstraints({ ca: true })],
      }],
    }),
  ),
  defect(
    "other-algorithm-outside",
    "The algorithm beside the signature is another than the one that was signed.",
    ["ERR_CERTPIN_PATH_ALGORITHM", "ERR_CERTPIN_CERTIFICATE_DER"],
    () => ({
      leaf: {
        surgery: {
          outerAlgorithm: sequence(objectIdentifier("1.2.840.10045.4.3.3")),
        },
      },
    }),
  ),
  defect(
    "explicit-curve",
    "The leaf's key spells its curve out instead of naming it.",
    ["ERR_CERTPIN_PATH_ALGORITHM"],
    () => ({
      leaf: {
        surgery: {
          fields: (fields) => ({
            ...fields,
            spki: rewrapSpki(
              Uint8Array.from(fields.spki),
              sequence(
                objectIdentifier("1.2.840.10045.2.1"),
                P256_PARAMETERS,
              ),
            ),
          }),
        },
      },
    }),
  ),
  defect(
    "spki-with-long-length",
    "The leaf's SPKI has a length in more octets than it needs: another hash for the same key.",
    DER,
    () => ({
      leaf: {
        surgery: {
          fields: (fields) => ({
            ...fields,
            spki: withLongLength(fields.spki),
          }),
        },
      },
    }),
  ),
  defect(
    "spki-with-extra-element",
    "The leaf's SPKI has an element after the key.",
    DER,
    () => ({
      leaf: {
        surgery: {
          fields: (fields) => ({
            ...fields,
            spki: sequence(
              ...childrenOf(fields.spki).map(({ der }) => der),
              nullValue(),
            ),
          }),
        },
      },
    }),
  ),
  defect(
    "trailing-byte",
    "A byte follows the leaf.",
    DER,
    () => ({
      leaf: {
        surgery: { certificate: (der) => Uint8Array.of(...der, 0) },
      },
    }),
  ),
  defect(
    "extra-element-in-tbs",
    "The leaf's TBSCertificate has an element after its extensions.",
    DER,
    () => ({
      leaf: {
        surgery: {
          tbs: (tbs) =>
            sequence(...childrenOf(tbs).map(({ der }) => der), nullValue()),
        },
      },
    }),
  ),
  defect(
    "indefinite-length",
    "The leaf is encoded with an indefinite length.",
    DER,
    () => ({
      leaf: {
        surgery: {
          certificate: (der) =>
            Uint8Array.of(
              0x30,
              0x80,
              ...childrenOf(der).flatMap((child) => [...child.der]),
              0,
              0,
            ),
        },
      },
    }),
  ),
];
