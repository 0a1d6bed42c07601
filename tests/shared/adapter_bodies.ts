/**
 * The tests of the adapters that run on Deno, Node and Bun.
 */
import type { Body } from "./harness.ts";

/** All of them. */
export const adapterBodies: readonly Body[] = [];
