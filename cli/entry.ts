/**
 * Whether a module is what was started, on every runtime.
 *
 * @module
 */
import { realpathSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";

/** Whether the module was started, rather than imported. */
export function isEntryPoint(meta: { url: string; main?: boolean }): boolean {
  // Node below 24 has no import.meta.main.
  if (typeof meta.main === "boolean") return meta.main;
  const [, script] = process.argv;
  if (script === undefined || !meta.url.startsWith("file:")) return false;
  try {
    // npm links its commands.
    return realpathSync(script) === fileURLToPath(meta.url);
  } catch {
    return false;
  }
}

/** Sets the exit code and lets the process end by itself, so that all output is written. */
export function exitWith(code: number): void {
  process.exitCode = code;
}
