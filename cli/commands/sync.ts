/**
 * `certpin sync`: one policy, and every file that clients bundle.
 *
 * @module
 */
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { map, withDefault } from "@optique/core/modifiers";
import { command, option } from "@optique/core/primitives";
import { dirname, join, normalize } from "node:path";
import {
  convert,
  type Converted,
  FOREIGN_NAMES,
  type ForeignName,
} from "../formats/registry.ts";
import { escapeText } from "@certpin/certpin/internal";
import type { CommandParser } from "../command.ts";
import { about, EXIT_FAILED, EXIT_OK, Failure } from "../failure.ts";
import { exists, readText, writeWhole } from "../files.ts";
import type { Io } from "../io.ts";
import { jsonText } from "../render/json.ts";
import { errStyle, outStyle } from "../render/style.ts";
import { file } from "../values.ts";
import { pinsNoHost, printLosses } from "./conversion.ts";

/** The name under which the configuration is looked for. */
const CONFIG_FILE = "certpin.config.json";
/** Most files that one configuration may name. */
const MAX_OUTPUTS = 100;

interface SyncOptions {
  readonly config: string;
  readonly check: boolean;
  readonly json: boolean;
}

/** A file that is written from the policy. */
interface Output {
  readonly format: ForeignName;
  /** As the configuration names it. */
  readonly file: string;
  /** From the folder in which the command runs. */
  readonly path: string;
}

interface Config {
  /** The policy, from the folder in which the command runs. */
  readonly policy: string;
  readonly outputs: readonly Output[];
}

/** Where a file has its pins; the rest of it is the user's. */
const MERGED: Readonly<Partial<Record<ForeignName, readonly string[]>>> = {
  ios: ["NSAppTransportSecurity", "NSPinnedDomains"],
  trustkit: ["TSKConfiguration"],
};

function wrong(source: string, pointer: string, problem: string): never {
  throw new Failure(`Cannot use ${pointer}: ${problem}`, {
    subject: source,
    hint:
      `{"policy": "pins.json", "outputs": [{"format": "android", "file": "app/src/main/res/xml/network_security_config.xml"}]}`,
  });
}

/** Reads an object that has these keys and no others. */
function members(
  source: string,
  pointer: string,
  value: unknown,
  keys: readonly string[],
): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return wrong(source, pointer || "/", "expected an object");
  }
  for (const key of Object.keys(value)) {
    if (key !== "$schema" && !keys.includes(key)) {
      wrong(
        source,
        `${pointer}/${key}`,
        `expected ${keys.join(" or ")}`,
      );
    }
  }
  return value as Record<string, unknown>;
}

function fileName(source: string, pointer: string, value: unknown): string {
  if (typeof value === "string" && value !== "") return value;
  return wrong(source, pointer, "expected the name of a file");
}

async function readConfig(io: Io, source: string): Promise<Config> {
  const text = await readText(io, source);
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw new Failure(
      `Cannot read it: ${error instanceof Error ? error.message : "not JSON"}`,
      { subject: source },
    );
  }
  const { policy, outputs } = members(source, "", parsed, [
    "policy",
    "outputs",
  ]);
  if (!Array.isArray(outputs) || outputs.length === 0) {
    wrong(source, "/outputs", "expected a list of files");
  }
  if (outputs.length > MAX_OUTPUTS) {
    wrong(source, "/outputs", `at most ${MAX_OUTPUTS} are allowed`);
  }
  const folder = dirname(source);
  const seen = new Set<string>();
  return {
    policy: join(folder, fileName(source, "/policy", policy)),
    outputs: outputs.map((output: unknown, index): Output => {
      const pointer = `/outputs/${index}`;
      const one = members(source, pointer, output, ["format", "file"]);
      const { format } = one;
      const isForeign = (FOREIGN_NAMES as readonly unknown[]).includes(format);
      if (!isForeign) {
        return wrong(
          source,
          `${pointer}/format`,
          `expected ${FOREIGN_NAMES.join(", ")}`,
        );
      }
      const name = fileName(source, `${pointer}/file`, one.file);
      const path = normalize(join(folder, name));
      if (seen.has(path)) wrong(source, `${pointer}/file`, "it is named twice");
      seen.add(path);
      return { format: format as ForeignName, file: name, path };
    }),
  };
}

/** What one file should hold, and whether it does. */
interface Planned {
  readonly output: Output;
  readonly text: string;
  readonly losses: Converted["losses"];
  readonly isStale: boolean;
}

async function plan(
  io: Io,
  output: Output,
  policyText: string,
  policyFile: string,
): Promise<Planned> {
  const { format, path } = output;
  const { text: written, losses } = await about(
    policyFile,
    () => convert(policyText, format, "policy"),
  );
  if (await pinsNoHost(written, format)) {
    throw new Failure(
      `Cannot write it for ${format}: no host is left in the result, it would pin nothing`,
      { subject: output.file },
    );
  }
  const before = await exists(path) ? await readText(io, path) : undefined;
  const keys = MERGED[format];
  let text = written;
  if (before !== undefined && keys !== undefined) {
    const { mergePlist } = await import("../formats/plist_merge.ts");
    text = await about(
      output.file,
      () => mergePlist(before, written, keys, "property list"),
    );
  }
  return { output, text, losses, isStale: before !== text };
}

function report(
  io: Io,
  { check }: SyncOptions,
  planned: readonly Planned[],
): void {
  const style = outStyle(io);
  for (const { output, isStale, losses } of planned) {
    const state = !isStale
      ? style.dim("unchanged")
      : check
      ? style.yellow("stale")
      : style.green("written");
    io.out(`${state} ${escapeText(output.file)} (${output.format})\n`);
    printLosses(io, output.format, losses);
  }
  const stale = planned.filter(({ isStale }) => isStale).length;
  if (!check || stale === 0) return;
  const error = errStyle(io);
  io.err(
    `${error.red(error.bold("error:"))} ${stale} of ${planned.length} files ${
      stale === 1 ? "does" : "do"
    } not hold what the policy says\n  ${
      error.dim("hint:")
    } run certpin sync, and commit what it writes\n`,
  );
}

async function run(io: Io, options: SyncOptions): Promise<number> {
  const { config, check, json } = options;
  const { policy, outputs } = await readConfig(io, config);
  const policyText = await readText(io, policy);
  // Nothing is written before everything could be.
  const planned: Planned[] = [];
  for (const output of outputs) {
    planned.push(await plan(io, output, policyText, policy));
  }
  if (!check) {
    for (const { output, text, isStale } of planned) {
      if (isStale) await writeWhole(output.path, text, true);
    }
  }
  if (json) {
    io.out(jsonText({
      policy,
      outputs: planned.map(({ output, isStale, losses }) => ({
        format: output.format,
        file: output.file,
        state: !isStale ? "unchanged" : check ? "stale" : "written",
        losses,
      })),
    }));
  } else report(io, options, planned);
  const isFine = !check || planned.every(({ isStale }) => !isStale);
  return isFine ? EXIT_OK : EXIT_FAILED;
}

/** The command. */
export const syncCommand: CommandParser = command(
  "sync",
  map(
    object({
      config: withDefault(
        option("--config", file(), {
          description: message`Names the policy and the files to write.`,
        }),
        CONFIG_FILE,
      ),
      check: option("--check", {
        description: message`Writes nothing; ends with 1 if a file is stale.`,
      }),
      json: option("--json", { description: message`One JSON document.` }),
    }),
    (options) => (io: Io) => run(io, options),
  ),
  {
    brief: message`Writes the files of every client from one policy.`,
    description:
      message`Reads certpin.config.json and writes each file that it names in its format. In an Info.plist that exists, only the pins are replaced. What a format cannot say is reported.`,
  },
);
