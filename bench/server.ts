/**
 * Starts the server of the benchmarks.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { programPath } from "../tools/suite/npx.ts";
import type { Identity } from "./bench.ts";

/** The Node that serves. */
const NODE = "node@24";

/** A server in a process of its own. */
export interface BenchServer extends AsyncDisposable {
  /** Its port on 127.0.0.1. */
  readonly port: number;
}

/** Starts it with the identities in a file, the first for whoever names none. */
export async function startServer(
  folder: string,
  identities: readonly Identity[],
): Promise<BenchServer> {
  const node = await programPath(NODE, "node", ["-p", "process.execPath"]);
  if (node === undefined) throw new Error(`npx does not bring ${NODE}`);
  const file = `${folder}/identities.json`;
  await Deno.writeTextFile(file, JSON.stringify(identities));
  const child = new Deno.Command(node, {
    args: [
      "--no-warnings",
      fileURLToPath(new URL("server_process.ts", import.meta.url)),
      file,
    ],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  return {
    port: Number(new TextDecoder().decode(value)),
    async [Symbol.asyncDispose]() {
      await child.stdin.close();
      await reader.cancel();
      await child.status;
    },
  };
}
