/**
 * Programs that come from npm: other runtimes, and packages in a folder.
 *
 * @module
 */
import { type Ran, run } from "./command.ts";

const WINDOWS = Deno.build.os === "windows";

/** Runs `npm`. */
export async function npm(
  args: readonly string[],
  cwd: string | URL,
): Promise<Ran> {
  const quiet = ["--no-audit", "--no-fund", "--loglevel=error"];
  return await run(WINDOWS ? "npm.cmd" : "npm", [...args, ...quiet], { cwd });
}

/**
 * The path of a program of an npm package, which npx brings.
 *
 * @param evaluate Arguments that make the program print its own path.
 * @returns `undefined` where npx or the package cannot be had.
 */
export async function programPath(
  npmPackage: string,
  program: string,
  evaluate: readonly string[],
): Promise<string | undefined> {
  const { success, stdout } = await run(
    WINDOWS ? "npx.cmd" : "npx",
    ["-y", "-p", npmPackage, "--", program, ...evaluate],
  );
  return success ? stdout.trim().split("\n").at(-1) : undefined;
}
