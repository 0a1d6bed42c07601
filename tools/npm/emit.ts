/**
 * Turns one TypeScript module into JavaScript and its source map.
 *
 * @module
 */
import ts from "typescript";
import type { PackageModule } from "./modules.ts";

/** What one module becomes. */
export interface Emitted {
  readonly javascript: string;
  readonly map: string;
}

const OPTIONS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2023,
  module: ts.ModuleKind.ESNext,
  isolatedModules: true,
  sourceMap: true,
  inlineSources: true,
};

/** The path from one file of the package to another. */
export function relativePath(from: string, to: string): string {
  const base = from.split("/").slice(0, -1);
  const parts = to.split("/");
  while (base.length > 0 && base[0] === parts[0]) {
    base.shift();
    parts.shift();
  }
  const up = base.length === 0 ? "./" : "../".repeat(base.length);
  return up + parts.join("/");
}

/** The name of a module's JavaScript. */
export function javascriptPath(path: string): string {
  return path.replace(/\.ts$/, ".js");
}

/** Makes every specifier of an emitted text say where its file is now. */
function rewrite(text: string, module: PackageModule): string {
  const files = ts.preProcessFile(text, true, true).importedFiles;
  let rewritten = text;
  // From the end, so that the places before stay where they are.
  for (const { fileName, pos } of files.toSorted((a, b) => b.pos - a.pos)) {
    const target = module.targets.get(fileName);
    if (target === undefined) {
      throw new Error(`${module.path}: "${fileName}" leads nowhere`);
    }
    const own = /\.(ts|json)$/.test(target);
    const place = own
      ? relativePath(module.path, javascriptPath(target))
      : target;
    const start = text.indexOf(fileName, pos);
    rewritten = rewritten.slice(0, start) + place +
      rewritten.slice(start + fileName.length);
  }
  return rewritten;
}

/** Emits a module. */
export function emit(module: PackageModule, source: string): Emitted {
  const fileName = module.path.slice(module.path.lastIndexOf("/") + 1);
  const { outputText, sourceMapText } = ts.transpileModule(source, {
    compilerOptions: OPTIONS,
    fileName,
  });
  return {
    javascript: rewrite(outputText, module),
    map: sourceMapText ?? "",
  };
}
