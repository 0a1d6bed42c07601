/**
 * `certpin drill`: what happened to others, replayed against a policy.
 *
 * @module
 */
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { map, optional } from "@optique/core/modifiers";
import { argument, command, option } from "@optique/core/primitives";
import { string } from "@optique/core/valueparser";
import { type Certificate, CertpinError } from "@certpin/certpin";
import {
  anchorStore,
  canonicalHost,
  escapeText,
  policyRecordOf,
} from "@certpin/certpin/internal";
import type { CommandParser } from "../command.ts";
import {
  drillPolicy,
  type EventResult,
  type HostDrill,
  isUncovered,
} from "../drill/drill.ts";
import type { Knowledge } from "../drill/model.ts";
import { about, EXIT_FAILED, EXIT_OK, Failure } from "../failure.ts";
import type { Io } from "../io.ts";
import { readPolicyFile } from "../policy_file.ts";
import { jsonText } from "../render/json.ts";
import { outStyle, type Style } from "../render/style.ts";
import { publicRoots, readCertificates } from "../trust.ts";
import { file } from "../values.ts";
import { networkOptions } from "./inspect.ts";
import { findPath } from "./inspection.ts";

interface DrillCommandOptions {
  readonly policy: string;
  readonly chain?: string;
  readonly host?: string;
  readonly roots: readonly string[];
  readonly at?: Date;
  readonly updates: boolean;
  readonly json: boolean;
}

/** The path of the chain at hand; the chain itself if no path is valid. */
async function pathOf(
  io: Io,
  source: string,
  options: DrillCommandOptions,
  known: readonly Certificate[],
): Promise<readonly Certificate[]> {
  const chain = await readCertificates(io, source);
  const anchors: Certificate[] = [...known];
  for (const name of options.roots) {
    anchors.push(...await readCertificates(io, name));
  }
  const path = await findPath(
    chain,
    anchorStore(anchors),
    options.at ?? new Date(),
  );
  return path instanceof CertpinError ? chain : path.certificates;
}

async function knowledgeOf(
  io: Io,
  hosts: readonly string[],
  options: DrillCommandOptions,
  roots: readonly Certificate[],
): Promise<Map<string, Knowledge>> {
  const knowledge = new Map<string, Knowledge>();
  const { chain, host } = options;
  if (chain === undefined) {
    if (host === undefined) return knowledge;
    throw new Failure("--host goes with --chain");
  }
  const name = host === undefined
    ? undefined
    : await about("--host", () => canonicalHost(host).text);
  if (name === undefined && hosts.length !== 1) {
    throw new Failure("--chain needs the host that it is the chain of", {
      hint: "--host NAME says it",
    });
  }
  const path = await pathOf(io, chain, options, roots);
  knowledge.set(name ?? hosts[0], { path });
  return knowledge;
}

function outcomeText(result: EventResult, style: Style): string {
  const { outcome, coveredBy } = result;
  switch (outcome) {
    case "fine":
      return style.green("fine");
    case "not-applicable":
      return style.dim("does not apply");
    case "fooled":
      return coveredBy === undefined
        ? style.red("fooled")
        : style.yellow(`fooled until the next ${coveredBy}`);
    case "locked-out":
      return coveredBy === undefined
        ? style.red("locked out")
        : style.yellow(`locked out, covered by ${coveredBy}`);
  }
}

function print(io: Io, { host, pins, events }: HostDrill): void {
  const style = outStyle(io);
  io.out(`${style.bold(escapeText(host))}\n`);
  const parts = pins.map(({ part }) => part.replace("-", " ")).join(", ");
  io.out(`  ${style.dim(`pins taken for: ${parts}`)}\n`);
  for (const event of events) {
    const { title, known, date, change } = event;
    const when = date === undefined ? "" : ` on ${date}`;
    io.out(`  ${outcomeText(event, style)}${when}: ${title}\n`);
    io.out(`      ${style.dim(known)}\n`);
    if (change !== undefined) io.out(`      to change: ${change}\n`);
  }
}

async function run(io: Io, options: DrillCommandOptions): Promise<number> {
  const { policy } = await readPolicyFile(io, options.policy);
  const hosts = [...policyRecordOf(policy).entries.values()]
    .map(({ host }) => host.text);
  const roots = publicRoots();
  const drilled = await drillPolicy(policy, {
    ...(options.at === undefined ? {} : { at: options.at }),
    updates: options.updates,
    knowledge: await knowledgeOf(io, hosts, options, roots ?? []),
    ...(roots === undefined ? {} : { publicRoots: roots }),
  });
  const uncovered = drilled.flatMap(({ events }) => events).filter(isUncovered);
  if (options.json) {
    io.out(jsonText({ ok: uncovered.length === 0, hosts: drilled }));
  } else {
    for (const one of drilled) print(io, one);
    const style = outStyle(io);
    io.out(
      uncovered.length === 0
        ? `${style.green("no event locks clients out without cover")}\n`
        : `${
          style.red(
            `${uncovered.length} ${
              uncovered.length === 1 ? "event locks" : "events lock"
            } clients out without cover`,
          )
        }\n`,
    );
  }
  return uncovered.length === 0 ? EXIT_OK : EXIT_FAILED;
}

/** The command. */
export const drillCommand: CommandParser = command(
  "drill",
  map(
    object({
      policy: argument(file("POLICY"), {
        description: message`The policy; - is standard input.`,
      }),
      chain: optional(option("--chain", file(), {
        description:
          message`The chain that the host presents today, to tell what each pin is.`,
      })),
      host: optional(option("--host", string({ metavar: "NAME" }), {
        description: message`With a chain: the host that presents it.`,
      })),
      roots: networkOptions.roots,
      at: networkOptions.at,
      updates: option("--updates", {
        description: message`Clients fetch signed policies.`,
      }),
      json: option("--json", { description: message`One JSON document.` }),
    }),
    (options) => (io: Io) => run(io, options),
  ),
  {
    brief: message`What happened to others, replayed against a policy.`,
    description:
      message`Renewals, moves to another CA, stolen and lost keys, mis-issued certificates and more, with minted keys: connects to nothing. Ends with 1 if an event locks clients out, and no backup, release or update covers it.`,
  },
);
