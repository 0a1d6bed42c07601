/**
 * `certpin convert`: policies to and from the formats of other tools.
 *
 * @module
 */
import { object } from "@optique/core/constructs";
import { message, text } from "@optique/core/message";
import { map, optional } from "@optique/core/modifiers";
import { argument, command, option } from "@optique/core/primitives";
import type { ValueParser } from "@optique/core/valueparser";
import {
  convert,
  detectFormat,
  FORMAT_NAMES,
  type FormatName,
} from "../formats/registry.ts";
import { escapeText } from "@certpin/certpin/internal";
import { about, EXIT_FAILED, EXIT_OK, Failure } from "../failure.ts";
import { readText, writeWhole } from "../files.ts";
import type { Io } from "../io.ts";
import { jsonText } from "../render/json.ts";
import type { CommandParser } from "../command.ts";
import { errStyle } from "../render/style.ts";
import { file } from "../values.ts";
import { pinsNoHost, printLosses } from "./conversion.ts";

interface ConvertOptions {
  readonly source: string;
  readonly to: FormatName;
  readonly from?: FormatName;
  readonly out?: string;
  readonly force: boolean;
  readonly strict: boolean;
  readonly json: boolean;
}

/** Other names under which people look for our own format. */
const ALIASES: Readonly<Record<string, FormatName>> = {
  json: "policy",
  certpin: "policy",
};

function format(): ValueParser<"sync", FormatName> {
  const isName = (name: string): name is FormatName =>
    (FORMAT_NAMES as readonly string[]).includes(name);
  return {
    mode: "sync",
    metavar: "FORMAT",
    placeholder: "policy",
    choices: FORMAT_NAMES,
    parse: (input) => {
      const value = ALIASES[input] ?? input;
      return isName(value) ? { success: true, value } : {
        success: false,
        error: message`"${text(escapeText(input))}" is no format: ${
          text(FORMAT_NAMES.join(", "))
        } are.`,
      };
    },
    format: (value) => value,
    *suggest(prefix) {
      for (const name of FORMAT_NAMES) {
        if (name.startsWith(prefix)) yield { kind: "literal", text: name };
      }
    },
  };
}

async function run(io: Io, options: ConvertOptions): Promise<number> {
  const { source, to, out } = options;
  const input = await readText(io, source);
  const { from, text, losses } = await about(source, () => {
    const from = options.from ?? detectFormat(input);
    if (from === undefined) {
      throw new Failure("Cannot detect the format of the file", {
        subject: source,
        hint: `--from says it: ${FORMAT_NAMES.join(", ")}`,
      });
    }
    return convert(input, to, from);
  });
  const isEmpty = await pinsNoHost(text, to);
  // Never in the place of a file that may still pin.
  const writes = out !== undefined && !isEmpty;
  if (writes) await writeWhole(out, text, options.force);
  if (options.json) {
    const output = writes ? { file: out } : { text };
    io.out(jsonText({ from, to, output, losses }));
  } else if (out === undefined) io.out(text);
  printLosses(io, to, losses);
  if (isEmpty) {
    const style = errStyle(io);
    const left = out === undefined ? "" : "; nothing was written";
    io.err(
      `${style.red(style.bold("error:"))} ${
        escapeText(source)
      }: no host is left in the result: it pins nothing${left}\n`,
    );
    return EXIT_FAILED;
  }
  return options.strict && losses.length > 0 ? EXIT_FAILED : EXIT_OK;
}

/** The command. */
export const convertCommand: CommandParser = command(
  "convert",
  map(
    object({
      source: argument(file(), {
        description:
          message`Policy or another tool's file; - is standard input.`,
      }),
      to: option("--to", format(), {
        description: message`What to write.`,
      }),
      from: optional(option("--from", format(), {
        description:
          message`What the file is; told from its content otherwise.`,
      })),
      out: optional(option("--out", file(), {
        description: message`Writes there instead of to standard output.`,
      })),
      force: option("--force", {
        description: message`Writes over a file that exists.`,
      }),
      strict: option("--strict", {
        description: message`Ends with 1 where anything is lost.`,
      }),
      json: option("--json", { description: message`One JSON document.` }),
    }),
    (options) => (io: Io) => run(io, options),
  ),
  {
    brief: message`Policies to and from other tools' formats.`,
    description:
      message`Keeps what a policy means, not only its hashes. What the target cannot say is listed on standard error, never dropped in silence.`,
  },
);
