/** The profile `private`: which rules it waives, for which anchors, and which it keeps. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { PathError } from "../../../src/errors.ts";
import {
  PATH_RULES,
  type PathRule,
  type PathRuleName,
  type Profile,
} from "../../../src/path/rule_table.ts";
import { verifyPath } from "../../../src/path/verify.ts";
import {
  createPinner,
  type PinnerOptions,
} from "../../../src/pinner/pinner.ts";
import type { HostInput } from "../../../src/policy/document.ts";
import { mintAttacks, mintChain, mintKey } from "../../../src/testing/mod.ts";
import {
  concatBytes,
  integer,
  sequence,
} from "../../../src/testing/der_writer.ts";
import { parseCertificates } from "../../../src/x509/certificate.ts";
import { HOSTNAME, type Setting } from "../../conformance/core/path_case.ts";
import { PATH_CASES } from "../../conformance/core/path_cases.ts";
import { verifySetting } from "../../conformance/core/rules.ts";
import { say } from "../../conformance/core/scene.ts";

/** The refusal of a setting; undefined where it is accepted. */
async function refusalOf(
  setting: Setting,
  profile?: Profile,
): Promise<PathError | undefined> {
  try {
    await verifySetting(setting, profile);
  } catch (error) {
    if (error instanceof PathError) return error;
    throw error;
  }
}

function ruleOf(name: string | undefined): PathRule | undefined {
  return name === undefined ? undefined : PATH_RULES[name as PathRuleName];
}

const reached = new Set<string>();

Deno.test("every refusal names its rule, and says so where private would allow it", async () => {
  for (const { what, code, wrong } of PATH_CASES) {
    const error = await refusalOf(await wrong());
    assert(error instanceof PathError, what);
    // A time or a name that is none concerns no certificate.
    if (error.rule === undefined) {
      assert(/that is none$/.test(what), what);
      continue;
    }
    reached.add(error.rule);
    const rule = ruleOf(error.rule);
    assertEquals(rule?.code, code, what);
    assert(error.message.includes(rule!.remedy), what);
    assertEquals(
      error.message.includes('"profile": "private"'),
      rule?.isWaivable === true,
      what,
    );
    assertEquals(error.toJSON().rule, error.rule);
  }
});

Deno.test("private waives the rules of shape, and no other", async () => {
  for (const { what, code, wrong, right } of PATH_CASES) {
    const web = await refusalOf(await wrong());
    const lenient = await refusalOf(await wrong(), "private");
    if (ruleOf(web?.rule)?.isWaivable) assertEquals(lenient, undefined, what);
    else assertEquals(lenient?.code, code, what);
    assertEquals(await refusalOf(await right(), "private"), undefined, what);
  }
});

Deno.test("every rule of the table is broken by a case above", () => {
  // No key can be minted that breaks it; see the next test.
  reached.add("rsa-key-size");
  assertEquals([...reached].sort(), Object.keys(PATH_RULES).sort());
});

Deno.test("private allows a modulus that is no multiple of 8 bits, and no short one", async () => {
  const { spki } = await mintKey("RSA-2048");
  const withModulus = (first: number): Setting => ({
    leaf: {
      keyType: "RSA-2048",
      surgery: {
        fields: (fields) => ({
          ...fields,
          spki: rsaSpki(spki, first),
        }),
      },
    },
  });
  const refusals = async (first: number) => [
    (await refusalOf(withModulus(first)))?.rule,
    (await refusalOf(withModulus(first), "private"))?.rule,
  ];
  assertEquals(await refusals(0x80), [undefined, undefined]);
  // One bit more, and one bit less.
  assertEquals(await refusals(0x100), ["rsa-key-size", undefined]);
  assertEquals(await refusals(0x7f), ["algorithm", "algorithm"]);
});

/** An RSA key whose modulus begins with this number, 2,040 bits follow. */
function rsaSpki(spki: Uint8Array, first: number): Uint8Array<ArrayBuffer> {
  const rest = new Uint8Array(255).fill(1);
  const head = first > 0xff ? [first >> 8, first & 0xff] : [0, first];
  const modulus = concatBytes(Uint8Array.from(head), rest);
  const key = sequence(
    integer(first === 0x7f ? modulus.subarray(1) : modulus),
    integer(Uint8Array.of(1, 0, 1)),
  );
  // SEQUENCE { OBJECT IDENTIFIER rsaEncryption, NULL }
  const algorithm = spki.slice(4, 19);
  const bits = concatBytes(
    Uint8Array.of(3, 0x82, (key.length + 1) >> 8, (key.length + 1) & 0xff, 0),
    key,
  );
  return sequence(new Uint8Array(algorithm), bits);
}

const chain = await mintChain({
  hostnames: [HOSTNAME],
  leaf: { authorityKeyIdentifier: false },
});
const anchors = parseCertificates(chain.ca);
const strangers = parseCertificates(
  (await mintChain({ hostnames: ["other.example"] })).ca,
);

async function ask(
  host: Partial<HostInput>,
  options: PinnerOptions = {},
): Promise<string> {
  const pinner = createPinner({
    version: 1,
    hosts: { [HOSTNAME]: { pins: [chain.pins.leaf], ...host } },
  }, { anchors, onWarning: () => {}, ...options });
  return say(await pinner.check({ hostname: HOSTNAME, chain: chain.chain }));
}

Deno.test("a pin set's profile holds below the caller's own anchors alone", async () => {
  const web = "block invalid-chain PATH_EXTENSION";
  const profile = "private";
  const own = { publicAnchors: strangers };
  assertEquals(await ask({}, own), web);
  assertEquals(await ask({ profile: "web" }, own), web);
  assertEquals(await ask({ profile }, own), "allow pinned private-profile");
  assertEquals(
    await ask({ profile }, { publicAnchors: [] }),
    "allow pinned private-profile",
  );
  // An anchor of the platform, and one of which that cannot be told.
  assertEquals(await ask({ profile }, { publicAnchors: anchors }), web);
  assertEquals(await ask({ profile }), web);
});

Deno.test("private-profile says what is missing, at the pin set's profile, and only where something is", async () => {
  const found = async (leaf: Setting["leaf"]) => {
    const minted = await mintChain({ hostnames: [HOSTNAME], leaf });
    const pinner = createPinner({
      version: 1,
      hosts: { [HOSTNAME]: { profile: "private", pins: [minted.pins.leaf] } },
    }, {
      anchors: parseCertificates(minted.ca),
      publicAnchors: [],
      onWarning: () => {},
    });
    const { warnings } = await pinner.check({
      hostname: HOSTNAME,
      chain: minted.chain,
    });
    return warnings;
  };
  assertEquals(await found({}), []);
  const serialNumber = Uint8Array.of(0);
  const [finding, ...more] = await found({
    authorityKeyIdentifier: false,
    serialNumber,
  });
  assertEquals(more, []);
  assertEquals(
    [finding.code, finding.severity, finding.pointer],
    ["private-profile", "info", `/hosts/${HOSTNAME}/profile`],
  );
  for (const rule of ["authority-key-identifier", "serial-number"]) {
    assert(finding.message.includes(rule), finding.message);
  }
});

Deno.test("a path that ends early is held to the rules of the web", async () => {
  const pinner = (profile: Profile) =>
    createPinner({
      version: 1,
      hosts: { [HOSTNAME]: { pins: [chain.pins.leaf], profile } },
    }, { publicAnchors: strangers, onWarning: () => {} });
  const peer = {
    hostname: HOSTNAME,
    chain: chain.chain,
    platformValidated: true,
  };
  for (const profile of ["web", "private"] as const) {
    assertEquals(
      say(await pinner(profile).check(peer)),
      "block invalid-chain PATH_EXTENSION",
    );
  }
});

Deno.test("an anchor of the platform is trusted as it stands: its shape alone, and by the pinner alone", async () => {
  const plain = (constraints: Setting["root"]) =>
    mintChain({
      hostnames: [HOSTNAME],
      root: {
        basicConstraints: false,
        extraExtensions: [{
          oid: "2.5.29.19",
          value: sequence(Uint8Array.of(1, 1, 0xff)),
        }],
        ...constraints,
      },
      intermediates: [{ authorityKeyIdentifier: Uint8Array.of(1) }],
    });
  const told = async (
    root: Setting["root"],
    isPlatform: boolean,
  ): Promise<string> => {
    const minted = await plain(root);
    const trusted = parseCertificates(minted.ca);
    const pinner = createPinner({
      version: 1,
      hosts: { [HOSTNAME]: { pins: [minted.pins.leaf] } },
    }, {
      anchors: trusted,
      publicAnchors: isPlatform ? trusted : strangers,
      onWarning: () => {},
    });
    return say(
      await pinner.check({ hostname: HOSTNAME, chain: minted.chain }),
    );
  };
  assertEquals(await told({}, true), "allow pinned");
  assertEquals(await told({}, false), "block invalid-chain PATH_EXTENSION");
  const past = new Date(Date.now() - 86_400_000);
  const long = new Date(Date.now() - 2 * 86_400_000);
  assertEquals(
    await told({ notBefore: long, notAfter: past }, true),
    "block invalid-chain PATH_EXPIRED",
  );
  assertEquals(
    await told(
      { nameConstraints: { permitted: [{ dns: "a.example" }] } },
      true,
    ),
    "block invalid-chain PATH_NAME_CONSTRAINTS",
  );
  assertEquals(
    await told({ version: 1 }, true),
    "block invalid-chain PATH_VERSION",
  );
  // The function knows no platform.
  const minted = await plain({});
  const error = await assertRejects(
    () =>
      verifyPath(parseCertificates(minted.chain), {
        anchors: parseCertificates(minted.ca),
      }),
    PathError,
  );
  assertEquals(error.rule, "basic-constraints-critical");
});

Deno.test("every attack of the catalogue stays refused under private", async () => {
  const wrong: string[] = [];
  for (const { name, codes, attack, control } of await mintAttacks()) {
    for (const side of [attack, control]) {
      const [host] = Object.keys(side.policy.hosts);
      const pinner = createPinner({
        ...side.policy,
        hosts: { [host]: { ...side.policy.hosts[host], profile: "private" } },
      }, {
        anchors: parseCertificates(side.anchors),
        publicAnchors: [],
        onWarning: () => {},
      });
      const verdict = await pinner.check({
        hostname: side.hostname,
        chain: side.chain,
      });
      const isRight = side === control
        ? verdict.decision === "allow"
        : verdict.error !== undefined && codes.includes(verdict.error.code);
      if (!isRight) wrong.push(`${name}: ${say(verdict)}`);
    }
  }
  assertEquals(wrong, []);
});
