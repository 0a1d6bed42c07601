/**
 * Launches the bodies in Deno, one `Deno.test` each.
 */
import { adapterBodies } from "../adapter_bodies.ts";
import { coreBodies } from "../core_bodies.ts";
import { edgeAdapterBodies } from "../edge_adapter_bodies.ts";
import { edgeBodies } from "../edge_bodies.ts";
import { createHarness } from "../harness.ts";
import { recordFeature } from "./features.ts";

const harness = createHarness({
  runtime: "deno",
  version: Deno.version.deno,
  register: (name, fn) => Deno.test(name, fn),
}, recordFeature);
for (
  const body of [
    ...coreBodies,
    ...edgeBodies,
    ...edgeAdapterBodies,
    ...adapterBodies,
  ]
) {
  body(harness);
}
