/**
 * Launches the bodies where there is a `process`: Node, Bun, an older Deno.
 */
import process from "node:process";
import { adapterBodies } from "../adapter_bodies.ts";
import { coreBodies } from "../core_bodies.ts";
import { edgeAdapterBodies } from "../edge_adapter_bodies.ts";
import { edgeBodies } from "../edge_bodies.ts";
import { runBodies } from "./mini.ts";

/** How long the process may live on after its last test, in milliseconds. */
const LINGER_MS = 10_000;

const { versions } = process;
const runtime = versions.deno ? "deno" : versions.bun ? "bun" : "node";
const { failed } = await runBodies(
  runtime,
  versions[runtime]!,
  [...coreBodies, ...edgeBodies, ...edgeAdapterBodies, ...adapterBodies],
  console.log,
);
process.exitCode = failed > 0 ? 1 : 0;
// Whatever keeps the process alive now was left open by a test.
setTimeout(() => {
  console.log("FAILED: a test left a handle open\n0 passed, 1 failed");
  process.exit(1);
}, LINGER_MS).unref();
