/**
 * The tests of the edge that need no sockets; they run everywhere too.
 */
import { exchanges } from "./edge/exchanges.ts";
import { smuggling } from "./edge/smuggling.ts";
import type { Body } from "./harness.ts";
import { tls13Attacks } from "./tls13/attacks.ts";
import { tls13Connections } from "./tls13/connections.ts";
import { tls13Layers } from "./tls13/layers.ts";
import { tls13Mutations } from "./tls13/mutations.ts";
import { tls13Records } from "./tls13/records.ts";
import { tls13Rfc8448 } from "./tls13/rfc8448.ts";

/** All of them. */
export const edgeBodies: readonly Body[] = [
  smuggling,
  exchanges,
  tls13Layers,
  tls13Rfc8448,
  tls13Connections,
  tls13Attacks,
  tls13Records,
  tls13Mutations,
];
