/**
 * What a case of a path is, and how the tables write them.
 */
import type { PathErrorCode } from "../../../src/errors.ts";
import type {
  ChainCertificateOptions,
  MintChainOptions,
} from "../../../src/testing/mod.ts";

/** What a chain is minted from, and what it is asked for. */
export interface Setting extends MintChainOptions {
  /** Default: the leaf's first name. */
  readonly hostname?: string;
  /** Default: now. */
  readonly at?: Date;
  /** Presents all intermediates but these many, counted from the root. */
  readonly without?: number;
}

/** One rule that is broken. */
export interface PathCase {
  readonly what: string;
  readonly code: PathErrorCode;
  wrong(): Setting | Promise<Setting>;
  /** Differs from `wrong` in one thing. */
  right(): Setting | Promise<Setting>;
}

/** The host that chains are for. */
export const HOSTNAME = "api.example.com";

/** What of one certificate may be asked for. */
export type Options = ChainCertificateOptions;

/** A case from settings. */
export function entry(
  what: string,
  code: PathErrorCode,
  wrong: PathCase["wrong"],
  right: PathCase["right"] = () => ({}),
): PathCase {
  return { what, code, wrong, right };
}

/** Something about the leaf. */
export function leaf(
  what: string,
  code: PathErrorCode,
  wrong: Options,
  right: Options = {},
): PathCase {
  return entry(what, code, () => ({ leaf: wrong }), () => ({ leaf: right }));
}

/** Something about the intermediate. */
export function issuer(
  what: string,
  code: PathErrorCode,
  wrong: Options,
  right: Options = {},
): PathCase {
  return entry(
    what,
    code,
    () => ({ intermediates: [wrong] }),
    () => ({ intermediates: [right] }),
  );
}

/** Something about the root. */
export function anchor(
  what: string,
  code: PathErrorCode,
  wrong: Options,
  right: Options = {},
): PathCase {
  return entry(what, code, () => ({ root: wrong }), () => ({ root: right }));
}
