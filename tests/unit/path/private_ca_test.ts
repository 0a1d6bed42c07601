/** CAs that real tools made: what each profile says of them, and which attacks stay refused. */
import { assert, assertEquals } from "@std/assert";
import { PathError } from "../../../src/errors.ts";
import { PATH_RULES, type PathRuleName } from "../../../src/path/rule_table.ts";
import { createPinner } from "../../../src/pinner/pinner.ts";
import { fingerprint } from "../../../src/pins/fingerprint.ts";
import { parseCertificates } from "../../../src/x509/certificate.ts";
import { missingOpenssl, openssl } from "../x509/openssl.ts";

const FOLDER = new URL("../../../fixtures/private_ca/", import.meta.url);
const HOST = "db.internal.example";
/** Within the validity of all fixtures but the expired one. */
const AT = new Date("2027-01-01T00:00:00Z");

/** What a tool makes, and the rules of the web that it breaks, the first of them first. */
const CAS: Readonly<Record<string, readonly PathRuleName[]>> = {
  easyrsa: ["basic-constraints-critical"],
  forge: ["authority-key-identifier", "basic-constraints-critical"],
  go: ["serial-number"],
  mkcert: [],
  nss: ["authority-key-identifier", "basic-constraints-critical"],
  openssl: [],
  openssl_1_0: ["basic-constraints-critical"],
  openssl_critical_names: [],
  openssl_empty_subject: ["subject-alt-name-critical"],
  openssl_intermediate: ["basic-constraints-critical"],
  openssl_no_identifiers: ["authority-key-identifier"],
  openssl_serial_long: ["serial-number"],
  openssl_serial_zero: ["serial-number"],
  openssl_v1_root: ["authority-key-identifier", "anchor-version"],
  peculiar: [
    "authority-key-identifier",
    "basic-constraints-critical",
  ],
};

/** An attack, the rule that refuses it under `private`, and the CA that differs in one thing. */
const ATTACKS: Readonly<Record<string, readonly [PathRuleName, string]>> = {
  client_only: ["leaf-extended-key-usage", "openssl"],
  common_name_alone: ["hostname", "openssl"],
  critical_extension: ["critical-extension", "openssl"],
  expired: ["expired", "openssl"],
  issuer_key_usage: ["issuer-key-usage", "openssl_intermediate"],
  key_usage: ["leaf-key-usage", "openssl"],
  leaf_as_ca: ["ca-bit", "openssl_intermediate"],
  name_constraints: ["name-constraints", "openssl_intermediate"],
  other_host: ["hostname", "openssl"],
  other_key: ["signature", "openssl"],
  path_length: ["path-length", "openssl_intermediate"],
  sha1: ["algorithm", "openssl"],
  short_key: ["algorithm", "openssl"],
  version_1_intermediate: ["version", "openssl_v1_root"],
};

async function read(file: string) {
  return parseCertificates(await Deno.readTextFile(new URL(file, FOLDER)));
}

/** The verdict on a fixture under a profile. */
async function check(name: string, profile: "web" | "private") {
  const [leaf, ...rest] = await read(`${name}.pem`);
  const pinner = createPinner({
    version: 1,
    hosts: { [HOST]: { pins: [`${await fingerprint(leaf)}`], profile } },
  }, {
    anchors: await read(`${name}.ca.pem`),
    publicAnchors: [],
    now: () => AT,
    onWarning: () => {},
  });
  return await pinner.check({
    hostname: HOST,
    chain: [leaf, ...rest].map(({ der }) => der),
  });
}

/** The rules that a finding names, each once. */
function rulesIn(message: string): string[] {
  const names = [...message.matchAll(/\(rule ([a-z-]+)\)/g)];
  return [...new Set(names.map(([, name]) => name))];
}

for (const [name, broken] of Object.entries(CAS)) {
  Deno.test(`a CA as ${name} makes it is accepted under private, with what it lacks`, async () => {
    const web = await check(name, "web");
    const rule = web.error instanceof PathError ? web.error.rule : undefined;
    assertEquals(rule, broken[0]);
    assertEquals(web.decision, broken.length === 0 ? "allow" : "block");
    if (web.error !== undefined) {
      assert(web.error.message.includes('"profile": "private"'));
    }
    const verdict = await check(name, "private");
    assertEquals([verdict.decision, verdict.reason], ["allow", "pinned"]);
    const found = verdict.warnings.filter(({ code }) =>
      code === "private-profile"
    );
    assertEquals(found.length, broken.length === 0 ? 0 : 1);
    assertEquals(found.flatMap(({ message }) => rulesIn(message)), [...broken]);
  });
}

for (const [name, [rule, control]] of Object.entries(ATTACKS)) {
  Deno.test(`private refuses the attack ${name}`, async () => {
    const { decision, error } = await check(`attack_${name}`, "private");
    assertEquals(decision, "block");
    assert(error instanceof PathError);
    assertEquals(error.rule, rule);
    assertEquals("isWaivable" in PATH_RULES[rule], false);
    assertEquals((await check(control, "private")).decision, "allow");
  });
}

Deno.test("every fixture is tried above", async () => {
  const files: string[] = [];
  for await (const { name } of Deno.readDir(FOLDER)) {
    if (name.endsWith(".ca.pem")) files.push(name.replace(".ca.pem", ""));
  }
  assertEquals(
    files.sort(),
    [
      ...Object.keys(ATTACKS).map((name) => `attack_${name}`),
      ...Object.keys(CAS),
    ],
  );
});

Deno.test({
  name: "OpenSSL accepts what private accepts",
  ignore: await missingOpenssl(),
  fn: async () => {
    const path = (file: string) => new URL(file, FOLDER).pathname;
    const verify = async (name: string) => {
      const { success } = await openssl([
        ...["verify", "-purpose", "sslserver", "-verify_hostname", HOST],
        ...["-attime", `${AT.getTime() / 1000}`],
        ...["-CAfile", path(`${name}.ca.pem`)],
        ...["-untrusted", path(`${name}.pem`), path(`${name}.pem`)],
      ]);
      return success;
    };
    for (const name of Object.keys(CAS)) {
      assert(await verify(name), name);
    }
    assert(!(await verify("attack_leaf_as_ca")));
  },
});
