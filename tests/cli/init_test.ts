import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Ajv2020 } from "ajv/dist/2020.js";
import { generateKeyPairSync } from "node:crypto";
import { filePath } from "../../tools/suite/paths.ts";
import { mintChain } from "../../src/testing/mod.ts";
import { certpin, documentOf, inTemporaryFolder, type Ran } from "./command.ts";
import { serve, withServers } from "./servers.ts";

// openssl ecparam -name secp256k1 -genkey | openssl ec -pubout
const SECP256K1 = `-----BEGIN PUBLIC KEY-----
MFYwEAYHKoZIzj0CAQYFK4EEAAoDQgAEFnmmntEXP4R/hFBtCwRcfxrVrwztXamO
KlSgd8Ys5Okj2sZNLeZ2MUQ7ru7kb02IhzgcV/Pl7NbqycIR8QwtCQ==
-----END PUBLIC KEY-----
`;

const chain = await mintChain({ hostnames: ["api.example.com"] });
const direct = await mintChain({
  hostnames: ["api.example.com"],
  intermediates: 0,
});

/** Runs init in a folder of its own against a server with the chain. */
async function withInit(
  served: typeof chain,
  body: (
    init: (...args: string[]) => Promise<Ran>,
    cwd: string,
  ) => Promise<void>,
): Promise<void> {
  await withServers(
    [serve(served)],
    ([server]) =>
      inTemporaryFolder(async (cwd) => {
        await Deno.writeTextFile(`${cwd}/root.pem`, served.ca);
        await Deno.writeTextFile(`${cwd}/backup.pem`, served.backupKey.pem);
        await Deno.writeTextFile(`${cwd}/leaf-key.pem`, served.keyPem);
        const init = (...args: string[]) =>
          certpin([
            ...["init", `api.example.com:${server.port}`, "--connect-to"],
            ...["127.0.0.1", ...args],
          ], { cwd });
        await body(init, cwd);
        assertEquals(server.received(), 0);
      }),
  );
}

const readJson = async (path: string) =>
  JSON.parse(await Deno.readTextFile(path));
const namesIn = (folder: string) =>
  [...Deno.readDirSync(folder)].map(({ name }) => name).sort();

Deno.test("certpin init pins the intermediate and the leaf, and marks the missing backup", async () => {
  await withInit(chain, async (init, cwd) => {
    const ran = await init("--root", "root.pem");
    assertEquals(ran.code, 0);
    assertStringIncludes(ran.stderr, "no backup pin");
    const policy = await readJson(`${cwd}/pins.json`);
    const { pins, expiresAt } = policy.hosts["api.example.com"];
    assertEquals(
      pins.map(({ pin, role }: Record<string, string>) => [pin, role]),
      [[chain.pins.intermediates[0], "intermediate"], [
        chain.pins.leaf,
        "leaf",
      ]],
    );
    const days = (Date.parse(expiresAt) - Date.now()) / 86_400_000;
    assert(days > 363 && days <= 365);
    const schema = await readJson(`${cwd}/certpin.schema.json`);
    const validate = new Ajv2020({ strict: false }).compile(schema);
    assertEquals([validate(policy), validate.errors], [true, null]);
    assertEquals(policy.$schema, "./certpin.schema.json");
    const lint = await certpin(["lint", "pins.json", "--json"], { cwd });
    assertEquals(lint.code, 1);
    const [finding] = documentOf(lint, "lint").findings;
    assertEquals([finding.code, finding.severity], ["backup-gap", "error"]);
    const check = await certpin([
      ...["check", "pins.json", "--chain", "chain.pem", "--root", "root.pem"],
      ...["--host", "api.example.com"],
    ], {
      cwd: await Deno.writeTextFile(`${cwd}/chain.pem`, chain.pem).then(() =>
        cwd
      ),
    });
    assertEquals(check.code, 0);
  });
});

Deno.test("certpin check finds the port that certpin init was given", async () => {
  await withServers(
    [serve(chain)],
    ([server]) =>
      inTemporaryFolder(async (cwd) => {
        await Deno.writeTextFile(`${cwd}/root.pem`, chain.ca);
        const common = ["--root", "root.pem", "--connect-to", "127.0.0.1"];
        const name = `api.example.com:${server.port}`;
        const made = await certpin(["init", name, ...common], { cwd });
        assertEquals(made.code, 0, made.stderr);
        const check = async (...more: string[]) => {
          const args = ["check", "pins.json", "--json", ...more, ...common];
          const ran = await certpin(args, { cwd });
          return documentOf(ran, "check").results[0];
        };
        for (const found of [await check(), await check("api.example.com")]) {
          assertEquals([found.port, found.decision], [server.port, "allow"]);
        }
        // What is typed counts more.
        const [typed] = [await check("--port", `${server.port + 1}`)];
        assertEquals([typed.port, typed.decision], [server.port + 1, "block"]);
        const policy = await readJson(`${cwd}/pins.json`);
        assertEquals(policy.hosts["api.example.com"]["x-port"], server.port);
      }),
  );
});

Deno.test("certpin init says what to do about a private CA, as inspect does", async () => {
  await withInit(chain, async (init) => {
    const ran = await init();
    assertEquals(ran.code, 1);
    assertStringIncludes(ran.stderr, "--root FILE");
    assertEquals((await init("--root", "root.pem")).code, 0);
  });
});

Deno.test("docs/first-policy.md shows what certpin init writes", async () => {
  await withInit(chain, async (init, cwd) => {
    await init("--root", "root.pem", "--backup", "backup.pem");
    const written = await readJson(`${cwd}/pins.json`);
    const page = await Deno.readTextFile(filePath("docs/first-policy.md"));
    const shown = JSON.parse(/```jsonc policy\n(.*?)```/s.exec(page)![1]);
    const shapeOf = ({ hosts, ...rest }: typeof written) => {
      const { pins, ...host } = hosts["api.example.com"];
      // The servers of tests have ports of their own.
      const keys = Object.keys(host).filter((key) => key !== "x-port");
      const ofPins = pins.map((pin: object) => Object.keys(pin));
      return [Object.keys(rest), keys, ofPins];
    };
    assertEquals(shapeOf(shown), shapeOf(written));
  });
});

Deno.test("certpin init takes the backup from a key file, and lint is content", async () => {
  await withInit(chain, async (init, cwd) => {
    const ran = await init(
      ...["--root", "root.pem", "--backup", "backup.pem", "--json"],
      ...["--out", "my.json", "--expires", "90"],
    );
    assertEquals([ran.code, ran.stderr], [0, ""]);
    const document = documentOf(ran, "init");
    assertEquals(document.policy, "my.json");
    const hosts = document.hosts.map((
      { why, ...rest }: { why: string[] } & Record<string, unknown>,
    ) => {
      assertEquals(why.length, 2);
      return rest;
    });
    assertEquals(hosts, [{
      hostname: "api.example.com",
      pins: [
        { pin: chain.pins.intermediates[0], role: "intermediate" },
        { pin: chain.pins.leaf, role: "leaf" },
      ],
      backup: true,
    }]);
    const { pins } =
      (await readJson(`${cwd}/my.json`)).hosts["api.example.com"];
    assertEquals(pins[2].pin, chain.pins.backup);
    await Deno.writeTextFile(`${cwd}/chain.pem`, chain.pem);
    const lint = await certpin(
      ["lint", "my.json", "--strict", "--chain", "chain.pem"],
      { cwd },
    );
    assertEquals([lint.code, lint.stdout], [0, "no findings\n"]);
  });
});

Deno.test("certpin init refuses the leaf's own key as its backup", async () => {
  await withInit(chain, async (init, cwd) => {
    const root = ["--root", "root.pem"];
    const bad = await init(...root, "--backup", "leaf-key.pem");
    assertEquals(bad.code, 2);
    assertEquals(namesIn(cwd), ["backup.pem", "leaf-key.pem", "root.pem"]);
    assertEquals((await init(...root, "--backup", "backup.pem")).code, 0);
  });
});

Deno.test("certpin init refuses a root of the path as its backup", async () => {
  await withInit(chain, async (init) => {
    const root = ["--root", "root.pem"];
    assertEquals((await init(...root, "--backup", "root.pem")).code, 2);
    assertEquals((await init(...root, "--backup", "backup.pem")).code, 0);
  });
});

Deno.test("certpin init refuses a backup key that no path may hold", async () => {
  const key = (bits: number) =>
    generateKeyPairSync("rsa", { modulusLength: bits }).publicKey
      .export({ type: "spki", format: "pem" }) as string;
  const curve = (namedCurve: string) =>
    generateKeyPairSync("ec", { namedCurve }).publicKey
      .export({ type: "spki", format: "pem" }) as string;
  const ed448 = Deno.readTextFileSync(
    filePath("fixtures/keys/ed448.spki.pem"),
  );
  await withInit(chain, async (init, cwd) => {
    const run = async (pem: string) => {
      await Deno.writeTextFile(`${cwd}/mine.pem`, pem);
      return await init("--root", "root.pem", "--backup", "mine.pem", "--json");
    };
    for (const pem of [key(1024), SECP256K1, ed448]) {
      const bad = await run(pem);
      assertEquals(bad.code, 2);
      assertEquals(documentOf(bad, "failure").error.source, "mine.pem");
      assertStringIncludes(bad.stderr, "hint: ");
      assertEquals(namesIn(cwd).includes("pins.json"), false);
    }
    for (const pem of [key(2048), curve("P-256")]) {
      assertEquals((await run(pem)).code, 0);
      await Deno.remove(`${cwd}/pins.json`);
    }
  });
});

Deno.test("certpin init pins the leaf alone where no intermediate is on the path, never the root", async () => {
  await withInit(direct, async (init, cwd) => {
    assertEquals((await init("--root", "root.pem")).code, 0);
    const text = await Deno.readTextFile(`${cwd}/pins.json`);
    assertStringIncludes(text, direct.pins.leaf);
    assertEquals(text.includes(direct.pins.root), false);
  });
});

Deno.test("certpin init writes nothing for a chain that does not verify", async () => {
  await withInit(chain, async (init, cwd) => {
    const ran = await init("--json");
    assertEquals(ran.code, 1);
    const { error } = documentOf(ran, "failure");
    assertEquals(error.code, "ERR_CERTPIN_PATH_NO_ISSUER");
    assertStringIncludes(error.source, "api.example.com:");
    assertEquals(namesIn(cwd), ["backup.pem", "leaf-key.pem", "root.pem"]);
  });
});

Deno.test("certpin init never writes over a file without --force", async () => {
  await withInit(chain, async (init, cwd) => {
    const root = ["--root", "root.pem"];
    await Deno.writeTextFile(`${cwd}/pins.json`, "mine");
    const policy = await init(...root);
    assertEquals(policy.code, 2);
    assertStringIncludes(policy.stderr, "--force");
    assertEquals(await Deno.readTextFile(`${cwd}/pins.json`), "mine");
    await Deno.remove(`${cwd}/pins.json`);
    await Deno.writeTextFile(`${cwd}/certpin.schema.json`, "mine too");
    const schema = await init(...root);
    assertEquals(schema.code, 2);
    assertEquals(namesIn(cwd).includes("pins.json"), false);
    assertEquals((await init(...root, "--force")).code, 0);
    const left = ["backup.pem", "certpin.schema.json", "leaf-key.pem"];
    assertEquals(namesIn(cwd), [...left, "pins.json", "root.pem"]);
    // A schema that is the same is no obstacle.
    assertEquals((await init(...root, "--out", "two.json")).code, 0);
  });
});

Deno.test("certpin init needs a host", async () => {
  const ran = await certpin(["init"]);
  assertEquals([ran.code, ran.stdout], [2, ""]);
});
