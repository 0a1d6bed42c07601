/**
 * Every minted attack, over real sockets, by every way that an adapter offers.
 */
import { assert, assertEquals } from "@std/assert";
import { parsePolicy } from "../../../src/policy/policy.ts";
import {
  ATTACK_NAMES,
  type AttackSide,
  mintAttacks,
} from "../../../src/testing/mod.ts";
import type { Body, RuntimeName } from "../harness.ts";
import { serve } from "./servers.ts";
import { reaches, refusal, type Way, waysOf } from "./ways.ts";

/**
 * Controls that a platform's own validation refuses. Each is proven anew: one
 * that passes meanwhile fails the test.
 */
const STRICTER_PLATFORMS: readonly {
  readonly attack: string;
  readonly runtimes: readonly RuntimeName[];
  readonly reason: string;
}[] = [
  {
    attack: "evil-twin-without-key-identifiers",
    runtimes: ["node", "bun"],
    reason: "OpenSSL and BoringSSL try one issuer of a name and do not go back",
  },
  {
    attack: "evil-twin-with-copied-key-identifier",
    runtimes: ["node", "bun"],
    reason: "OpenSSL and BoringSSL try one issuer of a name and do not go back",
  },
  ...["address-outside", "address-excluded"].map((attack) => ({
    attack,
    runtimes: ["bun" as const],
    reason: "over a socket that is given, Bun matches that socket's address",
  })),
  {
    attack: "directory-name-outside",
    runtimes: ["deno"],
    reason: "webpki knows no constraints on directory names",
  },
  {
    attack: "email-outside",
    runtimes: ["deno"],
    reason: "webpki knows no constraints on e-mail addresses",
  },
];

/** Refused here by another rule than where the whole chain is seen. */
const OTHER_CODES: Readonly<Record<string, readonly string[]>> = {
  // The walk of Node and Bun leaves out the live cross-sign.
  "expired-pinned-intermediate-beside-live-cross-sign": [
    "ERR_CERTPIN_PATH_EXPIRED",
    "ERR_CERTPIN_HANDSHAKE",
    "platform",
  ],
};

/** Of these a server on OpenSSL presents a proper encoding. */
const REWRITTEN_BY_NODE: readonly string[] = ["indefinite-length"];

interface Outcome {
  readonly code: string | undefined;
  readonly received: number;
}

async function attempt(
  way: Way,
  side: AttackSide,
  version: "TLSv1.2" | "TLSv1.3",
): Promise<Outcome> {
  const { hostname, ca, policy } = side;
  await using server = await serve(side, {
    minVersion: version,
    maxVersion: version,
  });
  const code = await refusal(() =>
    way.send(parsePolicy(policy), { hostname, ca, port: server.port })
  );
  return { code, received: server.received };
}

/** TLS 1.2 once, since it differs in the handshake alone. */
function versionsOf(way: Way): readonly ("TLSv1.2" | "TLSv1.3")[] {
  return way.name.startsWith("connect") ? ["TLSv1.2", "TLSv1.3"] : ["TLSv1.3"];
}

/** Whether a server on this runtime loads the certificate at all. */
async function canServe(side: AttackSide): Promise<boolean> {
  try {
    await using _server = await serve(side);
    return true;
  } catch {
    return false;
  }
}

function expectControl(
  { code, received }: Outcome,
  isRefused: boolean,
  label: string,
): void {
  if (!isRefused) {
    assertEquals(code, undefined, `control of ${label}`);
    assert(received > 0, `control of ${label} sent nothing`);
    return;
  }
  assert(
    code === "ERR_CERTPIN_HANDSHAKE" || code === "platform",
    `control of ${label} is not refused by the platform any more: ${code}`,
  );
}

async function evaluate(name: string, runtime: RuntimeName): Promise<void> {
  const [{ attack, control, codes }] = await mintAttacks({ only: [name] });
  // Where the attack is on the pins, the platform has nothing against it.
  const isOnPins = codes.some((code) =>
    code === "ERR_CERTPIN_MISMATCH" || code === "ERR_CERTPIN_ROOT_ONLY"
  );
  const allowed: readonly (string | undefined)[] = [
    ...codes,
    ...OTHER_CODES[name] ?? [],
    ...isOnPins ? [] : ["ERR_CERTPIN_HANDSHAKE", "platform"],
  ];
  const isControlRefused = STRICTER_PLATFORMS.some((entry) =>
    entry.attack === name && entry.runtimes.includes(runtime)
  );
  const isPresented = await canServe(attack) &&
    !(runtime === "node" && REWRITTEN_BY_NODE.includes(name));
  for (const way of waysOf(runtime)) {
    if (!reaches(way, attack.hostname)) continue;
    for (const version of versionsOf(way)) {
      const label = `${name} by ${way.name} over ${version}`;
      expectControl(
        await attempt(way, control, version),
        isControlRefused,
        label,
      );
      if (!isPresented) continue;
      const refused = await attempt(way, attack, version);
      assertEquals(refused.received, 0, `${label}: bytes were sent`);
      assert(
        refused.code !== undefined && allowed.includes(refused.code),
        `${label}: ${refused.code}`,
      );
    }
  }
}

/** Registers the tests. */
export const attacks: Body = (t) => {
  for (const name of ATTACK_NAMES) {
    t.test(`every adapter refuses the attack ${name} before a byte is sent, and passes its control`, () =>
      evaluate(name, t.runtime));
  }
};
