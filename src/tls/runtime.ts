/**
 * Which runtimes show the whole chain of a peer.
 *
 * The list says what is known good, by name and oldest version. Everything
 * else is refused: a runtime may look complete when a connection is made and
 * still ignore the check (workerd's `node:tls` does).
 *
 * @module
 */
import { ConnectionError } from "../errors.ts";

/** A runtime whose `node:tls` was measured to show the chain. */
export type KnownRuntime = "deno" | "node" | "bun";

/**
 * Oldest known good versions. Deno before 2.8 ignores what a peer check
 * returns; Bun before 1.4 shows the leaf alone; undici 8 needs Node 22.19.
 */
const OLDEST: Readonly<Record<KnownRuntime, readonly [number, number]>> = {
  deno: [2, 8],
  node: [22, 19],
  bun: [1, 4],
};

interface Described {
  readonly name: string;
  readonly version: string;
}

interface ProcessLike {
  readonly versions?: Readonly<Record<string, string | undefined>>;
  readonly release?: { readonly name?: string };
}

interface GlobalLike {
  readonly process?: ProcessLike;
  readonly navigator?: { readonly userAgent?: string };
}

/** Names the runtime from its globals; `undefined` where no rule fits. */
export function describeRuntime(
  scope: object = globalThis,
): Described | undefined {
  const { process, navigator } = scope as GlobalLike;
  const versions = process?.versions;
  const agent = navigator?.userAgent;
  if (versions === undefined) return undefined;
  if (versions.deno !== undefined) {
    return { name: "deno", version: versions.deno };
  }
  if (versions.bun !== undefined) return { name: "bun", version: versions.bun };
  // Others call themselves Node too: Electron brings another TLS library, and
  // workerd answers `process.versions.node`. Node itself has libuv and OpenSSL.
  if (versions.electron !== undefined) {
    return { name: "electron", version: versions.electron };
  }
  if (
    versions.node !== undefined && versions.uv !== undefined &&
    versions.openssl !== undefined && process?.release?.name === "node" &&
    (agent === undefined || agent.startsWith("Node.js/"))
  ) {
    return { name: "node", version: versions.node };
  }
  return undefined;
}

/**
 * Names the runtime, or refuses it.
 *
 * @throws {ConnectionError} `ERR_CERTPIN_RUNTIME` where it is not known to
 * show the peer's chain.
 */
export function requireRuntime(scope: object = globalThis): KnownRuntime {
  const found = describeRuntime(scope);
  const supported = "Deno >= 2.8, Node >= 22.19 and Bun >= 1.4";
  if (found === undefined) {
    throw new ConnectionError(
      "ERR_CERTPIN_RUNTIME",
      `Cannot pin here: certpin does not support this runtime, which may not show the server's chain. Supported: ${supported}`,
    );
  }
  const { name, version } = found;
  if (Object.hasOwn(OLDEST, name)) {
    const runtime = name as KnownRuntime;
    const [major, minor] = OLDEST[runtime];
    const parts = /^(\d+)\.(\d+)\./.exec(version);
    if (
      parts !== null &&
      (Number(parts[1]) > major ||
        (Number(parts[1]) === major && Number(parts[2]) >= minor))
    ) return runtime;
  }
  throw new ConnectionError(
    "ERR_CERTPIN_RUNTIME",
    `Cannot pin on ${name} ${version}: certpin does not support this version, which may not show the server's chain. Supported: ${supported}`,
  );
}
