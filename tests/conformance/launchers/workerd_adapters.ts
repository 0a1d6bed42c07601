/**
 * Launches the adapters' refusal in workerd with its Node compatibility on.
 */
import { adaptersElsewhere } from "../core/elsewhere.ts";
import { runBodies } from "./sandbox.ts";

export default {
  /** Runs the body. */
  async test(): Promise<void> {
    console.log(
      JSON.stringify(await runBodies("workerd", [adaptersElsewhere])),
    );
  },
};
