/**
 * The second opinion: asn1js reads the certificate too and must see the same.
 *
 * Two parsers that read different things in the same bytes are how checks are
 * talked past. So what our strict reader saw counts only if a parser that has
 * nothing in common with it saw exactly that.
 *
 * asn1js is the parser that pkijs stands on. pkijs itself would make two thirds
 * of the core, for the same octets read by the same parser; tests hold our
 * reading against it.
 *
 * @module
 */
import * as asn1js from "asn1js";
import type { Bytes } from "../crypto/routine.ts";
import { MAX_CERTIFICATE_BYTES, MAX_CERTIFICATE_VALUES } from "../limits.ts";
import { bytesEqual, derError, oidText } from "./der.ts";
import type { Algorithm, Extension, Layout } from "./layout.ts";

/** Disagreement, wherever it is found; never leaves this file. */
class Disagreement extends Error {}

function agree(condition: boolean): asserts condition {
  if (!condition) throw new Disagreement();
}

// deno-lint-ignore no-explicit-any -- the classes of asn1js are generic over their value blocks
type BlockClass<T> = abstract new (...parameters: any[]) => T;

/** The block, if it is of the class. */
function as<T>(block: unknown, expected: BlockClass<T>): T {
  agree(block instanceof expected);
  return block;
}

/** The elements of a SEQUENCE, or of an explicitly tagged value. */
function elements(block: unknown): readonly asn1js.BaseBlock[] {
  return as(block, asn1js.Constructed).valueBlock.value;
}

function sameRaw(block: unknown, raw: Bytes): void {
  agree(bytesEqual(as(block, asn1js.BaseBlock).valueBeforeDecodeView, raw));
}

function sameOid(block: unknown, oid: string): void {
  // Its octets after the header of two, since asn1js writes arcs above 2^53
  // (as in 2.25.UUID) in another way.
  const raw = as(block, asn1js.ObjectIdentifier).valueBeforeDecodeView;
  agree(oidText(raw.subarray(2)) === oid);
}

function sameAlgorithm(block: unknown, algorithm: Algorithm): void {
  sameRaw(block, algorithm.raw);
  sameOid(elements(block)[0], algorithm.oid);
}

function sameTime(block: unknown, milliseconds: number): void {
  // GeneralizedTime extends UTCTime, as asn1js sees it.
  agree(as(block, asn1js.UTCTime).toDate().getTime() === milliseconds);
}

function sameExtensions(
  block: unknown,
  extensions: readonly Extension[],
): void {
  const [list, ...more] = elements(block);
  const seen = elements(list);
  agree(more.length === 0 && seen.length === extensions.length);
  for (const [i, { oid, critical, value }] of extensions.entries()) {
    const parts = elements(seen[i]);
    sameOid(parts[0], oid);
    agree(parts.length === (critical ? 3 : 2));
    if (critical) agree(as(parts[1], asn1js.Boolean).valueBlock.value);
    const content = as(parts[parts.length - 1], asn1js.OctetString);
    agree(bytesEqual(content.valueBlock.valueHexView, value));
  }
}

function compare(der: Bytes, layout: Layout): void {
  // Without looking for values inside of strings: what a string holds is ours
  // to read where it decides, and a peer's way to make work where not.
  const { offset, result } = asn1js.fromBER(der, {
    parseEmbedded: false,
    maxNodes: MAX_CERTIFICATE_VALUES,
    maxContentLength: MAX_CERTIFICATE_BYTES,
  });
  agree(offset === der.length);
  const [tbs, outer, signature] = elements(result);
  sameRaw(tbs, layout.tbs);
  sameAlgorithm(outer, layout.outerAlgorithm);
  const signed = as(signature, asn1js.BitString).valueBlock;
  agree(bytesEqual(signed.valueHexView, layout.signature));
  agree(signed.unusedBits === 0);

  const fields = [...elements(tbs)];
  if (layout.version > 1) {
    const [version] = elements(fields.shift());
    const { valueDec } = as(version, asn1js.Integer).valueBlock;
    agree(valueDec === layout.version - 1);
  }
  const [serial, inner, issuer, validity, subject, spki, ...rest] = fields;
  const serialBlock = as(serial, asn1js.Integer).valueBlock;
  agree(bytesEqual(serialBlock.valueHexView, layout.serialNumber));
  sameAlgorithm(inner, layout.innerAlgorithm);
  sameRaw(issuer, layout.issuer.raw);
  const [notBefore, notAfter] = elements(validity);
  sameTime(notBefore, layout.notBefore);
  sameTime(notAfter, layout.notAfter);
  sameRaw(subject, layout.subject.raw);
  sameRaw(spki, layout.publicKey.raw);
  const [algorithm, key] = elements(spki);
  sameAlgorithm(algorithm, layout.publicKey.algorithm);
  const keyBlock = as(key, asn1js.BitString).valueBlock;
  agree(bytesEqual(keyBlock.valueHexView, layout.publicKey.key));
  if (layout.extensions.length > 0) {
    sameExtensions(rest[rest.length - 1], layout.extensions);
  }
}

/**
 * Reads the certificate with asn1js and compares.
 *
 * @throws {CertificateError} `ERR_CERTPIN_CERTIFICATE_DER` where asn1js cannot
 * read it or reads something else.
 */
export function confirmLayout(der: Bytes, layout: Layout): void {
  try {
    compare(der, layout);
  } catch {
    // The library's message may quote the input; ours must not.
    derError(
      "Cannot read the certificate: a second reader sees something else",
    );
  }
}
