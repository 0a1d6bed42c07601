/**
 * What Deno makes of our imports, for tools that are not Deno.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { deno } from "../suite/command.ts";
import { ROOT } from "../suite/paths.ts";

/** One module as Deno resolved it. */
export interface ResolvedModule {
  /** Its URL. */
  readonly specifier: string;
  /** Its file on this machine. */
  readonly file: string;
  /** What its specifiers mean: URLs, `node:…` or `npm:…`. */
  readonly targets: ReadonlyMap<string, string>;
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

/** Every module that some files reach, by URL; npm's and Node's left out. */
export async function resolveModules(
  entries: readonly string[],
): Promise<ReadonlyMap<string, ResolvedModule>> {
  const found = new Map<string, ResolvedModule>();
  for (const entry of entries) {
    const { success, stdout, output } = await deno(["info", "--json", entry], {
      cwd: ROOT,
    });
    if (!success) throw new Error(`deno info ${entry} failed:\n${output}`);
    const modules: readonly InfoModule[] = JSON.parse(stdout).modules;
    for (const { kind, specifier, local, error, dependencies } of modules) {
      if (error) throw new Error(error);
      if (kind !== "esm" && kind !== "asserted") continue;
      const targets = new Map<string, string>();
      for (const { specifier, code, type } of dependencies ?? []) {
        const target = code?.specifier ?? type?.specifier;
        if (target) targets.set(specifier, target);
      }
      const file = local ?? fileURLToPath(specifier);
      found.set(specifier, { specifier, file, targets });
    }
  }
  return found;
}
