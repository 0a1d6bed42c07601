/**
 * What options and arguments may hold, beyond text.
 *
 * @module
 */
import { type Message, message, text } from "@optique/core/message";
import type { ValueParser } from "@optique/core/valueparser";
import { CertpinError } from "@certpin/certpin";
import { canonicalHost, escapeText } from "@certpin/certpin/internal";

/** A host to connect to. */
export interface Target {
  /** As it was typed, without the port. */
  readonly typed: string;
  /** In its canonical spelling. */
  readonly hostname: string;
  /** 1 to 65,535; undefined where none was typed. */
  readonly port: number | undefined;
}

function failed(error: Message): { success: false; error: Message } {
  return { success: false, error };
}

function quoted(input: string): ReturnType<typeof text> {
  return text(`"${escapeText(input)}"`);
}

/** A file to read or write; shells complete it. */
export function file(metavar: "FILE" | "POLICY" = "FILE"): ValueParser<
  "sync",
  string
> {
  return {
    mode: "sync",
    metavar,
    placeholder: "",
    parse: (input) =>
      input === ""
        ? failed(message`A file name must not be empty.`)
        : { success: true, value: input },
    format: (value) => value,
    *suggest(prefix) {
      yield { kind: "file", pattern: prefix, type: "file" };
    },
  };
}

/** Reads `host`, `host:port`, `[v6]` and `[v6]:port`; undefined for anything else. */
export function parseTarget(input: string): Target | undefined {
  // A bare IPv6 address has more than one colon, and no port.
  const isBareIpv6 = /^[^[\]]*:[^[\]]*:[^[\]]*$/.test(input);
  const match = isBareIpv6
    ? [input, input, undefined]
    : /^(\[[^[\]]*\]|[^:[\]]*)(?::(\d{1,5}))?$/.exec(input);
  if (match === null) return undefined;
  const [, typed = "", digits] = match;
  const port = digits === undefined ? undefined : Number(digits);
  if (port !== undefined && (port < 1 || port > 65_535)) return undefined;
  try {
    return { typed, hostname: canonicalHost(typed).text, port };
  } catch (error) {
    if (error instanceof CertpinError) return undefined;
    throw error;
  }
}

/** A hostname or address, with or without a port. */
export function target(): ValueParser<"sync", Target> {
  return {
    mode: "sync",
    metavar: "HOST[:PORT]",
    placeholder: { typed: "", hostname: "", port: undefined },
    parse: (input) => {
      const value = parseTarget(input);
      return value === undefined
        ? failed(
          message`${
            quoted(input)
          } is no host: a name or an IP address is, and a port may follow a colon.`,
        )
        : { success: true, value };
    },
    format: (value) => formatTarget(value.hostname, value.port),
  };
}

/** `host:port`, IPv6 in brackets. */
export function formatTarget(hostname: string, port?: number): string {
  const host = hostname.includes(":") ? `[${hostname}]` : hostname;
  return port === undefined ? host : `${host}:${port}`;
}

/** Where to connect. */
export interface Address {
  readonly host: string;
  readonly port?: number;
}

/** An address or a name, with or without a port. */
export function address(): ValueParser<"sync", Address> {
  const { parse } = target();
  return {
    mode: "sync",
    metavar: "ADDRESS[:PORT]",
    placeholder: { host: "" },
    parse: (input) => {
      const read = parse(input);
      if (!read.success) return read;
      const { hostname: host, port } = read.value;
      const value = port === undefined ? { host } : { host, port };
      return { success: true, value };
    },
    format: ({ host, port }) => formatTarget(host, port),
  };
}

const DATE =
  /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2}))?$/;

/** A date, or a date and time with its zone, as ISO 8601 writes them; a date alone is its midnight in UTC. */
export function date(): ValueParser<"sync", Date> {
  return {
    mode: "sync",
    metavar: "DATE",
    placeholder: new Date(0),
    parse: (input) => {
      const value = new Date(DATE.test(input) ? input : NaN);
      // Date rolls 31 February over to March.
      const isReal = !Number.isNaN(value.getTime()) &&
        !Number.isNaN(Date.parse(input.slice(0, 10))) &&
        new Date(input.slice(0, 10)).toISOString().startsWith(
          input.slice(0, 10),
        );
      return isReal ? { success: true, value } : failed(
        message`${
          quoted(input)
        } is no date: write 2027-06-01 or 2027-06-01T12:00:00Z.`,
      );
    },
    format: (value) => value.toISOString(),
  };
}

/** A whole number between two bounds, both allowed. */
export function whole(
  metavar: "N" | "DAYS" | "SECONDS" | "PORT",
  least: number,
  most: number,
): ValueParser<"sync", number> {
  return {
    mode: "sync",
    metavar,
    placeholder: least,
    parse: (input) => {
      const value = /^\d{1,16}$/.test(input) ? Number(input) : NaN;
      return value >= least && value <= most
        ? { success: true, value }
        : failed(
          message`${quoted(input)} is no whole number from ${
            text(String(least))
          } to ${text(String(most))}.`,
        );
    },
    format: String,
  };
}
