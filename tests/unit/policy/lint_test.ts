import { assert, assertEquals, assertRejects } from "@std/assert";
import { encodeBase64 } from "@std/encoding/base64";
import type { ErrorCode } from "../../../src/errors.ts";
import { CertpinError } from "../../../src/errors.ts";
import type { HostInput, PolicyInput } from "../../../src/policy/document.ts";
import { fingerprint } from "../../../src/pins/fingerprint.ts";
import { FINDINGS } from "../../../src/policy/findings.ts";
import { type LintOptions, lintPolicy } from "../../../src/policy/lint.ts";
import { mintCertificate, mintChain } from "../../../src/testing/mod.ts";
import { parsePolicy, type Policy } from "../../../src/policy/policy.ts";
import {
  type Certificate,
  parseCertificates,
} from "../../../src/x509/certificate.ts";
import {
  makeDocuments,
  OTHER_PIN,
  PIN,
} from "../../conformance/core/policy_documents.ts";

const AT = new Date("2027-01-01T00:00:00Z");
const { minted } = await makeDocuments();
const PEM = minted.leaf.pem;
const { pins } = minted;
const path = {
  certificates: parseCertificates(minted.certificates.map(({ der }) => der)),
};
const [, , root] = path.certificates;
const rootPem = minted.ca;
const used = new Set<string>();

async function lint(
  input: Partial<PolicyInput>,
  options?: LintOptions,
): Promise<string[]> {
  const policy = parsePolicy({ version: 1, hosts: {}, ...input });
  const findings = await lintPolicy(policy, { at: AT, ...options });
  return findings.map(({ code, severity, pointer, message, hint }) => {
    used.add(code);
    assert(message !== "" && hint !== "" && Object.hasOwn(FINDINGS, code));
    return `${severity} ${code} ${pointer}`;
  });
}

function lintHost(
  host: Partial<HostInput>,
  options?: LintOptions,
): Promise<string[]> {
  const entry = { pins: [PIN, OTHER_PIN], ...host };
  return lint({ hosts: { "api.example.com": entry } }, options);
}

const HOST = "/hosts/api.example.com";

Deno.test("lintPolicy() finds nothing in a policy with two good pins", async () => {
  assertEquals(await lintHost({}), []);
  assertEquals(
    await lintHost({ pins: [pins.leaf, pins.intermediates[0], pins.backup] }, {
      anchors: [root],
      publicAnchors: [],
      paths: [path],
    }),
    [],
  );
});

Deno.test("lintPolicy() finds the pin of a public CA's intermediate, by a path or by its certificate", async () => {
  const found = [`warning public-intermediate-pin ${HOST}/pins/1`];
  const own = { publicAnchors: [] };
  const platform = { publicAnchors: [root] };
  const given = { pins: [pins.leaf, pins.intermediates[0], pins.backup] };
  assertEquals(await lintHost(given, { ...platform, paths: [path] }), found);
  assertEquals(await lintHost(given, { ...own, paths: [path] }), []);
  assertEquals(await lintHost(given, { paths: [path] }), []);
  // Without a path its certificate tells, as a pin or as an extra one.
  assertEquals(await lintHost(given, platform), []);
  const certificate = minted.intermediates[0].pem;
  const asCertificate = { pins: [pins.leaf, { certificate }, pins.backup] };
  assertEquals(await lintHost(asCertificate, platform), found);
  assertEquals(await lintHost(asCertificate, own), []);
  const extra = {
    hosts: { "api.example.com": given },
    certificates: [certificate],
  };
  assertEquals(await lint(extra, platform), found);
  // Below another intermediate, in whatever order they are given.
  const deep = await mintChain({ hostnames: ["a.example"], intermediates: 2 });
  const [lower, upper] = deep.intermediates.map(({ pem }) => pem);
  const deepRoot = { publicAnchors: parseCertificates(deep.ca) };
  for (const certificates of [[lower, upper], [upper, lower]]) {
    assertEquals(
      await lint({
        hosts: {
          "api.example.com": {
            pins: [deep.pins.leaf, deep.pins.intermediates[0], PIN],
          },
        },
        certificates,
      }, deepRoot),
      found,
    );
  }
});

Deno.test("lintPolicy() finds roots that are missing from the set of a public CA", async () => {
  const authority = async (owner: string | undefined, notAfter?: Date) =>
    parseCertificates(
      (await mintCertificate({
        subject: [
          ...owner === undefined ? [] : [{ type: "O", value: owner } as const],
          { type: "CN", value: `root of ${owner}` },
        ],
        ca: true,
        now: AT,
        notAfter,
      })).der,
    )[0];
  const [one, two, expired, other, nobody, nobodyToo] = await Promise.all([
    authority("One CA"),
    authority("One CA"),
    authority("One CA", new Date(AT.getTime() - 1000)),
    authority("Other CA"),
    authority(undefined),
    authority(undefined),
  ]);
  const pin = async (root: Certificate) => ({
    pin: `${await fingerprint(root)}`,
    role: "ca",
  });
  const publicAnchors = [one, two, expired, other, nobody, nobodyToo];
  const incomplete = async (
    pinned: readonly Certificate[],
    options: LintOptions = { publicAnchors },
  ) =>
    (await lintHost({ pins: await Promise.all(pinned.map(pin)) }, options))
      .filter((one) => one.includes("ca-set-incomplete"));
  const found = [`warning ca-set-incomplete ${HOST}/pins`];
  assertEquals(await incomplete([one, other]), found);
  assertEquals(await incomplete([one, two, other]), []);
  assertEquals(await incomplete([other]), []);
  assertEquals(await incomplete([nobody, other]), []);
  assertEquals(await incomplete([one], { publicAnchors: [one, other] }), []);
  assertEquals(await incomplete([one], {}), []);
});

Deno.test("lintPolicy() finds a pin set without a backup", async () => {
  const expected = [`warning no-backup-pin ${HOST}/pins`];
  assertEquals(await lintHost({ pins: [PIN] }), expected);
  assertEquals(
    await lintHost({
      pins: [{ pin: PIN, role: "leaf" }, { pin: PIN, role: "ca" }],
    }),
    expected,
  );
});

Deno.test("lintPolicy() finds no backup in two fingerprints of one key, where a certificate tells", async () => {
  const expected = [`warning no-backup-pin ${HOST}/pins`];
  const certificate = minted.intermediates[0].pem;
  const [, ca] = path.certificates;
  const text = `${await fingerprint(ca, { hash: "sha512" })}`;
  const both = [{ certificate }, { certificate, of: "certificate" }];
  assertEquals(await lintHost({ pins: both }), expected);
  assertEquals(await lintHost({ pins: [...both, PIN] }), []);
  assertEquals(await lintHost({ pins: [{ certificate }, text] }), expected);
  const texts = { pins: [pins.intermediates[0], text] };
  assertEquals(await lintHost(texts), []);
  assertEquals(await lintHost(texts, { paths: [path] }), expected);
});

Deno.test("lintPolicy() refuses anchors that are none, even where no host is pinned", async () => {
  const policy = parsePolicy({ version: 1, hosts: {} });
  for (const name of ["anchors", "publicAnchors"]) {
    await lintPolicy(policy, { [name]: [root] });
    const foreign = [{ ...root }] as unknown as Certificate[];
    const error = await assertRejects(
      () => lintPolicy(policy, { [name]: foreign }),
      CertpinError,
    );
    assertEquals(error.code, "ERR_CERTPIN_CERTIFICATE_FOREIGN");
  }
});

Deno.test("lintPolicy() finds a pin set whose pins are all on one path", async () => {
  const all = [pins.leaf, pins.intermediates[0]];
  const paths = [path];
  assertEquals(await lintHost({ pins: all }, { paths }), [
    `warning no-true-backup ${HOST}/pins`,
  ]);
  assertEquals(await lintHost({ pins: [...all, pins.backup] }, { paths }), []);
  const part = { certificates: path.certificates.slice(1) };
  assertEquals(await lintHost({ pins: all }, { paths: [part] }), []);
});

Deno.test("lintPolicy() finds expiry, near and past", async () => {
  const expires = (days: number) =>
    new Date(AT.getTime() + days * 86_400_000).toISOString();
  const at = `${HOST}/expiresAt`;
  assertEquals(await lintHost({ expiresAt: expires(31) }), []);
  assertEquals(await lintHost({ expiresAt: expires(30) }), [
    `warning expires-soon ${at}`,
  ]);
  assertEquals(await lintHost({ expiresAt: expires(0) }), [
    `error expired ${at}`,
  ]);
  assertEquals(await lintHost({ expiresAt: expires(0), onExpiry: "allow" }), [
    `warning expired ${at}`,
  ]);
});

Deno.test("lintPolicy() finds pins of whole leaf certificates", async () => {
  const whole = (role?: string, certificate = PEM) => ({
    certificate,
    of: "certificate",
    role,
  });
  const expected = [`warning leaf-certificate-pin ${HOST}/pins/0`];
  assertEquals(await lintHost({ pins: [whole(), PIN] }), expected);
  assertEquals(await lintHost({ pins: [whole("leaf"), PIN] }), expected);
  assertEquals(
    await lintHost({
      pins: [{ pin: `certificate:${PIN}`, role: "leaf" }, OTHER_PIN],
    }),
    expected,
  );
  // Of a digest alone, only a path tells that it is a leaf's.
  const { digest } = await fingerprint(path.certificates[0], {
    of: "certificate",
  });
  const bare = { pins: [`certificate:sha256/${encodeBase64(digest)}`, PIN] };
  assertEquals(await lintHost(bare), []);
  assertEquals(await lintHost(bare, { paths: [path] }), expected);
  for (
    const pin of [
      whole(undefined, minted.intermediates[0].pem),
      { certificate: PEM, role: "leaf" },
      `certificate:${OTHER_PIN}`,
    ]
  ) assertEquals(await lintHost({ pins: [pin, PIN] }), []);
});

Deno.test("lintPolicy() finds pins that are said twice, however they are said", async () => {
  const second = [`warning duplicate-pin ${HOST}/pins/2`];
  for (
    const again of [
      PIN,
      PIN.replace("/", "//"),
      { pin: PIN, role: "leaf" },
    ]
  ) assertEquals(await lintHost({ pins: [PIN, OTHER_PIN, again] }), second);
  assertEquals(
    await lintHost({ pins: [pins.leaf, OTHER_PIN, { certificate: PEM }] }),
    second,
  );
  assertEquals(
    await lintHost({
      pins: [{ pin: PIN, role: "leaf" }, OTHER_PIN, { pin: PIN, role: "root" }],
    }),
    [],
  );
  assertEquals(
    await lintHost({ pins: [PIN, OTHER_PIN, `certificate:${PIN}`] }),
    [],
  );
});

Deno.test("lintPolicy() finds pin sets of roots alone, and tells public roots from the caller's own", async () => {
  const other = (await parseAnother()).root;
  const onlyRoots = { pins: [pins.root, { pin: PIN, role: "root" }] };
  const at = `root-only ${HOST}/pins`;
  assertEquals(await lintHost(onlyRoots), []);
  assertEquals(await lintHost(onlyRoots, { anchors: [root] }), [
    `warning ${at}`,
  ]);
  assertEquals(
    await lintHost(onlyRoots, { anchors: [root], publicAnchors: [other] }),
    [`info ${at}`],
  );
  assertEquals(await lintHost(onlyRoots, { publicAnchors: [root] }), [
    `warning public-root ${HOST}/pins/0`,
    `warning ${at}`,
  ]);
  assertEquals(
    await lintHost({
      pins: [{ certificate: rootPem }, { pin: PIN, role: "root" }],
    }),
    [
      `warning ${at}`,
    ],
  );
  assertEquals(
    await lintHost({ pins: [pins.root, pins.leaf] }, { anchors: [root] }),
    [],
  );
});

async function parseAnother(): Promise<{ root: Certificate }> {
  const { mintChain } = await import("../../../src/testing/mod.ts");
  return { root: parseCertificates((await mintChain()).ca)[0] };
}

Deno.test("lintPolicy() finds pins of public roots, whatever their role", async () => {
  const publicAnchors = [root];
  for (const role of [undefined, "leaf", "intermediate", "root", "ca"]) {
    assertEquals(
      await lintHost({ pins: [PIN, { pin: pins.root, role }] }, {
        publicAnchors,
      }),
      [`warning public-root ${HOST}/pins/1`],
    );
  }
  assertEquals(
    await lintHost(
      { pins: [PIN, { certificate: rootPem, of: "certificate" }] },
      { publicAnchors },
    ),
    [`warning public-root ${HOST}/pins/1`],
  );
});

Deno.test("lintPolicy() finds pins that unrelated hosts share", async () => {
  const shared = (role?: string, other = "api.other.test") =>
    lint({
      hosts: {
        "api.example.com": { pins: [PIN, OTHER_PIN] },
        [other]: { pins: [{ pin: PIN, role }, pins.leaf] },
      },
    });
  const at = "/hosts/api.other.test/pins/0";
  assertEquals(await shared(), [`warning shared-pin ${at}`]);
  assertEquals(await shared("leaf"), [`warning shared-pin ${at}`]);
  assertEquals(await shared("intermediate"), [`info shared-pin ${at}`]);
  assertEquals(await shared(undefined, "www.example.com"), []);
  assertEquals(await shared(undefined, "10.0.0.1"), []);
});

Deno.test("lintPolicy() finds a wildcard without its name, and a name without those below", async () => {
  const entry = { pins: [PIN, OTHER_PIN] };
  const deep = { ...entry, includeSubdomains: true };
  const hosts = (hosts: PolicyInput["hosts"]) => lint({ hosts });
  assertEquals(await hosts({ "*.example.com": entry }), [
    "warning subdomain-gap /hosts/*.example.com",
  ]);
  assertEquals(await hosts({ "example.com": entry }), [
    "info subdomain-gap /hosts/example.com",
  ]);
  const covered: PolicyInput["hosts"][] = [
    { "*.example.com": entry, "example.com": entry },
    { "example.com": deep },
    { "*.a.example.com": entry, "example.com": deep },
    { "www.example.com": entry },
    { "localhost": entry, "127.0.0.1": entry },
  ];
  for (const good of covered) assertEquals(await hosts(good), []);
});

Deno.test("lintPolicy() finds what lets connections through", async () => {
  assertEquals(await lint({ unlisted: "allow" }), [
    "warning unlisted-allowed /unlisted",
    "warning no-hosts /hosts",
  ]);
  assertEquals(await lintHost({ mode: "report-only" }), [
    `warning report-only ${HOST}/mode`,
  ]);
});

Deno.test("lintPolicy() refuses foreign policies and certificates, and times that are none", async () => {
  const good = parsePolicy({ version: 1, hosts: { a: { pins: [PIN] } } });
  const refused = async (
    code: ErrorCode,
    policy: unknown,
    options?: unknown,
  ) => {
    const error = await assertRejects(
      () => lintPolicy(policy as Policy, options as LintOptions),
      CertpinError,
    );
    assertEquals(error.code, code);
  };
  await refused("ERR_CERTPIN_POLICY_INVALID", { version: 1, hosts: {} });
  await refused("ERR_CERTPIN_CERTIFICATE_FOREIGN", good, { anchors: [{}] });
  await assertRejects(
    () => lintPolicy(good, { at: new Date(NaN) }),
    RangeError,
  );
  await lintPolicy(good);
});

Deno.test("every finding that lintPolicy() can make was made above", () => {
  // Of verdicts, of the parser and of the command.
  const elsewhere = [
    ...["unanchored", "public-suffix", "each-role-without-roles"],
    ...["backup-gap", "unused-accept", "role-differs"],
    "private-profile",
  ];
  const expected = Object.keys(FINDINGS).filter((code) =>
    !elsewhere.includes(code)
  );
  assertEquals([...used].sort(), expected.sort());
});
