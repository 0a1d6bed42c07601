/**
 * Launches the bodies in `node --test` and in `bun test`.
 */
import process from "node:process";
import { after, test } from "node:test";
import { adapterBodies } from "../adapter_bodies.ts";
import { coreBodies } from "../core_bodies.ts";
import { edgeAdapterBodies } from "../edge_adapter_bodies.ts";
import { edgeBodies } from "../edge_bodies.ts";
import { createHarness } from "../harness.ts";
import { recordFeature } from "./features.ts";

/** How long the process may live on after its last test, in milliseconds. */
const LINGER_MS = 10_000;

const runtime = process.versions.bun ? "bun" : "node";
const harness = createHarness({
  runtime,
  version: process.versions[runtime]!,
  register: (name, body) => void test(name, body),
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

after(() => {
  // Whatever keeps the process alive now was left open by a test.
  setTimeout(() => {
    const left = process.getActiveResourcesInfo();
    console.error(`A test left handles open: ${left.join(", ")}`);
    process.exit(1);
  }, LINGER_MS).unref();
});
