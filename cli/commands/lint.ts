/**
 * `certpin lint`: pinning that works today and hurts tomorrow.
 *
 * @module
 */
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { map, multiple, optional } from "@optique/core/modifiers";
import { argument, command, option } from "@optique/core/primitives";
import {
  type Certificate,
  CertpinError,
  type Finding,
  parsePolicy,
  type Severity,
} from "@certpin/certpin";
import {
  type AcceptedFinding,
  anchorStore,
  applyAccept,
  escapeText,
  finding,
  lintRoutine,
  policyRecordOf,
  readPolicy as readRecord,
  runWithWebCrypto,
  type SortedFindings,
} from "@certpin/certpin/internal";
import { about, EXIT_FAILED, EXIT_OK, Failure } from "../failure.ts";
import { readText, writeWhole } from "../files.ts";
import { networkOptions } from "./inspect.ts";
import { findPath } from "./inspection.ts";
import type { Io } from "../io.ts";
import { jsonText } from "../render/json.ts";
import { findingResults, sarif } from "../render/sarif.ts";
import { commandFindings, registeredName } from "./lint_checks.ts";
import { POLICY_HINT } from "../policy_file.ts";
import type { CommandParser } from "../command.ts";
import { count, outStyle, type Style } from "../render/style.ts";
import { platformList, publicRoots, readCertificates } from "../trust.ts";
import { file } from "../values.ts";

interface LintOptions {
  readonly policy: string;
  readonly roots: readonly string[];
  readonly chains: readonly string[];
  readonly at?: Date;
  readonly strict: boolean;
  readonly sarif?: string;
  readonly json: boolean;
}

/** A time at which the leaf is valid: which keys are on the path does not hang on it. */
function timeWithin({ notBefore, notAfter }: Certificate, at: Date): Date {
  if (at < notBefore) return notBefore;
  return at > notAfter ? notAfter : at;
}

/**
 * The verified paths of the chains, as a root that is not sent is on them too.
 * Without anchors of the caller's, a chain that the platform does not know
 * stands for itself.
 */
async function pathsOf(
  io: Io,
  options: LintOptions,
  anchors: readonly Certificate[],
) {
  const paths: { certificates: readonly Certificate[] }[] = [];
  const store = anchorStore(anchors);
  const now = options.at ?? new Date();
  for (const name of options.chains) {
    const chain = await readCertificates(io, name);
    const path = await findPath(chain, store, timeWithin(chain[0], now));
    if (!(path instanceof CertpinError)) paths.push(path);
    else if (options.roots.length === 0) paths.push({ certificates: chain });
    else {
      throw new Failure(path.message, {
        subject: name,
        cause: path,
        hint: "--root names the anchor of this chain too",
      });
    }
  }
  return paths;
}

/** Problems that lint has a name for are findings; with any other, the policy cannot be read. */
function findingsOfProblems(text: string): Finding[] | undefined {
  const { problems } = readRecord(text);
  const findings: Finding[] = [];
  for (const { finding: code, pointer } of problems) {
    if (code === undefined) return undefined;
    findings.push(finding(code, pointer));
  }
  return findings.length > 0 ? findings : undefined;
}

/** Codes that are only found with more than the policy: a missing one proves nothing. */
function needsMore(code: string, options: LintOptions): boolean {
  return (code === "no-true-backup" && options.chains.length === 0) ||
    ((code === "root-only" || code === "public-root") &&
      platformList() === undefined);
}

async function findingsOf(
  io: Io,
  text: string,
  options: LintOptions,
): Promise<Omit<SortedFindings, "unused">> {
  const refused = await about(options.policy, () => findingsOfProblems(text));
  if (refused !== undefined) return { findings: refused, accepted: [] };
  const policy = await about(
    options.policy,
    () => parsePolicy(text),
    () => POLICY_HINT,
  );
  const anchors: Certificate[] = [];
  for (const name of options.roots) {
    anchors.push(...await readCertificates(io, name));
  }
  const publicAnchors = publicRoots();
  const found = await runWithWebCrypto(lintRoutine(policy, {
    anchors,
    ...(publicAnchors === undefined ? {} : { publicAnchors }),
    paths: await pathsOf(io, options, [...anchors, ...publicAnchors ?? []]),
    ...(options.at === undefined ? {} : { at: options.at }),
  }, registeredName));
  const { findings, accepted, unused } = applyAccept(
    policyRecordOf(policy).accept,
    [...commandFindings(policy), ...found],
  );
  for (const { code, at, pointer } of unused) {
    if (needsMore(code, options)) continue;
    const detail = `${code} at ${at || "/"}`;
    findings.push(finding("unused-accept", pointer, { detail }));
  }
  return { findings, accepted };
}

const ORDER: readonly Severity[] = ["error", "warning", "info"];
const MARKS: Readonly<Record<Severity, string>> = {
  error: "✘",
  warning: "▲",
  info: "●",
};

function paintOf(style: Style, severity: Severity) {
  if (severity === "error") return style.red;
  return severity === "warning" ? style.yellow : style.dim;
}

function print(
  io: Io,
  findings: readonly Finding[],
  accepted: readonly AcceptedFinding[],
): void {
  const style = outStyle(io);
  for (const { severity, code, pointer, message, hint } of findings) {
    const paint = paintOf(style, severity);
    const head = `${paint(`${MARKS[severity]} ${severity}`)} ${
      style.bold(code)
    }`;
    io.out(`${head} ${style.cyan(escapeText(pointer || "/"))}\n`);
    io.out(`    ${escapeText(message)}\n`);
    if (hint !== undefined) io.out(`    ${style.dim(escapeText(hint))}\n`);
  }
  for (const { finding: { code, pointer }, reason } of accepted) {
    const place = escapeText(pointer || "/");
    io.out(
      style.dim(`○ accepted ${code} ${place}: ${escapeText(reason)}`) + "\n",
    );
  }
  const sums = ORDER.flatMap((severity) => {
    const number = findings.filter((one) => one.severity === severity).length;
    if (number === 0) return [];
    const noun = severity === "info" ? "note" : severity;
    return [paintOf(style, severity)(count(number, noun))];
  });
  io.out(
    `${sums.length === 0 ? style.green("no findings") : sums.join(", ")}\n`,
  );
}

async function run(io: Io, options: LintOptions): Promise<number> {
  const text = await readText(io, options.policy);
  const { findings, accepted } = await findingsOf(io, text, options);
  findings.sort((a, b) =>
    ORDER.indexOf(a.severity) - ORDER.indexOf(b.severity)
  );
  if (options.sarif !== undefined) {
    const log = sarif(options.policy, text, findingResults(findings));
    await writeWhole(options.sarif, log, true);
  }
  if (options.json) {
    const more = accepted.length > 0 ? { accepted } : {};
    io.out(jsonText({ findings, ...more }));
  } else print(io, findings, accepted);
  const failing: readonly Severity[] = options.strict
    ? ["error", "warning"]
    : ["error"];
  return findings.some(({ severity }) => failing.includes(severity))
    ? EXIT_FAILED
    : EXIT_OK;
}

/** The command. */
export const lintCommand: CommandParser = command(
  "lint",
  map(
    object({
      policy: argument(file("POLICY"), {
        description: message`The policy; - is standard input.`,
      }),
      roots: multiple(option("--root", file(), {
        description: message`Your own anchors; may be repeated.`,
      })),
      chains: multiple(option("--chain", file(), {
        description:
          message`A chain as a host presents it, to tell true backups; may be repeated.`,
      })),
      at: networkOptions.at,
      strict: option("--strict", {
        description: message`Warnings fail too.`,
      }),
      sarif: optional(option("--sarif", file(), {
        description: message`Writes SARIF for code scanning.`,
      })),
      json: option("--json", { description: message`One JSON document.` }),
    }),
    (options) => (io: Io) => run(io, options),
  ),
  {
    brief: message`What will hurt in a policy, graded.`,
    description:
      message`Opens no connection. Exits with 1 if there is an error, with ${"--strict"} also if there is a warning.`,
  },
);
