/**
 * The package.json of the package for Node and Bun.
 *
 * @module
 */
import { splitNpm } from "../suite/graph.ts";
import { javascriptPath } from "./emit.ts";

/** What we need of `deno.json`. */
export interface Configuration {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly exports: Readonly<Record<string, string>>;
  readonly imports: Readonly<Record<string, string>>;
}

/** The exports that the package has; the others are for Deno alone. */
export const PACKAGE_EXPORTS: readonly string[] = [
  ".",
  "./node",
  "./testing",
  "./schema.json",
];

/** Where the stub of `./node` lies that throws. */
export const STUB_PATH = "src/adapters/unsupported.js";

/** Where the command lies. */
export const BIN_PATH = "bin/certpin.js";

function conditions(name: string, path: string): unknown {
  const file = `./${javascriptPath(path.replace(/^\.\//, ""))}`;
  if (path.endsWith(".json")) return file;
  const types = file.replace(/\.js$/, ".d.ts");
  const stub = `./${STUB_PATH}`;
  return name === "./node"
    ? { types, workerd: stub, browser: stub, default: file }
    : { types, default: file };
}

/** The range that `deno.json` gives for an npm package. */
function range(configuration: Configuration, name: string): string {
  for (const specifier of Object.values(configuration.imports)) {
    if (!specifier.startsWith("npm:")) continue;
    const split = splitNpm(specifier);
    if (split.name === name && split.range) return split.range;
  }
  throw new Error(`deno.json gives no range for ${name}`);
}

/** Writes the manifest. */
export function manifest(
  configuration: Configuration,
  packages: ReadonlySet<string>,
): string {
  const { name, version, license } = configuration;
  const exported = PACKAGE_EXPORTS.map((key) =>
    [key, conditions(key, configuration.exports[key])] as const
  );
  const dependencies = [...packages].sort().map((key) =>
    [key, range(configuration, key)] as const
  );
  return JSON.stringify(
    {
      name,
      version,
      description:
        "Certificate pinning over verified paths, for Deno, Node and Bun",
      keywords: ["certificate", "pinning", "tls", "x509", "security"],
      license,
      type: "module",
      sideEffects: false,
      engines: { node: ">=22.19.0", bun: ">=1.4.0" },
      exports: Object.fromEntries([
        ...exported,
        ["./package.json", "./package.json"],
      ]),
      bin: { certpin: BIN_PATH },
      files: ["mod.*", "src/", "deps/", "bin/", "CHANGELOG.md"],
      dependencies: Object.fromEntries(dependencies),
    },
    null,
    2,
  ) + "\n";
}
