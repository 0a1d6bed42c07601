/**
 * Bundles TypeScript that Deno resolves for runtimes that cannot.
 *
 * @module
 */
import * as esbuild from "esbuild";
import { pathToFileURL } from "node:url";
import { resolveModules, splitNpm } from "./graph.ts";

/** Where a bundle is to run. */
export interface BundleOptions {
  /** `node` leaves npm packages outside; the others take them in. */
  readonly platform: "node" | "browser" | "workerd";
  /** A folder with a `node_modules`, for the packages that are taken in. */
  readonly packagesFolder?: string;
  readonly minify?: boolean;
}

/**
 * Bundles a file of the project with all that it reaches; returns JavaScript.
 *
 * Specifiers mean what they mean in Deno: the import map and the linked
 * packages hold. `node:` modules stay imports.
 */
export async function bundle(
  entry: string,
  { platform, packagesFolder, minify = false }: BundleOptions,
): Promise<string> {
  const modules = await resolveModules([entry]);
  const plugin: esbuild.Plugin = {
    name: "deno",
    setup(build) {
      build.onResolve({ filter: /^/ }, (args) => {
        if (args.kind === "entry-point" || args.pluginData === "npm") return;
        const importer = modules.get(pathToFileURL(args.importer).href);
        const target = importer?.targets.get(args.path);
        if (!target) return;
        if (/^(node|cloudflare):/.test(target)) {
          return { path: target, external: true };
        }
        if (!target.startsWith("npm:")) {
          return { path: modules.get(target)!.file };
        }
        const { name, rest } = splitNpm(target);
        if (platform === "node") return { path: name + rest, external: true };
        return build.resolve(name + rest, {
          kind: args.kind,
          resolveDir: packagesFolder,
          pluginData: "npm",
        });
      });
    },
  };
  try {
    const { outputFiles } = await esbuild.build({
      entryPoints: [
        [...modules.values()].find(({ specifier }) =>
          specifier.endsWith(`/${entry}`)
        )!.file,
      ],
      bundle: true,
      write: false,
      format: "esm",
      target: "es2023",
      platform: platform === "node" ? "node" : "browser",
      conditions: platform === "workerd" ? ["workerd"] : [],
      external: ["node:*", "cloudflare:*"],
      sourcemap: minify ? false : "inline",
      minify,
      logLevel: "error",
      plugins: [plugin],
    });
    return outputFiles[0].text;
  } finally {
    await esbuild.stop();
  }
}
