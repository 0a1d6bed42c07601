/**
 * The package.json of the packages for Node and Bun.
 *
 * @module
 */
import { splitNpm } from "./graph.ts";
import { isInternal, PACKAGES, type WorkspacePackage } from "../workspace.ts";
import { javascriptPath } from "./emit.ts";
import type { Repository } from "./repository.ts";

/** Where the stub of `./node` lies that throws. */
export const STUB_PATH = "src/adapters/unsupported.js";

/** What a package says of itself besides what its `deno.json` says. */
export interface Presentation {
  readonly description: string;
  readonly keywords: readonly string[];
  /** Commands by name. */
  readonly bin?: Readonly<Record<string, string>>;
  /** Files that do something when they are imported. */
  readonly sideEffects: false | readonly string[];
}

/** The entry points that Node and Bun have; the others are for Deno alone. */
export function npmExports(
  { exports }: WorkspacePackage,
): readonly (readonly [name: string, path: string])[] {
  return Object.entries(exports)
    .filter(([name]) => name !== "./deno" && !isInternal(name));
}

function conditions(name: string, path: string): unknown {
  const file = `./${javascriptPath(path)}`;
  if (path.endsWith(".json")) return file;
  const types = file.replace(/\.js$/, ".d.ts");
  const stub = `./${STUB_PATH}`;
  return name === "./node"
    ? { types, workerd: stub, browser: stub, default: file }
    : { types, default: file };
}

/** The range that a `deno.json` gives for an npm package. */
function range(name: string): string {
  for (const { imports } of PACKAGES) {
    for (const specifier of Object.values(imports)) {
      if (!specifier.startsWith("npm:")) continue;
      const split = splitNpm(specifier);
      if (split.name === name && split.range) return split.range;
    }
  }
  throw new Error(`No deno.json gives a range for ${name}`);
}

/** Writes the manifest. */
export function manifest(
  one: WorkspacePackage,
  { description, keywords, bin, sideEffects }: Presentation,
  packages: ReadonlySet<string>,
  repository: Repository | undefined,
): string {
  const { name, version, license, folder } = one;
  const exported = npmExports(one).map(([key, path]) =>
    [key, conditions(key, path)] as const
  );
  const directory = folder === "" ? {} : { directory: folder.slice(0, -1) };
  return JSON.stringify(
    {
      name,
      version,
      description,
      keywords,
      license,
      ...repository && {
        homepage: repository.homepage,
        bugs: { url: repository.bugs },
        repository: { type: "git", url: repository.git, ...directory },
      },
      type: "module",
      sideEffects,
      engines: { node: ">=22.19.0", bun: ">=1.4.0" },
      exports: Object.fromEntries([
        ...exported,
        ["./package.json", "./package.json"],
      ]),
      bin,
      dependencies: Object.fromEntries(
        [...packages].sort().map((key) => [key, range(key)] as const),
      ),
    },
    null,
    2,
  ) + "\n";
}
