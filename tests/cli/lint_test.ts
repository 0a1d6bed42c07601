import { assertEquals, assertStringIncludes } from "@std/assert";
import * as tls from "node:tls";
import { parseCertificates } from "../../src/x509/certificate.ts";
import { fingerprint } from "../../src/pins/fingerprint.ts";
import { mintChain } from "../../src/testing/mod.ts";
import { A, B, C, D } from "./formats/samples.ts";
import {
  certpin,
  COMMAND_VARIABLE,
  documentOf,
  inTemporaryFolder,
  type Ran,
} from "./command.ts";

type Hosts = Record<string, unknown>;

const policyOf = (hosts: Hosts, more: object = {}) =>
  JSON.stringify({ version: 1, ...more, hosts });

async function codesOf(ran: Ran): Promise<string[]> {
  const { findings } = await documentOf(ran, "lint");
  return findings.map(({ code, severity, pointer }: Record<string, string>) =>
    `${severity} ${code} ${pointer}`
  );
}

const lint = (policy: string, ...args: string[]) =>
  certpin(["lint", "-", "--json", ...args], { stdin: policy });

const inDays = (days: number) =>
  new Date(Date.now() + days * 86_400_000).toISOString();

Deno.test("certpin lint is content with a policy without faults", async () => {
  const policy = policyOf({ "api.a.example": { pins: [A, B] } });
  const ran = await lint(policy, "--strict");
  assertEquals([ran.code, await codesOf(ran)], [0, []]);
  const text = await certpin(["lint", "-"], { stdin: policy });
  assertEquals([text.code, text.stdout, text.stderr], [0, "no findings\n", ""]);
});

/** The runtime's roots by their owner. */
const owners = Map.groupBy(
  tls.rootCertificates.flatMap((pem) => parseCertificates(pem)),
  ({ subject }) => /(?:^|,)O=((?:[^,\\]|\\.)*)/.exec(subject)?.[1],
);
/** An owner of one root, and one of several. */
const [[root], several] = [1, 3].map((least) =>
  [...owners].find(([owner, roots]) =>
    owner !== undefined &&
    (least === 1 ? roots.length === 1 : roots.length >= least)
  )![1]
);
const publicPin = `${await fingerprint(root)}`;
const leaf = `certificate:${A}`;

/** Each fault, and the same policy without it. */
const cases: [finding: string, faulty: string, sound: string][] = [
  [
    "warning unlisted-allowed /unlisted",
    policyOf({ "api.a.example": { pins: [A, B] } }, { unlisted: "allow" }),
    policyOf({ "api.a.example": { pins: [A, B] } }, { unlisted: "deny" }),
  ],
  [
    "warning report-only /hosts/api.a.example/mode",
    policyOf({ "api.a.example": { mode: "report-only", pins: [A, B] } }),
    policyOf({ "api.a.example": { mode: "enforce", pins: [A, B] } }),
  ],
  [
    "warning no-backup-pin /hosts/api.a.example/pins",
    policyOf({ "api.a.example": { pins: [A] } }),
    policyOf({ "api.a.example": { pins: [A, B] } }),
  ],
  [
    "error expired /hosts/api.a.example/expiresAt",
    policyOf({ "api.a.example": { expiresAt: inDays(-1), pins: [A, B] } }),
    policyOf({ "api.a.example": { expiresAt: inDays(40), pins: [A, B] } }),
  ],
  [
    "warning expires-soon /hosts/api.a.example/expiresAt",
    policyOf({ "api.a.example": { expiresAt: inDays(29), pins: [A, B] } }),
    policyOf({ "api.a.example": { expiresAt: inDays(31), pins: [A, B] } }),
  ],
  [
    "warning duplicate-pin /hosts/api.a.example/pins/2",
    policyOf({ "api.a.example": { pins: [A, B, A] } }),
    policyOf({ "api.a.example": { pins: [A, B, C] } }),
  ],
  [
    "warning leaf-certificate-pin /hosts/api.a.example/pins/1",
    policyOf({ "api.a.example": { pins: [B, { pin: leaf, role: "leaf" }] } }),
    policyOf({ "api.a.example": { pins: [B, { pin: A, role: "leaf" }] } }),
  ],
  [
    "warning public-root /hosts/api.a.example/pins/1",
    policyOf({ "api.a.example": { pins: [A, publicPin] } }),
    policyOf({ "api.a.example": { pins: [A, B] } }),
  ],
  [
    "warning shared-pin /hosts/api.b.example/pins/0",
    policyOf({
      "api.a.example": { pins: [A, B] },
      "api.b.example": { pins: [A, C] },
    }),
    policyOf({
      "api.a.example": { pins: [A, B] },
      "www.a.example": { pins: [A, C] },
    }),
  ],
  [
    "warning shared-pin /hosts/api.b.co.uk/pins/0",
    policyOf({
      "api.a.co.uk": { pins: [A, B] },
      "api.b.co.uk": { pins: [A, C] },
    }),
    policyOf({
      "api.a.co.uk": { pins: [A, B] },
      "www.a.co.uk": { pins: [A, C] },
    }),
  ],
  [
    "info subdomain-gap /hosts/a.co.uk",
    policyOf({ "a.co.uk": { pins: [A, B] } }),
    policyOf({ "co.uk": { pins: [A, B] } }),
  ],
  [
    "warning subdomain-gap /hosts/*.a.example",
    policyOf({ "*.a.example": { pins: [A, B] } }),
    policyOf({
      "*.a.example": { pins: [A, B] },
      "a.example": { pins: [A, B] },
    }),
  ],
  [
    "info subdomain-gap /hosts/a.example",
    policyOf({ "a.example": { pins: [A, B] } }),
    policyOf({ "a.example": { includeSubdomains: true, pins: [A, B] } }),
  ],
  [
    "error public-suffix /hosts/co.uk",
    policyOf({ "co.uk": { includeSubdomains: true, pins: [A, B] } }),
    policyOf({ "a.co.uk": { includeSubdomains: true, pins: [A, B] } }),
  ],
  [
    "error public-suffix /hosts/github.io",
    policyOf({ "github.io": { includeSubdomains: true, pins: [A, B] } }),
    policyOf({ "a.github.io": { includeSubdomains: true, pins: [A, B] } }),
  ],
  [
    "error each-role-without-roles /hosts/api.a.example/require",
    policyOf({ "api.a.example": { require: "each-role", pins: [A, B] } }),
    policyOf({
      "api.a.example": {
        require: "each-role",
        pins: [{ pin: A, role: "leaf" }, B],
      },
    }),
  ],
  [
    "error backup-gap /hosts/api.a.example/x-backup-missing",
    policyOf({ "api.a.example": { pins: [A, B], "x-backup-missing": "…" } }),
    policyOf({ "api.a.example": { pins: [A, B], "x-other": "…" } }),
  ],
];
for (const [finding, faulty, sound] of cases) {
  const [severity, code] = finding.split(" ");
  Deno.test(`certpin lint finds ${code} (${severity}), and not where there is none`, async () => {
    const bad = await lint(faulty);
    assertEquals(await codesOf(bad), [finding]);
    assertEquals(bad.code, severity === "error" ? 1 : 0);
    const good = await lint(sound);
    assertEquals([good.code, await codesOf(good)], [0, []]);
  });
}

Deno.test({
  name:
    "certpin lint finds ca-set-incomplete where a root of the same owner is not pinned",
  // The roots above are this runtime's; a package's may have others.
  ignore: Deno.env.get(COMMAND_VARIABLE) !== undefined,
  fn: async () => {
    const pins = await Promise.all(
      several.map(async (root) => `${await fingerprint(root)}`),
    );
    const incomplete = async (pinned: readonly string[]) =>
      (await codesOf(
        await lint(policyOf({ "api.a.example": { pins: pinned } })),
      ))
        .filter((one) => one.includes("ca-set-incomplete"));
    assertEquals(await incomplete(pins.slice(1)), [
      "warning ca-set-incomplete /hosts/api.a.example/pins",
    ]);
    assertEquals(await incomplete(pins), []);
  },
});

Deno.test("certpin lint --strict fails on warnings, not on notes", async () => {
  const warning = policyOf({ "api.a.example": { pins: [A] } });
  const note = policyOf({ "a.example": { pins: [A, B] } });
  const exits: [string, string[], number][] = [
    [warning, [], 0],
    [warning, ["--strict"], 1],
    [note, ["--strict"], 0],
  ];
  for (const [policy, args, code] of exits) {
    assertEquals((await lint(policy, ...args)).code, code);
  }
});

Deno.test("certpin lint tells backups that are none, and own roots, from given files", async () => {
  const chain = await mintChain({ hostnames: ["api.a.example"] });
  await inTemporaryFolder(async (cwd) => {
    await Deno.writeTextFile(`${cwd}/chain.pem`, chain.pem);
    await Deno.writeTextFile(`${cwd}/root.pem`, chain.ca);
    const run = async (pins: string[], ...args: string[]) =>
      await codesOf(
        await certpin(["lint", "-", "--json", ...args], {
          cwd,
          stdin: policyOf({ "api.a.example": { pins } }),
        }),
      );
    const { leaf, intermediates, root, backup } = chain.pins;
    const onPath = [leaf, intermediates[0]];
    assertEquals(await run(onPath, "--chain", "chain.pem"), [
      "warning no-true-backup /hosts/api.a.example/pins",
    ]);
    assertEquals(await run([...onPath, backup], "--chain", "chain.pem"), []);
    // The root is on the path too, though no host sends it.
    const evaluated = ["--chain", "chain.pem", "--root", "root.pem"];
    assertEquals(await run([...onPath, root], ...evaluated), [
      "warning no-true-backup /hosts/api.a.example/pins",
    ]);
    assertEquals(await run([...onPath, backup], ...evaluated), []);
    const late = ["--at", "2099-01-01"];
    assertEquals(await run([...onPath, root], ...evaluated, ...late), [
      "warning no-true-backup /hosts/api.a.example/pins",
    ]);
    assertEquals(await run([root, root], "--root", "root.pem"), [
      "warning no-backup-pin /hosts/api.a.example/pins",
      "warning duplicate-pin /hosts/api.a.example/pins/1",
      "info root-only /hosts/api.a.example/pins",
    ]);
  });
});

Deno.test("certpin lint refuses a chain that ends at none of the given roots", async () => {
  const [chain, other] = [
    await mintChain({ hostnames: ["api.a.example"] }),
    await mintChain({ hostnames: ["api.a.example"] }),
  ];
  await inTemporaryFolder(async (cwd) => {
    await Deno.writeTextFile(`${cwd}/chain.pem`, chain.pem);
    await Deno.writeTextFile(`${cwd}/root.pem`, chain.ca);
    await Deno.writeTextFile(`${cwd}/other.pem`, other.ca);
    const run = (root: string) =>
      certpin(["lint", "-", "--json", "--chain", "chain.pem", "--root", root], {
        cwd,
        stdin: policyOf({ "api.a.example": { pins: [A, B] } }),
      });
    const bad = await run("other.pem");
    assertEquals(bad.code, 2);
    assertEquals(documentOf(bad, "failure").error.source, "chain.pem");
    assertEquals((await run("root.pem")).code, 0);
  });
});

Deno.test("certpin lint leaves out what the policy accepts, says so, and says what is accepted in vain", async () => {
  const accept = (...codes: string[]) => ({
    accept: codes.map((code) => ({
      code,
      pointer: "/hosts/co.uk",
      reason: "we are a registry",
    })),
  });
  const hosts = { "co.uk": { includeSubdomains: true, pins: [A, B] } };
  const bare = await lint(policyOf(hosts));
  assertEquals(bare.code, 1);
  const policy = policyOf(hosts, accept("public-suffix", "no-backup-pin"));
  const ran = await lint(policy);
  assertEquals(ran.code, 0);
  assertEquals(await codesOf(ran), ["info unused-accept /accept/1"]);
  const [{ finding, reason }] = documentOf(ran, "lint").accepted;
  assertEquals([finding.code, reason], ["public-suffix", "we are a registry"]);
  const text = await certpin(["lint", "-"], { stdin: policy });
  assertStringIncludes(text.stdout, "accepted public-suffix /hosts/co.uk: we");
});

Deno.test("certpin lint --at evaluates expiry as of another day", async () => {
  const policy = policyOf({
    "api.a.example": { expiresAt: "2031-06-01T00:00:00Z", pins: [A, B] },
  });
  const at = async (day: string) =>
    await codesOf(await lint(policy, "--at", day));
  assertEquals(await at("2031-01-01"), []);
  assertEquals((await at("2031-05-20")).length, 1);
  assertEquals(await at("2031-06-02"), [
    "error expired /hosts/api.a.example/expiresAt",
  ]);
});

Deno.test("certpin lint prints findings with place and remedy, the worst first", async () => {
  const policy = policyOf({
    "a.example": { pins: [A] },
    "com": { includeSubdomains: true, pins: [C, D] },
  });
  const ran = await certpin(["lint", "-"], { stdin: policy });
  assertEquals(ran.code, 1);
  const heads = ran.stdout.split("\n").filter((line) => /^\S/.test(line));
  assertEquals(heads, [
    "✘ error public-suffix /hosts/com",
    "▲ warning no-backup-pin /hosts/a.example/pins",
    "● info subdomain-gap /hosts/a.example",
    "1 error, 1 warning, 1 note",
  ]);
  assertStringIncludes(ran.stdout, "certpin pin");
});

Deno.test("certpin lint ends with 2 where the policy cannot be read", async () => {
  const ran = await lint('{"version": 2}');
  assertEquals(ran.code, 2);
  assertEquals(
    documentOf(ran, "failure").error.code,
    "ERR_CERTPIN_POLICY_INVALID",
  );
});
