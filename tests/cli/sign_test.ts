import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { verifySignedPolicy } from "../../src/updates/mod.ts";
import { inDays, keyPair, pemOf } from "../conformance/updates/scene.ts";
import { A, B } from "./formats/samples.ts";
import {
  certpin,
  documentOf,
  inTemporaryFolder,
  runProgram,
} from "./command.ts";

const POLICY = { version: 1, hosts: { "a.example": { pins: [A, B] } } };
const AUDIENCE = ["--audience", "shop-app"];

/** A folder with a policy, two keys and their public halves. */
async function withFiles(body: (cwd: string) => Promise<void>): Promise<void> {
  await inTemporaryFolder(async (cwd) => {
    await Deno.writeTextFile(`${cwd}/pins.json`, JSON.stringify(POLICY));
    for (const algorithm of ["Ed25519", "ES256"] as const) {
      const { privateKey, publicKey } = await keyPair(algorithm);
      await Deno.writeTextFile(
        `${cwd}/${algorithm}.pem`,
        await pemOf(privateKey),
      );
      await Deno.writeTextFile(
        `${cwd}/${algorithm}.pub`,
        await pemOf(publicKey),
      );
    }
    await body(cwd);
  });
}

function sign(cwd: string, ...more: string[]) {
  const args = ["sign", "pins.json", "--key", "Ed25519.pem", ...AUDIENCE];
  return certpin([...args, "--sequence", "7", ...more], { cwd });
}

function verify(cwd: string, ...more: string[]) {
  const args = ["verify", "policy.jws", "--key", "Ed25519.pub", ...AUDIENCE];
  return certpin([...args, ...more], { cwd });
}

Deno.test("certpin sign writes what certpin verify and clients accept", async () => {
  await withFiles(async (cwd) => {
    const ran = await sign(cwd);
    assertEquals(ran.code, 0);
    assertStringIncludes(ran.stderr, "sequence 7");
    const { sequence, policy, expiresAt, issuedAt } = await verifySignedPolicy(
      ran.stdout,
      {
        keys: [await Deno.readTextFile(`${cwd}/Ed25519.pub`)],
        audience: "shop-app",
      },
    );
    assertEquals([sequence, policy.hostnames], [7, ["a.example"]]);
    assertEquals(+expiresAt - +issuedAt, 30 * 86_400_000);

    const written = await sign(cwd, "--out", "policy.jws", "--key-id", "2026");
    assertEquals([written.code, written.stdout], [0, ""]);
    const accepted = await verify(cwd, "--key", "ES256.pub");
    assertEquals([accepted.code, accepted.stderr], [0, ""]);
    assertStringIncludes(accepted.stdout, "sequence 7, key 2026");
    assertStringIncludes(accepted.stdout, "a.example");
    // Over a file that exists only if that is said.
    assertEquals((await sign(cwd, "--out", "policy.jws")).code, 2);
    assertEquals((await sign(cwd, "--out", "policy.jws", "--force")).code, 0);
  });
});

Deno.test("certpin sign and verify speak JSON", async () => {
  await withFiles(async (cwd) => {
    const signed = documentOf(
      await sign(cwd, "--json", "--out", "policy.jws", "--key-id", "k"),
      "sign",
    );
    assertEquals(
      [signed.audience, signed.sequence, signed.keyId, signed.file],
      ["shop-app", 7, "k", "policy.jws"],
    );
    assertEquals(
      await Deno.readTextFile(`${cwd}/policy.jws`),
      `${signed.signed}\n`,
    );
    const { ok, policy, ...rest } = documentOf(
      await verify(cwd, "--json"),
      "verify",
    );
    assertEquals([ok, policy], [true, POLICY]);
    assertEquals(rest, {
      audience: "shop-app",
      sequence: 7,
      issuedAt: signed.issuedAt,
      expiresAt: signed.expiresAt,
      keyId: "k",
    });
  });
});

Deno.test("certpin verify ends with 1 for what clients refuse, by its code", async () => {
  await withFiles(async (cwd) => {
    await sign(cwd, "--out", "policy.jws");
    const late = inDays(31).toISOString();
    const cases: [string[], string][] = [
      [["--at", late], "EXPIRED"],
      [["--at", "2020-01-01"], "NOT_YET_VALID"],
      [["--minimum-sequence", "8"], "ROLLBACK"],
    ];
    for (const [more, code] of cases) {
      const ran = await verify(cwd, ...more, "--json");
      const document = documentOf(ran, "verify");
      assertEquals([ran.code, document.ok], [1, false]);
      assertEquals(document.error.code, `ERR_CERTPIN_UPDATE_${code}`);
      const printed = await verify(cwd, ...more);
      assertEquals([printed.code, printed.stdout], [1, ""]);
      assertStringIncludes(printed.stderr, `ERR_CERTPIN_UPDATE_${code}`);
    }
    assertEquals((await verify(cwd, "--minimum-sequence", "7")).code, 0);
    const other = await certpin(
      ["verify", "policy.jws", "--key", "ES256.pub", "--json", ...AUDIENCE],
      { cwd },
    );
    assertEquals(
      [other.code, documentOf(other, "verify").error.code],
      [1, "ERR_CERTPIN_UPDATE_SIGNATURE"],
    );
    const stranger = await certpin(
      ["verify", "policy.jws", "--key", "Ed25519.pub", "--audience", "x"],
      { cwd },
    );
    assertEquals(stranger.code, 1);
  });
});

Deno.test("certpin sign and verify end with 2 for what they cannot read", async () => {
  await withFiles(async (cwd) => {
    await sign(cwd, "--out", "policy.jws");
    const wrong: string[][] = [
      ["sign", "pins.json", "--key", "Ed25519.pem", ...AUDIENCE],
      [
        "sign",
        "pins.json",
        "--key",
        "Ed25519.pub",
        ...AUDIENCE,
        "--sequence",
        "1",
      ],
      [
        "sign",
        "Ed25519.pub",
        "--key",
        "Ed25519.pem",
        ...AUDIENCE,
        "--sequence",
        "1",
      ],
      [
        "sign",
        "pins.json",
        "--key",
        "none.pem",
        ...AUDIENCE,
        "--sequence",
        "1",
      ],
      [
        "sign",
        "pins.json",
        "--key",
        "Ed25519.pem",
        "--audience",
        "",
        "--sequence",
        "1",
      ],
      [
        ...["sign", "pins.json", "--key", "Ed25519.pem", ...AUDIENCE],
        ...["--sequence", "1", "--expires-at", "2020-01-01"],
      ],
      ["verify", "policy.jws", ...AUDIENCE],
      ["verify", "policy.jws", "--key", "Ed25519.pem", ...AUDIENCE],
      ["verify", "none.jws", "--key", "Ed25519.pub", ...AUDIENCE],
    ];
    for (const args of wrong) {
      const ran = await certpin([...args, "--json"], { cwd });
      assertEquals(ran.code, 2, args.join(" "));
      documentOf(ran, "failure");
    }
  });
});

Deno.test("certpin sign opens an encrypted key, and shows neither key nor passphrase", async () => {
  await withFiles(async (cwd) => {
    const passphrase = "correct horse";
    await Deno.writeTextFile(`${cwd}/passphrase`, `${passphrase}\n`);
    const made = await runProgram("openssl", [
      ...["pkcs8", "-topk8", "-in", "ES256.pem", "-out", "locked.pem"],
      ...["-v2", "aes256", "-passout", "file:passphrase"],
    ], { cwd });
    assertEquals(made.code, 0, made.stderr);
    const args = ["sign", "pins.json", "--key", "locked.pem", ...AUDIENCE];
    const run = (...more: string[]) =>
      certpin([...args, "--sequence", "1", ...more], {
        cwd,
        env: { CERTPIN_PASSPHRASE: "" },
      });
    const ran = await run("--passphrase-file", "passphrase");
    assertEquals(ran.code, 0, ran.stderr);
    assert(!(ran.stdout + ran.stderr).includes(passphrase));
    await Deno.writeTextFile(`${cwd}/policy.jws`, ran.stdout);
    assertEquals((await verify(cwd, "--key", "ES256.pub")).code, 0);
    await Deno.writeTextFile(`${cwd}/passphrase`, "wrong");
    const refused = await run("--passphrase-file", "passphrase", "--json");
    assertEquals(refused.code, 2);
    assertEquals(
      documentOf(refused, "failure").error.code,
      "ERR_CERTPIN_KEY_PASSPHRASE",
    );
  });
});
