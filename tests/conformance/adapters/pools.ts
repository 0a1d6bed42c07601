/**
 * Pools of connections, whichever adapter keeps them, and policies to change
 * under them.
 */
import * as https from "node:https";
import { request } from "undici/index.js";
import { createFetch } from "../../../src/adapters/deno.ts";
import { createAgent, createDispatcher } from "../../../src/adapters/node.ts";
import type { Pinner } from "../../../src/pinner/pinner.ts";
import type { MintedChain, MintedPolicy } from "../../../src/testing/mod.ts";
import type { Served } from "./servers.ts";

/** The same hosts with one pin that nothing matches. */
export function otherPins({ policy, pins }: MintedChain): MintedPolicy {
  const hosts: MintedPolicy["hosts"] = {};
  for (const hostname of Object.keys(policy.hosts)) {
    hosts[hostname] = { pins: [{ pin: pins.backup }] };
  }
  return { ...policy, hosts };
}

/** The same pins, until a date. */
export function expiring(
  { policy }: MintedChain,
  expiresAt: Date,
): MintedPolicy {
  const hosts: MintedPolicy["hosts"] = {};
  for (const [hostname, host] of Object.entries(policy.hosts)) {
    hosts[hostname] = { ...host, expiresAt: expiresAt.toISOString() };
  }
  return { ...policy, hosts };
}

/** A pool of connections, whichever adapter keeps it. */
export interface Pool {
  readonly name: string;
  open(pinner: Pinner, ca: string): {
    get(server: Served): Promise<void>;
    close(): unknown;
  };
}

/** All of them. */
export const POOLS: readonly Pool[] = [
  {
    name: "createFetch()",
    open(pinner, ca) {
      const fetch = createFetch(pinner, { ca });
      return {
        get: async ({ port }) => {
          await (await fetch(`https://127.0.0.1:${port}/`)).text();
        },
        close: () => fetch.close(),
      };
    },
  },
  {
    name: "createDispatcher()",
    open(pinner, ca) {
      const dispatcher = createDispatcher(pinner, { ca, connections: 1 });
      return {
        get: async ({ port }) => {
          const { body } = await request(`https://127.0.0.1:${port}/`, {
            dispatcher,
          });
          await body.text();
        },
        close: () => dispatcher.destroy(),
      };
    },
  },
  {
    name: "createAgent()",
    open(pinner, ca) {
      const agent = createAgent(pinner, { ca, keepAlive: true, maxSockets: 1 });
      return {
        get: ({ port }) =>
          new Promise((resolve, reject) => {
            https.get(
              `https://127.0.0.1:${port}/`,
              { agent },
              (response) => response.on("end", resolve).resume(),
            ).on("error", reject);
          }),
        close: () => agent.destroy(),
      };
    },
  },
];

/** Lets a connection go back into its pool. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 20));
}
