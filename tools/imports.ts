/**
 * Which file imports which: for the tests of the layers, and for drawing them.
 *
 * @module
 */
import ts from "typescript";
import { ROOT } from "./suite/paths.ts";

/** Files by their path from the project's top folder; what each imports. */
export type ImportGraph = ReadonlyMap<string, readonly string[]>;

/** The specifiers of every static, dynamic and type import in a source text. */
export function specifiersOf(source: string): string[] {
  const { importedFiles } = ts.preProcessFile(source, true, true);
  return importedFiles.map((file) => file.fileName);
}

const { name, exports }: {
  name: string;
  exports: Readonly<Record<string, string>>;
} = JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT)));

/** The file behind an entry point of the library, such as `@certpin/certpin/node`. */
function entryPoint(specifier: string): string | undefined {
  if (specifier !== name && !specifier.startsWith(`${name}/`)) return undefined;
  return exports[`.${specifier.slice(name.length)}`]?.replace("./", "");
}

function resolve(from: string, specifier: string): string {
  if (!/^\.\.?\//.test(specifier)) return entryPoint(specifier) ?? specifier;
  return new URL(specifier, new URL(from, ROOT)).href.slice(ROOT.href.length);
}

/** Reads what each of these files imports; packages keep their specifier. */
export async function importGraph(
  paths: readonly string[],
): Promise<ImportGraph> {
  const graph = new Map<string, readonly string[]>();
  for (const path of paths) {
    const source = await Deno.readTextFile(new URL(path, ROOT));
    graph.set(path, specifiersOf(source).map((name) => resolve(path, name)));
  }
  return graph;
}

/** Everything that `start` imports, directly or not, `start` included. */
export function reach(graph: ImportGraph, start: string): Set<string> {
  const seen = new Set([start]);
  for (const path of seen) {
    for (const target of graph.get(path) ?? []) seen.add(target);
  }
  return seen;
}

/** The first ring of imports that is found, its start repeated at its end. */
export function findRing(graph: ImportGraph): string[] | undefined {
  const done = new Set<string>();
  const trail: string[] = [];
  const visit = (path: string): string[] | undefined => {
    if (trail.includes(path)) {
      return [...trail.slice(trail.indexOf(path)), path];
    }
    if (done.has(path)) return undefined;
    trail.push(path);
    for (const target of graph.get(path) ?? []) {
      const ring = visit(target);
      if (ring) return ring;
    }
    trail.pop();
    done.add(path);
    return undefined;
  };
  for (const path of graph.keys()) {
    const ring = visit(path);
    if (ring) return ring;
  }
  return undefined;
}
