/**
 * `certpin rotate`: adds the next key to a policy, and prints the plan.
 *
 * @module
 */
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { map, multiple, optional, withDefault } from "@optique/core/modifiers";
import { argument, command, option } from "@optique/core/primitives";
import { string } from "@optique/core/valueparser";
import { parsePolicy, type Policy } from "@certpin/certpin";
import {
  canonicalHost,
  digestOf,
  escapeText,
  type HostEntry,
  policyRecordOf,
} from "@certpin/certpin/internal";
import { applyEdits, type FormattingOptions, modify } from "jsonc-parser";
import type { CommandParser } from "../command.ts";
import { about, EXIT_OK, Failure } from "../failure.ts";
import { STDIN, writeWhole } from "../files.ts";
import type { Io } from "../io.ts";
import { USABLE_KEYS, whyUnusable } from "../keys/key_use.ts";
import { readKeyFile } from "../keys/secrets.ts";
import { readPolicyFile } from "../policy_file.ts";
import { jsonText } from "../render/json.ts";
import { outStyle } from "../render/style.ts";
import { readCertificates } from "../trust.ts";
import { file, whole } from "../values.ts";
import { networkOptions } from "./inspect.ts";
import { pinOf } from "./pin.ts";

const DAY_MS = 86_400_000;

interface RotateOptions {
  readonly policy: string;
  readonly next: string;
  readonly hosts: readonly string[];
  readonly chain?: string;
  readonly maxAge: number;
  readonly share: number;
  readonly passphraseFile?: string;
  readonly markdown?: string;
  readonly dryRun: boolean;
  readonly at?: Date;
  readonly json: boolean;
}

/** One step of the plan. */
interface Step {
  readonly title: string;
  /** The first day on which it may be done. */
  readonly notBefore?: string;
  /** The last day on which it helps. */
  readonly by?: string;
  /** How to tell that it is done. */
  readonly proof: string;
}

const day = (time: number) => new Date(time).toISOString().slice(0, 10);

/** The pin of the next key; a file may hold one key alone. */
async function nextPin(io: Io, options: RotateOptions): Promise<string> {
  const { next, passphraseFile } = options;
  const entries = await readKeyFile(io, next, passphraseFile);
  const pins = new Set<string>();
  for (const entry of entries) {
    const reason = whyUnusable(entry.spki);
    if (reason !== undefined) {
      throw new Failure(`Cannot use it as the next key: ${reason}`, {
        subject: next,
        hint: USABLE_KEYS,
      });
    }
    pins.add(`${await about(next, () => pinOf(entry))}`);
  }
  const [pin, ...others] = pins;
  if (others.length === 0) return pin;
  throw new Failure(`It holds ${pins.size} keys: which one is the next?`, {
    subject: next,
    hint: "give a file with one key, one request or one certificate",
  });
}

/** The entries that get the pin: those that were named, else all. */
async function entriesOf(
  policy: Policy,
  { hosts, policy: source }: RotateOptions,
): Promise<HostEntry[]> {
  const { entries } = policyRecordOf(policy);
  if (hosts.length === 0) return [...entries.values()];
  const found: HostEntry[] = [];
  for (const name of hosts) {
    const isWildcard = name.startsWith("*.");
    const host = await about(
      "--host",
      () => canonicalHost(isWildcard ? name.slice(2) : name).text,
    );
    const entry = entries.get(isWildcard ? `*.${host}` : host);
    if (entry === undefined) {
      throw new Failure(`There is no entry for ${escapeText(name)}`, {
        subject: source,
        hint: `entries: ${[...entries.keys()].map(escapeText).join(", ")}`,
      });
    }
    found.push(entry);
  }
  return found;
}

/** The keys of a JSON pointer. */
function keysOf(pointer: string): string[] {
  return pointer.split("/").slice(1)
    .map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"));
}

/** How the file is indented and how its lines end. */
function formattingOf(text: string): FormattingOptions {
  const indent = /\n([ \t]+)"/.exec(text)?.[1] ?? "  ";
  return {
    insertSpaces: !indent.startsWith("\t"),
    tabSize: indent.startsWith("\t") ? 1 : indent.length,
    eol: text.includes("\r\n") ? "\r\n" : "\n",
  };
}

/** Adds the pin where it is missing; the rest of the text stays as it is. */
function withPin(
  text: string,
  entries: readonly HostEntry[],
  pin: string,
  from: string,
): string {
  let edited = text;
  const formattingOptions = formattingOf(text);
  for (const { pointer, rules } of entries) {
    const path = [...keysOf(pointer), "pins", rules.length];
    const value = { pin, role: "leaf", comment: `next key, from ${from}` };
    const options = { formattingOptions, isArrayInsertion: true };
    edited = applyEdits(edited, modify(edited, path, value, options));
  }
  return edited;
}

function planOf(
  options: RotateOptions,
  pin: string,
  today: number,
  leafEnd: number | undefined,
): Step[] {
  const { policy, maxAge, share } = options;
  const ready = day(today + maxAge * DAY_MS);
  const end = leafEnd === undefined ? undefined : day(leafEnd);
  return [
    {
      title: `Publish ${policy} with the pin ${pin}`,
      by: end === undefined ? undefined : day(leafEnd! - maxAge * DAY_MS),
      proof: `certpin lint ${policy}`,
    },
    {
      title:
        `Wait until ${share} % of the clients report the new policy, or until it is ${maxAge} days old`,
      notBefore: day(today),
      by: ready,
      proof: "the share of clients in your reports",
    },
    {
      title: "Install a certificate for the next key",
      notBefore: ready,
      by: end,
      proof:
        `certpin check ${policy} --chain NEW.pem --host HOST --at ${ready}`,
    },
    {
      title:
        "Remove the old key's pin once no server uses the key, and add a new backup",
      notBefore: ready,
      proof: `certpin check ${policy} && certpin drill ${policy}`,
    },
  ].map(({ notBefore, by, ...step }) => ({
    ...step,
    ...(notBefore === undefined ? {} : { notBefore }),
    ...(by === undefined ? {} : { by }),
  }));
}

function when({ notBefore, by }: Step): string {
  return [
    notBefore === undefined ? "" : `from ${notBefore}`,
    by === undefined ? "" : `by ${by}`,
  ].filter((part) => part !== "").join(", ");
}

function markdown(
  pin: string,
  hosts: readonly string[],
  steps: readonly Step[],
  warning: string | undefined,
): string {
  return [
    "## Key rotation",
    "",
    `Next pin: \`${pin}\``,
    "",
    `Hosts: ${hosts.map((host) => `\`${host}\``).join(", ")}`,
    "",
    ...(warning === undefined ? [] : [`**${warning}**`, ""]),
    ...steps.map((step) => {
      const date = when(step);
      return `- [ ] ${step.title}${
        date === "" ? "" : ` (${date})`
      }. Proof: \`${step.proof}\``;
    }),
    "",
  ].join("\n");
}

async function run(io: Io, options: RotateOptions): Promise<number> {
  if (options.policy === STDIN) {
    throw new Failure("Cannot write to standard input", {
      hint: "name the policy's file",
    });
  }
  const { policy, text } = await readPolicyFile(io, options.policy);
  const pin = await nextPin(io, options);
  const entries = await entriesOf(policy, options);
  const missing = entries.filter(({ rules }) =>
    !rules.some((rule) =>
      digestOf(rule.pin) !== undefined && `${rule.pin}` === pin
    )
  );
  const today = (options.at ?? new Date()).getTime();
  const leafEnd = options.chain === undefined
    ? undefined
    : (await readCertificates(io, options.chain))[0].notAfter.getTime();
  const edited = withPin(text, missing, pin, day(today));
  // What is written is read once more, as clients will.
  await about(options.policy, () => parsePolicy(edited));
  const isLate = leafEnd !== undefined &&
    leafEnd < today + options.maxAge * DAY_MS;
  const warning = isLate
    ? `The certificate expires on ${
      day(leafEnd)
    }, before the clients have the next pin: renew it with today's key first`
    : undefined;
  const steps = planOf(options, pin, today, leafEnd);
  const hosts = entries.map(({ pattern }) => pattern);
  const writes = missing.length > 0 && !options.dryRun;
  if (writes) await writeWhole(options.policy, edited, true);
  if (options.markdown !== undefined) {
    const page = markdown(pin, hosts, steps, warning);
    await writeWhole(options.markdown, page, true);
  }
  if (options.json) {
    io.out(jsonText({
      policy: options.policy,
      pin,
      hosts,
      added: missing.map(({ pattern }) => pattern),
      written: writes,
      steps,
      ...(warning === undefined ? {} : { warning }),
    }));
    return EXIT_OK;
  }
  const style = outStyle(io);
  io.out(`next pin ${style.cyan(pin)}\n`);
  for (const { pattern } of entries) {
    const isNew = missing.some((entry) => entry.pattern === pattern);
    const state = !isNew
      ? "has it already"
      : writes
      ? style.green("added")
      : "would get it";
    io.out(`  ${escapeText(pattern)}: ${state}\n`);
  }
  if (warning !== undefined) {
    io.out(`${style.yellow("warning:")} ${warning}\n`);
  }
  for (const [index, step] of steps.entries()) {
    const date = when(step);
    io.out(
      `${index + 1}. ${date === "" ? "" : `${style.bold(date)}: `}${
        escapeText(step.title)
      }\n   ${style.dim(`proof: ${escapeText(step.proof)}`)}\n`,
    );
  }
  return EXIT_OK;
}

/** The command. */
export const rotateCommand: CommandParser = command(
  "rotate",
  map(
    object({
      policy: argument(file("POLICY"), { description: message`The policy.` }),
      next: option("--next", file(), {
        description:
          message`The next key: a private or public key, a CSR or a certificate.`,
      }),
      hosts: multiple(option("--host", string({ metavar: "NAME" }), {
        description:
          message`Entry that gets the pin; may be repeated. Default: all.`,
      })),
      chain: optional(option("--chain", file(), {
        description:
          message`Today's chain: the plan then ends before the leaf expires.`,
      })),
      maxAge: withDefault(
        option("--max-age", whole("DAYS", 1, 3_650), {
          description:
            message`Days after which clients without the new policy stop, or are given up.`,
        }),
        42,
      ),
      share: withDefault(
        option("--share", whole("N", 1, 100), {
          description:
            message`Percentage of clients that must have the new policy.`,
        }),
        99,
      ),
      passphraseFile: optional(option("--passphrase-file", file(), {
        description: message`Holds the passphrase of an encrypted key.`,
      })),
      markdown: optional(option("--markdown", file(), {
        description: message`Writes the plan for a pull request.`,
      })),
      dryRun: option("--dry-run", {
        description: message`Prints the plan, and leaves the policy as it is.`,
      }),
      at: networkOptions.at,
      json: option("--json", { description: message`One JSON document.` }),
    }),
    (options) => (io: Io) => run(io, options),
  ),
  {
    brief: message`Adds the next key, and prints the plan.`,
    description:
      message`Adds the next key's pin to the policy and prints what to deploy in which order and by when. Nothing else in the policy changes.`,
  },
);
