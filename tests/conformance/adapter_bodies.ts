/**
 * The tests of the adapters that run on Deno, Node and Bun.
 */
import { aborts } from "./adapters/aborts.ts";
import { attacks } from "./adapters/attacks.ts";
import { denoConn } from "./adapters/deno_conn.ts";
import { features } from "./adapters/features.ts";
import { hazards } from "./adapters/hazards.ts";
import { held } from "./adapters/held.ts";
import { overHttp2 } from "./adapters/http2.ts";
import { libraries } from "./adapters/libraries.ts";
import { limits } from "./adapters/limits.ts";
import { load } from "./adapters/load.ts";
import { openssl } from "./adapters/openssl.ts";
import { options } from "./adapters/options.ts";
import { protocols } from "./adapters/protocols.ts";
import { proxies } from "./adapters/proxies.ts";
import { races } from "./adapters/races.ts";
import { reuse } from "./adapters/reuse.ts";
import { fetchBehaviours } from "./fetch/behaviours.ts";
import { fetchSoak } from "./fetch/soak.ts";
import { sweep } from "./adapters/sweep.ts";
import type { Body } from "./harness.ts";
import { updateAge } from "./updates/age.ts";
import { updateAttacks } from "./updates/attacks.ts";
import { deadCollector } from "./updates/dead_collector.ts";
import { updateRefresh } from "./updates/refresh.ts";
import { updateStores } from "./updates/stores.ts";

/** All of them. */
export const adapterBodies: readonly Body[] = [
  features,
  aborts,
  overHttp2,
  protocols,
  proxies,
  denoConn,
  options,
  openssl,
  hazards,
  libraries,
  reuse,
  races,
  held,
  attacks,
  limits,
  sweep,
  load,
  fetchBehaviours,
  fetchSoak,
  updateAttacks,
  updateStores,
  updateAge,
  updateRefresh,
  deadCollector,
];
