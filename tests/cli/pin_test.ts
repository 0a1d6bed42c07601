import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { filePath } from "../../tools/suite/paths.ts";
import { missing } from "../conformance/skip.ts";
import {
  certpin,
  documentOf,
  inTemporaryFolder,
  lacksEd448,
  runProgram,
} from "./command.ts";

const keys = filePath("fixtures/keys/");
const pins: Record<string, { spki: string; certificate: string }> = JSON.parse(
  Deno.readTextFileSync(`${keys}pins.json`),
);
const files = [...Deno.readDirSync(keys)].map((entry) => entry.name).sort();
const readable = files.filter((name) =>
  pins[name.split(".")[0]] !== undefined &&
  !(lacksEd448() && name === "ed448.pkcs8.pem")
);
const passphrase = { CERTPIN_PASSPHRASE: "correct horse" };

Deno.test("certpin pin agrees with OpenSSL on every kind of file", async () => {
  const ran = await certpin(["pin", "--json", ...readable], {
    cwd: keys,
    env: passphrase,
  });
  const warned = readable.filter((name) =>
    ran.stderr.includes(`warning: ${name}: `)
  );
  // Ed448, and RSASSA-PSS with a mask of SHA-1: no path may hold these keys.
  assertEquals(
    warned,
    readable.filter((name) => /^(?:ed448|rsapss)\./.test(name)),
  );
  assertEquals(ran.code, 0);
  assertEquals(
    documentOf(ran, "pin").pins,
    readable.map((source) => {
      const digest = pins[source.split(".")[0]].spki;
      const text = `sha256/${digest}`;
      return { source, of: "spki", hash: "sha256", digest, text };
    }),
  );
});

async function hasOpenssl(): Promise<boolean> {
  try {
    return (await runProgram("openssl", ["version"])).code === 0;
  } catch {
    return false;
  }
}

Deno.test({
  name:
    "certpin pin agrees with the OpenSSL that is installed, on keys that it makes now",
  ignore: missing(
    "openssl",
    await hasOpenssl(),
    "the openssl command is not installed",
  ),
  fn: () =>
    inTemporaryFolder(async (folder) => {
      const made: string[][] = [
        ["RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
        ["EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
        ["ED25519"],
      ];
      const wanted: string[] = [];
      const names: string[] = [];
      for (const [algorithm, ...rest] of made) {
        const name = `${algorithm}.pem`;
        const openssl = (...args: string[]) =>
          runProgram("openssl", args, { cwd: folder });
        await openssl(
          "genpkey",
          "-algorithm",
          algorithm,
          ...rest,
          "-out",
          name,
        );
        await openssl(
          ...["pkey", "-in", name, "-pubout", "-outform", "DER"],
          ...["-out", "spki.der"],
        );
        const { stdout } = await openssl("dgst", "-sha256", "-r", "spki.der");
        wanted.push(`spki:sha256:${stdout.split(" ")[0]}`);
        names.push(name);
      }
      const ran = await certpin(["pin", "--style", "hex", ...names], {
        cwd: folder,
      });
      assertEquals(
        ran.stdout,
        wanted.map((text, i) => `${text}  ${names[i]} (private key)\n`).join(
          "",
        ),
      );
      assertEquals([ran.code, ran.stderr], [0, ""]);
    }),
});

Deno.test("certpin pin prints a line for each key, without colour in a pipe", async () => {
  const ran = await certpin(["pin", "p256.csr.pem", "p256.cert.der"], {
    cwd: keys,
  });
  const text = `sha256/${pins.p256.spki}`;
  assertEquals(ran, {
    code: 0,
    stdout: `${text}  p256.csr.pem (certificate request)\n` +
      `${text}  p256.cert.der (certificate)\n`,
    stderr: "",
  });
});

Deno.test("certpin pin reads standard input, PEM and DER", async () => {
  for (const name of ["p256.spki.pem", "p256.spki.der"]) {
    const stdin = await Deno.readFile(keys + name);
    const ran = await certpin(["pin", "-", "--json"], { stdin });
    const [pin] = documentOf(ran, "pin").pins;
    assertEquals([pin.source, pin.digest], ["-", pins.p256.spki]);
  }
});

Deno.test("certpin pin hashes whole certificates, and other hashes, where it is asked to", async () => {
  const cert = await certpin(
    ["pin", "--of", "certificate", "--json", "p256.pbes2.p12"],
    { cwd: keys, env: passphrase },
  );
  const [pin, ...rest] = documentOf(cert, "pin").pins;
  assertEquals([pin.of, pin.digest, rest.length], [
    "certificate",
    pins.p256.certificate,
    0,
  ]);
  const long = await certpin(["pin", "--hash", "sha512", "p256.cert.pem"], {
    cwd: keys,
  });
  assertMatch(long.stdout, /^sha512\/[A-Za-z0-9+/]{86}== {2}p256/);
});

Deno.test("certpin pin takes the passphrase from a file, and refuses a wrong one", async () => {
  await inTemporaryFolder(async (folder) => {
    const file = `${folder}/passphrase`;
    const run = () =>
      certpin(["pin", "--json", "--passphrase-file", file, "p256.aes256.pem"], {
        cwd: keys,
      });
    await Deno.writeTextFile(file, "correct horse\n");
    assertEquals(documentOf(await run(), "pin").pins[0].digest, pins.p256.spki);
    await Deno.writeTextFile(file, "battery staple\n");
    const wrong = await run();
    assertEquals(wrong.code, 2);
    const { error } = documentOf(wrong, "failure");
    assertEquals(error.code, "ERR_CERTPIN_KEY_PASSPHRASE");
    assertStringIncludes(wrong.stderr, "p256.aes256.pem");
    assertEquals(wrong.stderr.includes("battery"), false);
  });
});

Deno.test("certpin pin says how to give a passphrase where no terminal asks", async () => {
  const ran = await certpin(["pin", "p256.aes256.pem"], { cwd: keys });
  assertEquals([ran.code, ran.stdout], [2, ""]);
  assertStringIncludes(ran.stderr, "--passphrase-file");
});

const refusals: [file: string, code: string][] = [
  ...(lacksEd448()
    ? [["ed448.pkcs8.pem", "ERR_CERTPIN_KEY_ALGORITHM"] as [string, string]]
    : []),
  ["legacy.rc2.p12", "ERR_CERTPIN_KEY_ENCRYPTION"],
  ["legacy.proctype.pem", "ERR_CERTPIN_KEY_ENCRYPTION"],
  ["refused.x25519.pem", "ERR_CERTPIN_KEY_ALGORITHM"],
  ["make.sh", "ERR_CERTPIN_KEY_FORMAT"],
  ["no-such-file", "ERR_CERTPIN_CLI"],
];
for (const [name, code] of refusals) {
  Deno.test(`certpin pin refuses ${name}, and names it`, async () => {
    const ran = await certpin(["pin", "--json", "p256.cert.pem", name], {
      cwd: keys,
      env: passphrase,
    });
    assertEquals(ran.code, 2);
    const { error } = documentOf(ran, "failure");
    assertEquals([error.code, error.source], [code, name]);
    assertStringIncludes(ran.stderr, `error: ${name}: `);
  });
}

Deno.test("certpin pin reads no file without end, and no folder", async () => {
  const endless = await certpin(["pin", "/dev/zero", "--json"]);
  assertEquals(endless.code, 2);
  const folder = await certpin(["pin", keys, "--json"]);
  assertEquals([folder.code, documentOf(folder, "failure").error.source], [
    2,
    keys,
  ]);
});

Deno.test("certpin pin ends with 2 on wrong usage, and prints nothing on standard output", async () => {
  for (
    const args of [["pin"], ["pin", "--hash", "md5", "x"], ["pin", "--no"]]
  ) {
    const ran = await certpin(args, { cwd: keys });
    assertEquals([ran.code, ran.stdout], [2, ""]);
    assertStringIncludes(ran.stderr, "error: ");
  }
});

const wrongUsage: string[][] = [
  ["pin"],
  ["lint"],
  ["inspect", "a.example", "--at", "2026-99-99"],
  ["check", "pins.json", "--concurrency", "0"],
];
for (const args of wrongUsage) {
  Deno.test(`certpin ${args.join(" ")} --json says as a document what is wrong with the usage`, async () => {
    const ran = await certpin([...args, "--json"], { cwd: keys });
    assertEquals(ran.code, 2);
    assertEquals(documentOf(ran, "failure").error.code, "ERR_CERTPIN_CLI");
    assertStringIncludes(ran.stderr, "error: ");
  });
}
