/**
 * Everything that can happen to a connection, at every moment from the TCP
 * connection to the first byte of the response: each call settles in time and
 * with the right kind of error, nothing is left, and no byte goes astray.
 */
import { assert, assertEquals } from "@std/assert";
import { once } from "node:events";
import * as https from "node:https";
import * as net from "node:net";
import process from "node:process";
import { setImmediate } from "node:timers";
import type { TLSSocket } from "node:tls";
import { request } from "undici/index.js";
import {
  connectTls,
  createFetch,
  startTls,
} from "../../../src/adapters/deno.ts";
import {
  connect,
  createAgent,
  createDispatcher,
} from "../../../src/adapters/node.ts";
import { parseCertificates } from "../../../src/x509/certificate.ts";
import { createPinner, type Pinner } from "../../../src/pinner/pinner.ts";
import { mintChain, type MintedChain } from "../../../src/testing/mod.ts";
import type { Body, RuntimeName } from "../harness.ts";
import { random } from "../random.ts";
import { everything } from "../skip.ts";
import { expiring, otherPins } from "./pools.ts";
import { answerHttp, serve } from "./servers.ts";
import {
  PEER_ACTS,
  type PeerAct,
  type Relay,
  type RelayEvent,
  type Relays,
  relayTo,
  type SecureSockets,
} from "./sweep_relay.ts";
import { codeOf } from "./ways.ts";

/** Moments of each kind. */
const MICROTASKS = 40;
const DELAYS = 40;
/** Milliseconds between two delays. */
const DELAY_STEP_MS = 0.2;
/** Calls of one adapter in the short run; the long one makes all of them. */
const SAMPLE = 200;
/** Calls at the same time. */
const AT_ONCE = 8;
/** Milliseconds for a connection, and for a whole call. */
const CONNECT_MS = 3_000;
const CALL_MS = 6_000;
/** Milliseconds until a connection that was closed is gone. */
const GONE_MS = 2_000;
/** Guard against hangs, in milliseconds, for all calls of one adapter. */
const HANG_MS = 180_000;

/** When something happens. */
type Moment =
  | { readonly at: RelayEvent | "verdict" }
  /** So many microtasks after the verdict has begun. */
  | { readonly microtasks: number }
  /** So many steps after the server has seen the handshake end. */
  | { readonly delays: number };

const MOMENTS: readonly Moment[] = [
  { at: "connection" },
  { at: "client hello" },
  { at: "server hello" },
  { at: "handshake" },
  { at: "verdict" },
  { at: "request" },
  { at: "body" },
  ...Array.from({ length: MICROTASKS }, (_, microtasks) => ({ microtasks })),
  ...Array.from({ length: DELAYS }, (_, delays) => ({ delays })),
];

/** What happens. */
type Act =
  | PeerAct
  | "update() to a policy that refuses"
  | "update() to a policy that allows"
  | "expiry"
  | "abort"
  | "close";

const CLIENT_ACTS: readonly Act[] = [
  "update() to a policy that refuses",
  "update() to a policy that allows",
  "expiry",
  "abort",
];

/** The first half of a response, and the rest of it. */
const HALF = "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello";
const REST = "world";

/** One call. */
interface Placement {
  readonly moment: Moment;
  readonly act: Act;
  /** Whether the peer has the pins of the policy. */
  readonly isImpostor: boolean;
  /** Whether the pinner has seen the chain before: then nothing is awaited long. */
  readonly isWarm: boolean;
}

interface Started {
  readonly answered: Promise<unknown>;
  /** Closes the pool, where there is one. */
  readonly close?: () => unknown;
}

interface Target {
  readonly port: number;
  readonly ca: string;
  readonly signal: AbortSignal;
}

interface Adapter {
  readonly name: string;
  readonly runtimes: readonly RuntimeName[];
  readonly hasClose: boolean;
  /** Whether an answer is a whole response of HTTP. */
  readonly isHttp: boolean;
  start(pinner: Pinner, target: Target): Started;
}

const HOSTNAME = "localhost";
const REQUEST = `GET / HTTP/1.1\r\nhost: ${HOSTNAME}\r\n\r\n`;
const EVERYWHERE: readonly RuntimeName[] = ["deno", "node", "bun"];

function exchange(socket: TLSSocket): Promise<void> {
  return new Promise<void>((resolve, reject) => {
    socket.once("data", () => resolve());
    socket.on("error", reject);
    socket.once("end", () => reject(new Error("ended without an answer")));
    socket.once("close", () => reject(new Error("closed without an answer")));
    socket.write(REQUEST);
  }).finally(() => socket.destroy());
}

async function exchangeConn(conn: Deno.TlsConn): Promise<void> {
  try {
    await conn.write(new TextEncoder().encode(REQUEST));
    const count = await conn.read(new Uint8Array(1024));
    if (count === null) throw new Error("ended without an answer");
  } finally {
    conn.close();
  }
}

const connectTimeout = CONNECT_MS;

const ADAPTERS: readonly Adapter[] = [
  {
    name: "createFetch()",
    runtimes: EVERYWHERE,
    hasClose: true,
    isHttp: true,
    start(pinner, { port, ca, signal }) {
      const fetch = createFetch(pinner, { ca, connectTimeout });
      const answered = fetch(`https://${HOSTNAME}:${port}/`, { signal })
        .then((response) => response.text());
      return { answered, close: () => fetch.close() };
    },
  },
  {
    name: "createDispatcher()",
    runtimes: EVERYWHERE,
    hasClose: true,
    isHttp: true,
    start(pinner, { port, ca, signal }) {
      const dispatcher = createDispatcher(pinner, { ca, connectTimeout });
      const url = `https://${HOSTNAME}:${port}/`;
      const answered = request(url, { dispatcher, signal })
        .then(({ body }) => body.text());
      return { answered, close: () => dispatcher.destroy() };
    },
  },
  {
    name: "createAgent()",
    runtimes: EVERYWHERE,
    hasClose: true,
    isHttp: true,
    start(pinner, { port, ca, signal }) {
      const agent = createAgent(pinner, { ca, connectTimeout });
      const answered = new Promise((resolve, reject) => {
        const options = { host: HOSTNAME, port, agent, signal };
        https.get(options, (response) => {
          response.on("end", resolve).on("error", reject).resume();
        }).on("error", reject);
      });
      return { answered, close: () => agent.destroy() };
    },
  },
  {
    name: "connect()",
    runtimes: EVERYWHERE,
    hasClose: false,
    isHttp: false,
    start(pinner, target) {
      const options = { host: HOSTNAME, connectTimeout, ...target };
      return { answered: connect(pinner, options).then(exchange) };
    },
  },
  {
    name: "connect() over a socket",
    runtimes: EVERYWHERE,
    hasClose: false,
    isHttp: false,
    start(pinner, { port, ca, signal }) {
      const answered = (async () => {
        const socket = net.connect({ host: "127.0.0.1", port });
        socket.on("error", () => {});
        await once(socket, "connect");
        const options = { host: HOSTNAME, socket, ca, signal, connectTimeout };
        await exchange(await connect(pinner, options));
      })();
      return { answered };
    },
  },
  {
    name: "connectTls()",
    runtimes: ["deno"],
    hasClose: false,
    isHttp: false,
    start(pinner, target) {
      const options = { hostname: HOSTNAME, connectTimeout, ...target };
      return { answered: connectTls(pinner, options).then(exchangeConn) };
    },
  },
  {
    name: "startTls()",
    runtimes: ["deno"],
    hasClose: false,
    isHttp: false,
    start(pinner, { port, ca, signal }) {
      const answered = (async () => {
        const tcp = await Deno.connect({ hostname: "127.0.0.1", port });
        const options = { hostname: HOSTNAME, ca, signal, connectTimeout };
        await exchangeConn(await startTls(pinner, tcp, options));
      })();
      return { answered };
    },
  },
];

function placementsOf({ hasClose }: Adapter): Placement[] {
  const acts: readonly Act[] = [
    ...PEER_ACTS,
    ...CLIENT_ACTS,
    ...hasClose ? ["close" as const] : [],
  ];
  return MOMENTS.flatMap((moment, index) =>
    acts.flatMap((act) => {
      // Of the acts of a peer, an impostor's are tried too; a policy that
      // comes to allow it lets it in.
      const impostors = (PEER_ACTS as readonly Act[]).includes(act) ||
          act === "abort" || act === "close"
        ? [false, true]
        : [act === "update() to a policy that allows"];
      // Both, where microtasks are counted; elsewhere in turns.
      const warmths = "microtasks" in moment ? [false, true] : [index % 2 > 0];
      return impostors.flatMap((isImpostor) =>
        warmths.map((isWarm) => ({ moment, act, isImpostor, isWarm }))
      );
    })
  );
}

function describe({ moment, act, isImpostor, isWarm }: Placement): string {
  const [[kind, value]] = Object.entries(moment);
  return `${act}, ${kind} ${value}${isImpostor ? ", impostor" : ""}${
    isWarm ? ", warm" : ""
  }`;
}

/** Waits so many microtasks. */
async function microtasks(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await undefined;
}

/** Waits so many milliseconds, more exactly than a timer does. */
function delay(milliseconds: number, act: () => void): void {
  const end = performance.now() + milliseconds;
  const look = () => {
    if (performance.now() >= end) act();
    else setImmediate(look);
  };
  look();
}

/** The codes that may come of an act; `undefined` is an answer. */
function expectedCodes(
  { act, isImpostor, moment }: Placement,
  isHttp: boolean,
): readonly (string | undefined)[] {
  const mismatch = "ERR_CERTPIN_MISMATCH";
  const isCut = isHttp && "at" in moment && moment.at === "body" &&
    (PEER_ACTS as readonly Act[]).includes(act);
  // Half of a response is none.
  if (isCut) return [isImpostor ? mismatch : "platform"];
  switch (act) {
    case "update() to a policy that refuses":
      return [undefined, mismatch];
    case "update() to a policy that allows":
      return isImpostor ? [undefined, mismatch] : [undefined];
    case "expiry":
      return [undefined, "ERR_CERTPIN_EXPIRED"];
    default:
      return [
        "platform",
        "ERR_CERTPIN_HANDSHAKE",
        isImpostor ? mismatch : undefined,
      ];
  }
}

/** Names of errors that say: certpin is wrong, not the peer. */
const OWN_FAULTS = ["RangeError", "ReferenceError", "AssertionError"];

function isOwnFault(error: unknown): boolean {
  if (!(error instanceof Error)) return true;
  if (OWN_FAULTS.includes(error.name)) return true;
  // fetch fails with a TypeError that has a cause.
  return error.name === "TypeError" && error.cause === undefined;
}

/** What one call came to, where it is wrong. */
async function tryPlacement(
  adapter: Adapter,
  placement: Placement,
  relay: Relay,
  { chain, allowed, refused }: Policies,
): Promise<string | undefined> {
  const { moment, act, isImpostor, isWarm } = placement;
  const controller = new AbortController();
  let clock = Date.now();
  const toRun = new Map<RelayEvent | "verdict", () => void>();
  const pinner = createPinner(isImpostor ? refused : allowed, {
    now() {
      toRun.get("verdict")?.();
      return new Date(clock);
    },
    onWarning: () => {},
  });
  if (isWarm) {
    const anchors = parseCertificates(chain.ca);
    await pinner.check({ hostname: HOSTNAME, chain: chain.chain, anchors });
  }
  const started: { close?: () => unknown } = {};
  let hasActed = false;
  const perform = () => {
    if (hasActed) return;
    hasActed = true;
    if (act === "abort") controller.abort(new Error("mine"));
    else if (act === "close") started.close?.();
    else if (act === "expiry") clock += 2 * 3_600_000;
    else if (act === "update() to a policy that refuses") {
      pinner.update(refused);
    } else if (act === "update() to a policy that allows") {
      pinner.update(allowed);
    } else relay.act(act);
  };
  if ("at" in moment) toRun.set(moment.at, perform);
  else if ("delays" in moment) {
    toRun.set(
      "handshake",
      () => delay(moment.delays * DELAY_STEP_MS, perform),
    );
  } else {
    toRun.set("verdict", () => {
      toRun.clear();
      microtasks(moment.microtasks).then(perform);
    });
  }
  relay.onEvent = (event) => toRun.get(event)?.();
  relay.cutsBody = "at" in moment && moment.at === "body";
  const { port } = relay;
  const { signal } = controller;
  const call = adapter.start(pinner, { port, ca: chain.ca, signal });
  started.close = call.close;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const hung = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve("hung"), CALL_MS);
  });
  const outcome = await Promise.race([
    call.answered.then(() => undefined, (error: unknown) => ({ error })),
    hung,
  ]);
  clearTimeout(timer);
  // What comes later would meet the next call.
  toRun.clear();
  hasActed = true;
  await call.close?.();
  const code = outcome === undefined
    ? undefined
    : typeof outcome === "string"
    ? outcome
    : codeOf(outcome.error);
  if (!expectedCodes(placement, adapter.isHttp).includes(code)) {
    const error = typeof outcome === "object" ? outcome.error : outcome;
    const cause = error instanceof Error ? error.cause : undefined;
    return `${describe(placement)}: ${code} (${error}, ${cause})`;
  }
  if (typeof outcome === "object" && isOwnFault(outcome.error)) {
    return `${describe(placement)}: ${(outcome.error as Error)?.stack}`;
  }
  const end = performance.now() + GONE_MS;
  while (relay.open > 0 && performance.now() < end) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  if (relay.open > 0) return `${describe(placement)}: left a socket open`;
}

interface Policies {
  readonly chain: MintedChain;
  readonly allowed: MintedChain["policy"];
  readonly refused: MintedChain["policy"];
}

function openHandles(): number {
  const { getActiveResourcesInfo } = process as {
    getActiveResourcesInfo?: () => string[];
  };
  const open = getActiveResourcesInfo?.call(process) ?? [];
  return open.filter((name) => /TCP|TLS|Timeout/.test(name)).length;
}

/** Collects what nobody handles while `act` runs. */
async function withoutUnhandled(act: () => Promise<void>): Promise<void> {
  const unhandled: unknown[] = [];
  const onUnhandled = (error: unknown) => void unhandled.push(error);
  const events = ["unhandledRejection", "uncaughtException"];
  for (const event of events) process.on(event, onUnhandled);
  try {
    await act();
    await new Promise((resolve) => setTimeout(resolve, 20));
  } finally {
    for (const event of events) process.removeListener(event, onUnhandled);
  }
  assertEquals(unhandled, []);
}

/** Registers the tests. */
export const sweep: Body = (t) => {
  for (const adapter of ADAPTERS) {
    if (!adapter.runtimes.includes(t.runtime)) continue;
    const all = placementsOf(adapter);
    const placements = random(all.length).shuffle(all)
      .slice(0, everything() ? all.length : SAMPLE);
    t.test(
      `${adapter.name} settles, whatever happens when: ${placements.length} of ${all.length} placements`,
      async () => {
        const chain = await mintChain({ hostnames: [HOSTNAME] });
        const soon = new Date(Date.now() + 3_600_000);
        const policies: Policies = {
          chain,
          allowed: expiring(chain, soon),
          refused: expiring({ ...chain, policy: otherPins(chain) }, soon),
        };
        const handles = openHandles();
        const wrong: string[] = [];
        const bytes = { impostor: 0, pinned: 0 };
        await withoutUnhandled(async () => {
          for (const isImpostor of [true, false]) {
            // A peer that the policy comes to allow is no impostor.
            const queue = placements.filter((placement) =>
              isImpostor === (placement.isImpostor &&
                placement.act !== "update() to a policy that allows")
            );
            const secure: SecureSockets = new Map();
            const relays: Relays = new Map();
            await using server = await serve(chain, {
              onSocket(socket) {
                const port = socket.remotePort;
                secure.set(port, socket);
                socket.on("close", () => secure.delete(port));
                relays.get(port)?.onEvent("handshake");
              },
              onData(socket, chunk) {
                const relay = relays.get(socket.remotePort);
                relay?.onEvent("request");
                if (!relay?.cutsBody) return answerHttp(socket, chunk);
                socket.write(HALF, () => {
                  relay.onEvent("body");
                  setTimeout(() => socket.write(REST), 1);
                });
              },
            });
            const work = async () => {
              await using relay = await relayTo(server.port, secure, relays);
              for (let next = queue.pop(); next; next = queue.pop()) {
                const found = await tryPlacement(
                  adapter,
                  next,
                  relay,
                  policies,
                );
                if (found !== undefined) wrong.push(found);
              }
            };
            await Promise.all(Array.from({ length: AT_ONCE }, work));
            bytes[isImpostor ? "impostor" : "pinned"] = server.received;
          }
        });
        assertEquals(wrong, []);
        assertEquals(bytes.impostor, 0);
        assert(bytes.pinned > 0, "nothing was ever sent");
        // What was destroyed a moment ago is closed a moment later.
        const end = performance.now() + GONE_MS;
        while (openHandles() > handles && performance.now() < end) {
          await new Promise((resolve) => setTimeout(resolve, 10));
        }
        assert(openHandles() <= handles, "handles were left open");
      },
      HANG_MS,
    );
  }
};
