/**
 * The tests of the edge adapters over sockets, on Deno, Node and Bun.
 */
import { createFetch } from "../../src/adapters/edge.ts";
import { edgeAdapter } from "./edge/adapter.ts";
import { refusals } from "./edge/refusals.ts";
import { connectLoopback } from "./edge/tcp.ts";
import { visit } from "./edge/visit.ts";
import type { Body } from "./harness.ts";

/** All of them. */
export const edgeAdapterBodies: readonly Body[] = [
  edgeAdapter,
  refusals((where) =>
    visit(where, () =>
      createFetch(where.policy, {
        ca: where.ca,
        connect: connectLoopback,
        onWarning: () => {},
      }))
  ),
];
