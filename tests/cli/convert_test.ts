import { assertEquals, assertStringIncludes } from "@std/assert";
import { filePath } from "../../tools/suite/paths.ts";
import { FORMAT_NAMES } from "../../cli/formats/registry.ts";
import { A, B, SAMPLES } from "./formats/samples.ts";
import { certpin, documentOf, inTemporaryFolder } from "./command.ts";

const cwd = filePath("fixtures/formats/");

for (const [name, { file, policy, losses }] of Object.entries(SAMPLES)) {
  Deno.test(`certpin convert reads ${file} and lists its losses`, async () => {
    const ran = await certpin(["convert", file, "--to", "policy", "--json"], {
      cwd,
    });
    assertEquals(ran.code, 0);
    const document = documentOf(ran, "convert");
    assertEquals([document.from, document.to], [name, "policy"]);
    assertEquals(JSON.parse(document.output.text), policy);
    assertEquals(document.losses.length, losses.length);
    for (const loss of losses) {
      assertStringIncludes(ran.stderr, `  ${loss}\n`);
    }
  });
}

Deno.test("certpin convert goes from one tool to another, result and losses apart", async () => {
  const ran = await certpin(["convert", "Info.plist", "--to", "okhttp"], {
    cwd,
  });
  assertEquals(ran.code, 0);
  assertStringIncludes(ran.stdout, '"*.shop.example"');
  assertStringIncludes(ran.stdout, `"${A}"`);
  assertEquals(ran.stdout.includes("loss"), false);
  assertStringIncludes(ran.stderr, "role /hosts/shop.example/pins/0");
});

Deno.test("certpin convert --strict ends with 1 where anything is lost, and with 0 else", async () => {
  const policy = (unlisted: string) =>
    JSON.stringify({
      version: 1,
      unlisted,
      hosts: { "a.example": { pins: [A] } },
    });
  const args = ["convert", "-", "--to", "android", "--strict"];
  const lossy = await certpin(args, { stdin: policy("deny") });
  assertEquals(lossy.code, 1);
  const fine = await certpin(args, { stdin: policy("allow") });
  assertEquals([fine.code, fine.stderr], [0, ""]);
});

Deno.test("certpin convert writes no file over another without --force", async () => {
  await inTemporaryFolder(async (folder) => {
    const out = `${folder}/pins.json`;
    const args = ["convert", "Pins.kt", "--to", "policy", "--out", out];
    const first = await certpin(args, { cwd });
    assertEquals([first.code, first.stdout], [0, ""]);
    const written = await Deno.readTextFile(out);
    assertEquals(JSON.parse(written), SAMPLES.okhttp.policy);
    await Deno.writeTextFile(out, "mine");
    const second = await certpin(args, { cwd });
    assertEquals(second.code, 2);
    assertStringIncludes(second.stderr, "--force");
    assertEquals(await Deno.readTextFile(out), "mine");
    assertEquals((await certpin([...args, "--force"], { cwd })).code, 0);
    assertEquals(await Deno.readTextFile(out), written);
    const left = [...Deno.readDirSync(folder)].map((entry) => entry.name);
    assertEquals(left, ["pins.json"]);
  });
});

Deno.test("certpin convert names the file, the place and the remedy of what it cannot read", async () => {
  const broken = await certpin(["convert", "-", "--to", "ios", "--json"], {
    stdin: '{"version": 1, "hosts": {"a.example": {"pins": ["md5/x"]}}}',
  });
  assertEquals(broken.code, 2);
  const { error } = documentOf(broken, "failure");
  assertEquals(
    [error.code, error.source, error.problems[0].pointer],
    ["ERR_CERTPIN_POLICY_INVALID", "-", "/hosts/a.example/pins/0"],
  );
  assertStringIncludes(broken.stderr, "/hosts/a.example/pins/0");
  const unknown = await certpin(["convert", "-", "--to", "ios"], {
    stdin: "what?",
  });
  assertEquals([unknown.code, unknown.stdout], [2, ""]);
  assertStringIncludes(unknown.stderr, "--from");
  const entity = await certpin(["convert", "-", "--to", "policy", "--json"], {
    stdin:
      '<!DOCTYPE a [<!ENTITY e "x">]><network-security-config></network-security-config>',
  });
  assertEquals(entity.code, 2);
  assertEquals(
    documentOf(entity, "failure").error.code,
    "ERR_CERTPIN_DOCUMENT_ENTITY",
  );
});

const onlyHost = (host: string) =>
  JSON.stringify({
    version: 1,
    unlisted: "allow",
    hosts: { [host]: { pins: [A, B] } },
  });

for (const to of ["ios", "tlsa"]) {
  Deno.test(`certpin convert ends with 1 where no host is left for ${to}, and writes no file`, async () => {
    await inTemporaryFolder(async (folder) => {
      const run = (host: string, ...args: string[]) =>
        certpin(["convert", "-", "--to", to, ...args], {
          cwd: folder,
          stdin: onlyHost(host),
        });
      const bad = await run("192.0.2.1", "--json", "--out", "out");
      assertEquals(bad.code, 1);
      assertEquals(documentOf(bad, "convert").losses[0].code, "host");
      assertStringIncludes(bad.stderr, "error: -: ");
      assertEquals([...Deno.readDirSync(folder)].length, 0);
      assertEquals((await run("192.0.2.1")).code, 1);
      const good = await run("a.example", "--json", "--out", "out");
      assertEquals(good.code, 0);
      assertEquals(documentOf(good, "convert").output, { file: "out" });
    });
  });
}

for (const to of FORMAT_NAMES) {
  Deno.test(`certpin convert finds the host that ${to} pins`, async () => {
    const stdin = onlyHost("a.example");
    const ran = await certpin(["convert", "-", "--to", to], { stdin });
    assertEquals([ran.code, ran.stderr.includes("error:")], [0, false]);
  });
}

Deno.test("certpin convert knows no other format", async () => {
  const ran = await certpin(["convert", "Pins.kt", "--to", "pkp"], { cwd });
  assertEquals([ran.code, ran.stdout], [2, ""]);
  assertStringIncludes(ran.stderr, "trustkit");
});
