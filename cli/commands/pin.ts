/**
 * `certpin pin`: pins from certificates, keys and requests.
 *
 * @module
 */
import { object } from "@optique/core/constructs";
import { map, multiple, optional, withDefault } from "@optique/core/modifiers";
import { message } from "@optique/core/message";
import { argument, command, option } from "@optique/core/primitives";
import { choice } from "@optique/core/valueparser";
import {
  formatPin,
  type HashName,
  type Pin,
  type PinStyle,
} from "@certpin/certpin";
import {
  digests,
  escapeText,
  makePin,
  recordOf,
  runWithWebCrypto,
} from "@certpin/certpin/internal";
import { encodeBase64 } from "@std/encoding/base64";
import type { KeyEntry } from "../keys/keys.ts";
import { about, EXIT_OK, Failure } from "../failure.ts";
import type { Io } from "../io.ts";
import { jsonText } from "../render/json.ts";
import { USABLE_KEYS, whyUnusable } from "../keys/key_use.ts";
import type { CommandParser } from "../command.ts";
import { readKeyFile } from "../keys/secrets.ts";
import { errStyle, outStyle, shown } from "../render/style.ts";
import { file } from "../values.ts";

/** What the command line says. */
interface PinOptions {
  readonly files: readonly string[];
  readonly of: Pin["of"];
  readonly hash: HashName;
  readonly style: PinStyle;
  readonly passphraseFile?: string;
  readonly json: boolean;
}

/** One line of output. */
interface PinRow {
  readonly source: string;
  readonly kind: KeyEntry["kind"];
  readonly pin: Pin;
  readonly text: string;
  /** Why no path may hold the key; undefined where one may. */
  readonly unusable: string | undefined;
}

/** The pin of an entry; `certificate` asks for a whole certificate, which only certificates have. */
export async function pinOf(
  entry: KeyEntry,
  of: Pin["of"] = "spki",
  hash: HashName = "sha256",
): Promise<Pin> {
  const { certificate, spki } = entry;
  if (of === "certificate" && certificate === undefined) {
    throw new Failure(
      `Cannot pin a whole certificate: it is a ${kindOf(entry)}`,
    );
  }
  const data = of === "spki" ? spki : recordOf(certificate!).der;
  const [digest] = await runWithWebCrypto(digests(hash, [data]));
  return makePin(of, hash, digest);
}

function kindOf({ kind }: KeyEntry): string {
  return kind.replaceAll("-", " ");
}

async function rowsOf(
  io: Io,
  source: string,
  options: PinOptions,
): Promise<PinRow[]> {
  const rows: PinRow[] = [];
  const entries = await readKeyFile(io, source, options.passphraseFile);
  const wanted = options.of === "spki"
    ? entries
    : entries.filter((entry) => entry.kind === "certificate");
  if (wanted.length === 0) {
    throw new Failure(
      "Cannot pin a whole certificate: the file contains no certificate",
      { subject: source, hint: "leave out --of certificate to pin the key" },
    );
  }
  for (const entry of wanted) {
    const pin = await pinOf(entry, options.of, options.hash);
    const text = await about(source, () => formatPin(pin, options.style));
    // A certificate beside its key says the same thing twice.
    if (rows.some((row) => row.text === text)) continue;
    const unusable = whyUnusable(entry.spki);
    rows.push({ source, kind: entry.kind, pin, text, unusable });
  }
  return rows;
}

/** A pin that can never match is still printed: it may be meant for others. */
function warnOfUnusable(io: Io, rows: readonly PinRow[]): void {
  const style = errStyle(io);
  for (const { source, unusable } of rows) {
    if (unusable === undefined) continue;
    io.err(
      `${style.yellow("warning:")} ${
        shown(source)
      }: this pin never matches: no path may hold this key: ${
        escapeText(unusable)
      }\n  ${style.dim("hint:")} ${USABLE_KEYS}\n`,
    );
  }
}

async function run(io: Io, options: PinOptions): Promise<number> {
  const rows: PinRow[] = [];
  for (const source of options.files) {
    rows.push(...await rowsOf(io, source, options));
  }
  warnOfUnusable(io, rows);
  if (options.json) {
    const pins = rows.map(({ source, pin, text }) => ({
      source,
      of: pin.of,
      hash: pin.hash,
      digest: encodeBase64(pin.digest),
      text,
    }));
    io.out(jsonText({ pins }));
    return EXIT_OK;
  }
  const style = outStyle(io);
  for (const { source, kind, text } of rows) {
    const from = `${shown(source)} (${kind.replaceAll("-", " ")})`;
    io.out(`${style.cyan(text)}  ${style.dim(from)}\n`);
  }
  return EXIT_OK;
}

/** The command. */
export const pinCommand: CommandParser = command(
  "pin",
  map(
    object({
      files: multiple(
        argument(file(), {
          description:
            message`Certificate, key, CSR or PKCS#12; - is standard input.`,
        }),
        {
          min: 1,
          errors: { tooFew: message`Name at least one file.` },
        },
      ),
      of: withDefault(
        option("--of", choice(["spki", "certificate"], { metavar: "WHAT" }), {
          description: message`What is hashed.`,
        }),
        "spki",
      ),
      hash: withDefault(
        option(
          "--hash",
          choice(["sha256", "sha384", "sha512"], { metavar: "HASH" }),
          { description: message`The hash.` },
        ),
        "sha256",
      ),
      style: withDefault(
        option(
          "--style",
          choice(["canonical", "okhttp", "curl", "hpkp", "hex", "tlsa"], {
            metavar: "STYLE",
          }),
          { description: message`How the pin is written.` },
        ),
        "canonical",
      ),
      passphraseFile: optional(
        option("--passphrase-file", file(), {
          description:
            message`Holds the passphrase of encrypted keys; so does the variable ${"CERTPIN_PASSPHRASE"}.`,
        }),
      ),
      json: option("--json", { description: message`One JSON document.` }),
    }),
    (options) => (io: Io) => run(io, options),
  ),
  {
    brief: message`Pins from certificates, keys and CSRs.`,
    description:
      message`Prints the pin of every key in the files. A backup pin needs no certificate: a key or a CSR is enough.`,
  },
);
