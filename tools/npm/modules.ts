/**
 * Which files the package for Node and Bun is made of.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { deno } from "../suite/command.ts";
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

interface Dependency {
  readonly specifier: string;
  readonly code?: { readonly specifier?: string };
  readonly type?: { readonly specifier?: string };
}

interface InfoModule {
  readonly kind: string;
  readonly specifier: string;
  readonly local?: string;
  readonly error?: string;
  readonly dependencies?: readonly Dependency[];
}

/** Splits `npm:@scope/name@range/part` into its parts. */
export function splitNpm(
  specifier: string,
): { name: string; range: string; rest: string } {
  const match = /^npm:\/?((?:@[^/@]+\/)?[^/@]+)(?:@([^/]*))?(\/.*)?$/
    .exec(specifier);
  if (!match) throw new Error(`Cannot read the specifier ${specifier}`);
  return { name: match[1], range: match[2] ?? "", rest: match[3] ?? "" };
}

/** A path in the package: our own files keep theirs, JSR's go to `deps/`. */
function packagePath(module: InfoModule): string {
  if (module.local === undefined) {
    throw new Error(`There is no file for ${module.specifier}`);
  }
  const { specifier } = module;
  const jsr = /\/@std\/encoding\/[^/]+\/(.+)$/.exec(specifier) ??
    /\/tools\/jsr\/encoding\/(.+)$/.exec(specifier);
  if (jsr) return `deps/std_encoding/${jsr[1]}`;
  if (specifier.startsWith(ROOT.href)) {
    return specifier.slice(ROOT.href.length);
  }
  throw new Error(`Cannot place ${specifier} in the package`);
}

async function info(entry: string): Promise<readonly InfoModule[]> {
  const { success, stdout, output } = await deno(["info", "--json", entry], {
    cwd: ROOT,
  });
  if (!success) throw new Error(`deno info ${entry} failed:\n${output}`);
  return JSON.parse(stdout).modules;
}

/** Finds everything that the entry points reach; types are included. */
export async function reachedBy(entries: readonly string[]): Promise<Reached> {
  const found = new Map<string, InfoModule>();
  for (const entry of entries) {
    for (const module of await info(entry)) {
      if (module.error) throw new Error(module.error);
      found.set(module.specifier, module);
    }
  }
  const packages = new Set<string>();
  const target = (specifier: string): string => {
    if (specifier.startsWith("node:")) return specifier;
    if (specifier.startsWith("npm:")) {
      const { name, rest } = splitNpm(specifier);
      packages.add(name);
      return name + rest;
    }
    const module = found.get(specifier);
    if (!module) throw new Error(`${specifier} was not found`);
    return packagePath(module);
  };
  const modules: PackageModule[] = [];
  for (const module of found.values()) {
    if (module.kind !== "esm" && module.kind !== "asserted") continue;
    const path = packagePath(module);
    const targets = new Map<string, string>();
    for (const { specifier, code, type } of module.dependencies ?? []) {
      const resolved = code?.specifier ?? type?.specifier;
      if (resolved) targets.set(specifier, target(resolved));
    }
    const source = module.local ?? fileURLToPath(module.specifier);
    modules.push({ source, path, targets });
  }
  return { modules, packages };
}
