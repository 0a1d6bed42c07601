/**
 * Builds the page: `deno task site` leaves static files in `dist/site/`, which
 * any static host can serve.
 *
 * @module
 */
import { fileURLToPath } from "node:url";

const ROOT = new URL("../", import.meta.url);
const TARGET = new URL("dist/site/", ROOT);
/** Files that are served as they are. */
const STATIC = ["index.html", "style.css", "icon.svg"];

/** Builds the page into a folder; returns its URL. */
export async function buildSite(target: URL = TARGET): Promise<URL> {
  await Deno.remove(target, { recursive: true }).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
  await Deno.mkdir(target, { recursive: true });
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "bundle",
      "--quiet",
      "--platform=browser",
      "--minify",
      "--code-splitting",
      "--outdir",
      fileURLToPath(target),
      "site/main.ts",
    ],
    cwd: ROOT,
    stdout: "null",
  }).output();
  if (!success) {
    throw new Error(`deno bundle failed:\n${new TextDecoder().decode(stderr)}`);
  }
  for (const name of STATIC) {
    await Deno.copyFile(new URL(`site/${name}`, ROOT), new URL(name, target));
  }
  return target;
}

if (import.meta.main) console.log(fileURLToPath(await buildSite()));
