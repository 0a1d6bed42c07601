import { assert, assertEquals, assertRejects } from "@std/assert";
import { PolicyError } from "../../../src/errors.ts";
import {
  convert,
  detectFormat,
  FOREIGN_NAMES,
  type ForeignName,
  FORMAT_NAMES,
  type Loss,
} from "../../../cli/formats/registry.ts";
import type { PolicyDocument } from "../../../src/policy/document.ts";
import {
  A,
  B,
  C,
  CERTIFICATE_D,
  D,
  digest,
  sample,
  SAMPLES,
} from "./samples.ts";

const names = FOREIGN_NAMES;
const places = (losses: readonly Loss[]) =>
  losses.map(({ code, pointer }) => `${code} ${pointer}`);
const losesAt = async (policy: PolicyDocument, to: ForeignName) =>
  places((await convert(JSON.stringify(policy), to)).losses);

Deno.test("every format has a sample, and knows it", () => {
  assertEquals(Object.keys(SAMPLES), [...names]);
  assertEquals(FORMAT_NAMES, ["policy", ...names]);
  for (const name of names) {
    assertEquals(detectFormat(sample(SAMPLES[name].file)), name);
  }
  assertEquals(detectFormat('{"version": 1, "hosts": {}}'), "policy");
  assertEquals(detectFormat("hello"), undefined);
});

for (const name of names) {
  const { file, policy, losses } = SAMPLES[name];

  Deno.test(`convert() reads ${file} as the policy that it means, and says what a policy cannot`, async () => {
    const read = await convert(sample(file), "policy");
    assertEquals(read.from, name);
    assertEquals(JSON.parse(read.text), policy);
    assertEquals(places(read.losses), losses);
  });

  Deno.test(`convert() writes what it read of ${file}, and reads the same again`, async () => {
    const written = await convert(JSON.stringify(policy), name);
    const again = await convert(written.text, "policy");
    assertEquals(again.from, name);
    assertEquals(JSON.parse(again.text), policy);
    const inherent = ["port /hosts"];
    assertEquals(
      [...places(written.losses), ...places(again.losses)].filter((loss) =>
        !inherent.some((one) => loss.startsWith(one))
      ),
      ROUND_TRIP_LOSSES[name] ?? [],
    );
  });
}

/** What even a file's own content loses on the way through a policy and back. */
const ROUND_TRIP_LOSSES: Partial<Record<ForeignName, readonly string[]>> = {
  // OkHttp adds the pins of **.deep.example anyway; the policy repeats them.
  okhttp: ["pins-merged /hosts/api.deep.example"],
};

/** Everything that a policy can say. */
const everything: PolicyDocument = {
  version: 1,
  unlisted: "deny",
  rootOnly: "deny",
  hosts: {
    "a.example": {
      includeSubdomains: true,
      expiresAt: "2027-06-01T12:00:00Z",
      onExpiry: "allow",
      pins: [A, { pin: B, role: "root" }],
    },
    "*.b.example": { pins: [A, B] },
    "c.example": {
      expiresAt: "2027-06-01T00:00:00Z",
      pins: [A, CERTIFICATE_D, { pin: C, role: "leaf" }],
    },
    "d.example": {
      mode: "report-only",
      pins: [{ pin: C, role: "ca" }, { pin: D, role: "leaf" }],
    },
    "e.example": {
      require: "each-role",
      pins: [{ pin: C, role: "intermediate" }, { pin: D, role: "leaf" }],
    },
    "192.0.2.7": { pins: [CERTIFICATE_D] },
  },
};

const LOST: Record<ForeignName, readonly string[]> = {
  android: [
    "unlisted /unlisted",
    "root-only /rootOnly",
    "role /hosts/a.example/pins/1",
    "expiry /hosts/a.example/expiresAt",
    "host /hosts/*.b.example",
    "pin /hosts/c.example/pins/1",
    "role /hosts/c.example/pins/2",
    "expiry /hosts/c.example/expiresAt",
    "report-only /hosts/d.example/mode",
    "each-role /hosts/e.example/require",
    "role /hosts/e.example/pins/0",
    "role /hosts/e.example/pins/1",
    "pin /hosts/192.0.2.7/pins/0",
    "host /hosts/192.0.2.7",
  ],
  ios: [
    "unlisted /unlisted",
    "root-only /rootOnly",
    "expiry /hosts/a.example/expiresAt",
    "role /hosts/a.example/pins/0",
    "role /hosts/a.example/pins/1",
    "subdomains /hosts/a.example/includeSubdomains",
    "host /hosts/*.b.example",
    "expiry /hosts/c.example/expiresAt",
    "role /hosts/c.example/pins/0",
    "pin /hosts/c.example/pins/1",
    "pin /hosts/c.example/pins/2",
    "report-only /hosts/d.example/mode",
    "role /hosts/e.example/pins/0",
    "host /hosts/192.0.2.7",
  ],
  trustkit: [
    "unlisted /unlisted",
    "root-only /rootOnly",
    "role /hosts/a.example/pins/1",
    "expiry /hosts/a.example/expiresAt",
    "host /hosts/*.b.example",
    "pin /hosts/c.example/pins/1",
    "role /hosts/c.example/pins/2",
    "expiry /hosts/c.example/expiresAt",
    "role /hosts/d.example/pins/0",
    "role /hosts/d.example/pins/1",
    "each-role /hosts/e.example/require",
    "role /hosts/e.example/pins/0",
    "role /hosts/e.example/pins/1",
    "pin /hosts/192.0.2.7/pins/0",
    "host /hosts/192.0.2.7",
  ],
  okhttp: [
    "unlisted /unlisted",
    "root-only /rootOnly",
    "expiry /hosts/a.example/expiresAt",
    "role /hosts/a.example/pins/1",
    "expiry /hosts/c.example/expiresAt",
    "pin /hosts/c.example/pins/1",
    "role /hosts/c.example/pins/2",
    "report-only /hosts/d.example/mode",
    "each-role /hosts/e.example/require",
    "role /hosts/e.example/pins/0",
    "role /hosts/e.example/pins/1",
    "pin /hosts/192.0.2.7/pins/0",
    "host /hosts/192.0.2.7",
  ],
  curl: [
    "root-only /rootOnly",
    "expiry /hosts/a.example/expiresAt",
    "subdomains /hosts/a.example/includeSubdomains",
    "role /hosts/a.example/pins/0",
    "pin /hosts/a.example/pins/1",
    "host /hosts/*.b.example",
    "expiry /hosts/c.example/expiresAt",
    "role /hosts/c.example/pins/0",
    "pin /hosts/c.example/pins/1",
    "report-only /hosts/d.example/mode",
    "each-role /hosts/e.example/require",
    "pin /hosts/e.example/pins/0",
    "pin /hosts/192.0.2.7/pins/0",
    "host /hosts/192.0.2.7",
  ],
  envoy: [
    "root-only /rootOnly",
    "expiry /hosts/a.example/expiresAt",
    "subdomains /hosts/a.example/includeSubdomains",
    "role /hosts/a.example/pins/0",
    "pin /hosts/a.example/pins/1",
    "host /hosts/*.b.example",
    "expiry /hosts/c.example/expiresAt",
    "role /hosts/c.example/pins/0",
    "role /hosts/c.example/pins/1",
    "report-only /hosts/d.example/mode",
    "each-role /hosts/e.example/require",
    "pin /hosts/e.example/pins/0",
    "role /hosts/192.0.2.7/pins/0",
  ],
  tlsa: [
    "root-only /rootOnly",
    "expiry /hosts/a.example/expiresAt",
    "subdomains /hosts/a.example/includeSubdomains",
    "role /hosts/a.example/pins/1",
    "port /hosts/a.example",
    "host /hosts/*.b.example",
    "expiry /hosts/c.example/expiresAt",
    "port /hosts/c.example",
    "report-only /hosts/d.example/mode",
    "each-role /hosts/e.example/require",
    "role /hosts/e.example/pins/0",
    "port /hosts/e.example",
    "host /hosts/192.0.2.7",
  ],
};

for (const name of names) {
  Deno.test(`convert() drops nothing of a policy in silence on the way to ${name}`, async () => {
    assertEquals(await losesAt(everything, name), LOST[name]);
  });

  Deno.test(`convert() from ${name} refuses text without pins by code`, async () => {
    for (const text of ["", "nothing", "<plist/>", "{}", "curl x"]) {
      const error = await assertRejects(
        () => convert(text, "policy", name),
        PolicyError,
      );
      assertEquals(error.code, "ERR_CERTPIN_DOCUMENT_SYNTAX");
    }
  });
}

Deno.test("convert() keeps what a format means, not only its hashes", async () => {
  const to = async (from: ForeignName, target: ForeignName) =>
    (await convert(sample(SAMPLES[from].file), target)).text;
  // iOS goes one label deeper, which OkHttp can say and Android cannot.
  assert((await to("ios", "okhttp")).includes('"*.shop.example"'));
  assertEquals((await to("ios", "android")).includes("*."), false);
  // Android's expiry lets connections through, as TrustKit's does.
  assert((await to("android", "trustkit")).includes("2027-06-01"));
  // curl's pins are of leaves, iOS has a list for them.
  const ios = await to("curl", "ios");
  assert(ios.includes("NSPinnedLeafIdentities"));
  assertEquals(ios.includes("NSPinnedCAIdentities"), false);
  // An expiry that blocks is no expiry where a set would stop pinning.
  const blocking = JSON.stringify({
    version: 1,
    hosts: { "a.example": { expiresAt: "2027-06-01T00:00:00Z", pins: [A, B] } },
  });
  for (const target of ["android", "trustkit"] as const) {
    assertEquals(
      (await convert(blocking, target)).text.includes("2027"),
      false,
    );
  }
});

Deno.test("convert() to ios demands no leaf where the policy takes a CA or a leaf", async () => {
  const hosts = (require: "any" | "each-role") => ({
    version: 1 as const,
    hosts: {
      "a.example": {
        require,
        pins: [{ pin: A, role: "ca" as const }, {
          pin: B,
          role: "leaf" as const,
        }],
      },
    },
  });
  const both = await convert(JSON.stringify(hosts("each-role")), "ios");
  assert(both.text.includes("NSPinnedLeafIdentities"));
  assertEquals(places(both.losses), ["unlisted /unlisted"]);
  const either = await convert(JSON.stringify(hosts("any")), "ios");
  assertEquals(either.text.includes("NSPinnedLeafIdentities"), false);
  assert(either.text.includes(digest(A)));
  assertEquals(places(either.losses), [
    "unlisted /unlisted",
    "pin /hosts/a.example/pins/1",
  ]);
});

Deno.test("convert() to trustkit leaves out a host that TrustKit would refuse to start with", async () => {
  const policy = (pins: string[]): PolicyDocument => ({
    version: 1,
    unlisted: "allow",
    hosts: { "a.example": { pins } },
  });
  assertEquals(await losesAt(policy([A]), "trustkit"), [
    "host /hosts/a.example",
  ]);
  assertEquals(await losesAt(policy([A, B]), "trustkit"), []);
});

Deno.test("convert() says of every format that it leaves the profile out", async () => {
  const policy = (profile: "web" | "private"): PolicyDocument => ({
    version: 1,
    hosts: { "a.example": { profile, pins: [A, B] } },
  });
  for (const name of names) {
    const lost = async (profile: "web" | "private") =>
      (await losesAt(policy(profile), name)).filter((one) =>
        one.startsWith("profile")
      );
    assertEquals(await lost("private"), ["profile /hosts/a.example/profile"]);
    assertEquals(await lost("web"), [], name);
  }
});
