/**
 * Launches the core's bodies in workerd, as `workerd test` wants it.
 */
import { coreBodies } from "../core_bodies.ts";
import { edgeBodies } from "../edge_bodies.ts";
import { runBodies } from "./sandbox.ts";

export default {
  /** Runs the bodies. */
  async test(): Promise<void> {
    console.log(
      JSON.stringify(
        await runBodies("workerd", [...coreBodies, ...edgeBodies]),
      ),
    );
  },
};
