import { assert, assertEquals } from "@std/assert";
import { encodeBase64 } from "@std/encoding/base64";
import {
  type HostDocument,
  parseCertificates,
  parsePolicy,
} from "../../mod.ts";
import { mintChain } from "../../src/testing/mod.ts";
import {
  type DrillOptions,
  drillPolicy,
  isUncovered,
  type Outcome,
} from "../../cli/drill/drill.ts";
import { type EventName, EVENTS } from "../../cli/drill/events.ts";
import { filePath, filesUnder } from "../../tools/suite/paths.ts";
import { certpin, documentOf, inTemporaryFolder } from "./command.ts";

const AT = new Date("2026-11-24T00:00:00Z");

type Pinned = HostDocument["pins"][number];

/** A pin of no key at all: the drill mints the keys. */
function pin(
  role?: "leaf" | "intermediate" | "root" | "ca",
  of: "" | "certificate:" = "",
): Pinned {
  const digest = encodeBase64(crypto.getRandomValues(new Uint8Array(32)));
  const text = `${of}sha256/${digest}`;
  return role === undefined ? text : { pin: text, role };
}

async function drill(
  pins: readonly Pinned[],
  host: Partial<HostDocument> = {},
  options: DrillOptions = {},
) {
  const policy = parsePolicy({
    version: 1,
    hosts: { "a.example": { ...host, pins } },
  });
  const [{ events }] = await drillPolicy(policy, { at: AT, ...options });
  return new Map(events.map((result) => [result.event, result]));
}

interface Case {
  readonly pins: readonly Pinned[];
  readonly host?: Partial<HostDocument>;
  readonly options?: DrillOptions;
}

const leafAndBackup: Case = { pins: [pin("leaf"), pin()] };
const leafAlone: Case = { pins: [pin("leaf")] };
const intermediate: Case = { pins: [pin("intermediate")] };
const root: Case = { pins: [pin("root")] };
const until = (expiresAt: string) => ({
  pins: [pin("leaf"), pin()],
  host: { expiresAt },
});

/** For each event a set that takes it, and one that does not. */
const CASES: Readonly<
  Record<EventName, readonly [good: Case, bad: Case, how: Outcome]>
> = {
  "renewal-same-key": [
    leafAlone,
    { pins: [pin("leaf", "certificate:")] },
    "locked-out",
  ],
  "renewal-new-key": [intermediate, leafAlone, "locked-out"],
  "ca-switches-intermediates": [leafAlone, intermediate, "locked-out"],
  "host-moves-to-another-ca": [
    { pins: [pin("root"), pin("root")] },
    root,
    "locked-out",
  ],
  "intermediate-retired": [root, intermediate, "locked-out"],
  "cross-signed-root": [leafAlone, intermediate, "locked-out"],
  "intermediate-becomes-anchor": [intermediate, root, "locked-out"],
  "key-stolen": [
    { ...leafAndBackup, options: { updates: true } },
    leafAlone,
    "locked-out",
  ],
  "backup-lost": [
    { pins: [pin("leaf"), pin(), pin("intermediate")] },
    leafAndBackup,
    "locked-out",
  ],
  "misissued-by-pinned-ca": [leafAndBackup, intermediate, "fooled"],
  "misissued-by-another-ca": [
    root,
    { pins: [pin("root"), pin("root")] },
    "fooled",
  ],
  "inspecting-proxy": [
    leafAlone,
    { ...leafAlone, host: { mode: "report-only" } },
    "fooled",
  ],
  "offline-six-weeks": [leafAndBackup, leafAlone, "locked-out"],
  "policy-expires": [
    until("2027-11-24T00:00:00Z"),
    until("2026-12-24T00:00:00Z"),
    "locked-out",
  ],
  "clock-a-year-behind": [
    leafAndBackup,
    until("2027-11-24T00:00:00Z"),
    "fooled",
  ],
};

for (const [name, [good, bad, how]] of Object.entries(CASES)) {
  Deno.test(`the drill ${name} tells a policy that takes it from one that does not`, async () => {
    const event = name as EventName;
    const taken = (await drill(good.pins, good.host, good.options)).get(event)!;
    const helped = taken.coveredBy !== undefined;
    const fine = ["fine", "not-applicable"].includes(taken.outcome);
    assert(fine || helped, JSON.stringify(taken));
    const failed = (await drill(bad.pins, bad.host, bad.options)).get(event)!;
    assertEquals([failed.outcome, failed.coveredBy], [how, undefined]);
    assert(failed.change, "nothing is said about what to change");
  });
}

Deno.test("the drill knows as many events as there are cases", () => {
  assertEquals(
    EVENTS.map(({ name }) => name).sort(),
    Object.keys(CASES).sort() as EventName[],
  );
});

Deno.test("the drill tells what pins are by the chain at hand", async () => {
  const chain = await mintChain({ hostnames: ["a.example"] });
  const path = parseCertificates(
    chain.certificates.map(({ der }) => der),
  );
  const { leaf, root, intermediates: [issuer], backup } = chain.pins;
  const policy = parsePolicy({
    version: 1,
    hosts: { "a.example": { pins: [backup, root, issuer, leaf] } },
  });
  const [blind] = await drillPolicy(policy, { at: AT });
  assertEquals(blind.pins[0].part, "leaf");
  const [{ pins }] = await drillPolicy(policy, {
    at: AT,
    knowledge: new Map([["a.example", { path }]]),
  });
  assertEquals(pins.map(({ part }) => part), [
    "backup",
    "root",
    "intermediate",
    "leaf",
  ]);
});

Deno.test("the drill tells roots of one owner from those of another", async () => {
  const [own, sibling, stranger] = await Promise.all(
    ["Good CA", "Good CA", "Other CA"].map((organisation, place) =>
      mintChain({
        hostnames: ["a.example"],
        root: {
          subject: [
            { type: "O", value: organisation },
            { type: "CN", value: `root ${place}` },
          ],
        },
      })
    ),
  );
  const policy = parsePolicy({
    version: 1,
    hosts: {
      "a.example": {
        pins: [own, sibling, stranger].map(({ pins }) => ({
          pin: pins.root,
          role: "ca" as const,
        })),
      },
    },
  });
  const publicRoots = parseCertificates(
    [own, sibling, stranger].map(({ ca }) => ca),
  );
  const [{ pins, events }] = await drillPolicy(policy, {
    at: AT,
    publicRoots,
    knowledge: new Map([["a.example", {
      path: parseCertificates(own.certificates.map(({ der }) => der)),
    }]]),
  });
  assertEquals(pins.map(({ part }) => part), [
    "root",
    "sibling-root",
    "other-root",
  ]);
  const outcomes = new Map(events.map((one) => [one.event, one.outcome]));
  for (
    const event of [
      "ca-switches-intermediates",
      "intermediate-retired",
      "cross-signed-root",
      "host-moves-to-another-ca",
    ] as const
  ) assertEquals(outcomes.get(event), "fine", event);
  assertEquals(outcomes.get("misissued-by-another-ca"), "fooled");
});

Deno.test("certpin drill ends with 1 where an event locks clients out without cover", async () => {
  await inTemporaryFolder(async (cwd) => {
    const write = (pins: readonly Pinned[]) =>
      Deno.writeTextFile(
        `${cwd}/pins.json`,
        JSON.stringify({ version: 1, hosts: { "a.example": { pins } } }),
      );
    await write([pin("leaf")]);
    const bad = await certpin(["drill", "pins.json", "--json"], { cwd });
    assertEquals(bad.code, 1);
    const document = documentOf(bad, "drill");
    assertEquals(document.ok, false);
    assert(document.hosts[0].events.some(isUncovered));
    await write([pin("leaf"), pin(), pin("intermediate")]);
    const good = await certpin(["drill", "pins.json", "--json"], { cwd });
    assertEquals(good.code, 0, good.stdout);
    assertEquals(documentOf(good, "drill").ok, true);
    const text = await certpin(["drill", "pins.json"], { cwd });
    assertEquals(text.code, 0);
    for (const { title } of EVENTS) assert(text.stdout.includes(title), title);
  });
});

const policies = (await filesUnder("examples/")).filter((path) =>
  path.endsWith("/pins.json")
);

Deno.test("the policies of the examples lock nobody out", async () => {
  assert(policies.length > 3);
  for (const path of policies) {
    const at = ["--at", AT.toISOString()];
    const ran = await certpin(["drill", filePath(path), ...at]);
    assertEquals(ran.code, 0, `${path}\n${ran.stdout}${ran.stderr}`);
  }
});
