/**
 * Where a request goes.
 *
 * @module
 */
import { ConnectionError } from "../../errors.ts";

/** Ports that no browser connects to (Fetch, "bad port"). */
// deno-fmt-ignore
const BAD_PORTS = new Set([
  "1", "7", "9", "11", "13", "15", "17", "19", "20", "21", "22", "23", "25",
  "37", "42", "43", "53", "69", "77", "79", "87", "95", "101", "102", "103",
  "104", "109", "110", "111", "113", "115", "117", "119", "123", "135", "137",
  "139", "143", "161", "179", "389", "427", "465", "512", "513", "514", "515",
  "526", "530", "531", "532", "540", "548", "554", "556", "563", "587", "601",
  "636", "989", "990", "993", "995", "1719", "1720", "1723", "2049", "3659",
  "4045", "4190", "5060", "5061", "6000", "6566", "6665", "6666", "6667",
  "6668", "6669", "6679", "6697", "10080",
]);

const SCHEME = "https://";

/** The parts of an https: URL that a request needs. */
export interface Target {
  /** Without the fragment. */
  readonly href: string;
  readonly origin: string;
  /** With the query, as it is sent. */
  readonly path: string;
  /** With its `#`, or empty. */
  readonly fragment: string;
}

/**
 * Takes an https: URL apart.
 *
 * Its `href` is cut where the URL standard's serializer puts the parts
 * together, which costs less than to ask for each.
 *
 * @throws {ConnectionError} `ERR_CERTPIN_PROTOCOL`
 * @throws {TypeError} on credentials, and on a port that the standard blocks.
 */
export function targetOf({ href, protocol }: URL): Target {
  if (!href.startsWith(SCHEME)) {
    throw new ConnectionError(
      "ERR_CERTPIN_PROTOCOL",
      `Cannot fetch a ${protocol} URL: only https: can be pinned`,
    );
  }
  const slash = href.indexOf("/", SCHEME.length);
  const hash = href.indexOf("#", slash);
  const end = hash < 0 ? href.length : hash;
  const origin = href.slice(0, slash);
  if (origin.includes("@")) {
    throw new TypeError(
      "Cannot fetch a URL with credentials: send an authorization header",
    );
  }
  const port = /:(\d+)$/.exec(origin);
  if (port !== null && BAD_PORTS.has(port[1])) {
    throw new TypeError(`Cannot fetch from port ${port[1]}: it is blocked`);
  }
  return {
    href: hash < 0 ? href : href.slice(0, hash),
    origin,
    path: href.slice(slash, end),
    fragment: href.slice(end),
  };
}
