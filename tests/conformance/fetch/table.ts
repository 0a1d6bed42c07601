/**
 * Every behaviour of `fetch` that is compared with the runtime's own.
 */
import type { BehaviourGroup } from "./behaviour.ts";
import { bodies } from "./bodies.ts";
import { encodings } from "./encodings.ts";
import { statuses } from "./statuses.ts";

/** All groups, in the order of the documentation. */
export const BEHAVIOURS: readonly BehaviourGroup[] = [
  bodies,
  encodings,
  statuses,
];
