/**
 * Which files the package for Node and Bun is made of.
 *
 * @module
 */
import { resolveModules, splitNpm } from "./graph.ts";
import { ROOT } from "../suite/paths.ts";

/** One file that goes into the package. */
export interface PackageModule {
  /** The file on this machine. */
  readonly source: string;
  /** Its path in the package, still with its ending. */
  readonly path: string;
  /** What its specifiers mean: a path in the package, or a package's name. */
  readonly targets: ReadonlyMap<string, string>;
}

/** Everything that some entry points reach. */
export interface Reached {
  readonly modules: readonly PackageModule[];
  /** Names of the npm packages. */
  readonly packages: ReadonlySet<string>;
}

/** A path in the package: our own files keep theirs, JSR's go to `deps/`. */
function packagePath(specifier: string): string {
  const jsr = /\/@std\/encoding\/[^/]+\/(.+)$/.exec(specifier) ??
    /\/tools\/jsr\/encoding\/(.+)$/.exec(specifier);
  if (jsr) return `deps/std_encoding/${jsr[1]}`;
  if (specifier.startsWith(ROOT.href)) {
    return specifier.slice(ROOT.href.length);
  }
  throw new Error(`Cannot place ${specifier} in the package`);
}

/** Finds everything that the entry points reach; types are included. */
export async function reachedBy(entries: readonly string[]): Promise<Reached> {
  const packages = new Set<string>();
  const place = (specifier: string): string => {
    if (/^(node|cloudflare):/.test(specifier)) return specifier;
    if (!specifier.startsWith("npm:")) return packagePath(specifier);
    const { name, rest } = splitNpm(specifier);
    packages.add(name);
    return name + rest;
  };
  const modules: PackageModule[] = [];
  const found = await resolveModules(entries);
  for (const { specifier, file, targets } of found.values()) {
    modules.push({
      source: file,
      path: packagePath(specifier),
      targets: new Map([...targets].map(([key, to]) => [key, place(to)])),
    });
  }
  return { modules, packages };
}
