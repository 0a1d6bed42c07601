/**
 * pkijs reads the certificates, and is held to account here: what it returns
 * counts only where it is what stands in the bytes.
 *
 * pkijs is kinder than DER. It passes over elements that it does not expect,
 * leaves a malformed extension undefined, rolls the 31st of February over to
 * March, reads the year 99 as 1999, and writes large arcs of object
 * identifiers in a way of its own. Two readers that see different things in
 * one certificate let attackers bypass checks. So the bytes are checked before
 * (strict DER, then the shape, element by element), and after: each octet
 * string that pkijs returns must be the very one that stands at its place.
 *
 * No other module imports pkijs or asn1js.
 *
 * @module
 */
import * as asn1js from "asn1js";
import * as pkijs from "pkijs";
import type { Bytes } from "../crypto/routine.ts";
import { CertificateError } from "../errors.ts";
import {
  MAX_CERTIFICATE_BYTES,
  MAX_CERTIFICATE_VALUES,
  MAX_DER_DEPTH,
  MAX_DER_VALUES,
} from "../limits.ts";
import {
  bytesKey,
  derError,
  type DerValue,
  oidText,
  readDer,
  TAG,
} from "./der.ts";
import type { GeneralName, NameConstraints } from "./general_names.ts";
import {
  type Algorithm,
  type Extension,
  type ExtensionFrame,
  type Layout,
  type PublicKeyInfo,
  readFrame,
} from "./layout.ts";
import { makeName, type Name } from "./names.ts";
import * as shape from "./shape.ts";

/** What pkijs does not see as it stands there; never leaves this file. */
class Disagreement extends Error {}

function hold(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Disagreement(what);
}

/**
 * Runs a reading.
 *
 * @throws {CertificateError} `ERR_CERTPIN_CERTIFICATE_DER` where pkijs cannot
 * read, or reads something else than what stands there.
 */
function account<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof CertificateError) throw error;
    // The library's message may quote the input; ours must not.
    return derError(
      error instanceof Disagreement
        ? `Cannot read ${what}: pkijs reads a different ${error.message} than the bytes contain`
        : `Cannot read ${what}: pkijs rejects it`,
    );
  }
}

/** Parses exactly one value, whose strict DER was checked before. */
function parse(bytes: Bytes, mostValues: number): asn1js.BaseBlock {
  // Without looking for values inside of strings: what a string holds is read
  // where it is asked for, and a peer's way to make work where not.
  const { offset, result } = asn1js.fromBER(bytes, {
    copyInput: false,
    parseEmbedded: false,
    maxDepth: MAX_DER_DEPTH + 1,
    maxNodes: mostValues,
    maxContentLength: MAX_CERTIFICATE_BYTES,
  });
  hold(offset === bytes.length, "value");
  return result as asn1js.BaseBlock;
}

/** The octets, if pkijs points at the very place where they stand. */
function octets(seen: Uint8Array, written: Bytes, what: string): Bytes {
  const isSame = seen.length === written.length &&
    (written.length === 0 ||
      (seen.buffer === written.buffer &&
        seen.byteOffset === written.byteOffset));
  hold(isSame, what);
  return written;
}

/** The object identifier; large arcs as they stand, since asn1js writes them in hex between braces. */
function oid(seen: string, written: DerValue, what: string): string {
  const text = oidText(written.content);
  hold(seen === text || (seen.includes("{") && hasLargeArc(text)), what);
  return text;
}

function hasLargeArc(text: string): boolean {
  return text.split(".").some((arc) => Number(arc) > 2 ** 53 - 81);
}

function algorithm(
  seen: pkijs.AlgorithmIdentifier,
  { raw, children: [type, parameters] }: DerValue,
  what: string,
): Algorithm {
  const found: asn1js.BaseBlock | undefined = seen.algorithmParams;
  hold((found === undefined) === (parameters === undefined), what);
  if (found) octets(found.valueBeforeDecodeView, parameters.raw, what);
  return { raw, oid: oid(seen.algorithmId, type, what), parameters };
}

/** An attribute of a name, as pkijs lists them: those of all sets in one row. */
interface SeenAttribute {
  readonly type: string;
  readonly value: asn1js.BaseBlock;
}

function name(
  seen: readonly SeenAttribute[],
  { raw, children }: DerValue,
  what: string,
): Name {
  let next = 0;
  const rdns = children.map((rdn) =>
    rdn.children.map(({ children: [type, value] }) => {
      const attribute: SeenAttribute | undefined = seen[next++];
      hold(attribute !== undefined, what);
      octets(attribute.value.valueBeforeDecodeView, value.raw, what);
      return { type: oid(attribute.type, type, what), value };
    })
  );
  hold(seen.length === next, what);
  return makeName(raw, rdns);
}

/** A day that exists, in a year that pkijs reads as it stands (RFC 5280, section 4.1.2.5). */
function time(
  { type, value }: pkijs.Time,
  { tag, content }: DerValue,
  what: string,
): number {
  const isUtc = tag === TAG.utcTime;
  hold(type === (isUtc ? 0 : 1), what);
  const digits = bytesKey(content).slice(0, -1);
  const century = !isUtc ? "" : digits < "50" ? "20" : "19";
  const written = century + digits;
  if (written < "0100") {
    derError(
      `Cannot read ${what}: its year is ${
        written.slice(0, 4)
      }, and years before 0100 are not supported`,
    );
  }
  // A day or an hour that does not exist rolls over to another one.
  if (value.toISOString().replace(/\D/g, "").slice(0, -3) !== written) {
    derError(`Cannot read ${what}: there is no such time`);
  }
  return value.getTime();
}

function publicKey(
  seen: pkijs.PublicKeyInfo,
  { raw, children: [type, key] }: DerValue,
  what: string,
): PublicKeyInfo {
  return {
    raw,
    algorithm: algorithm(seen.algorithm, type, what),
    key: bits(seen.subjectPublicKey, key.content, what),
  };
}

/** The octets of a BIT STRING that fills its last one. */
function bits(
  { valueBlock }: asn1js.BitString,
  content: Bytes,
  what: string,
): Bytes {
  hold(valueBlock.unusedBits === 0, what);
  return octets(valueBlock.valueHexView, content.subarray(1), what);
}

function extensions(
  seen: readonly pkijs.Extension[],
  written: readonly ExtensionFrame[],
): readonly Extension[] {
  hold(seen.length === written.length, "extensions");
  return seen.map(({ extnID, critical, extnValue }, i) => {
    hold(critical === written[i].critical, "critical");
    return {
      oid: oid(extnID, written[i].oid, "extnID"),
      critical,
      value: octets(
        extnValue.valueBlock.valueHexView,
        written[i].value.content,
        "extnValue",
      ),
    };
  });
}

/**
 * Reads a certificate.
 *
 * @param der Bytes that nobody else holds.
 * @throws {CertificateError} `ERR_CERTPIN_CERTIFICATE_DER`,
 * `ERR_CERTPIN_CERTIFICATE_VERSION`
 */
export function readCertificate(der: Bytes): Layout {
  const frame = readFrame(der);
  return account("the certificate", () => {
    const seen = new pkijs.Certificate({
      schema: parse(der, MAX_CERTIFICATE_VALUES),
    });
    hold(seen.version === frame.version - 1, "version");
    return {
      values: frame.values,
      tbs: octets(seen.tbsView, frame.tbs.raw, "tbsCertificate"),
      version: seen.version + 1,
      serialNumber: octets(
        seen.serialNumber.valueBlock.valueHexView,
        frame.serialNumber.content,
        "serialNumber",
      ),
      innerAlgorithm: algorithm(
        seen.signature,
        frame.innerAlgorithm,
        "signature",
      ),
      issuer: name(seen.issuer.typesAndValues, frame.issuer, "issuer"),
      subject: name(seen.subject.typesAndValues, frame.subject, "subject"),
      notBefore: time(seen.notBefore, frame.notBefore, "notBefore"),
      notAfter: time(seen.notAfter, frame.notAfter, "notAfter"),
      publicKey: publicKey(
        seen.subjectPublicKeyInfo,
        frame.publicKey,
        "SubjectPublicKeyInfo",
      ),
      extensions: extensions(seen.extensions ?? [], frame.extensions),
      outerAlgorithm: algorithm(
        seen.signatureAlgorithm,
        frame.outerAlgorithm,
        "signatureAlgorithm",
      ),
      signature: bits(
        seen.signatureValue,
        frame.signature.content,
        "signatureValue",
      ),
    };
  });
}

/** A field that pkijs' schemas name. */
type Fields = Readonly<Record<string, unknown>>;
type Schema = Parameters<typeof asn1js.compareSchema>[2];

/** An extension's value: as it stands, and what pkijs' schema finds in it. */
interface Found {
  readonly written: DerValue;
  readonly block: asn1js.BaseBlock;
  readonly fields: Fields;
}

/**
 * Reads an extension's value by a schema of pkijs. The classes of pkijs do
 * just that, and build their schemas anew for each element, which makes a
 * certificate with a thousand names a matter of 80 ms; these are built once.
 */
function find(
  what: string,
  value: Bytes,
  shapes: shape.Alternatives,
  schema: () => Schema,
): Found {
  const written = shape.checkShape(readDer(value), shapes, what);
  const block = parse(value, MAX_DER_VALUES);
  const { verified } = asn1js.compareSchema(block, block, schema());
  hold(verified, "syntax");
  return { written, block, fields: block as unknown as Fields };
}

function once(build: () => Schema): () => Schema {
  let built: Schema | undefined;
  return () => built ??= build();
}

/** The blocks of a list that a schema names; none where it did not find one. */
function list(
  { fields }: Found,
  field: string,
  written: readonly DerValue[],
): readonly (readonly [asn1js.BaseBlock, DerValue])[] {
  const seen = (fields[field] ?? []) as readonly asn1js.BaseBlock[];
  hold(seen.length === written.length, field);
  return seen.map((block, i) => [block, written[i]]);
}

/** The elements of a constructed value. */
function elements(block: unknown): readonly asn1js.BaseBlock[] {
  hold(block instanceof asn1js.Constructed, "value");
  return block.valueBlock.value;
}

/** The octets of a primitive value. */
function content(
  block: unknown,
  { content }: DerValue,
  what: string,
): Bytes {
  hold(
    block instanceof asn1js.Primitive || block instanceof asn1js.OctetString,
    what,
  );
  return octets(block.valueBlock.valueHexView, content, what);
}

function oidOf(block: unknown, written: DerValue, what: string): string {
  hold(block instanceof asn1js.ObjectIdentifier, what);
  return oid(block.valueBlock.toString(), written, what);
}

function attribute(block: asn1js.BaseBlock): SeenAttribute {
  const [type, value] = elements(block);
  hold(type instanceof asn1js.ObjectIdentifier, "attribute");
  return { type: type.valueBlock.toString(), value };
}

function generalName(
  [block, written]: readonly [asn1js.BaseBlock, DerValue],
): GeneralName {
  const what = "GeneralName";
  const { tagNumber } = block.idBlock;
  hold(tagNumber === (written.tag & 0x1f), what);
  switch (tagNumber) {
    case 0:
      return {
        kind: "other",
        tag: written.tag,
        type: oidOf(elements(block)[0], written.children[0], what),
      };
    case 1:
      return { kind: "email", text: bytesKey(content(block, written, what)) };
    case 2:
      return { kind: "dns", text: bytesKey(content(block, written, what)) };
    case 4: {
      const attributes = elements(elements(block)[0]).flatMap(elements);
      return {
        kind: "directory",
        name: name(attributes.map(attribute), written.children[0], what),
      };
    }
    case 6:
      return { kind: "uri", text: bytesKey(content(block, written, what)) };
    case 7:
      return { kind: "ip", bytes: content(block, written, what) };
    default:
      return { kind: "other", tag: written.tag };
  }
}

const ALT_NAME = once(() =>
  pkijs.AltName.schema({ names: { altNames: "altNames" } })
);

/** Reads the value of a subjectAltName. */
export function readSubjectAltName(value: Bytes): readonly GeneralName[] {
  return account("subjectAltName", () => {
    const found = find(
      "subjectAltName",
      value,
      shape.SUBJECT_ALT_NAME,
      ALT_NAME,
    );
    return list(found, "altNames", found.written.children).map(generalName);
  });
}

const NAME_CONSTRAINTS = once(() =>
  pkijs.NameConstraints.schema({
    names: { permittedSubtrees: "permitted", excludedSubtrees: "excluded" },
  })
);

/** Reads the value of a nameConstraints. */
export function readNameConstraints(value: Bytes): NameConstraints {
  return account("nameConstraints", () => {
    const found = find(
      "nameConstraints",
      value,
      shape.NAME_CONSTRAINTS,
      NAME_CONSTRAINTS,
    );
    const bases = (field: string, tag: number) => {
      const trees = found.written.children.find((part) => part.tag === tag);
      return list(found, field, trees?.children ?? []).map(([tree, written]) =>
        generalName([elements(tree)[0], written.children[0]])
      );
    };
    return {
      permitted: bases("permitted", 0xa0),
      excluded: bases("excluded", 0xa1),
    };
  });
}

/** What basicConstraints says. */
export interface BasicConstraints {
  readonly ca: boolean;
  readonly pathLength: number | undefined;
}

/** Above any path that is possible, all lengths are the same. */
const LONG_PATH = 0xffff;

/** Reads the value of a basicConstraints. */
export function readBasicConstraints(value: Bytes): BasicConstraints {
  const what = "basicConstraints";
  return account(what, () => {
    const written = shape.checkShape(
      readDer(value),
      shape.BASIC_CONSTRAINTS,
      what,
    );
    const { cA: ca, pathLenConstraint: length } = new pkijs.BasicConstraints({
      schema: parse(value, MAX_DER_VALUES),
    });
    const parts = [...written.children];
    const hasCa = parts[0]?.tag === TAG.boolean &&
      parts.shift()!.content[0] !== 0;
    hold(ca === hasCa, "cA");
    hold((length === undefined) === (parts.length === 0), "pathLenConstraint");
    if (length !== undefined && !ca) {
      derError(`Cannot read ${what}: pathLenConstraint without the CA bit`);
    }
    return {
      ca,
      // Numbers that are too large for asn1js stay blocks.
      pathLength: typeof length === "object"
        ? LONG_PATH
        : length && Math.min(length, LONG_PATH),
    };
  });
}

/** Reads the value of a keyUsage: the first named bit is the lowest. */
export function readKeyUsage(value: Bytes): number {
  return account("keyUsage", () => {
    const written = shape.checkShape(
      readDer(value),
      shape.KEY_USAGE_BITS,
      "keyUsage",
    );
    // pkijs has no class for it; this is what it makes of the extension.
    const block = parse(value, MAX_DER_VALUES);
    hold(block instanceof asn1js.BitString, "keyUsage");
    const seen = octets(
      block.valueBlock.valueHexView,
      written.content.subarray(1),
      "keyUsage",
    );
    let usage = 0;
    for (let bit = 0; bit < 8 * seen.length; bit++) {
      if (seen[bit >> 3] & (0x80 >> (bit & 7))) usage |= 1 << bit;
    }
    return usage;
  });
}

const EXT_KEY_USAGE = once(() =>
  pkijs.ExtKeyUsage.schema({ names: { keyPurposes: "keyPurposes" } })
);

/** Reads the value of an extKeyUsage. */
export function readExtendedKeyUsage(value: Bytes): readonly string[] {
  return account("extKeyUsage", () => {
    const found = find(
      "extKeyUsage",
      value,
      shape.EXTENDED_KEY_USAGE,
      EXT_KEY_USAGE,
    );
    return list(found, "keyPurposes", found.written.children).map((
      [block, written],
    ) => oidOf(block, written, "extKeyUsage"));
  });
}

/** Reads the value of a subjectKeyIdentifier. */
export function readSubjectKeyIdentifier(value: Bytes): Bytes {
  const what = "subjectKeyIdentifier";
  return account(what, () =>
    content(
      parse(value, MAX_DER_VALUES),
      shape.checkShape(readDer(value), shape.KEY_IDENTIFIER, what),
      what,
    ));
}

const AUTHORITY_KEY_IDENTIFIER = once(() =>
  pkijs.AuthorityKeyIdentifier.schema({
    names: { keyIdentifier: "keyIdentifier" },
  })
);

/** Reads the value of an authorityKeyIdentifier. */
export function readAuthorityKeyIdentifier(
  value: Bytes,
): { readonly keyIdentifier?: Bytes } {
  const what = "authorityKeyIdentifier";
  return account(what, () => {
    const { fields, written } = find(
      what,
      value,
      shape.AUTHORITY_KEY_IDENTIFIER,
      AUTHORITY_KEY_IDENTIFIER,
    );
    const identifier = written.children.find(({ tag }) => tag === 0x80);
    hold((identifier === undefined) === !("keyIdentifier" in fields), what);
    return identifier
      ? { keyIdentifier: content(fields.keyIdentifier, identifier, what) }
      : {};
  });
}

/** A certificate policy. */
export interface CertificatePolicy {
  readonly policy: string;
  /** The kinds of its qualifiers. */
  readonly qualifiers: readonly string[];
}

const CERTIFICATE_POLICIES = once(() =>
  pkijs.CertificatePolicies.schema({
    names: { certificatePolicies: "certificatePolicies" },
  })
);

/** Reads the value of a certificatePolicies. */
export function readCertificatePolicies(
  value: Bytes,
): readonly CertificatePolicy[] {
  const what = "certificatePolicies";
  return account(what, () => {
    const found = find(
      what,
      value,
      shape.CERTIFICATE_POLICIES,
      CERTIFICATE_POLICIES,
    );
    const policies = list(found, what, found.written.children).map(
      ([block, written]) => {
        const [policy, qualifiers] = elements(block);
        const [id, list] = written.children;
        return {
          policy: oidOf(policy, id, what),
          qualifiers: (qualifiers ? elements(qualifiers) : [])
            .map((one, i) => qualifierKind(one, list.children[i])),
        };
      },
    );
    // RFC 5280, section 4.2.1.4: a policy must not appear more than once.
    if (new Set(policies.map(({ policy }) => policy)).size < policies.length) {
      derError(`Cannot read ${what}: the same policy twice`);
    }
    return policies;
  });
}

/** The kind of a policy qualifier, which is well formed where its syntax is known. */
function qualifierKind(block: asn1js.BaseBlock, written: DerValue): string {
  const what = "certificatePolicies";
  const [id, qualifier] = written.children;
  const kind = oidOf(elements(block)[0], id, what);
  const known = shape.POLICY_QUALIFIERS.get(kind);
  if (known) shape.checkShape(qualifier, known, what);
  return kind;
}

const INFO_ACCESS = once(() => pkijs.InfoAccess.schema());
const ISSUER_ALT_NAME = once(() => pkijs.AltName.schema());
const POLICY_MAPPINGS = once(() => pkijs.PolicyMappings.schema());
const DISTRIBUTION_POINTS = once(() => pkijs.CRLDistributionPoints.schema());

/** Reads an authorityInfoAccess or subjectInfoAccess, which decides nothing: it is well formed or refused. */
export function checkInfoAccess(value: Bytes, what: string): void {
  account(what, () => find(what, value, shape.INFO_ACCESS, INFO_ACCESS));
}

/** The same of an issuerAltName. */
export function checkIssuerAltName(value: Bytes, what: string): void {
  account(
    what,
    () => find(what, value, shape.ISSUER_ALT_NAME, ISSUER_ALT_NAME),
  );
}

/** The same of policyMappings. */
export function checkPolicyMappings(value: Bytes, what: string): void {
  account(
    what,
    () => find(what, value, shape.POLICY_MAPPINGS, POLICY_MAPPINGS),
  );
}

/** The same of cRLDistributionPoints or freshestCRL. */
export function checkDistributionPoints(value: Bytes, what: string): void {
  account(what, () => {
    const { children } = shape.checkShape(
      readDer(value),
      shape.DISTRIBUTION_POINTS,
      what,
    );
    // Of nameRelativeToCRLIssuer pkijs expects another encoding than X.680
    // gives it; its shape alone is checked then.
    const hasRelativeName = children.some((point) =>
      point.children.some(({ tag, children: [name] }) =>
        tag === 0xa0 && name.tag === 0xa1
      )
    );
    if (hasRelativeName) return;
    find(what, value, shape.DISTRIBUTION_POINTS, DISTRIBUTION_POINTS);
  });
}

/** The same of a SignedCertificateTimestampList (RFC 6962, section 3.3). */
export function checkTimestampList(value: Bytes, what: string): void {
  account(what, () => {
    const written = shape.checkShape(readDer(value), shape.TIMESTAMPS, what);
    const { timestamps } = new pkijs.SignedCertificateTimestampList({
      schema: parse(value, MAX_DER_VALUES),
    });
    hold(timestamps.length === shape.countTimestamps(written.content), what);
  });
}
