import { type Element, parseXml } from "../../cli/formats/xml.ts";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { mintChain } from "../../src/testing/mod.ts";
import { certpin, documentOf, inTemporaryFolder, type Ran } from "./command.ts";

/** Everything that would do something somewhere, if it got there raw. */
const HOSTILE = [
  "\u001b[2J\u001b]0;owned\u0007",
  "first\nsecond\rthird\u0085\u009b31m",
  "\u202eesrever\u2066\u200f",
  `<script>alert(1)</script><img src=x onerror="alert(1)">`,
  "| cell | `code` ![x](https://e.example/x) https://e.example www.e.example",
  `"double" 'single' & --> ]]> </text></svg>`,
].join(" ");

const hostile = await mintChain({
  hostnames: ["api.example.com"],
  leaf: { subject: HOSTILE },
  intermediates: [{ subject: `${HOSTILE} CA` }],
  root: { subject: `${HOSTILE} root` },
});
const benign = await mintChain({ hostnames: ["api.example.com"] });

/** Colours are the only sequences that may reach a terminal, a line break the only control. */
function assertHarmless(text: string): void {
  // deno-lint-ignore no-control-regex -- they are what it is about
  const bare = text.replace(/\u001b\[\d{1,2}m/g, "");
  const unsafe =
    // deno-lint-ignore no-control-regex -- likewise
    /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/;
  assertEquals(unsafe.exec(bare), null);
}

type Named = "hostile" | "benign";
const chains = { hostile, benign };

async function withChains(body: (cwd: string) => Promise<void>): Promise<void> {
  await inTemporaryFolder(async (cwd) => {
    for (const [name, chain] of Object.entries(chains)) {
      await Deno.writeTextFile(`${cwd}/${name}.pem`, chain.pem);
      await Deno.writeTextFile(`${cwd}/${name}-root.pem`, chain.ca);
    }
    await Deno.writeTextFile(
      `${cwd}/pins.json`,
      JSON.stringify({
        version: 1,
        hosts: {
          "api.example.com": {
            pins: [benign.pins.backup, hostile.pins.backup],
          },
        },
      }),
    );
    await body(cwd);
  });
}

const inspect = (cwd: string, name: Named, ...args: string[]): Promise<Ran> =>
  certpin(
    ["inspect", `${name}.pem`, "--root", `${name}-root.pem`, ...args],
    { cwd, env: { NO_COLOR: "", FORCE_COLOR: "1" } },
  );

Deno.test("a hostile subject changes no terminal, valid or not, in colour or JSON", async () => {
  await withChains(async (cwd) => {
    const lines = (text: string) => text.split("\n").length;
    const good = await inspect(cwd, "hostile");
    assertEquals(good.code, 0);
    assertHarmless(good.stdout);
    assertEquals(
      lines(good.stdout),
      lines((await inspect(cwd, "benign")).stdout),
    );
    assertStringIncludes(good.stdout, "\\u{202e}");
    const bad = await inspect(cwd, "hostile", "--at", "2001-01-01");
    assertEquals(bad.code, 1);
    assertHarmless(bad.stdout + bad.stderr);
    const json = await inspect(cwd, "hostile", "--json");
    assertHarmless(json.stdout);
    // Programs get what the certificate says.
    const [leaf] = documentOf(json, "inspect").path;
    assert(leaf.subject.includes("\u202eesrever"));
  });
});

/** The names of all elements, in order. */
function elementsOf(xml: string): string[] {
  const root = parseXml(xml, "picture");
  return [...root.getElementsByTagName("*")].map((element: Element) =>
    `${element.tagName} ${
      [...element.attributes].map(({ name }) => name).sort().join(" ")
    }`
  );
}

Deno.test("a hostile subject adds nothing to a picture", async () => {
  await withChains(async (cwd) => {
    const shapes: string[][] = [];
    for (const name of ["hostile", "benign"] as const) {
      await inspect(cwd, name, "--svg", `${name}.svg`);
      const svg = await Deno.readTextFile(`${cwd}/${name}.svg`);
      assertHarmless(svg);
      shapes.push(elementsOf(svg));
    }
    assertEquals(shapes[0], shapes[1]);
    assertEquals(shapes[0].some((one) => one.startsWith("script")), false);
  });
});

Deno.test("a hostile subject adds nothing to Markdown", async () => {
  await withChains(async (cwd) => {
    const { stdout } = await inspect(cwd, "hostile", "--markdown");
    const plain = (await inspect(cwd, "benign", "--markdown")).stdout;
    assertHarmless(stdout);
    const cells = (text: string) =>
      text.split("\n").map((line) => line.split(/(?<!\\)\|/).length);
    assertEquals(cells(stdout), cells(plain));
    assertEquals(/[<>]/.test(stdout), false);
    assertEquals(/:\/\/|www\./.test(stdout), false);
    // Back-quotes of our own alone: around the pins.
    const ticks = (text: string) => text.match(/(?<!\\)`/g)?.length;
    assertEquals(ticks(stdout), ticks(plain));
    assertEquals(/(?<!\\)[[\]*_]/.test(stdout.replace(/`[^`]*`/g, "")), false);
  });
});

Deno.test("a hostile subject adds nothing to JUnit or to the message of a refusal", async () => {
  await withChains(async (cwd) => {
    const suites: string[][] = [];
    for (const name of ["hostile", "benign"] as const) {
      const ran = await certpin([
        ...["check", "pins.json", "--chain", `${name}.pem`, "--host"],
        ...["api.example.com", "--root", `${name}-root.pem`],
        ...["--junit", `${name}.xml`],
      ], { cwd, env: { NO_COLOR: "", FORCE_COLOR: "1" } });
      assertEquals(ran.code, 1);
      assertHarmless(ran.stdout + ran.stderr);
      const xml = await Deno.readTextFile(`${cwd}/${name}.xml`);
      assertHarmless(xml);
      suites.push(elementsOf(xml));
      assertStringIncludes(xml, "ERR_CERTPIN_MISMATCH");
    }
    assertEquals(suites[0], suites[1]);
  });
});

Deno.test("hostile file names, hosts and options change no terminal", async () => {
  const runs: string[][] = [
    ["pin", `${HOSTILE}.pem`],
    ["inspect", `/${HOSTILE}`],
    ["inspect", HOSTILE],
    ["check", `${HOSTILE}.json`],
    ["check", "pins.json", HOSTILE],
    ["convert", `${HOSTILE}.xml`, "--to", HOSTILE],
    ["lint", "pins.json", `--${HOSTILE}`],
    [HOSTILE],
    ["init", HOSTILE],
    ["inspect", "a.example", "--at", HOSTILE],
    ["inspect", "a.example", "--timeout", HOSTILE],
    ["inspect", "a.example", "--starttls", HOSTILE],
  ];
  await Promise.all(runs.map(async (args) => {
    const ran = await certpin(args, {
      env: { NO_COLOR: "", FORCE_COLOR: "1" },
    });
    assertEquals([args, ran.code], [args, 2]);
    assertHarmless(ran.stdout + ran.stderr);
  }));
});

Deno.test("a hostile policy changes no terminal", async () => {
  const key = JSON.stringify(`a.example${HOSTILE}`);
  const policy = `{"version": 1, "hosts": {${key}: {"pins": []}}, ${key}: 1}`;
  for (
    const args of [["lint", "-"], ["check", "-"], [
      "convert",
      "-",
      "--to",
      "ios",
    ]]
  ) {
    const ran = await certpin(args, {
      stdin: policy,
      env: { NO_COLOR: "", FORCE_COLOR: "1" },
    });
    assertEquals(ran.code, 2);
    assertHarmless(ran.stdout + ran.stderr);
  }
});
