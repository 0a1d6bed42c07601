/**
 * `certpin check`: what a policy would say to its hosts, now or on a date.
 *
 * @module
 */
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { map, multiple, optional, withDefault } from "@optique/core/modifiers";
import { argument, command, option } from "@optique/core/primitives";
import { choice, string } from "@optique/core/valueparser";
import { createPinner } from "@certpin/certpin";
import {
  canonicalHost,
  escapeText,
  findEntry,
  policyRecordOf,
} from "@certpin/certpin/internal";
import {
  checkChain,
  checkHost,
  type CheckResult,
  type CheckSettings,
  type CheckTarget,
  defaultPort,
} from "./check_host.ts";
import { about, EXIT_FAILED, EXIT_OK, Failure } from "../failure.ts";
import { writeWhole } from "../files.ts";
import { networkOptions } from "./inspect.ts";
import type { Io } from "../io.ts";
import { jsonText } from "../render/json.ts";
import { junit } from "../render/junit.ts";
import { checkResults, sarif } from "../render/sarif.ts";
import { type PolicyFile, portsOf, readPolicyFile } from "../policy_file.ts";
import { inParallel, startProgress } from "../render/progress.ts";
import type { CommandParser } from "../command.ts";
import { remedyFor } from "./remedies.ts";
import type { StartTls } from "../starttls.ts";
import { count, errStyle, outStyle, type Style } from "../render/style.ts";
import { readCertificates, resolveTrust } from "../trust.ts";
import {
  type Address,
  address,
  file,
  formatTarget,
  type Target,
  target,
  whole,
} from "../values.ts";

interface CheckOptions {
  readonly policy: string;
  readonly hosts: readonly Target[];
  readonly chain?: string;
  readonly host?: string;
  readonly roots: readonly string[];
  readonly at?: Date;
  readonly port?: number;
  readonly starttls?: StartTls;
  readonly connectTo?: Address;
  readonly concurrency: number;
  readonly timeout: number;
  readonly retries: number;
  readonly junit?: string;
  readonly sarif?: string;
  readonly json: boolean;
}

/** Those that were named, else every host of the policy that is one name. */
function targetsOf(io: Io, read: PolicyFile, options: CheckOptions) {
  const { policy } = read;
  const ports = portsOf(read);
  const portOf = (hostname: string) =>
    options.port ?? ports.get(hostname) ?? defaultPort(options.starttls);
  if (options.hosts.length > 0) {
    return options.hosts.map(({ hostname, port: typed }) => ({
      hostname,
      port: typed ?? portOf(hostname),
    }));
  }
  const targets: Required<CheckTarget>[] = [];
  const patterns: string[] = [];
  for (const entry of policyRecordOf(policy).entries.values()) {
    if (entry.wildcard) patterns.push(entry.pattern);
    else {
      const hostname = entry.host.text;
      targets.push({ hostname, port: portOf(hostname) });
    }
  }
  if (patterns.length > 0) {
    const list = patterns.map(escapeText).join(", ");
    io.err(
      `${
        errStyle(io).yellow("not checked:")
      } ${list}; name a host to check one\n`,
    );
  }
  if (targets.length === 0) {
    throw new Failure("There is no host to check", {
      subject: options.policy,
      hint: "name hosts after the policy",
    });
  }
  return targets;
}

async function online(
  io: Io,
  read: PolicyFile,
  options: CheckOptions,
  settings: CheckSettings,
): Promise<CheckResult[]> {
  if (options.host !== undefined) {
    throw new Failure("--host goes with --chain", {
      hint: "name the hosts to connect to after the policy",
    });
  }
  const targets = targetsOf(io, read, options);
  const progress = startProgress(io, "checking", targets.length);
  try {
    return await inParallel(targets, options.concurrency, async (target) => {
      const result = await checkHost(target, settings);
      progress.done();
      return result;
    });
  } finally {
    progress.stop();
  }
}

/** A chain from a file, for one host. */
async function offline(
  io: Io,
  chainFile: string,
  options: CheckOptions,
  settings: CheckSettings,
): Promise<CheckResult[]> {
  const names = [
    ...(options.host === undefined ? [] : [options.host]),
    ...options.hosts.map(({ hostname }) => hostname),
  ];
  if (names.length === 0) {
    throw new Failure("--chain needs the host that it is the chain of", {
      hint: "--host NAME says it",
    });
  }
  const chain = await readCertificates(io, chainFile);
  const results: CheckResult[] = [];
  for (const name of names) {
    const hostname = await about("--host", () => canonicalHost(name).text);
    const der = chain.map((certificate) => certificate.der);
    results.push(await checkChain({ hostname }, der, settings, false));
  }
  return results;
}

function linesOf(result: CheckResult, style: Style): string[] {
  const { hostname, port, decision, reason, matched, warnings, error } = result;
  const isAllowed = decision === "allow";
  const mark = isAllowed ? style.green("✔") : style.red("✘");
  const paint = isAllowed ? style.green : style.red;
  const name = style.bold(escapeText(formatTarget(hostname, port)));
  const lines = [`${mark} ${name}  ${paint(reason)}`];
  for (const { pin, role } of matched) {
    lines.push(`    ${style.dim(role.padEnd(12))} ${style.cyan(pin)}`);
  }
  if (error !== undefined) {
    const [first, ...rest] = error.message.split("\n").map(escapeText);
    lines.push(`    ${style.red(error.code)}: ${first}`);
    for (const line of rest) lines.push(`    ${line}`);
    const remedy = remedyFor(error.code);
    if (remedy !== undefined) lines.push(`    ${style.dim("hint:")} ${remedy}`);
  }
  for (const { code, severity, message, hint } of warnings) {
    const paint = severity === "info" ? style.dim : style.yellow;
    lines.push(`    ${paint(code)}: ${escapeText(message)}`);
    if (hint !== undefined) lines.push(`      ${style.dim(escapeText(hint))}`);
  }
  return lines;
}

function resultJson({ warnings, ...rest }: CheckResult): unknown {
  const { error, ...most } = rest;
  return {
    ...most,
    warnings: warnings.map(({ code }) => code),
    ...(error === undefined ? {} : { error }),
  };
}

async function run(io: Io, options: CheckOptions): Promise<number> {
  const read = await readPolicyFile(io, options.policy);
  const { policy, text } = read;
  const { at } = options;
  const settings: CheckSettings = {
    pinner: createPinner(policy, {
      // Findings are in the results.
      onWarning: () => {},
      ...(at === undefined ? {} : { now: () => at }),
    }),
    trust: await resolveTrust(io, options.roots),
    isAnotherTime: at !== undefined,
    timeoutMilliseconds: options.timeout * 1000,
    retries: options.retries,
    ...(options.connectTo === undefined
      ? {}
      : { connectTo: options.connectTo }),
    ...(options.starttls === undefined ? {} : { starttls: options.starttls }),
  };
  const results = options.chain === undefined
    ? await online(io, read, options, settings)
    : await offline(io, options.chain, options, settings);
  const blocked = results.filter(({ decision }) => decision === "block").length;
  if (options.junit !== undefined) {
    // A report of an earlier run is there to be replaced.
    await writeWhole(options.junit, junit(options.policy, results), true);
  }
  if (options.sarif !== undefined) {
    const found = checkResults(
      results,
      (name) =>
        findEntry(policyRecordOf(policy), canonicalHost(name))?.pointer ?? "",
    );
    await writeWhole(options.sarif, sarif(options.policy, text, found), true);
  }
  if (options.json) {
    const document = { ok: blocked === 0, results: results.map(resultJson) };
    io.out(jsonText(document));
  } else {
    const style = outStyle(io);
    for (const result of results) {
      io.out(linesOf(result, style).join("\n") + "\n");
    }
    const when = at === undefined ? "" : ` as of ${at.toISOString()}`;
    const sum = blocked === 0
      ? style.green("all allowed")
      : style.red(`${blocked} blocked`);
    io.out(`${count(results.length, "host")}${when}: ${sum}\n`);
  }
  return blocked === 0 ? EXIT_OK : EXIT_FAILED;
}

/** The command. */
export const checkCommand: CommandParser = command(
  "check",
  map(
    object({
      policy: argument(file("POLICY"), {
        description: message`The policy; - is standard input.`,
      }),
      hosts: multiple(
        argument(target(), {
          description: message`Hosts instead of all in the policy.`,
        }),
      ),
      chain: optional(option("--chain", file(), {
        description: message`Evaluates this chain instead of connecting.`,
      })),
      host: optional(option("--host", string({ metavar: "NAME" }), {
        description: message`With a chain: the host that presented it.`,
      })),
      ...networkOptions,
      port: optional(option("--port", whole("PORT", 1, 65_535), {
        description: message`For hosts without a port. Default 443.`,
      })),
      starttls: optional(
        option("--starttls", choice(["smtp", "imap", "postgres"]), {
          description: message`Protocol that upgrades to TLS.`,
        }),
      ),
      connectTo: optional(option("--connect-to", address(), {
        description: message`Connects there instead; the names stay the same.`,
      })),
      concurrency: withDefault(
        option("--concurrency", whole("N", 1, 256), {
          description: message`Most connections at a time.`,
        }),
        8,
      ),
      retries: withDefault(
        option("--retries", whole("N", 0, 10), {
          description: message`Further attempts if no connection succeeds.`,
        }),
        0,
      ),
      junit: optional(option("--junit", file(), {
        description: message`Writes JUnit XML for a build server.`,
      })),
      sarif: optional(option("--sarif", file(), {
        description: message`Writes SARIF for code scanning.`,
      })),
      json: option("--json", { description: message`One JSON document.` }),
    }),
    (options) => (io: Io) => run(io, options),
  ),
  {
    brief: message`What the policy would say to its hosts.`,
    description:
      message`Connects to every host of the policy, sends nothing, and prints the verdicts. Ends with 1 where a host is blocked.`,
  },
);
