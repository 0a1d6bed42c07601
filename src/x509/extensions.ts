/**
 * The extensions of a certificate, decoded (RFC 5280, section 4.2): those that
 * decide about a path, and all others with a known syntax.
 *
 * @module
 */
import type { Bytes } from "../crypto/routine.ts";
import { CertificateError } from "../errors.ts";
import type { GeneralName, NameConstraints } from "./general_names.ts";
import type { Extension } from "./layout.ts";
import * as pkijs from "./pkijs.ts";

/** Object identifiers of extensions. */
export const EXTENSION = {
  subjectKeyIdentifier: "2.5.29.14",
  keyUsage: "2.5.29.15",
  subjectAltName: "2.5.29.17",
  issuerAltName: "2.5.29.18",
  basicConstraints: "2.5.29.19",
  nameConstraints: "2.5.29.30",
  cRLDistributionPoints: "2.5.29.31",
  certificatePolicies: "2.5.29.32",
  policyMappings: "2.5.29.33",
  authorityKeyIdentifier: "2.5.29.35",
  policyConstraints: "2.5.29.36",
  extendedKeyUsage: "2.5.29.37",
  freshestCRL: "2.5.29.46",
  authorityInfoAccess: "1.3.6.1.5.5.7.1.1",
  subjectInfoAccess: "1.3.6.1.5.5.7.1.11",
  signedCertificateTimestampList: "1.3.6.1.4.1.11129.2.4.2",
} as const;

/** Bits of keyUsage, the first named bit lowest. */
export const KEY_USAGE = {
  digitalSignature: 1 << 0,
  keyEncipherment: 1 << 2,
  keyAgreement: 1 << 4,
  keyCertSign: 1 << 5,
} as const;

/** What reads the value of each extension whose syntax is known. */
const READERS = {
  [EXTENSION.basicConstraints]: pkijs.readBasicConstraints,
  [EXTENSION.keyUsage]: pkijs.readKeyUsage,
  [EXTENSION.extendedKeyUsage]: pkijs.readExtendedKeyUsage,
  [EXTENSION.subjectAltName]: pkijs.readSubjectAltName,
  [EXTENSION.nameConstraints]: pkijs.readNameConstraints,
  [EXTENSION.subjectKeyIdentifier]: pkijs.readSubjectKeyIdentifier,
  [EXTENSION.authorityKeyIdentifier]: pkijs.readAuthorityKeyIdentifier,
  [EXTENSION.certificatePolicies]: pkijs.readCertificatePolicies,
  [EXTENSION.policyMappings]: (value: Bytes) =>
    pkijs.checkPolicyMappings(value, "policyMappings"),
  [EXTENSION.authorityInfoAccess]: (value: Bytes) =>
    pkijs.checkInfoAccess(value, "authorityInfoAccess"),
  [EXTENSION.subjectInfoAccess]: (value: Bytes) =>
    pkijs.checkInfoAccess(value, "subjectInfoAccess"),
  [EXTENSION.issuerAltName]: (value: Bytes) =>
    pkijs.checkIssuerAltName(value, "issuerAltName"),
  [EXTENSION.cRLDistributionPoints]: (value: Bytes) =>
    pkijs.checkDistributionPoints(value, "cRLDistributionPoints"),
  [EXTENSION.freshestCRL]: (value: Bytes) =>
    pkijs.checkDistributionPoints(value, "freshestCRL"),
  [EXTENSION.signedCertificateTimestampList]: (value: Bytes) =>
    pkijs.checkTimestampList(value, "signedCertificateTimestampList"),
};

type Oid = keyof typeof READERS;

function isKnown(oid: string): oid is Oid {
  return Object.hasOwn(READERS, oid);
}

/**
 * Decoded extensions, each decoded once and when it is asked for: a peer can
 * present many that nobody asks for. Never throws, since a broken extension is
 * a matter for the path. One that is absent or broken is undefined, and a
 * broken one is a {@linkcode DecodedExtensions.defect}.
 */
export class DecodedExtensions {
  readonly #extensions: readonly Extension[];
  readonly #values = new Map<string, unknown>();
  readonly #defects = new Map<string, string>();
  #defect: string | undefined;
  #isDefectKnown = false;

  constructor(extensions: readonly Extension[]) {
    this.#extensions = extensions;
  }

  /** Why they cannot be trusted: twice the same, or a value that cannot be read. Decodes them all. */
  get defect(): string | undefined {
    if (!this.#isDefectKnown) this.#defect = this.#findDefect();
    this.#isDefectKnown = true;
    return this.#defect;
  }

  get basicConstraints(): pkijs.BasicConstraints | undefined {
    return this.#read(EXTENSION.basicConstraints);
  }

  get keyUsage(): number | undefined {
    return this.#read(EXTENSION.keyUsage);
  }

  get extendedKeyUsage(): readonly string[] | undefined {
    return this.#read(EXTENSION.extendedKeyUsage);
  }

  get subjectAltName(): readonly GeneralName[] | undefined {
    return this.#read(EXTENSION.subjectAltName);
  }

  get nameConstraints(): NameConstraints | undefined {
    return this.#read(EXTENSION.nameConstraints);
  }

  get subjectKeyIdentifier(): Bytes | undefined {
    return this.#read(EXTENSION.subjectKeyIdentifier);
  }

  get authorityKeyIdentifier(): { readonly keyIdentifier?: Bytes } | undefined {
    return this.#read(EXTENSION.authorityKeyIdentifier);
  }

  get certificatePolicies(): readonly pkijs.CertificatePolicy[] | undefined {
    return this.#read(EXTENSION.certificatePolicies);
  }

  #findDefect(): string | undefined {
    const seen = new Set<string>();
    for (const { oid } of this.#extensions) {
      if (seen.has(oid)) return `extension ${oid} stands there twice`;
      seen.add(oid);
      if (isKnown(oid)) this.#read(oid);
      const defect = this.#defects.get(oid);
      if (defect !== undefined) return defect;
    }
  }

  #read<T extends Oid>(oid: T): ReturnType<(typeof READERS)[T]> | undefined {
    if (!this.#values.has(oid)) this.#values.set(oid, this.#decode(oid));
    return this.#values.get(oid) as ReturnType<(typeof READERS)[T]> | undefined;
  }

  #decode(oid: Oid): unknown {
    const found = this.#extensions.find((one) => one.oid === oid);
    if (found === undefined) return undefined;
    try {
      return READERS[oid](found.value);
    } catch (error) {
      if (!(error instanceof CertificateError)) throw error;
      this.#defects.set(oid, error.message);
      return undefined;
    }
  }
}
