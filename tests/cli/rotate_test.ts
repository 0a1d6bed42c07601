import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { mintChain, mintKey, renewLeaf } from "../../src/testing/mod.ts";
import { filePath } from "../../tools/suite/paths.ts";
import {
  certpin,
  commandWords,
  documentOf,
  inTemporaryFolder,
  runProgram,
} from "./command.ts";

const POLICY = `{
\t"version": 1,
\t"hosts": {
\t\t"a.example": { "pins": ["sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="] },
\t\t"b.example": {
\t\t\t"x-note": "kept",
\t\t\t"pins": [
\t\t\t\t"sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
\t\t\t]
\t\t}
\t}
}
`;

Deno.test("certpin rotate adds the next pin, changes nothing else, and does it once", async () => {
  await inTemporaryFolder(async (cwd) => {
    const next = await mintKey();
    await Deno.writeTextFile(`${cwd}/pins.json`, POLICY);
    await Deno.writeTextFile(`${cwd}/next.pem`, next.pem);
    const args = ["rotate", "pins.json", "--next", "next.pem", "--json"];
    const dry = await certpin([...args, "--dry-run"], { cwd });
    assertEquals(dry.code, 0, dry.stderr);
    assertEquals(await Deno.readTextFile(`${cwd}/pins.json`), POLICY);
    const one = await certpin([...args, "--host", "b.example"], { cwd });
    const document = documentOf(one, "rotate");
    assertEquals([document.added, document.written], [["b.example"], true]);
    const text = await Deno.readTextFile(`${cwd}/pins.json`);
    const head = POLICY.slice(0, POLICY.lastIndexOf('="') + 2);
    assertEquals(text.slice(0, head.length + 1), `${head},`);
    const { hosts } = JSON.parse(text);
    assertEquals(hosts["a.example"], JSON.parse(POLICY).hosts["a.example"]);
    assertEquals(hosts["b.example"]["x-note"], "kept");
    assertEquals(hosts["b.example"].pins[1].pin, document.pin);
    const again = await certpin([...args, "--host", "b.example"], { cwd });
    assertEquals(documentOf(again, "rotate").added, []);
    assertEquals(await Deno.readTextFile(`${cwd}/pins.json`), text);
  });
});

Deno.test("each step of certpin rotate's plan is proved by certpin check", async () => {
  await inTemporaryFolder(async (cwd) => {
    const at = "2026-11-24T00:00:00Z";
    const chain = await mintChain({
      hostnames: ["a.example"],
      now: new Date(at),
    });
    const key = await mintKey();
    const renewed = await renewLeaf(chain, { key, now: new Date(at) });
    const { leaf, backup } = chain.pins;
    const write = (name: string, text: string) =>
      Deno.writeTextFile(`${cwd}/${name}`, text);
    await write("root.pem", chain.ca);
    await write("chain.pem", chain.pem);
    await write("renewed.pem", renewed.pem);
    await write("next.pem", key.pem);
    await write(
      "pins.json",
      JSON.stringify({
        version: 1,
        hosts: { "a.example": { pins: [leaf, backup] } },
      }),
    );
    const check = async (file: string, day: string) =>
      (await certpin([
        ...["check", "pins.json", "--chain", file, "--host", "a.example"],
        ...["--root", "root.pem", "--at", day],
      ], { cwd })).code;
    assertEquals(await check("renewed.pem", at), 1);
    const ran = await certpin([
      ...["rotate", "pins.json", "--next", "next.pem", "--at", at],
      ...["--chain", "chain.pem", "--max-age", "30", "--json"],
      ...["--markdown", "plan.md"],
    ], { cwd });
    const { steps, pin, warning } = documentOf(ran, "rotate");
    assertEquals(warning, undefined);
    assertEquals(pin, renewed.pins.leaf);
    assertEquals(steps[2].notBefore, "2026-12-24");
    assertEquals(steps[2].by, chain.leaf.notAfter.toISOString().slice(0, 10));
    assertEquals(await check("chain.pem", steps[1].notBefore), 0);
    assertEquals(await check("renewed.pem", steps[2].notBefore), 0);
    const plan = await Deno.readTextFile(`${cwd}/plan.md`);
    assertEquals(plan.match(/^- \[ \]/gm)?.length, steps.length);
    const late = await certpin([
      ...["rotate", "pins.json", "--next", "next.pem", "--at", at],
      ...["--chain", "chain.pem", "--max-age", "100", "--json"],
    ], { cwd });
    assert(documentOf(late, "rotate").warning);
  });
});

interface Hook {
  readonly script: string;
  env(folder: string): Record<string, string>;
  readonly args: readonly string[];
}

const HOOKS: readonly Hook[] = [
  {
    script: "certbot.sh",
    args: [],
    env: (folder) => ({
      RENEWED_LINEAGE: folder,
      RENEWED_DOMAINS: "a.example www.a.example",
    }),
  },
  {
    script: "lego.sh",
    args: [],
    env: (folder) => ({
      LEGO_CERT_PATH: `${folder}/fullchain.pem`,
      LEGO_CERT_KEY_PATH: `${folder}/privkey.pem`,
      LEGO_CERT_DOMAIN: "a.example",
    }),
  },
  {
    script: "acme-sh.sh",
    args: ["a.example", "www.a.example"],
    env: (folder) => ({ STAGING: folder }),
  },
];

for (const { script, args, env } of HOOKS) {
  Deno.test({
    name:
      `the renewal gate ${script} installs what the policy accepts, and nothing else`,
    ignore: Deno.build.os === "windows",
    async fn() {
      await inTemporaryFolder(async (cwd) => {
        const hostnames = ["a.example", "www.a.example"];
        const chain = await mintChain({ hostnames });
        const pins = [chain.pins.leaf, chain.pins.backup];
        await Deno.writeTextFile(
          `${cwd}/pins.json`,
          JSON.stringify({
            version: 1,
            hosts: { "a.example": { includeSubdomains: true, pins } },
          }),
        );
        await Deno.writeTextFile(`${cwd}/root.pem`, chain.ca);
        await Deno.mkdir(`${cwd}/installed`);
        await Deno.mkdir(`${cwd}/renewed`);
        const renew = async (key?: typeof chain.leaf.key) => {
          const next = await renewLeaf(chain, key === undefined ? {} : { key });
          const folder = `${cwd}/renewed`;
          await Deno.writeTextFile(`${folder}/fullchain.pem`, next.pem);
          await Deno.writeTextFile(`${folder}/privkey.pem`, next.keyPem);
          const ran = await runProgram(
            "sh",
            [filePath(`examples/renewal-gate/${script}`), ...args],
            {
              cwd,
              env: {
                ...env(folder),
                POLICY: `${cwd}/pins.json`,
                INSTALL: `${cwd}/installed`,
                RELOAD: "touch reloaded",
                CERTPIN: commandWords().join(" "),
                CERTPIN_ROOT: `${cwd}/root.pem`,
              },
            },
          );
          return { ran, next };
        };
        const installed = async () =>
          await Deno.readTextFile(`${cwd}/installed/fullchain.pem`)
            .catch(() => undefined);
        const refused = await renew();
        assertEquals(refused.ran.code, 1);
        assertStringIncludes(refused.ran.stderr, "lock clients out");
        assertEquals(await installed(), undefined);
        const accepted = await renew(chain.leaf.key);
        assertEquals(accepted.ran.code, 0, accepted.ran.stderr);
        assertEquals(await installed(), accepted.next.pem);
        const key = await Deno.stat(`${cwd}/installed/privkey.pem`);
        assertEquals((key.mode ?? 0) & 0o077, 0);
        await Deno.stat(`${cwd}/reloaded`);
        await renew();
        assertEquals(await installed(), accepted.next.pem);
      });
    },
  });
}
