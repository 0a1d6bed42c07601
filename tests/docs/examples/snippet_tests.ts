/**
 * Runs the snippets of the documents: against a server that the policy allows,
 * and against an impostor that the machine trusts.
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { parsePolicy } from "../../../mod.ts";
import { type Ran, run } from "../../../tools/suite/command.ts";
import { filePath } from "../../../tools/suite/paths.ts";
import { documents } from "../documents.ts";
import { type Block, blocksOf } from "../markdown.ts";
import { everything, missing } from "../../conformance/skip.ts";
import {
  commandsOf,
  placeOf,
  redirected,
  selfContainedOf,
  type Snippet,
  snippetOf,
} from "./snippets.ts";
import { ARGS, type Front, type Runtime } from "./workshop.ts";
import { workshop } from "./open_workshop.ts";

const blocks = (await documents()).flatMap(({ path, text }) =>
  blocksOf(path, text)
);
const snippets = blocks.map(snippetOf).filter((found) => found !== undefined);

const hasOpenssl = (await run("openssl", ["version"])).success;

/** What the impostor must bring about, whatever a library makes of it. */
const REFUSED = /PinMismatchError|ERR_CERTPIN_MISMATCH/;

let counter = 0;

/** Builds a program, and runs it in a folder that does not hold the policy. */
async function buildAndRun(
  build: "bundle" | "compile",
  file: string,
): Promise<Ran> {
  await workshop.write("elsewhere/nothing", "");
  const out = `../elsewhere/${file}.${build === "bundle" ? "js" : "exe"}`;
  const deno = async (args: string[], env: Record<string, string> = {}) =>
    await workshop.run("deno", "deno", args, env);
  if (build === "bundle") {
    const built = await deno(["bundle", file, "-o", out]);
    assert(built.success, built.output);
    return await workshop.run("deno", "elsewhere", ["run", "-A", out]);
  }
  const args = ["compile", "-A", "--include", "pins.json", "-o", out, file];
  const built = await deno(args);
  if (built.success) return await workshop.runFile("elsewhere", `./${out}`);
  // Without the runtime that Deno downloads for executables: any program in its
  // place shows what is embedded, and Deno runs the source.
  const embedded = await deno(args, { DENORT_BIN: Deno.execPath() });
  assertMatch(embedded.output, /pins\.json/);
  return await deno(["run", "-A", file]);
}

/** Writes, builds and runs a snippet that talks to `port`. */
async function runSnippet(
  { block, build, commonjs }: Snippet,
  runtime: Runtime,
  port: number,
): Promise<Ran> {
  const folder = runtime === "deno" ? "deno" : "node";
  const ending = commonjs ? "cjs" : block.language;
  const file = `snippet${++counter}.${ending}`;
  await workshop.write(`${folder}/${file}`, redirected(block.text, port));
  if (build !== undefined) return await buildAndRun(build, file);
  return await workshop.run(runtime, folder, [...ARGS[runtime], file]);
}

for (const snippet of snippets) {
  const { block, runtimes, service } = snippet;
  for (const runtime of runtimes) {
    Deno.test({
      name: `${placeOf(block)} runs on ${runtime}, and refuses an impostor`,
      ignore: runtime === "bun" && !everything(),
      async fn() {
        await using relay = await workshop.relay(service);
        const attempt = async (front: Front) => {
          const ran = await runSnippet(snippet, runtime, relay.ports[front]);
          return { ...ran, counts: (await relay.counts())[front] };
        };
        const [good, impostor] = await Promise.all([
          attempt("good"),
          attempt("impostor"),
        ]);
        assert(good.success, good.output);
        assert(good.counts.bytes > 0, "The server got no request");
        assertMatch(impostor.output, REFUSED);
        assert(impostor.counts.connections > 0, "Nobody called the impostor");
        assertEquals(impostor.counts.bytes, 0);
      },
    });
  }
}

for (const { block, runtimes } of blocks.map(selfContainedOf)) {
  for (const runtime of runtimes) {
    Deno.test({
      name: `${placeOf(block)} runs on ${runtime}`,
      ignore: runtime === "bun" && !everything(),
      async fn() {
        const file = `snippet${++counter}.${block.language}`;
        await workshop.write(`node/${file}`, block.text);
        const args = [...ARGS[runtime], file];
        const ran = await workshop.run(runtime, "node", args);
        assert(ran.success, ran.output);
      },
    });
  }
}

/** The options that send a command to a server on loopback. */
function redirection(command: string, port: number): string[] {
  return /^(inspect|init|check)$/.test(command)
    ? ["--connect-to", `127.0.0.1:${port}`]
    : [];
}

for (
  const block of blocks.filter(({ language, words }) =>
    language === "sh" && words.includes("run")
  )
) {
  Deno.test({
    name: `${placeOf(block)} runs in a shell`,
    ignore: missing("openssl", hasOpenssl, "openssl is not installed"),
    async fn() {
      await using relay = await workshop.relay("https");
      const place = `shell${++counter}`;
      const { pem } = workshop.good.backupKey;
      await workshop.write(`${place}/backup.pem`, pem);
      if (!block.text.includes(" init ")) {
        const policy = JSON.stringify(workshop.good.policy);
        await workshop.write(`${place}/pins.json`, policy);
      }
      for (const words of commandsOf(block)) {
        const [program, ...args] = words.map((word) =>
          redirected(word, relay.ports.good)
        );
        if (program !== "certpin") {
          const ran = await workshop.runFile(place, program, args);
          assert(ran.success, ran.output);
          continue;
        }
        const ran = await workshop.run("deno", place, [
          "run",
          "-A",
          "--no-lock",
          "--no-check",
          filePath("cli/main.ts"),
          ...args,
          ...redirection(args[0], relay.ports.good),
        ]);
        assert(ran.success, ran.output);
      }
    },
  });
}

/** JSON with comments, without them: enough for what the documents hold. */
function withoutComments(text: string): string {
  return text.replaceAll(/^\s*\/\/.*$|\s\/\/ .*$/gm, "");
}

Deno.test("the snippets for Deno have no type errors", async () => {
  const files: string[] = [];
  for (const { block, runtimes } of snippets) {
    if (!runtimes.includes("deno")) continue;
    const file = `${block.document.replaceAll("/", "_")}_${block.line}.ts`;
    await workshop.write(`deno/${file}`, block.text);
    files.push(file);
  }
  await workshop.write(
    "deno/wrong.ts",
    `import { parsePin } from "@certpin/certpin";\nparsePin(1);\n`,
  );
  const checked = await workshop.run("deno", "deno", [
    "check",
    "--no-lock",
    ...files,
  ]);
  assert(checked.success, checked.output);
  const control = await workshop.run("deno", "deno", [
    "check",
    "--no-lock",
    "wrong.ts",
  ]);
  assertMatch(control.output, /TS2345/);
});

for (const block of blocks.filter(({ words }) => words.includes("policy"))) {
  Deno.test(`${placeOf(block)} is a policy`, () => {
    parsePolicy(withoutComments(block.text));
  });
}

Deno.test("every block of code is run, read or shown on purpose", () => {
  const loose = blocks.filter(({ language, words }) => {
    if (/^(ts|js)$/.test(language)) return false; // deno test --doc, or above
    if (/^jsonc?$/.test(language)) {
      return !words.includes("policy") && !words.includes("shown");
    }
    return !/^(sh|text|mermaid|kotlin|xml|yaml|json)$/.test(language);
  });
  assertEquals(loose.map(placeOf), []);
  assert(snippets.length > 0);
});

Deno.test("a policy block that is none is found", () => {
  const block = { text: `{"version": 1, "hosts": {"x": {}}}` } as Block;
  let refused = false;
  try {
    parsePolicy(withoutComments(block.text));
  } catch {
    refused = true;
  }
  assert(refused);
});
