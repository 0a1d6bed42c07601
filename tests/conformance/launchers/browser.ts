/**
 * Launches the core's bodies in a page.
 */
import { adaptersElsewhere } from "../core/elsewhere.ts";
import { coreBodies } from "../core_bodies.ts";
import { runBodies } from "./sandbox.ts";

Object.assign(globalThis, {
  results: runBodies("browser", [...coreBodies, adaptersElsewhere]),
});
