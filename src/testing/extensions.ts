/**
 * Extensions for minted certificates (RFC 5280, section 4.2.1).
 *
 * @module
 */
import type { Bytes } from "../crypto/routine.ts";
import {
  boolean,
  explicit,
  implicit,
  integer,
  namedBits,
  objectIdentifier,
  octetString,
  readValue,
  sequence,
} from "./der_writer.ts";
import {
  type DistinguishedName,
  encodeGeneralName,
  encodeName,
  type GeneralName,
} from "./names.ts";

/** One extension. */
export interface Extension {
  /** Dotted object identifier. */
  readonly oid: string;
  /** Default false. */
  readonly critical?: boolean;
  /** What stands inside the OCTET STRING, usually DER. */
  readonly value: Uint8Array;
}

/** Names of the keyUsage bits, in the order of the bits (section 4.2.1.3). */
export const KEY_USAGES = [
  "digitalSignature",
  "nonRepudiation",
  "keyEncipherment",
  "dataEncipherment",
  "keyAgreement",
  "keyCertSign",
  "cRLSign",
  "encipherOnly",
  "decipherOnly",
] as const;

/** The name of one keyUsage bit. */
export type KeyUsageName = typeof KEY_USAGES[number];

const PURPOSES: Readonly<Record<string, string>> = {
  serverAuth: "1.3.6.1.5.5.7.3.1",
  clientAuth: "1.3.6.1.5.5.7.3.2",
  codeSigning: "1.3.6.1.5.5.7.3.3",
  emailProtection: "1.3.6.1.5.5.7.3.4",
  OCSPSigning: "1.3.6.1.5.5.7.3.9",
  anyExtendedKeyUsage: "2.5.29.37.0",
};

/** What a CA may name below itself. */
export interface NameConstraints {
  /** Names must lie in one of these subtrees of their own type. */
  readonly permitted?: readonly GeneralName[];
  /** Names must lie in none of these. */
  readonly excluded?: readonly GeneralName[];
}

/** The DER Extension. */
export function encodeExtension(extension: Extension): Bytes {
  return sequence(
    objectIdentifier(extension.oid),
    ...(extension.critical ? [boolean(true)] : []),
    octetString(extension.value),
  );
}

/** basicConstraints, critical unless said otherwise. */
export function basicConstraints(
  options: {
    /** Whether the certificate may issue others. */
    readonly ca: boolean;
    /** Most CA certificates below this one, self-issued ones not counted. */
    readonly pathLength?: number;
    /** Default true. */
    readonly critical?: boolean;
  },
): Extension {
  return {
    oid: "2.5.29.19",
    critical: options.critical ?? true,
    value: sequence(
      ...(options.ca ? [boolean(true)] : []),
      ...(options.pathLength === undefined
        ? []
        : [integer(options.pathLength)]),
    ),
  };
}

/** keyUsage, critical. */
export function keyUsage(usages: readonly KeyUsageName[]): Extension {
  return {
    oid: "2.5.29.15",
    critical: true,
    value: namedBits(usages.map((usage) => KEY_USAGES.indexOf(usage))),
  };
}

/** extKeyUsage from names such as `serverAuth`, or dotted object identifiers. */
export function extendedKeyUsage(purposes: readonly string[]): Extension {
  return {
    oid: "2.5.29.37",
    value: sequence(
      ...purposes.map((purpose) =>
        objectIdentifier(PURPOSES[purpose] ?? purpose)
      ),
    ),
  };
}

/** subjectAltName; critical where the subject is empty, as the RFC wants it. */
export function subjectAltName(
  names: readonly GeneralName[],
  critical = false,
): Extension {
  return {
    oid: "2.5.29.17",
    critical,
    value: sequence(...names.map(encodeGeneralName)),
  };
}

/** nameConstraints, critical unless said otherwise. */
export function nameConstraints(
  constraints: NameConstraints,
  critical = true,
): Extension {
  const subtrees = (tag: number, names?: readonly GeneralName[]) =>
    names === undefined ? [] : [
      explicit(
        tag,
        ...names.map((name) => sequence(encodeGeneralName(name))),
      ),
    ];
  return {
    oid: "2.5.29.30",
    critical,
    value: sequence(
      ...subtrees(0, constraints.permitted),
      ...subtrees(1, constraints.excluded),
    ),
  };
}

/** subjectKeyIdentifier. */
export function subjectKeyIdentifier(identifier: Uint8Array): Extension {
  return { oid: "2.5.29.14", value: octetString(identifier) };
}

/** authorityKeyIdentifier: the key identifier, and the issuer with serial number where given. */
export function authorityKeyIdentifier(
  identifier: Uint8Array | undefined,
  certificate?: {
    readonly issuer: DistinguishedName;
    /** Content octets. */
    readonly serialNumber: Uint8Array;
  },
): Extension {
  return {
    oid: "2.5.29.35",
    value: sequence(
      ...(identifier === undefined ? [] : [implicit(0, identifier)]),
      ...(certificate === undefined ? [] : [
        explicit(1, explicit(4, encodeName(certificate.issuer))),
        implicit(2, readValue(integer(certificate.serialNumber)).content),
      ]),
    ),
  };
}
