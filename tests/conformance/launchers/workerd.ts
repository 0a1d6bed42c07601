/**
 * Launches the core's bodies in workerd, as `workerd test` wants it.
 */
import { coreBodies } from "../core_bodies.ts";
import { edgeBodies } from "../edge_bodies.ts";
import { runBodies } from "./mini.ts";

export default {
  /** Runs the bodies. */
  async test(): Promise<void> {
    const { navigator } = globalThis;
    const { failed } = await runBodies(
      "workerd",
      navigator.userAgent,
      [...coreBodies, ...edgeBodies],
      console.log,
    );
    if (failed > 0) throw new Error(`${failed} failed`);
  },
};
