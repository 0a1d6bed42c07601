/**
 * `certpin inspect`: what a server or a file presents, and the path that can
 * be verified.
 *
 * @module
 */
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { map, multiple, optional, withDefault } from "@optique/core/modifiers";
import { argument, command, option } from "@optique/core/primitives";
import { choice, string } from "@optique/core/valueparser";
import {
  type Certificate,
  CertpinError,
  parseCertificates,
} from "@certpin/certpin";
import { canonicalHost } from "@certpin/certpin/internal";
import { about, EXIT_FAILED, EXIT_OK, Failure } from "../failure.ts";
import { exists, STDIN, writeWhole } from "../files.ts";
import { inspectChain, type Inspection, inspectionJson } from "./inspection.ts";
import { inspectionMarkdown } from "../render/inspect_markdown.ts";
import { inspectionSvg } from "../render/inspect_svg.ts";
import { inspectionText } from "../render/inspect_text.ts";
import type { Io } from "../io.ts";
import { jsonText } from "../render/json.ts";
import { probe } from "../probe.ts";
import type { CommandParser } from "../command.ts";
import { type StartTls, STARTTLS_PORTS } from "../starttls.ts";
import { outStyle } from "../render/style.ts";
import { readCertificates, resolveTrust, type Trust } from "../trust.ts";
import {
  type Address,
  address,
  date,
  file,
  formatTarget,
  parseTarget,
  type Target,
  whole,
} from "../values.ts";

interface InspectOptions {
  readonly subject: string;
  readonly starttls?: StartTls;
  readonly connectTo?: Address;
  readonly roots: readonly string[];
  readonly host?: string;
  readonly at?: Date;
  readonly timeout: number;
  readonly markdown: boolean;
  readonly svg?: string;
  readonly force: boolean;
  readonly json: boolean;
}

/** A file where there is one of that name; else a host. */
async function isFile({ subject }: InspectOptions): Promise<boolean> {
  if (subject === STDIN || await exists(subject)) return true;
  // What looks like a path is not looked up in the DNS.
  return /[/\\]/.test(subject) || /\.(?:pem|crt|cer|der)$/i.test(subject);
}

async function inspectFile(
  io: Io,
  options: InspectOptions,
  trust: Trust,
): Promise<Inspection> {
  const { subject, host } = options;
  const presented = await readCertificates(io, subject);
  const hostname = host === undefined
    ? undefined
    : await about("--host", () => canonicalHost(host).text);
  return await inspectChain({
    title: subject,
    presented,
    anchors: trust.anchors,
    at: options.at ?? new Date(),
    ...(hostname === undefined ? {} : { hostname }),
  });
}

function targetOf({ subject }: InspectOptions): Target {
  const target = parseTarget(subject);
  if (target !== undefined) return target;
  throw new Failure("Cannot inspect it: neither a host nor a file", {
    subject,
    hint: "write host, host:port or the name of a file that exists",
  });
}

async function inspectHost(
  options: InspectOptions,
  trust: Trust,
): Promise<Inspection> {
  const { hostname, port: typed } = targetOf(options);
  const { starttls, connectTo } = options;
  const port = typed ?? (starttls ? STARTTLS_PORTS[starttls] : 443);
  const title = formatTarget(hostname, port);
  const at = options.at ?? new Date();
  let presented: Certificate[];
  try {
    const seen = await probe({
      hostname,
      port,
      // Trusting nothing, the runtime adds nothing to what was sent.
      ca: [],
      timeoutMilliseconds: options.timeout * 1000,
      ...(connectTo === undefined ? {} : { address: connectTo }),
      ...(starttls === undefined ? {} : { starttls }),
    });
    presented = parseCertificates(seen.presented);
  } catch (error) {
    if (!(error instanceof CertpinError)) throw error;
    const { code, message } = error;
    return { title, hostname, presented: [], at, error: { code, message } };
  }
  const { anchors } = trust;
  return await inspectChain({ title, hostname, presented, anchors, at });
}

async function run(io: Io, options: InspectOptions): Promise<number> {
  const fromFile = await isFile(options);
  const trust = await resolveTrust(io, options.roots);
  const inspection = fromFile
    ? await inspectFile(io, options, trust)
    : await inspectHost(options, trust);
  if (options.svg !== undefined) {
    await writeWhole(options.svg, inspectionSvg(inspection), options.force);
  }
  if (options.json) {
    io.out(jsonText(inspectionJson(inspection)));
  } else if (options.markdown) io.out(inspectionMarkdown(inspection));
  else io.out(inspectionText(inspection, outStyle(io)));
  return inspection.path === undefined ? EXIT_FAILED : EXIT_OK;
}

/** Options that several commands share. */
export const networkOptions = {
  roots: multiple(option("--root", file(), {
    description:
      message`Anchors to trust instead of the platform's; may be repeated.`,
  })),
  at: optional(option("--at", date(), {
    description: message`Evaluates as of that date.`,
  })),
  timeout: withDefault(
    option("--timeout", whole("SECONDS", 1, 600), {
      description: message`Longest that a connection may take.`,
    }),
    10,
  ),
};

/** The command. */
export const inspectCommand: CommandParser = command(
  "inspect",
  map(
    object({
      subject: argument(string({ metavar: "HOST_OR_FILE" }), {
        description: message`Host, host:port, or a file of certificates.`,
      }),
      starttls: optional(
        option("--starttls", choice(["smtp", "imap", "postgres"]), {
          description: message`Protocol that upgrades to TLS.`,
        }),
      ),
      connectTo: optional(option("--connect-to", address(), {
        description: message`Connects there instead; the name stays the same.`,
      })),
      ...networkOptions,
      host: optional(option("--host", string({ metavar: "NAME" }), {
        description: message`With a file: the name that it must be for.`,
      })),
      markdown: option("--markdown", {
        description: message`Prints tables for a runbook.`,
      }),
      svg: optional(option("--svg", file(), {
        description: message`Draws the path into a file.`,
      })),
      force: option("--force", {
        description: message`Writes over a picture that exists.`,
      }),
      json: option("--json", { description: message`One JSON document.` }),
    }),
    (options) => (io: Io) => run(io, options),
  ),
  {
    brief: message`What a server or a file presents, and the verified path.`,
    description:
      message`Shows role, names, validity, key and both pins of each certificate, and what was presented but is on no path. Ends with 1 where no path is valid.`,
  },
);
