/**
 * The tests of the edge that need no sockets; they run everywhere too.
 */
import { exchanges } from "./edge/exchanges.ts";
import { smuggling } from "./edge/smuggling.ts";
import type { Body } from "./harness.ts";
import { tls13Attacks } from "./tls13/attacks.ts";

/** All of them. */
export const edgeBodies: readonly Body[] = [
  smuggling,
  exchanges,
  tls13Attacks,
];
