/**
 * Every way that an adapter offers to send something, behind one function.
 */
import { once } from "node:events";
import * as https from "node:https";
import * as net from "node:net";
import * as tls from "node:tls";
import { request } from "undici/index.js";
import {
  connectTls,
  createFetch,
  type PinnerSource,
  startTls,
} from "../../../src/adapters/deno.ts";
import {
  connect,
  createAgent,
  createDispatcher,
  type DispatcherOptions,
  tlsOptions,
} from "../../../src/adapters/node.ts";
import type { MintedChain } from "../../../src/testing/mod.ts";
import type { RuntimeName } from "../harness.ts";

/** Where a way is to lead. */
export interface Target {
  /** Whom it must be; resolved to loopback. */
  readonly hostname: string;
  readonly port: number;
  /** PEM. */
  readonly ca?: string;
}

/** One way to send a request; resolves when the answer is there. */
export interface Way {
  readonly name: string;
  /** Where it exists. */
  readonly runtimes: readonly RuntimeName[];
  /** How it finds loopback: as the system does, by `lookup`, or by a socket. */
  readonly route: "system" | "lookup" | "socket";
  send(
    pinner: PinnerSource,
    target: Target,
    more?: Record<string, unknown>,
  ): Promise<void>;
}

const REQUEST = "GET / HTTP/1.1\r\nhost: x\r\n\r\n";
const EVERYWHERE: readonly RuntimeName[] = ["deno", "node", "bun"];

type LookupCallback = (
  error: Error | null,
  address: string | { address: string; family: number }[],
  family?: number,
) => void;

/** Resolves every name to loopback. */
export function lookup(
  _hostname: string,
  options: { all?: boolean },
  done: LookupCallback,
): void {
  if (options?.all) done(null, [{ address: "127.0.0.1", family: 4 }]);
  else done(null, "127.0.0.1", 4);
}

function authority({ hostname, port }: Target): string {
  return `${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`;
}

/** Sends a request over a socket; destroys it after the answer. */
function exchange(socket: tls.TLSSocket): Promise<void> {
  return new Promise<void>((resolve, reject) => {
    socket.once("data", () => resolve());
    socket.once("error", reject);
    socket.once("close", () => reject(new Error("closed without an answer")));
    socket.write(REQUEST);
  }).finally(() => socket.destroy());
}

async function exchangeConn(conn: Deno.TlsConn): Promise<void> {
  try {
    await conn.write(new TextEncoder().encode(REQUEST));
    const count = await conn.read(new Uint8Array(1024));
    if (count === null) throw new Error("closed without an answer");
  } finally {
    conn.close();
  }
}

/** Runs with a dispatcher that is destroyed afterwards. */
export async function withDispatcher<T>(
  policy: MintedChain["policy"],
  options: DispatcherOptions,
  act: (dispatcher: ReturnType<typeof createDispatcher>) => Promise<T>,
): Promise<T> {
  const dispatcher = createDispatcher(policy, options);
  try {
    return await act(dispatcher);
  } finally {
    await dispatcher.destroy();
  }
}

/** All of them. */
export const WAYS: readonly Way[] = [
  {
    name: "connect()",
    runtimes: EVERYWHERE,
    route: "socket",
    async send(pinner, { hostname, port, ca }, more) {
      const socket = net.connect({ host: "127.0.0.1", port });
      await once(socket, "connect");
      await exchange(
        await connect(pinner, { host: hostname, socket, ca, ...more }),
      );
    },
  },
  {
    name: "connectTls()",
    runtimes: ["deno"],
    route: "system",
    async send(pinner, { hostname, port, ca }, more) {
      await exchangeConn(
        await connectTls(pinner, { hostname, port, ca, ...more }),
      );
    },
  },
  {
    name: "startTls()",
    runtimes: ["deno"],
    route: "socket",
    async send(pinner, { hostname, port, ca }, more) {
      const tcp = await Deno.connect({ hostname: "127.0.0.1", port });
      await exchangeConn(
        await startTls(pinner, tcp, { hostname, ca, ...more }),
      );
    },
  },
  {
    name: "createFetch()",
    runtimes: EVERYWHERE,
    route: "lookup",
    async send(pinner, target, more) {
      await using fetch = createFetch(pinner, {
        ca: target.ca,
        lookup,
        ...more,
      });
      const response = await fetch(`https://${authority(target)}/`);
      await response.text();
    },
  },
  {
    name: "createDispatcher()",
    runtimes: EVERYWHERE,
    route: "lookup",
    async send(pinner, target, more) {
      const dispatcher = createDispatcher(pinner, {
        ca: target.ca,
        lookup,
        ...more,
      });
      try {
        const { body } = await request(`https://${authority(target)}/`, {
          dispatcher,
        });
        await body.text();
      } finally {
        await dispatcher.destroy();
      }
    },
  },
  {
    name: "createAgent()",
    runtimes: EVERYWHERE,
    route: "lookup",
    async send(pinner, target, more) {
      const agent = createAgent(pinner, { ca: target.ca, lookup, ...more });
      try {
        await new Promise<void>((resolve, reject) => {
          https.get(
            `https://${authority(target)}/`,
            { agent, lookup } as https.RequestOptions,
            (response) => {
              response.on("end", resolve).on("error", reject).resume();
            },
          ).on("error", reject);
        });
      } finally {
        agent.destroy();
      }
    },
  },
  {
    name: "tlsOptions()",
    runtimes: EVERYWHERE,
    route: "socket",
    async send(pinner, { hostname, port, ca }, more) {
      const transport = net.connect({ host: "127.0.0.1", port });
      await once(transport, "connect");
      const socket = tls.connect({
        host: hostname,
        socket: transport,
        ...more,
        ...tlsOptions(pinner, { hostname, ca }),
      });
      await once(socket, "secureConnect");
      await exchange(socket);
    },
  },
];

/** Whether a way leads to loopback for a hostname. */
export function reaches({ route }: Way, hostname: string): boolean {
  if (hostname === "localhost" || hostname === "127.0.0.1") return true;
  const isAddress = /^[\d.]+$|:/.test(hostname);
  return route === "socket" || (route === "lookup" && !isAddress);
}

/** The ways of one runtime. */
export function waysOf(runtime: RuntimeName): readonly Way[] {
  return WAYS.filter(({ runtimes }) => runtimes.includes(runtime));
}

/** The code of certpin in an error or its cause; `platform` for any other. */
export function codeOf(error: unknown): string {
  let at = error as { code?: unknown; cause?: unknown } | undefined;
  while (at && typeof at === "object") {
    const { code } = at;
    if (typeof code === "string" && code.startsWith("ERR_CERTPIN_")) {
      return code;
    }
    at = at.cause as typeof at;
  }
  return "platform";
}

/** The code with which an attempt fails; `undefined` where it does not. */
export async function refusal(
  attempt: () => unknown,
): Promise<string | undefined> {
  try {
    await attempt();
  } catch (error) {
    return codeOf(error);
  }
}
