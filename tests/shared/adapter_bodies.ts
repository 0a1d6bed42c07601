/**
 * The tests of the adapters that run on Deno, Node and Bun.
 */
import { attacks } from "./adapters/attacks.ts";
import { denoConn } from "./adapters/deno_conn.ts";
import { features } from "./adapters/features.ts";
import { hazards } from "./adapters/hazards.ts";
import { libraries } from "./adapters/libraries.ts";
import { load } from "./adapters/load.ts";
import { openssl } from "./adapters/openssl.ts";
import { options } from "./adapters/options.ts";
import { protocols } from "./adapters/protocols.ts";
import { proxies } from "./adapters/proxies.ts";
import { reuse } from "./adapters/reuse.ts";
import type { Body } from "./harness.ts";

/** All of them. */
export const adapterBodies: readonly Body[] = [
  features,
  protocols,
  proxies,
  denoConn,
  options,
  openssl,
  hazards,
  libraries,
  reuse,
  attacks,
  load,
];
