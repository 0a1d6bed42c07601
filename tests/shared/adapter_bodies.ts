/**
 * The tests of the adapters that run on Deno, Node and Bun.
 */
import { attacks } from "./adapters/attacks.ts";
import { hazards } from "./adapters/hazards.ts";
import { options } from "./adapters/options.ts";
import { reuse } from "./adapters/reuse.ts";
import type { Body } from "./harness.ts";

/** All of them. */
export const adapterBodies: readonly Body[] = [
  options,
  hazards,
  reuse,
  attacks,
];
