/**
 * All formats, and the way from any of them to any other: through a policy.
 *
 * @module
 */
import { parsePolicy } from "@certpin/certpin";
import { policyRecordOf } from "@certpin/certpin/internal";
import {
  boundDocument,
  type Format,
  type Loss,
  setPinDigests,
  syntaxError,
} from "./format.ts";

export type { Format, Loss, LossCode } from "./format.ts";

/** A format before it is loaded: each brings a parser of its own. */
interface Entry {
  /** Whether a text looks like one of these; never throws. */
  detect(text: string): boolean;
  load(): Promise<Format>;
}

/** The formats of other tools, by name. */
const FORMATS: Readonly<Record<ForeignName, Entry>> = {
  android: {
    detect: (text) => /<network-security-config[\s/>]/.test(text),
    load: async () => (await import("./android.ts")).android,
  },
  // A whole Info.plist may hold both; NSPinnedDomains is the system's own.
  ios: {
    detect: (text) =>
      text.includes("<plist") && text.includes("NSPinnedDomains"),
    load: async () => (await import("./ios.ts")).ios,
  },
  trustkit: {
    detect: (text) =>
      text.includes("<plist") && text.includes("TSKPinnedDomains"),
    load: async () => (await import("./trustkit.ts")).trustkit,
  },
  okhttp: {
    detect: (text) => /\bCertificatePinner\b/.test(text),
    load: async () => (await import("./okhttp.ts")).okhttp,
  },
  curl: {
    detect: (text) => /\bcurl\s/.test(text) && text.includes("--pinnedpubkey"),
    load: async () => (await import("./curl.ts")).curl,
  },
  envoy: {
    detect: (text) => /verify_certificate_(?:spki|hash)/.test(text),
    load: async () => (await import("./envoy.ts")).envoy,
  },
  tlsa: {
    detect: (text) => /^\S*\s.*\bTLSA\s+\(?\s*\d+\s+\d+\s+\d+/im.test(text),
    load: async () => (await import("./tlsa.ts")).tlsa,
  },
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

/** The names of other tools' formats. */
export const FOREIGN_NAMES: readonly ForeignName[] = Object.keys(
  FORMATS,
) as ForeignName[];

/** Every name that there is. */
export const FORMAT_NAMES: readonly FormatName[] = ["policy", ...FOREIGN_NAMES];

/** Loads a format of another tool. */
export async function loadFormat(name: ForeignName): Promise<Format> {
  return await FORMATS[name].load();
}

/**
 * Tells what a text is: our policy where it is JSON with `hosts`, else the
 * first format that knows it; undefined where none does.
 */
export function detectFormat(text: string): FormatName | undefined {
  boundDocument(text);
  const isOurs = /^\s*\{/.test(text) && /"hosts"\s*:/.test(text);
  if (isOurs && !FORMATS.envoy.detect(text)) return "policy";
  return FOREIGN_NAMES.find((name) => FORMATS[name].detect(text));
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
    syntaxError("file", `expected one of ${FORMAT_NAMES.join(", ")}`);
  }
  const read = from === "policy"
    ? { document: text, losses: [] }
    : (await loadFormat(from)).read(text);
  const policy = parsePolicy(read.document);
  if (to === "policy") {
    const document = JSON.stringify(policy.toJSON(), null, 2) + "\n";
    return { from, text: document, losses: read.losses };
  }
  const record = policyRecordOf(policy);
  await setPinDigests(record);
  const written = (await loadFormat(to)).write(record);
  return {
    from,
    text: written.text,
    losses: [...read.losses, ...written.losses],
  };
}
