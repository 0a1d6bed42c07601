/**
 * Where launchers leave what they found out about the features of a runtime.
 */
import { appendFileSync } from "node:fs";
import { environment } from "../skip.ts";
import type { FeatureResult } from "../harness.ts";

/** Appends a result, as a line of JSON, to the file that `CERTPIN_FEATURES` names. */
export function recordFeature(result: FeatureResult): void {
  const file = environment("CERTPIN_FEATURES");
  if (file) appendFileSync(file, `${JSON.stringify(result)}\n`);
}
