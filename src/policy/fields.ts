/**
 * Reads the fields of a document and collects what is wrong with them.
 *
 * @module
 */
import {
  CertpinError,
  LimitError,
  type PolicyErrorCode,
  type PolicyProblem,
} from "../errors.ts";
import { MAX_POLICY_PROBLEMS } from "../limits.ts";
import { quoteText } from "../text.ts";
import { type Certificate, parseCertificates } from "../x509/certificate.ts";
import { isExtension, pointerTo } from "./json.ts";
import type { JsonObject, JsonValue } from "./json_value.ts";
import { didYouMean } from "../suggest.ts";

/** A problem; with a finding code where lint has a name for it. */
export interface ReadProblem extends PolicyProblem {
  /** The finding code. */
  readonly finding?: "each-role-without-roles";
}

const RESERVED = ["maxAgeWithoutUpdate"];
const DATE =
  /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(\.\d{1,9})?(?:Z|[+-](\d\d):(\d\d))$/;

/** An RFC 3339 date and time in milliseconds since the epoch; NaN for other text. */
export function parseDate(text: string): number {
  const parts = DATE.exec(text);
  if (parts === null) return NaN;
  const [year, month, day, hour, minute, second] = parts.slice(1).map(Number);
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  const exists = date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  const [offsetHour, offsetMinute] = parts.slice(8).map((part) => +(part ?? 0));
  if (
    !exists || hour > 23 || minute > 59 || second > 59 || offsetHour > 23 ||
    offsetMinute > 59
  ) return NaN;
  // Not all engines read more than milliseconds.
  return Date.parse(text.replace(/(\.\d{3})\d+/, "$1"));
}

/** Refuses what is larger than a named limit. */
export function tooMany(what: string, most: number): never {
  throw new LimitError(
    "ERR_CERTPIN_LIMIT_POLICY_SIZE",
    `Cannot read the policy: more than ${most} ${what}`,
  );
}

/** What the reader says of a value that is not as it should be. */
export function shown(value: JsonValue | undefined): string {
  if (value === undefined) return "nothing";
  if (typeof value === "string") return quoteText(value);
  if (Array.isArray(value)) return "a list";
  return value !== null && typeof value === "object"
    ? "an object"
    : String(value);
}

/** The problems so far, and the readers of single fields. */
export class Fields {
  /** The first of them. */
  readonly problems: ReadProblem[] = [];
  /** How many there are in all. */
  total = 0;
  readonly #parsed = new Map<string, readonly Certificate[]>();
  readonly #unreadable = new Set<string>();

  /** Adds a problem. */
  report(
    pointer: string,
    message: string,
    code: PolicyErrorCode = "ERR_CERTPIN_POLICY_INVALID",
    finding?: ReadProblem["finding"],
  ): void {
    if (this.#unreadable.has(pointer)) return;
    this.total++;
    if (this.#isFull) return;
    this.problems.push({ pointer, code, message, ...finding && { finding } });
  }

  /** Adds a problem, and ignores all later ones at the same place. */
  reportUnreadable(pointer: string, message: string): void {
    this.report(pointer, message);
    if (!this.#isFull) this.#unreadable.add(pointer);
  }

  get #isFull(): boolean {
    return this.problems.length >= MAX_POLICY_PROBLEMS;
  }

  /** Reports an error of ours under its own code, if policies have it. */
  reportError(pointer: string, error: unknown): void {
    if (!(error instanceof CertpinError)) throw error;
    const { code, message } = error;
    const isOurs = code.startsWith("ERR_CERTPIN_PIN_") ||
      code === "ERR_CERTPIN_HOST_INVALID";
    this.report(pointer, message, isOurs ? code as PolicyErrorCode : undefined);
  }

  /** Suggestions cost time; none for problems that are not listed any more. */
  #suggest(word: string, known: readonly string[]): string {
    return this.#isFull ? "" : didYouMean(word, known);
  }

  /** Reports the keys that nobody knows. */
  checkKeys(
    object: JsonObject,
    pointer: string,
    known: readonly string[],
  ): void {
    for (const key of Object.keys(object)) {
      if (known.includes(key) || isExtension(pointer, key)) continue;
      if (this.#isFull) {
        // Counted alone: there may be hundreds of thousands.
        this.total++;
        continue;
      }
      this.report(
        pointerTo(pointer, key),
        RESERVED.includes(key)
          ? `${quoteText(key)} is not supported yet`
          : `Unknown key ${quoteText(key)}${this.#suggest(key, known)}`,
      );
    }
  }

  /** One of some words, or the first of them where the key is absent. */
  word<Word extends string>(
    object: JsonObject,
    pointer: string,
    key: string,
    words: readonly [Word, ...Word[]],
  ): Word {
    const value = object[key];
    if (value === undefined) return words[0];
    const found = words.find((word) => word === value);
    if (found !== undefined) return found;
    const choices = words.map((word) => quoteText(word)).join(" or ");
    this.report(
      pointerTo(pointer, key),
      `Expected ${choices}, got ${shown(value)}${
        typeof value === "string" ? this.#suggest(value, words) : ""
      }`,
    );
    return words[0];
  }

  /** A text, or nothing. */
  text(object: JsonObject, pointer: string, key: string): string | undefined {
    const value = object[key];
    if (value === undefined || typeof value === "string") return value;
    this.report(pointerTo(pointer, key), `Expected text, got ${shown(value)}`);
    return undefined;
  }

  /** The certificates in a PEM text, parsed once. */
  certificates(text: string, pointer: string): readonly Certificate[] {
    let parsed = this.#parsed.get(text);
    if (parsed === undefined) {
      try {
        parsed = parseCertificates(text);
      } catch (error) {
        this.reportError(pointer, error);
        return [];
      }
      this.#parsed.set(text, parsed);
    }
    return parsed;
  }
}
