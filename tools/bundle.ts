/**
 * Bundles TypeScript that Deno resolves for runtimes that cannot.
 *
 * @module
 */
import * as esbuild from "esbuild";
import { deno } from "./suite/command.ts";
import { ROOT } from "./suite/paths.ts";

/** Where a bundle runs: with a `process` and `node:` modules, or without. */
export type Platform = "node" | "sandbox";

/**
 * Bundles a file of the project with all that it reaches; returns JavaScript.
 *
 * `deno bundle` resolves as Deno does: the import map and the linked packages
 * hold, and npm packages are taken in.
 */
export async function bundle(
  entry: string,
  platform: Platform,
): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "certpin-bundle-" });
  try {
    const file = `${folder}/bundle.js`;
    const { success, output } = await deno([
      "bundle",
      "--quiet",
      "--no-lock",
      `--platform=${platform === "node" ? "deno" : "browser"}`,
      "--external=cloudflare:*",
      `--output=${file}`,
      entry,
    ], { cwd: ROOT });
    if (!success) throw new Error(`deno bundle ${entry} failed:\n${output}`);
    // Node 22 does not read `await using`.
    const { code } = await esbuild.transform(await Deno.readTextFile(file), {
      target: "es2023",
      format: "esm",
    });
    return code;
  } finally {
    await esbuild.stop();
    await Deno.remove(folder, { recursive: true });
  }
}
