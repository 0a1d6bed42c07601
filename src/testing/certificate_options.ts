/**
 * What a minted certificate can be told, and what it gives.
 *
 * @module
 */
import type { Bytes } from "../crypto/routine.ts";
import type { Extension, KeyUsageName, NameConstraints } from "./extensions.ts";
import type { KeyType, MintedKey } from "./keys.ts";
import type { DistinguishedName, GeneralName } from "./names.ts";
import type { SignatureOptions } from "./signing.ts";

/** A certificate made by `mintCertificate`, with its private key. */
export interface MintedCertificate {
  /** The certificate: what `parseCertificates` takes, and a peer's `chain` holds. */
  readonly der: Bytes;
  /** The same as PEM. */
  readonly pem: string;
  /** Its key pair. */
  readonly key: MintedKey;
  /** The DER SubjectPublicKeyInfo in the certificate; `key.spki` unless surgery changed it. */
  readonly spki: Bytes;
  /** The DER Name of its subject. */
  readonly subject: Bytes;
  /** The subjectKeyIdentifier that it carries. */
  readonly keyIdentifier?: Bytes;
  /** Content octets of its serial number. */
  readonly serialNumber: Bytes;
  /** Start of its validity, in whole seconds. */
  readonly notBefore: Date;
  /** End of its validity, in whole seconds. */
  readonly notAfter: Date;
}

/** The fields of a TBSCertificate, each as DER, in their order. */
export interface TbsFields {
  /** `[0] EXPLICIT`; left out for version 1. */
  version?: Uint8Array;
  /** INTEGER. */
  serialNumber: Uint8Array;
  /** The inner AlgorithmIdentifier. */
  signature: Uint8Array;
  /** Name. */
  issuer: Uint8Array;
  /** Validity. */
  validity: Uint8Array;
  /** Name. */
  subject: Uint8Array;
  /** SubjectPublicKeyInfo. */
  spki: Uint8Array;
  /** `[1]`, rarely seen. */
  issuerUniqueId?: Uint8Array;
  /** `[2]`, rarely seen. */
  subjectUniqueId?: Uint8Array;
  /** `[3] EXPLICIT`. */
  extensions?: Uint8Array;
}

/** Changes to the bytes on their way, for certificates that no authority would issue. */
export interface Surgery {
  /** Changes or drops fields of the TBSCertificate; the signature covers the result. */
  readonly fields?: (fields: TbsFields) => TbsFields;
  /** Changes the encoded TBSCertificate; the signature covers the result. */
  readonly tbs?: (tbs: Bytes) => Uint8Array;
  /** Replaces the outer AlgorithmIdentifier. */
  readonly outerAlgorithm?: Uint8Array;
  /** Changes the signature's octets. */
  readonly signature?: (signature: Bytes) => Uint8Array;
  /** Changes the whole certificate, after signing. */
  readonly certificate?: (der: Bytes) => Uint8Array;
}

/** What `mintCertificate` makes. Everything has a default. */
export interface MintCertificateOptions {
  /** Default: the first of `hostnames`, else `certpin test certificate`. */
  readonly subject?: DistinguishedName;
  /** Who signs: gives the issuer's name, key and key identifier. Default: the certificate itself. */
  readonly issuer?: MintedCertificate;
  /** Another issuer name than the issuer's subject. */
  readonly issuerName?: DistinguishedName;
  /** Another key than the issuer's: the signature will not hold. */
  readonly signingKey?: MintedKey;
  /** Hash and padding of the signature. */
  readonly signature?: SignatureOptions;

  /** The certificate's own key. Default: a fresh one of `keyType`. */
  readonly key?: MintedKey;
  /** Default `P-256`. */
  readonly keyType?: KeyType;

  /** What "now" is for the defaults below. Default: the clock. */
  readonly now?: Date;
  /** Default: an hour before `now`. */
  readonly notBefore?: Date;
  /** Default: 90 days after `now`; for a CA 3,650 days. */
  readonly notAfter?: Date;
  /** Content octets. Default: 16 random ones that make a positive number. */
  readonly serialNumber?: Uint8Array;
  /** Source of random bytes for serial numbers; keys always come from WebCrypto. */
  readonly random?: (length: number) => Uint8Array;
  /** X.509 version; versions 1 and 2 carry no extensions. Default 3. */
  readonly version?: 1 | 2 | 3;

  /** Whether the defaults below are those of a CA or of a TLS server. Default false. */
  readonly ca?: boolean;
  /** pathLenConstraint; only with `ca`. */
  readonly pathLength?: number;
  /** DNS names and IP literals for subjectAltName. */
  readonly hostnames?: readonly string[];
  /** More subjectAltName entries, of any kind. */
  readonly names?: readonly GeneralName[];
  /** Name constraints of a CA. */
  readonly nameConstraints?: NameConstraints;
  /** Default: what `ca` says. `false` leaves the extension out. */
  readonly basicConstraints?:
    | { readonly ca: boolean; readonly pathLength?: number }
    | false;
  /** Default: keyCertSign and cRLSign for a CA, else digitalSignature (RSA also keyEncipherment). */
  readonly keyUsage?: readonly KeyUsageName[] | false;
  /** Default: serverAuth, none for a CA. Names such as `clientAuth`, or object identifiers. */
  readonly extendedKeyUsage?: readonly string[] | false;
  /** Default: made from the key. */
  readonly subjectKeyIdentifier?: Uint8Array | false;
  /** Default: the issuer's key identifier; none on a self-issued certificate. */
  readonly authorityKeyIdentifier?: Uint8Array | false;
  /** Added after the others; nothing stops a duplicate. */
  readonly extraExtensions?: readonly Extension[];
  /** Exactly these extensions, instead of all of the above. */
  readonly extensions?: readonly Extension[];

  /** Changes to the bytes. */
  readonly surgery?: Surgery;
}
