/**
 * Turns one TypeScript module into JavaScript, its types and its source map.
 *
 * @module
 */
import ts from "typescript";
import type { PackageModule } from "./modules.ts";

/** What one module becomes. */
export interface Emitted {
  readonly javascript: string;
  readonly map: string;
  readonly types: string;
  /** The files of the package that the types mention, with their TypeScript names. */
  readonly typeTargets: readonly string[];
  /** What is too loosely typed for its types to stand alone. */
  readonly typeProblems: readonly string[];
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
function rewrite(
  text: string,
  module: PackageModule,
): { rewritten: string; targets: string[] } {
  const files = ts.preProcessFile(text, true, true).importedFiles;
  let rewritten = text;
  const targets: string[] = [];
  // From the end, so that the places before stay where they are.
  for (const { fileName, pos } of files.toSorted((a, b) => b.pos - a.pos)) {
    const target = module.targets.get(fileName);
    if (target === undefined) {
      throw new Error(`${module.path}: "${fileName}" leads nowhere`);
    }
    const own = /\.(ts|json)$/.test(target);
    if (own) targets.push(target);
    const place = own
      ? relativePath(module.path, javascriptPath(target))
      : target;
    const start = text.indexOf(fileName, pos);
    rewritten = rewritten.slice(0, start) + place +
      rewritten.slice(start + fileName.length);
  }
  return { rewritten, targets };
}

/** Emits a module. */
export function emit(module: PackageModule, source: string): Emitted {
  const fileName = module.path.slice(module.path.lastIndexOf("/") + 1);
  const output = ts.transpileModule(source, {
    compilerOptions: OPTIONS,
    fileName,
  });
  const declaration = ts.transpileDeclaration(source, {
    compilerOptions: {
      ...OPTIONS,
      declaration: true,
      sourceMap: false,
      inlineSources: false,
    },
    fileName,
    reportDiagnostics: true,
  });
  const types = rewrite(declaration.outputText, module);
  return {
    javascript: rewrite(output.outputText, module).rewritten,
    map: output.sourceMapText ?? "",
    types: types.rewritten,
    typeTargets: types.targets,
    typeProblems: (declaration.diagnostics ?? []).map((problem) =>
      `${module.path}: ${
        ts.flattenDiagnosticMessageText(problem.messageText, " ")
      }`
    ),
  };
}
