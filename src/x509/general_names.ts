/**
 * GeneralName and what is made of it: subjectAltName and nameConstraints
 * (RFC 5280, sections 4.2.1.6 and 4.2.1.10).
 *
 * @module
 */
import type { Bytes } from "../crypto/routine.ts";
import { bytesKey, derError, type DerValue, readOid, sequence } from "./der.ts";
import { type Name, readName } from "./names.ts";

/** A name in an extension. `other` is every form that certpin cannot compare. */
export type GeneralName =
  | { readonly kind: "dns" | "email" | "uri"; readonly text: string }
  | { readonly kind: "ip"; readonly bytes: Bytes }
  | { readonly kind: "directory"; readonly name: Name }
  | {
    readonly kind: "other";
    readonly tag: number;
    /** Object identifier of an otherName's type. */
    readonly type?: string;
  };

/** The kinds of GeneralName. */
export type GeneralNameKind = GeneralName["kind"];

/** The content of a nameConstraints extension. */
export interface NameConstraints {
  readonly permitted: readonly GeneralName[];
  readonly excluded: readonly GeneralName[];
}

const OTHER_NAME = 0xa0;
const RFC822_NAME = 0x81;
const DNS_NAME = 0x82;
const X400_ADDRESS = 0xa3;
const DIRECTORY_NAME = 0xa4;
const EDI_PARTY_NAME = 0xa5;
const URI = 0x86;
const IP_ADDRESS = 0x87;
const REGISTERED_ID = 0x88;

function readGeneralName(
  value: DerValue,
  what: string,
  ipLengths: readonly number[],
): GeneralName {
  switch (value.tag) {
    case RFC822_NAME:
      return { kind: "email", text: ascii(value.content, what) };
    case DNS_NAME:
      return { kind: "dns", text: ascii(value.content, what) };
    case URI:
      return { kind: "uri", text: ascii(value.content, what) };
    case IP_ADDRESS:
      if (!ipLengths.includes(value.content.length)) {
        derError(`Cannot read ${what}: IP address of a wrong length`);
      }
      return { kind: "ip", bytes: value.content };
    case DIRECTORY_NAME:
      if (value.children.length !== 1) derError(`Cannot read ${what}: name`);
      return { kind: "directory", name: readName(value.children[0], what) };
    case OTHER_NAME:
      return {
        kind: "other",
        tag: value.tag,
        type: readOid(value.children[0], what),
      };
    case X400_ADDRESS:
    case EDI_PARTY_NAME:
    case REGISTERED_ID:
      return { kind: "other", tag: value.tag };
    default:
      return derError(`Cannot read ${what}: no such kind of name`);
  }
}

function ascii(content: Bytes, what: string): string {
  const text = bytesKey(content);
  // deno-lint-ignore no-control-regex -- IA5String is these 128 characters
  if (!/^[\x00-\x7f]*$/.test(text)) {
    derError(`Cannot read ${what}: not an IA5String`);
  }
  return text;
}

/** Reads the value of a subjectAltName; at least one name. */
export function readSubjectAltName(value: DerValue): readonly GeneralName[] {
  const what = "subjectAltName";
  return sequence(value, what, 1).map((name) =>
    readGeneralName(name, what, [4, 16])
  );
}

/** Reads the value of a nameConstraints; at least one subtree. */
export function readNameConstraints(value: DerValue): NameConstraints {
  const what = "nameConstraints";
  const parts = sequence(value, what, 1, 2);
  const subtrees = (tag: number) => {
    const part = parts.find((part) => part.tag === tag);
    if (part && part.children.length === 0) {
      derError(`Cannot read ${what}: empty subtrees`);
    }
    return part ? part.children.map((tree) => readSubtree(tree, what)) : [];
  };
  const inOrder = parts.length === 1
    ? parts[0].tag === 0xa0 || parts[0].tag === 0xa1
    : parts[0].tag === 0xa0 && parts[1].tag === 0xa1;
  if (!inOrder) derError(`Cannot read ${what}: an element out of place`);
  return { permitted: subtrees(0xa0), excluded: subtrees(0xa1) };
}

function readSubtree(value: DerValue, what: string): GeneralName {
  // minimum is 0 by default and maximum absent (RFC 5280, section 4.2.1.10);
  // anything else has no meaning there, so it must not be skipped.
  const [base] = sequence(value, what, 1, 1);
  return readGeneralName(base, what, [8, 32]);
}
