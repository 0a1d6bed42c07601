/**
 * The packages for Node and Bun, built, evaluated by others' tools, and used.
 */
import {
  assert,
  assertEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import * as esbuild from "esbuild";
import { buildNpm } from "../../tools/build_npm.ts";
import { run } from "../../tools/suite/command.ts";
import { npm, programPath } from "../../tools/suite/npx.ts";
import { filesUnder, ROOT } from "../../tools/suite/paths.ts";
import { VERSION } from "../../src/version.ts";
import { manifest } from "../../tools/npm/manifest.ts";
import { absoluteLinks } from "../../tools/npm/readme.ts";
import { repositoryOf } from "../../tools/npm/repository.ts";
import {
  COMMAND,
  LIBRARY,
  PACKAGES as PACKAGE_CONFIGURATIONS,
} from "../../tools/workspace.ts";
import { everything, missing } from "../conformance/skip.ts";
import { Consumer } from "./consumer.ts";

/** Largest core, minified and compressed, in bytes; pkijs is most of it. */
const MAX_CORE_BYTES = 130_000;

const hasNpm = (await npm(["--version"], ".")).success;
const noNpm = missing("npm", hasNpm, "the npm command is not installed");
const { library: tarball, command } = noNpm
  ? { library: "", command: "" }
  : await buildNpm();

/** The folders that were built, with their tarballs. */
const PACKAGES = [
  { name: "@certpin/certpin", folder: "dist/npm/certpin/", tarball },
  { name: "@certpin/cli", folder: "dist/npm/cli/", tarball: command },
];

async function program(
  npmPackage: string,
  name: string,
  whereami: readonly string[] = ["-p", "process.execPath"],
): Promise<string> {
  const path = await programPath(npmPackage, name, whereami);
  if (path === undefined) throw new Error(`npx does not bring ${npmPackage}`);
  return path;
}

function test(
  name: string,
  all: boolean,
  fn: () => void | Promise<void>,
): void {
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
    },
  );
}

test("npx runs the command from its package", false, async () => {
  await using consumer = await Consumer.create(command, []);
  const bin = `${consumer.folder}/node_modules/.bin/certpin`;
  const windows = Deno.build.os === "windows" ? ".cmd" : "";
  assertStringIncludes(await consumer.run(bin + windows, ["--help"]), "pin");
});

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

for (const { name, tarball } of PACKAGES) {
  test(`publint finds nothing in ${name}`, true, async () => {
    await using consumer = await Consumer.create(tarball, [], ["publint@0.3"]);
    const bin = "node_modules/publint/src/cli.js";
    await consumer.run(await program("node@24", "node"), [
      bin,
      "run",
      `node_modules/${name}`,
      "--strict",
      "--pack=false",
    ]);
  });

  test(`attw finds nothing in ${name}`, true, async () => {
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
}

async function read(path: string): Promise<string> {
  return await Deno.readTextFile(new URL(path, ROOT));
}

/** What was built, by path; only here is what was built not left out. */
async function packageFiles(ending: string): Promise<string[]> {
  const files = await Promise.all(
    PACKAGES.map(({ folder }) => filesUnder(folder)),
  );
  return files.flat().filter((path) => path.endsWith(ending));
}

test("no types of Deno leak into a package", false, async () => {
  const types = await packageFiles(".d.ts");
  assert(types.length > 10);
  for (const path of types) {
    const code = (await read(path)).replaceAll(/\/\*[^]*?\*\//g, "");
    assert(!/\bDeno\.|\.ts"|\bjsr:|\bnpm:/.test(code), path);
  }
});

test(
  "every module of a package has a source map that holds its source",
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
  "the build leaves two folders and their tarballs, and nothing else",
  false,
  async () => {
    const entries = await Array.fromAsync(
      Deno.readDir(new URL("dist/npm/", ROOT)),
    );
    const version = LIBRARY.version;
    assertEquals(entries.map(({ name }) => name).sort(), [
      "certpin",
      `certpin-certpin-${version}.tgz`,
      `certpin-cli-${version}.tgz`,
      "cli",
    ]);
  },
);

test(
  "the library's manifest has the entry points of deno.json but Deno's own and the internal ones",
  false,
  async () => {
    const manifest = JSON.parse(await read("dist/npm/certpin/package.json"));
    const exported = Object.keys(LIBRARY.exports).filter((name) =>
      !["./deno", "./internal", "./internal/tls"].includes(name)
    );
    assert(
      [".", "./node", "./testing", "./schema.json"].every((name) =>
        exported.includes(name)
      ),
    );
    assertEquals(Object.keys(manifest.exports), [
      ...exported,
      "./package.json",
    ]);
    assertEquals(manifest.sideEffects, false);
    // TypeScript takes the first condition that it knows.
    for (const entry of Object.values<string | object>(manifest.exports)) {
      if (typeof entry === "object") {
        assertEquals(Object.keys(entry)[0], "types");
      }
    }
    const stubbed = Object.entries<string | object>(manifest.exports)
      .filter(([, entry]) => JSON.stringify(entry).includes("unsupported"));
    assertEquals(stubbed.map(([name]) => name), ["./node"]);
  },
);

test("the command's manifest has the command", false, async () => {
  const manifest = JSON.parse(await read("dist/npm/cli/package.json"));
  assertEquals(manifest.bin, { certpin: "bin/certpin.js" });
  assertEquals(manifest.version, LIBRARY.version);
  assert(!("@certpin/certpin" in manifest.dependencies));
});

test(
  "both packages have one version, and the command asks for just that library",
  false,
  () => {
    assertEquals(COMMAND.version, LIBRARY.version);
    assertEquals(VERSION, LIBRARY.version);
    assertEquals(
      COMMAND.imports[LIBRARY.name],
      `jsr:${LIBRARY.name}@${LIBRARY.version}`,
    );
  },
);

test(
  "a package asks for the versions that deno.json asks for",
  false,
  async () => {
    const imports = PACKAGE_CONFIGURATIONS.flatMap(({ imports }) =>
      Object.values(imports)
    );
    for (const { folder } of PACKAGES) {
      const { dependencies } = JSON.parse(await read(`${folder}package.json`));
      for (const [name, range] of Object.entries<string>(dependencies)) {
        assert(
          imports.some((one) => one.startsWith(`npm:${name}@${range}`)),
          name,
        );
      }
    }
  },
);

/** What the library brings. */
const DEPENDENCIES = ["asn1js", "jose", "pkijs", "undici"];
/** What these bring in turn, in the versions that their ranges allow. */
const INDIRECT = [
  ...["@noble/hashes", "@peculiar/utils", "bytestreamjs"],
  ...["pvtsutils", "pvutils", "tslib"],
];

test(
  "installing the library brings the parser, undici, and nothing of the command",
  false,
  async () => {
    await using consumer = await Consumer.create(tarball, []);
    const lock = JSON.parse(
      await Deno.readTextFile(`${consumer.folder}/package-lock.json`),
    );
    const installed = Object.keys(lock.packages)
      .filter((path) => path !== "")
      .map((path) => path.slice(path.lastIndexOf("node_modules/") + 13));
    const { dependencies } = lock.packages[`node_modules/${LIBRARY.name}`];
    assertEquals(Object.keys(dependencies).sort(), DEPENDENCIES);
    const known = [LIBRARY.name, ...DEPENDENCIES, ...INDIRECT];
    assertEquals(installed.filter((name) => !known.includes(name)), []);
    const files = await sizeOf(`${consumer.folder}/node_modules`);
    console.log(
      `MEASURED library installed: ${files} bytes in ${installed.length} packages`,
    );
  },
);

async function sizeOf(folder: string): Promise<number> {
  let size = 0;
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    size += isDirectory ? await sizeOf(path) : (await Deno.lstat(path)).size;
  }
  return size;
}

const REPOSITORY = "https://github.com/a/b";

test(
  "a package names the repository whose workflow builds it, and none elsewhere",
  false,
  () => {
    const env = new Map([["GITHUB_REPOSITORY", "a/b"]]);
    const repository = repositoryOf((name) => env.get(name), "1.2.3");
    const parsed = (one?: typeof repository) =>
      JSON.parse(
        manifest(
          COMMAND,
          {
            description: "x",
            keywords: [],
            sideEffects: false,
          },
          new Set(),
          one,
        ),
      );
    const { homepage, bugs, repository: named } = parsed(repository);
    assertEquals([homepage, bugs], [`${REPOSITORY}#readme`, {
      url: `${REPOSITORY}/issues`,
    }]);
    assertEquals(named, {
      type: "git",
      url: `git+${REPOSITORY}.git`,
      directory: "cli",
    });
    for (const name of ["homepage", "bugs", "repository"]) {
      assert(!(name in parsed()));
    }
    assertEquals(repositoryOf(() => undefined, "1.2.3"), undefined);
    env.set("GITHUB_REPOSITORY", "a");
    assertThrows(() => repositoryOf((name) => env.get(name), "1.2.3"));
  },
);

test("links in the README work apart from the files", false, async () => {
  const markdown =
    "[a](docs/a.md#b) [c](#c) [d](https://d.example/) [`e`](examples/) [f](mailto:f@g)";
  assertEquals(
    absoluteLinks(
      markdown,
      "README.md",
      (path) =>
        path.startsWith("docs/") ? `https://x.example/${path}` : undefined,
    ),
    "[a](https://x.example/docs/a.md#b) [c](#c) [d](https://d.example/) `e` [f](mailto:f@g)",
  );
  for (const { folder } of PACKAGES) {
    const readme = await read(`${folder}README.md`);
    assert(readme.includes("](https://"));
    assertEquals(readme.match(/\]\((?![a-z]+:|#)[^)]*\)/g), null);
  }
});

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
