import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  type Certificate,
  createPinner,
  parseCertificates,
} from "../../../mod.ts";
import { anchorStore } from "../../../src/internal.ts";
import { findHost } from "../../../cli/commands/init_host.ts";
import type { PinChoice, Proposal } from "../../../cli/commands/proposal.ts";
import {
  mintCertificate,
  type MintedCertificate,
  type MintedKey,
  mintKey,
} from "../../../src/testing/mod.ts";
import { serve, withServers } from "../servers.ts";

const HOSTNAME = "api.example.com";

interface Ca {
  readonly root: MintedCertificate;
  readonly intermediates: readonly MintedCertificate[];
}

async function mintCa(owner: string, name: string): Promise<Ca> {
  const subject = (cn: string) => [
    { type: "O", value: owner },
    { type: "CN", value: cn },
  ];
  const root = await mintCertificate({ subject: subject(name), ca: true });
  const issue = (number: number) =>
    mintCertificate({
      subject: subject(`${name} intermediate ${number}`),
      ca: true,
      issuer: root,
    });
  return { root, intermediates: [await issue(1), await issue(2)] };
}

const issueLeaf = (issuer: MintedCertificate, key?: MintedKey) =>
  mintCertificate({
    hostnames: [HOSTNAME],
    issuer,
    ...(key === undefined ? {} : { key }),
  });

const certificatesOf = (...cas: Ca[]): Certificate[] =>
  parseCertificates(cas.map(({ root }) => root.pem));

/** What init proposes for a server that presents the leaf of the CA's first intermediate. */
async function proposalFor(
  ca: Ca,
  leaf: MintedCertificate,
  { own = [], publicRoots = [], pin }: {
    own?: readonly Certificate[];
    publicRoots?: readonly Certificate[];
    pin?: PinChoice;
  },
): Promise<Proposal> {
  let proposal: Proposal | undefined;
  const chain = {
    pem: leaf.pem + ca.intermediates[0].pem,
    keyPem: leaf.key.pem,
  };
  await withServers([serve(chain)], async ([{ port }]) => {
    const found = await findHost(
      { typed: HOSTNAME, hostname: HOSTNAME, port },
      {
        expires: 365,
        timeout: 10,
        connectTo: { host: "127.0.0.1" },
        ...(pin === undefined ? {} : { pin }),
      },
      { anchors: anchorStore([...own, ...publicRoots]), ca: undefined },
      [],
      { own, publicRoots },
    );
    assertEquals(found.error, undefined);
    proposal = found.proposal;
  });
  assert(proposal);
  return proposal;
}

/** The reason of the verdict on a later chain, under what was proposed. */
async function later(
  { host }: Proposal,
  leaf: MintedCertificate,
  issuer: MintedCertificate,
  anchors: readonly Certificate[],
): Promise<string> {
  const pinner = createPinner(
    { version: 1, hosts: { [HOSTNAME]: host } },
    { anchors, onWarning: () => {} },
  );
  const chain = [leaf.der, issuer.der];
  return (await pinner.check({ hostname: HOSTNAME, chain })).reason;
}

const rolesOf = ({ pins }: Proposal) => pins.map(({ role }) => role);

Deno.test("init proposes the intermediate and the leaf under a CA of one's own, and survives a new key", async () => {
  const ca = await mintCa("Example Ltd", "Example root");
  const own = certificatesOf(ca);
  const [first, second] = ca.intermediates;
  const proposal = await proposalFor(ca, await issueLeaf(first), { own });
  assertEquals(rolesOf(proposal), ["intermediate", "leaf"]);
  assertStringIncludes(proposal.why[0], "private root of Example Ltd");
  assertEquals(
    await later(proposal, await issueLeaf(first), first, own),
    "pinned",
  );
  // As the second line says.
  assertStringIncludes(proposal.why[1], "will not survive");
  assertEquals(
    await later(proposal, await issueLeaf(second), second, own),
    "mismatch",
  );
});

Deno.test("init proposes the leaf alone under a public CA, and survives another intermediate with the key kept", async () => {
  const ca = await mintCa("Public Trust", "Public root");
  const publicRoots = certificatesOf(ca);
  const [first, second] = ca.intermediates;
  const leaf = await issueLeaf(first);
  const proposal = await proposalFor(ca, leaf, { publicRoots });
  assertEquals(rolesOf(proposal), ["leaf"]);
  assertStringIncludes(proposal.why[0], "public root of Public Trust");
  assertEquals(
    await later(
      proposal,
      await issueLeaf(second, leaf.key),
      second,
      publicRoots,
    ),
    "pinned",
  );
  assertStringIncludes(proposal.why[1], "will not survive a new key");
  assertEquals(
    await later(
      proposal,
      await issueLeaf(first, await mintKey()),
      first,
      publicRoots,
    ),
    "mismatch",
  );
});

Deno.test("init says that a leaf's pin does not survive a renewal of ACM, and --pin ca-set does", async () => {
  const ca = await mintCa("Amazon", "Amazon Root CA 1");
  const next = await mintCa("Amazon", "Amazon Root CA 2");
  const publicRoots = certificatesOf(ca, next);
  const leaf = await issueLeaf(ca.intermediates[0]);
  const renewed = await issueLeaf(next.intermediates[0]);
  const plain = await proposalFor(ca, leaf, { publicRoots });
  assertEquals(rolesOf(plain), ["leaf"]);
  assertStringIncludes(plain.why[1], "will not survive the next one");
  const [issuer] = next.intermediates;
  assertEquals(await later(plain, renewed, issuer, publicRoots), "mismatch");
  const set = await proposalFor(ca, leaf, { publicRoots, pin: "ca-set" });
  assertEquals(rolesOf(set), ["ca", "ca"]);
  assertEquals(await later(set, renewed, issuer, publicRoots), "root-only");
});

Deno.test("init says that a CA's set does not survive the move of a CDN to another CA", async () => {
  const ca = await mintCa("First CA", "First root");
  const sibling = await mintCa("First CA", "Second root of the first");
  const other = await mintCa("Second CA", "Root of the second");
  const publicRoots = certificatesOf(ca, sibling, other);
  const leaf = await issueLeaf(ca.intermediates[0]);
  const set = await proposalFor(ca, leaf, { publicRoots, pin: "ca-set" });
  // Both roots of the owner, and not the other owner's.
  assertEquals(rolesOf(set), ["ca", "ca"]);
  assertStringIncludes(set.why[1], "will not survive a move to another CA");
  for (
    const [issuer, reason] of [
      [sibling.intermediates[0], "root-only"],
      [other.intermediates[0], "mismatch"],
    ] as const
  ) {
    const moved = await issueLeaf(issuer);
    assertEquals(await later(set, moved, issuer, publicRoots), reason);
  }
});

Deno.test("init pins a public intermediate only when asked, and says what follows", async () => {
  const ca = await mintCa("Public Trust", "Public root");
  const publicRoots = certificatesOf(ca);
  const leaf = await issueLeaf(ca.intermediates[0]);
  const asked = await proposalFor(ca, leaf, {
    publicRoots,
    pin: "intermediate",
  });
  assertEquals(rolesOf(asked), ["intermediate"]);
  assertStringIncludes(asked.why[1], "will not survive another intermediate");
});
