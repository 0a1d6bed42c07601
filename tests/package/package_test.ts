/**
 * The package for Node and Bun, built, evaluated by others' tools, and used.
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import * as esbuild from "esbuild";
import { buildNpm } from "../../tools/build_npm.ts";
import { run } from "../../tools/suite/command.ts";
import { npm, programPath } from "../../tools/suite/npx.ts";
import { filesUnder, ROOT } from "../../tools/suite/paths.ts";
import { everything, missing } from "../conformance/skip.ts";
import { Consumer } from "./consumer.ts";

/** Largest core, minified and compressed, in bytes. */
const MAX_CORE_BYTES = 105_000;

const hasNpm = (await npm(["--version"], ".")).success;
const noNpm = missing("npm", hasNpm, "the npm command is not installed");
const tarball = noNpm ? "" : await buildNpm();

async function program(
  npmPackage: string,
  name: string,
  whereami: readonly string[] = ["-p", "process.execPath"],
): Promise<string> {
  const path = await programPath(npmPackage, name, whereami);
  if (path === undefined) throw new Error(`npx does not bring ${npmPackage}`);
  return path;
}

function test(name: string, all: boolean, fn: () => Promise<void>): void {
  Deno.test({ name, ignore: noNpm || (all && !everything()), fn });
}

const ACCEPTED = "accepted the server, refused the impostor";

for (const version of everything() ? ["22.19.0", "24", "26"] : ["24"]) {
  test(
    `Node ${version} imports and requires the package, and pins with it`,
    false,
    async () => {
      const node = await program(`node@${version}`, "node");
      const files = ["body.mjs", "esm.mjs", "cjs.cjs"];
      await using consumer = await Consumer.create(tarball, files);
      for (const file of ["esm.mjs", "cjs.cjs"]) {
        assertStringIncludes(await consumer.run(node, [file]), ACCEPTED);
      }
      const command = `node_modules/@certpin/certpin/bin/certpin.js`;
      assertStringIncludes(
        await consumer.run(node, [command, "--help"]),
        "pin",
      );
    },
  );
}

test(
  "Bun imports and requires the package, and pins with it",
  true,
  async () => {
    const bun = await program("bun@1.4", "bun");
    const files = ["body.mjs", "esm.mjs", "cjs.cjs"];
    await using consumer = await Consumer.create(tarball, files);
    for (const file of ["esm.mjs", "cjs.cjs"]) {
      assertStringIncludes(await consumer.run(bun, ["run", file]), ACCEPTED);
    }
  },
);

for (
  const [types, packages] of [
    ["node", ["@types/node@22"]],
    ["node", ["@types/node@26"]],
    ["bun-types", ["bun-types@1.4"]],
  ] as const
) {
  test(
    `a strict TypeScript project with ${
      packages[0]
    } compiles against the package`,
    true,
    async () => {
      await using consumer = await Consumer.create(tarball, ["types.ts"], [
        "typescript@7",
        ...packages,
      ]);
      await consumer.write(
        "tsconfig.json",
        JSON.stringify({
          compilerOptions: {
            module: "nodenext",
            target: "es2023",
            lib: ["es2023", "esnext.disposable"],
            strict: true,
            exactOptionalPropertyTypes: true,
            noUncheckedIndexedAccess: true,
            skipLibCheck: false,
            noEmit: true,
            types: [types],
          },
          files: ["types.ts"],
        }),
      );
      const tsc = "node_modules/typescript/bin/tsc";
      await consumer.run(await program("node@24", "node"), [tsc]);
      // The control: the compiler does look.
      await consumer.write(
        "types.ts",
        `import { parsePin } from "@certpin/certpin";\nparsePin(1);\n`,
      );
      const { success, output } = await run(
        await program("node@24", "node"),
        [tsc],
        { cwd: consumer.folder },
      );
      assert(!success);
      assertStringIncludes(output, "TS2345");
    },
  );
}

test("publint finds nothing in the package", true, async () => {
  await using consumer = await Consumer.create(tarball, [], ["publint@0.3"]);
  const bin = "node_modules/publint/src/cli.js";
  await consumer.run(await program("node@24", "node"), [
    bin,
    "run",
    "node_modules/@certpin/certpin",
    "--strict",
    "--pack=false",
  ]);
});

test("attw finds nothing in the package", true, async () => {
  const attw = "@arethetypeswrong/cli@0.18";
  await using consumer = await Consumer.create(tarball, [], [attw]);
  const bin = "node_modules/@arethetypeswrong/cli/dist/index.js";
  await consumer.run(await program("node@24", "node"), [
    bin,
    tarball,
    // ESM that require() loads: since Node 22 no second copy is needed.
    "--profile=esm-only",
  ]);
});

async function read(path: string): Promise<string> {
  return await Deno.readTextFile(new URL(path, ROOT));
}

/** What the folder holds; only here is what was built not left out. */
async function packageFiles(ending: string): Promise<string[]> {
  const places = ["src/", "deps/", "bin/"];
  const files = await Promise.all(
    places.map((place) => filesUnder(`dist/npm/${place}`)),
  );
  return ["dist/npm/mod.js", "dist/npm/mod.d.ts", ...files.flat()]
    .filter((path) => path.endsWith(ending));
}

test("no types of Deno leak into the package", false, async () => {
  const types = await packageFiles(".d.ts");
  assert(types.length > 10);
  for (const path of types) {
    const code = (await read(path)).replaceAll(/\/\*[^]*?\*\//g, "");
    assert(!/\bDeno\.|\.ts"|\bjsr:|\bnpm:/.test(code), path);
  }
});

test(
  "every module of the package has a source map that holds its source",
  false,
  async () => {
    const modules = (await packageFiles(".js"))
      .filter((path) => !/bin\/|unsupported/.test(path));
    assert(modules.length > 10);
    for (const path of modules) {
      const { sources, sourcesContent } = JSON.parse(await read(`${path}.map`));
      const source = path.replace(/^.*\//, "").replace(/\.js$/, ".ts");
      assertEquals(sources, [source]);
      assert(sourcesContent[0].length > 0, path);
    }
  },
);

test(
  "the manifest exports what the contract says, and no more",
  false,
  async () => {
    const manifest = JSON.parse(await read("dist/npm/package.json"));
    assertEquals(Object.keys(manifest.exports), [
      ".",
      "./node",
      "./testing",
      "./schema.json",
      "./package.json",
    ]);
    assertEquals(manifest.sideEffects, false);
    const { imports, version } = JSON.parse(await read("deno.json"));
    assertEquals(manifest.version, version);
    for (const [name, range] of Object.entries<string>(manifest.dependencies)) {
      assert(
        Object.values<string>(imports).some((specifier) =>
          specifier.startsWith(`npm:${name}@${range}`)
        ),
        name,
      );
    }
    assert("undici" in manifest.dependencies);
  },
);

/** Bundles a module that uses the package, as for a browser. */
async function bundleOf(
  consumer: Consumer,
  source: string,
  conditions: string[] = [],
): Promise<string> {
  const { outputFiles } = await esbuild.build({
    stdin: { contents: source, resolveDir: consumer.folder },
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    platform: "browser",
    conditions,
    logLevel: "error",
  });
  return outputFiles[0].text;
}

async function compressed(text: string): Promise<number> {
  const stream = new Blob([text]).stream()
    .pipeThrough(new CompressionStream("gzip"));
  return (await new Response(stream).arrayBuffer()).byteLength;
}

test(
  `the core takes at most ${MAX_CORE_BYTES} bytes, and leaves out what is not used`,
  false,
  async () => {
    await using consumer = await Consumer.create(tarball, []);
    try {
      const core = await bundleOf(
        consumer,
        `export * from "@certpin/certpin";`,
      );
      const size = await compressed(core);
      console.log(`MEASURED core: ${size} bytes, minified and compressed`);
      assert(size <= MAX_CORE_BYTES, `${size} bytes`);
      // A name that the DER reader registers, and that minifying keeps.
      const trace = "GeneralizedTime";
      assertStringIncludes(core, trace);
      const parsePin = await bundleOf(
        consumer,
        `export { parsePin } from "@certpin/certpin";`,
      );
      assert(!parsePin.includes(trace));
      console.log(
        `MEASURED parsePin alone: ${await compressed(parsePin)} bytes`,
      );
      assertEquals(parsePin.includes("asn1"), false);
    } finally {
      await esbuild.stop();
    }
  },
);

for (const condition of ["browser", "workerd"]) {
  test(
    `a bundle for ${condition} gets an adapter that throws`,
    false,
    async () => {
      await using consumer = await Consumer.create(tarball, []);
      try {
        const text = await bundleOf(
          consumer,
          `export { createFetch } from "@certpin/certpin/node";`,
          condition === "workerd" ? ["workerd"] : [],
        );
        const { createFetch } = await import(
          `data:text/javascript,${encodeURIComponent(text)}`
        );
        let code: unknown;
        try {
          createFetch({});
        } catch (error) {
          code = (error as { code?: unknown }).code;
        }
        assertEquals(code, "ERR_CERTPIN_RUNTIME");
      } finally {
        await esbuild.stop();
      }
    },
  );
}
