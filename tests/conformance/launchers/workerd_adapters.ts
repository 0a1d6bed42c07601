/**
 * Launches the adapters' refusal in workerd with its Node compatibility on.
 */
import { adaptersElsewhere } from "../core/elsewhere.ts";
import { runBodies } from "./mini.ts";

export default {
  /** Runs the body. */
  async test(): Promise<void> {
    const { userAgent } = globalThis.navigator;
    const bodies = [adaptersElsewhere];
    const { failed } = await runBodies(
      "workerd",
      userAgent,
      bodies,
      console.log,
    );
    if (failed > 0) throw new Error(`${failed} failed`);
  },
};
