/**
 * `certpin init`: writes a policy for hosts as they are now.
 *
 * @module
 */
import { basename, dirname, join } from "node:path";
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { map, multiple, optional, withDefault } from "@optique/core/modifiers";
import { argument, command, option } from "@optique/core/primitives";
import { choice } from "@optique/core/valueparser";
import {
  type HostDocument,
  parseCertificates,
  parsePolicy,
  type Pin,
  type PolicyDocument,
} from "@certpin/certpin";
import { escapeText } from "@certpin/certpin/internal";
import schema from "@certpin/certpin/schema.json" with { type: "json" };
import { about, EXIT_FAILED, EXIT_OK, Failure } from "../failure.ts";
import { exists, readText, writeWhole } from "../files.ts";
import { networkOptions } from "./inspect.ts";
import { findHost, type Found, refuseFalseBackups } from "./init_host.ts";
import type { Io } from "../io.ts";
import { jsonText } from "../render/json.ts";
import { USABLE_KEYS, whyUnusable } from "../keys/key_use.ts";
import { pinOf } from "./pin.ts";
import { remedyFor } from "./remedies.ts";
import { inParallel, startProgress } from "../render/progress.ts";
import type { CommandParser } from "../command.ts";
import { readKeyFile } from "../keys/secrets.ts";
import type { StartTls } from "../starttls.ts";
import { errStyle, outStyle, shown } from "../render/style.ts";
import { PIN_CHOICES, type PinChoice } from "./proposal.ts";
import { publicRoots, resolveTrust } from "../trust.ts";
import {
  type Address,
  address,
  file,
  formatTarget,
  type Target,
  target,
  whole,
} from "../values.ts";

interface InitOptions {
  readonly hosts: readonly Target[];
  readonly out: string;
  readonly backups: readonly string[];
  readonly passphraseFile?: string;
  readonly expires: number;
  readonly roots: readonly string[];
  readonly at?: Date;
  readonly pin?: PinChoice;
  readonly starttls?: StartTls;
  readonly connectTo?: Address;
  readonly timeout: number;
  readonly force: boolean;
  readonly json: boolean;
}

const SCHEMA_FILE = "certpin.schema.json";
/** Hosts that are looked at at a time. */
const WIDTH = 8;

async function readBackups(io: Io, options: InitOptions): Promise<Pin[]> {
  const pins: Pin[] = [];
  for (const source of options.backups) {
    const entries = await readKeyFile(io, source, options.passphraseFile);
    for (const entry of entries) {
      const reason = whyUnusable(entry.spki);
      if (reason !== undefined) {
        throw new Failure(
          `Cannot use it as a backup: no valid path may contain this key: ${reason}`,
          { subject: source, hint: USABLE_KEYS },
        );
      }
      const pin = await about(source, () => pinOf(entry));
      if (!pins.some((other) => `${other}` === `${pin}`)) pins.push(pin);
    }
  }
  return pins;
}

async function refuseOverwriting(
  io: Io,
  options: InitOptions,
  schemaFile: string,
  schemaText: string,
): Promise<boolean> {
  if (!options.force && await exists(options.out)) {
    throw new Failure("Cannot write it: it exists already", {
      subject: options.out,
      hint: "--force writes over it; --out FILE names another",
    });
  }
  if (!await exists(schemaFile)) return true;
  if (options.force) return true;
  if (await readText(io, schemaFile) === schemaText) return false;
  throw new Failure(
    "Cannot write the schema: a different file exists at this path",
    {
      subject: schemaFile,
      hint: "--force writes over it",
    },
  );
}

function printProposal(io: Io, found: readonly Found[], hasBackup: boolean) {
  const style = outStyle(io);
  for (const { target, proposal } of found) {
    if (proposal === undefined) continue;
    io.out(style.bold(escapeText(target.hostname)) + "\n");
    for (const { pin, role } of proposal.pins) {
      io.out(`  ${style.dim(role.padEnd(12))} ${style.cyan(pin)}\n`);
    }
    if (!hasBackup) {
      io.out(
        `  ${style.dim("backup".padEnd(12))} ${style.yellow("missing")}\n`,
      );
    }
    for (const line of proposal.why) io.out(`  ${style.dim(line)}\n`);
  }
}

async function run(io: Io, options: InitOptions): Promise<number> {
  const schemaFile = join(dirname(options.out), SCHEMA_FILE);
  const schemaText = JSON.stringify(schema, null, 2) + "\n";
  const writesSchema = await refuseOverwriting(
    io,
    options,
    schemaFile,
    schemaText,
  );
  const trust = await resolveTrust(io, options.roots);
  const known = {
    publicRoots: publicRoots(),
    // Not read again: a file may be standard input.
    own: trust.ca === undefined ? [] : parseCertificates(trust.ca),
  };
  const backups = await readBackups(io, options);
  const progress = startProgress(io, "looking at", options.hosts.length);
  const found = await inParallel(options.hosts, WIDTH, async (target) => {
    const one = await findHost(target, options, trust, backups, known);
    progress.done();
    return one;
  }).finally(() => progress.stop());

  const failed = found.filter(({ error }) => error !== undefined);
  if (failed.length > 0) {
    const style = errStyle(io);
    for (const { target, error } of failed) {
      const name = shown(formatTarget(target.hostname, target.port));
      const text = error!.message.split("\n").map(escapeText).join("\n  ");
      io.err(`${style.red(style.bold("error:"))} ${name}: ${text}\n`);
      io.err(`  ${style.dim("code:")} ${error!.code}\n`);
      const remedy = remedyFor(error!.code);
      if (remedy !== undefined) {
        io.err(`  ${style.dim("hint:")} ${remedy}\n`);
      }
    }
    io.err(
      "Nothing was written: a chain that does not verify must not be pinned\n",
    );
    if (options.json) {
      const [{ target, error }] = failed;
      const { code, message } = error!;
      const source = formatTarget(target.hostname, target.port);
      const document = { error: { code, message, source } };
      io.out(jsonText(document));
    }
    return EXIT_FAILED;
  }
  refuseFalseBackups(found, backups);

  const hosts: Record<string, HostDocument> = {};
  for (const { target, proposal } of found) {
    hosts[target.hostname] = proposal!.host;
  }
  const policy: PolicyDocument = {
    $schema: `./${SCHEMA_FILE}`,
    version: 1,
    hosts,
  };
  parsePolicy(policy);
  if (writesSchema) await writeWhole(schemaFile, schemaText, options.force);
  const text = JSON.stringify(policy, null, 2) + "\n";
  await writeWhole(options.out, text, options.force);
  report(io, options, found, backups.length > 0, schemaFile);
  return EXIT_OK;
}

function report(
  io: Io,
  options: InitOptions,
  found: readonly Found[],
  hasBackup: boolean,
  schemaFile: string,
): void {
  if (options.json) {
    const hosts = found.map(({ target, proposal }) => ({
      hostname: target.hostname,
      pins: proposal!.pins,
      backup: hasBackup,
      why: proposal!.why,
    }));
    const document = { policy: options.out, schema: schemaFile, hosts };
    io.out(jsonText(document));
  } else {
    printProposal(io, found, hasBackup);
    io.out(`Wrote ${shown(options.out)} and ${shown(basename(schemaFile))}\n`);
  }
  if (hasBackup) return;
  const style = errStyle(io);
  io.err(
    `${
      style.yellow("warning:")
    } there is no backup pin yet, and lint says so until there is one\n` +
      `  ${
        style.dim("hint:")
      } make a key, keep it offline, and add its pin: openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out backup-key.pem; certpin pin backup-key.pem\n`,
  );
}

/** The command. */
export const initCommand: CommandParser = command(
  "init",
  map(
    object({
      hosts: multiple(
        argument(target(), { description: message`Hosts to pin.` }),
        {
          min: 1,
          errors: { tooFew: message`Name at least one host.` },
        },
      ),
      out: withDefault(
        option("--out", file(), { description: message`The policy to write.` }),
        "pins.json",
      ),
      backups: multiple(option("--backup", file(), {
        description:
          message`Key, CSR or certificate of a backup; may be repeated.`,
      })),
      passphraseFile: optional(option("--passphrase-file", file(), {
        description: message`Holds the passphrase of encrypted keys.`,
      })),
      pin: optional(option("--pin", choice(PIN_CHOICES), {
        description: message`What to pin, instead of what suits the path.`,
      })),
      expires: withDefault(
        option("--expires", whole("DAYS", 1, 3_650), {
          description: message`When the pins expire, in days from now.`,
        }),
        365,
      ),
      ...networkOptions,
      starttls: optional(
        option("--starttls", choice(["smtp", "imap", "postgres"]), {
          description: message`Protocol that upgrades to TLS.`,
        }),
      ),
      connectTo: optional(option("--connect-to", address(), {
        description: message`Connects there instead; the names stay the same.`,
      })),
      force: option("--force", {
        description: message`Writes over files that exist.`,
      }),
      json: option("--json", { description: message`One JSON document.` }),
    }),
    (options) => (io: Io) => run(io, options),
  ),
  {
    brief: message`Writes a policy for hosts as they are now.`,
    description:
      message`Connects, verifies, and proposes pins: under a public CA of the leaf's key, else of the issuing intermediate and of the leaf. ${"--pin ca-set"} takes all roots of the CA. A backup pin comes from ${"--backup"}, or is left as a gap that lint reports.`,
  },
);
