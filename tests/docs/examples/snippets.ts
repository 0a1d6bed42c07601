/**
 * The snippets of the documents that need surroundings: a policy, a server, a
 * runtime other than Deno.
 *
 * The info string says what they are run with:
 * - `ts ignore deno`, `js ignore node`, `js ignore bun`: runtimes; then
 *   `serve=SERVICE`, by default `https`.
 * - `js node bun`: needs nothing, and is run on these runtimes too.
 * - `bundle`, `compile`: bundled or compiled first, on Deno.
 * - `commonjs`: a `.cjs` file.
 * - `ts ignore shown`: not run here, since no runtime of these runs it alone; an
 *   example in `examples/` has the same.
 * - `sh run`: its commands are run one after the other in a fresh folder.
 * - `policy`: not run, but read by `parsePolicy` (`json`, `jsonc`).
 *
 * @module
 */
import type { Block } from "../markdown.ts";
import type { Runtime } from "./workshop.ts";

/** A snippet that is run. */
export interface Snippet {
  readonly block: Block;
  readonly runtimes: readonly Runtime[];
  readonly service: string;
  /** What is done to it first. */
  readonly build?: "bundle" | "compile";
  /** Whether it is CommonJS. */
  readonly commonjs: boolean;
}

const RUNTIMES: readonly string[] = ["deno", "node", "bun"];

/** The runtimes that its info string names. */
function runtimesOf({ words }: Block): Runtime[] {
  return words.filter((word) => RUNTIMES.includes(word)) as Runtime[];
}

/**
 * The runtimes of a snippet that needs no surroundings; on Deno, and for their
 * types, `deno test --doc` runs them.
 */
export function selfContainedOf(
  block: Block,
): { readonly block: Block; readonly runtimes: readonly Runtime[] } {
  const runs = /^(ts|js)$/.test(block.language) &&
    !block.words.includes("ignore");
  return { block, runtimes: runs ? runtimesOf(block) : [] };
}

/** Where it stands, for people. */
export function placeOf({ document, line }: Block): string {
  return `${document}:${line}`;
}

/** Reads a block's info string; `undefined` where it is none of ours. */
export function snippetOf(block: Block): Snippet | undefined {
  const { language, words } = block;
  if (
    !/^(ts|js)$/.test(language) || !words.includes("ignore") ||
    words.includes("shown")
  ) return undefined;
  const runtimes = words.filter((word) => RUNTIMES.includes(word)) as Runtime[];
  if (runtimes.length === 0) {
    throw new Error(`${placeOf(block)}: no runtime runs it`);
  }
  const build = words.find((word) => /^(bundle|compile)$/.test(word));
  const service = words.find((word) => word.startsWith("serve="));
  for (const word of words) {
    if (["ignore", "commonjs", build, service].includes(word)) continue;
    if (!RUNTIMES.includes(word)) {
      throw new Error(`${placeOf(block)}: what does "${word}" mean?`);
    }
  }
  return {
    block,
    runtimes,
    service: service?.slice("serve=".length) ?? "https",
    build: build as Snippet["build"],
    commonjs: words.includes("commonjs"),
  };
}

/**
 * Sends a program to a server on loopback instead of to `….example.com`; its
 * ports, which stand in URLs or after `port:`, become the server's.
 */
export function redirected(text: string, port: number): string {
  return text
    .replaceAll(/\/\/\w+\.example\.com(:\d+)?/g, `//localhost:${port}`)
    .replaceAll(/\b\w+\.example\.com:\d+/g, `localhost:${port}`)
    .replaceAll(/\b\w+\.example\.com\b/g, "localhost")
    .replaceAll(/\bport: \d+/g, `port: ${port}`);
}

/** The words of the commands in a block of `sh`, comments left out. */
export function commandsOf({ text }: Block): string[][] {
  return text.split("\n")
    .map((line) => line.replace(/(^|\s)#.*$/, "").trim())
    .filter((line) => line !== "")
    .map((line) =>
      line
        .replace(
          /^(deno run -A jsr:@certpin\/cli|npx @certpin\/cli) /,
          "certpin ",
        )
        .split(/\s+/)
    );
}
