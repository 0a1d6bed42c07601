/**
 * All formats, and the way from any of them to any other: through a policy.
 *
 * @module
 */
import { parsePolicy } from "../../src/policy/policy.ts";
import { policyRecordOf } from "../../src/policy/policy.ts";
import { android } from "./android.ts";
import { curl } from "./curl.ts";
import { envoy } from "./envoy.ts";
import {
  boundDocument,
  type Format,
  type Loss,
  setPinDigests,
  syntaxError,
} from "./format.ts";
import { ios } from "./ios.ts";
import { okhttp } from "./okhttp.ts";
import { tlsa } from "./tlsa.ts";
import { trustkit } from "./trustkit.ts";

export type { Format, Loss, LossCode } from "./format.ts";

/** The formats of other tools, by name. */
export const FORMATS: Readonly<Record<ForeignName, Format>> = {
  android,
  ios,
  trustkit,
  okhttp,
  curl,
  envoy,
  tlsa,
};

/** A format of another tool. */
export type ForeignName =
  | "android"
  | "ios"
  | "trustkit"
  | "okhttp"
  | "curl"
  | "envoy"
  | "tlsa";

/** Any format; `policy` is our own. */
export type FormatName = "policy" | ForeignName;

/** Every name that there is. */
export const FORMAT_NAMES: readonly FormatName[] = [
  "policy",
  ...Object.keys(FORMATS) as ForeignName[],
];

/**
 * Tells what a text is: our policy where it is JSON with `hosts`, else the
 * first format that knows it; undefined where none does.
 */
export function detectFormat(text: string): FormatName | undefined {
  boundDocument(text);
  const isOurs = /^\s*\{/.test(text) && /"hosts"\s*:/.test(text);
  if (isOurs && !envoy.detect(text)) return "policy";
  // A whole Info.plist may hold both; NSPinnedDomains is the system's own.
  for (const [name, format] of Object.entries(FORMATS)) {
    if (format.detect(text)) return name as ForeignName;
  }
  return undefined;
}

/** What a conversion gives. */
export interface Converted {
  /** What the text was taken for. */
  readonly from: FormatName;
  /** The other format's text. */
  readonly text: string;
  /** What was lost, on reading and on writing. */
  readonly losses: readonly Loss[];
}

/**
 * Converts a text from one format to another.
 *
 * @param from What the text is; detected where left out.
 * @throws {PolicyError} `ERR_CERTPIN_DOCUMENT_SYNTAX`,
 * `ERR_CERTPIN_DOCUMENT_ENTITY`, and those of `parsePolicy`.
 */
export async function convert(
  text: string,
  to: FormatName,
  from: FormatName | undefined = detectFormat(text),
): Promise<Converted> {
  if (from === undefined) {
    syntaxError("file", `it is none of ${FORMAT_NAMES.join(", ")}`);
  }
  const read = from === "policy"
    ? { document: text, losses: [] }
    : FORMATS[from].read(text);
  const policy = parsePolicy(read.document);
  if (to === "policy") {
    const document = JSON.stringify(policy.toJSON(), null, 2) + "\n";
    return { from, text: document, losses: read.losses };
  }
  const record = policyRecordOf(policy);
  await setPinDigests(record);
  const written = FORMATS[to].write(record);
  return {
    from,
    text: written.text,
    losses: [...read.losses, ...written.losses],
  };
}
