/**
 * Every behaviour of `fetch` that is compared with the runtime's own.
 */
import type { BehaviourGroup } from "./behaviour.ts";
import { aborts } from "./aborts.ts";
import { calls } from "./calls.ts";
import { responses } from "./responses.ts";
import { bodies } from "./bodies.ts";
import { encodings } from "./encodings.ts";
import { headers } from "./headers.ts";
import { redirects } from "./redirects.ts";
import { statuses } from "./statuses.ts";

/** All groups, in the order of the documentation. */
export const BEHAVIOURS: readonly BehaviourGroup[] = [
  calls,
  headers,
  bodies,
  redirects,
  statuses,
  responses,
  encodings,
  aborts,
];
