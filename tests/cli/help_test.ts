import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { certpin } from "./command.ts";
import configuration from "../../deno.json" with { type: "json" };

const COMMANDS = [
  "inspect",
  "pin",
  "init",
  "check",
  "lint",
  "convert",
  "sync",
  "drill",
  "sign",
  "verify",
  "rotate",
];

Deno.test("certpin --version prints the package's", async () => {
  const ran = await certpin(["--version"]);
  assertEquals(ran, {
    code: 0,
    stdout: `${configuration.version}\n`,
    stderr: "",
  });
});

Deno.test("certpin --help lists the commands, and without arguments it ends with 2", async () => {
  const help = await certpin(["--help"]);
  assertEquals([help.code, help.stderr], [0, ""]);
  const bare = await certpin([]);
  assertEquals([bare.code, bare.stdout], [2, ""]);
  for (const command of COMMANDS) {
    assertStringIncludes(help.stdout, `\n  ${command} `);
    assertStringIncludes(bare.stderr, `\n  ${command} `);
  }
});

for (const command of COMMANDS) {
  Deno.test(`certpin help ${command} says what it takes`, async () => {
    const [help, option] = await Promise.all([
      certpin(["help", command]),
      certpin([command, "--help"]),
    ]);
    assertEquals([help.code, help.stderr], [0, ""]);
    assertEquals(help, option);
    assertStringIncludes(help.stdout, `certpin ${command}`);
    assertStringIncludes(help.stdout, "--json");
    const widest = Math.max(...help.stdout.split("\n").map((l) => l.length));
    assert(widest <= 100, `a line of ${widest} characters`);
  });
}

Deno.test("certpin says what was meant by a mistyped command", async () => {
  const ran = await certpin(["inspekt", "example.com"]);
  assertEquals([ran.code, ran.stdout], [2, ""]);
  assertStringIncludes(ran.stderr, "inspect");
});

for (const shell of ["bash", "zsh", "fish", "pwsh", "nu"]) {
  Deno.test(`certpin completion writes a script for ${shell}`, async () => {
    const ran = await certpin(["completion", shell]);
    assertEquals([ran.code, ran.stderr], [0, ""]);
    assertStringIncludes(ran.stdout, "certpin");
  });
}

Deno.test("certpin completes commands, options and their values", async () => {
  const suggests = async (...words: string[]) =>
    (await certpin(["completion", "bash", ...words])).stdout.split("\n");
  assert((await suggests("ins")).includes("inspect"));
  assert((await suggests("convert", "--t")).includes("--to"));
  assert(
    (await suggests("convert", "x", "--to", "trust")).includes("trustkit"),
  );
});

Deno.test("NO_COLOR and a pipe leave the output plain, FORCE_COLOR does not", async () => {
  const escape = "\u001b[";
  const help = async (env: Record<string, string>) =>
    (await certpin(["lint", "-"], {
      stdin: '{"version": 1, "hosts": {}}',
      env,
    })).stdout.includes(escape);
  assertEquals(await help({ NO_COLOR: "" }), false);
  assertEquals(await help({ NO_COLOR: "", FORCE_COLOR: "1" }), true);
  assertEquals(await help({ NO_COLOR: "1", FORCE_COLOR: "1" }), false);
});
