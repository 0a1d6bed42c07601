/**
 * What subjectAltName and nameConstraints are made of (RFC 5280, sections
 * 4.2.1.6 and 4.2.1.10).
 *
 * @module
 */
import type { Bytes } from "../crypto/routine.ts";
import type { Name } from "./names.ts";

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
