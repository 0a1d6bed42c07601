#!/usr/bin/env -S deno run -A
/**
 * The `certpin` command: looks at servers and files, makes pins and policies,
 * checks and converts them.
 *
 * ```sh
 * deno run -A jsr:@certpin/cli inspect example.com
 * ```
 *
 * Exit codes: 0 fine, 1 the check failed, 2 wrong usage or unreadable input.
 *
 * @module
 */
import { or } from "@optique/core/constructs";
import { runParser } from "@optique/core/facade";
import { message } from "@optique/core/message";
import { CertpinError } from "@certpin/certpin";
import { escapeText, VERSION } from "@certpin/certpin/internal";
import {
  EXIT_OK,
  EXIT_USAGE,
  Failure,
  failureJson,
  printFailure,
} from "./failure.ts";
import { type Io, processIo } from "./io.ts";
import { jsonText } from "./render/json.ts";
import { exitWith, isEntryPoint } from "./entry.ts";
import { checkCommand } from "./commands/check.ts";
import { convertCommand } from "./commands/convert.ts";
import { drillCommand } from "./commands/drill.ts";
import { initCommand } from "./commands/init.ts";
import { inspectCommand } from "./commands/inspect.ts";
import { lintCommand } from "./commands/lint.ts";
import { pinCommand } from "./commands/pin.ts";
import { signCommand } from "./commands/sign.ts";
import { rotateCommand } from "./commands/rotate.ts";
import { syncCommand } from "./commands/sync.ts";
import { verifyCommand } from "./commands/verify.ts";
import type { Action, CommandParser } from "./command.ts";
import { errStyle, outStyle } from "./render/style.ts";

// deno-lint-ignore no-control-regex -- as the parser paints its errors
const COLOURS = /\u001b\[[\d;]*m/g;

export type { Io };

const commands: CommandParser = or(
  inspectCommand,
  pinCommand,
  initCommand,
  checkCommand,
  lintCommand,
  convertCommand,
  syncCommand,
  drillCommand,
  signCommand,
  verifyCommand,
  rotateCommand,
);

/** Their names, for hints. */
const COMMANDS = [
  "inspect",
  "pin",
  "init",
  "check",
  "lint",
  "convert",
  "sync",
  "drill",
  "sign",
  "verify",
  "rotate",
];

/** Help, version or completion was printed, or the usage was wrong. */
class Ended extends Error {
  /** `usage` says what was wrong; undefined where nothing was. */
  constructor(readonly exitCode: number, readonly usage?: string) {
    super("ended");
  }
}

function end(exitCode: number, usage?: string): never {
  throw new Ended(exitCode, usage);
}

/** Help goes to standard error too, where there are no arguments. */
function isError(text: string): boolean {
  return text.replace(COLOURS, "").startsWith("Error: ");
}

/** The lines of the parser's error, safe to show: it quotes arguments as they are. */
function usageLines(text: string, args: readonly string[]): string[] {
  const safe = args.reduce(
    (said, arg) =>
      arg === "" ? said : said.replaceAll(arg, () => escapeText(arg)),
    text.replace(COLOURS, ""),
  );
  return safe.replace(/^Error: /, "").split("\n")
    .filter((line) => line !== "").map(escapeText);
}

/** The parser's error in the shape of all others. */
function usageError(
  io: Io,
  [first, ...rest]: readonly string[],
  args: readonly string[],
): string {
  const style = errStyle(io);
  const name = COMMANDS.includes(args[0]) ? args[0] : "COMMAND";
  return [
    `${style.red(style.bold("error:"))} ${first}`,
    ...rest.map((line) => `  ${line}`),
    `  ${style.dim("hint:")} certpin help ${name} lists what it takes\n`,
  ].join("\n");
}

function parse(io: Io, args: readonly string[]): Action {
  const isPlain = outStyle(io).bold("x") === "x" ||
    errStyle(io).bold("x") === "x";
  let usage: string | undefined;
  return runParser(commands, "certpin", args, {
    brief: message`Certificate pins: make them, look at them, check them.`,
    help: { command: true, option: true, onShow: () => end(EXIT_OK) },
    version: { value: VERSION, option: true, onShow: () => end(EXIT_OK) },
    completion: { command: true, onShow: (code) => end(code) },
    colors: !isPlain,
    maxWidth: Math.max(60, Math.min(io.columns, 100)),
    termWidth: 30,
    usageLine: [
      { type: "argument", metavar: "COMMAND" },
      { type: "optional", terms: [{ type: "argument", metavar: "OPTION..." }] },
      { type: "argument", metavar: "ARGUMENT..." },
    ],
    showDefault: true,
    showChoices: true,
    commandList: "top-level",
    aboveError: args.length === 0 ? "help" : "none",
    stdout: (text) => io.out(text.endsWith("\n") ? text : text + "\n"),
    stderr: (text) => {
      if (!isError(text)) return io.err(`${text}\n`);
      const lines = usageLines(text, args);
      usage = lines.join("\n");
      io.err(usageError(io, lines, args));
    },
    onError: () => end(EXIT_USAGE, usage ?? "Wrong usage"),
  });
}

/**
 * Runs the command.
 *
 * @param args What stands after the command's name.
 * @param io Streams; default: those of the process.
 * @returns The exit code: 0 fine, 1 the check failed, 2 wrong usage or
 * unreadable input. Never rejects for what a user did.
 */
export async function main(
  args: readonly string[],
  io: Io = processIo(),
): Promise<number> {
  try {
    return await parse(io, args)(io);
  } catch (error) {
    if (error instanceof Ended) {
      if (error.usage !== undefined && args.includes("--json")) {
        io.out(jsonText(failureJson(new Failure(error.usage))));
      }
      return error.exitCode;
    }
    const failure = error instanceof Failure
      ? error
      : error instanceof CertpinError
      ? new Failure(error.message, { cause: error })
      : undefined;
    if (failure === undefined) throw error;
    if (args.includes("--json")) {
      io.out(jsonText(failureJson(failure)));
    }
    printFailure(io, failure);
    return EXIT_USAGE;
  }
}

if (isEntryPoint(import.meta)) {
  const { argv } = await import("node:process");
  await main(argv.slice(2)).then(exitWith);
}
