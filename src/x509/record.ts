/**
 * The private record of a certificate.
 *
 * @module
 */
import type { Bytes } from "../crypto/routine.ts";
import { formatAddress } from "../host.ts";
import { DecodedExtensions } from "./extensions.ts";
import type { Layout } from "./layout.ts";
import { nameKey, namesEqual, nameText } from "./names.ts";

/** What decisions are made from: private bytes that nobody else can change. */
export class CertificateRecord implements Layout {
  /** The whole certificate. */
  readonly der: Bytes;
  /** The SubjectPublicKeyInfo, as it stands. */
  readonly spki: Bytes;
  /** The subject, as it stands. */
  readonly subjectRaw: Bytes;
  /** The issuer, as it stands. */
  readonly issuerRaw: Bytes;
  /** Digests computed so far, by "of:hash"; the bytes never change, so neither do they. */
  readonly digestMemo: Map<string, Bytes> = new Map();

  declare readonly tbs: Layout["tbs"];
  declare readonly version: Layout["version"];
  declare readonly values: Layout["values"];
  declare readonly serialNumber: Layout["serialNumber"];
  declare readonly innerAlgorithm: Layout["innerAlgorithm"];
  declare readonly issuer: Layout["issuer"];
  declare readonly subject: Layout["subject"];
  declare readonly notBefore: Layout["notBefore"];
  declare readonly notAfter: Layout["notAfter"];
  declare readonly publicKey: Layout["publicKey"];
  declare readonly extensions: Layout["extensions"];
  declare readonly outerAlgorithm: Layout["outerAlgorithm"];
  declare readonly signature: Layout["signature"];

  /** A key for maps, equal for names that match (RFC 5280, section 7.1). */
  readonly subjectKey: string;
  /** The same of the issuer. */
  readonly issuerKey: string;
  /** Whether issuer and subject are the same name. */
  readonly selfIssued: boolean;
  /** The extensions, each decoded when it is asked for. */
  readonly decoded: DecodedExtensions;
  #dnsNames: readonly string[] | undefined;
  #ipAddresses: readonly string[] | undefined;
  #subjectText: string | undefined;

  constructor(der: Bytes, layout: Layout) {
    Object.assign(this, layout);
    this.der = der;
    this.spki = layout.publicKey.raw;
    this.subjectRaw = layout.subject.raw;
    this.issuerRaw = layout.issuer.raw;
    this.subjectKey = nameKey(layout.subject);
    this.issuerKey = nameKey(layout.issuer);
    this.selfIssued = namesEqual(layout.subject, layout.issuer);
    this.decoded = new DecodedExtensions(layout.extensions);
  }

  /** The DNS names of subjectAltName; frozen. */
  get dnsNames(): readonly string[] {
    return this.#dnsNames ??= Object.freeze(
      (this.decoded.subjectAltName ?? [])
        .flatMap((name) => name.kind === "dns" ? [name.text] : []),
    );
  }

  /** The IP addresses of subjectAltName, as text; frozen. */
  get ipAddresses(): readonly string[] {
    return this.#ipAddresses ??= Object.freeze(
      (this.decoded.subjectAltName ?? [])
        .flatMap((name) =>
          name.kind === "ip" ? [formatAddress(name.bytes)] : []
        ),
    );
  }

  /** The subject, as RFC 4514 writes it; written once. */
  get subjectText(): string {
    return this.#subjectText ??= nameText(this.subject);
  }
}
