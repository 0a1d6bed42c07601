/**
 * What the edge must refuse over real TLS, each beside what it must accept:
 * a refused server has seen no Finished and no byte of the application.
 *
 * The client may run elsewhere: it is told where to go, and tells how it ended.
 */
import { assert, assertEquals } from "@std/assert";
import type { PolicyDocument } from "../../../src/policy/document.ts";
import {
  ATTACK_NAMES,
  type AttackSide,
  type KeyUsageName,
  mintAttacks,
  mintChain,
} from "../../../src/testing/mod.ts";
import { serve } from "../adapters/servers.ts";
import type { Body, RuntimeName } from "../harness.ts";
import { witness } from "./witness.ts";

/** Where a client is to go, and what it holds. */
export interface Visit {
  readonly hostname: string;
  readonly port: number;
  /** PEM. */
  readonly ca: string;
  readonly policy: PolicyDocument;
}

/** How it ended. */
export interface Outcome {
  readonly status?: number;
  readonly text?: string;
  /** Of the verdict. */
  readonly reason?: string;
  /** Of the error. */
  readonly code?: string;
  /** What else was wrong. */
  readonly failure?: string;
}

/** Makes one pinned GET. */
export type Client = (visit: Visit) => Promise<Outcome>;

type Side = Pick<AttackSide, "pem" | "keyPem" | "ca" | "hostname" | "policy">;

/** Lengths of a Finished record: a hash, its header, the inner type, the tag. */
const FINISHED_BYTES = [32, 48].map((hash) => 4 + hash + 1 + 16);

/** Servers that present what Node's and Bun's would find too weak. */
const LENIENT = {
  minVersion: "TLSv1.3",
  // BoringSSL has no such levels.
  ...!("Bun" in globalThis) && { ciphers: "DEFAULT@SECLEVEL=0" },
} as const;

/** Attacks whose chain the server's own runtime does not present. */
const UNSERVED: Readonly<Partial<Record<RuntimeName, readonly string[]>>> = {
  deno: [
    "rsa-1024-leaf",
    "unknown-critical-extension",
    "two-subject-alt-names",
    "other-algorithm-outside",
    "explicit-curve",
    "spki-with-long-length",
    "spki-with-extra-element",
    "trailing-byte",
    "extra-element-in-tbs",
    "indefinite-length",
  ],
  node: [
    "sha1-signature",
    "spki-with-extra-element",
    "trailing-byte",
    "extra-element-in-tbs",
    // It is written anew, with a definite length.
    "indefinite-length",
  ],
  bun: [
    "a key that may not sign",
    "extensions-in-version-1",
    "version-4",
    "explicit-curve",
    "spki-with-long-length",
    "spki-with-extra-element",
    "trailing-byte",
    "extra-element-in-tbs",
    "indefinite-length",
  ],
};

/** Refused by the handshake already: such a key cannot sign it. */
const HANDSHAKE_REFUSES = ["rsa-1024-leaf", "explicit-curve"];

async function accept(client: Client, side: Side): Promise<void> {
  await using server = await serve(side, LENIENT);
  await using relay = await witness(server.port);
  const { hostname, ca, policy } = side;
  const outcome = await client({ hostname, port: relay.port, ca, policy });
  assertEquals([outcome.status, outcome.text], [200, "ok"], said(outcome));
  assert(FINISHED_BYTES.includes(relay.sent[0]), String(relay.sent));
  assertEquals(server.handshakes, 1);
  assert(server.received > 0);
}

async function refuse(
  client: Client,
  side: Side,
  codes: readonly string[],
): Promise<void> {
  await using server = await serve(side, LENIENT);
  await using relay = await witness(server.port);
  const { hostname, ca, policy } = side;
  const outcome = await client({ hostname, port: relay.port, ca, policy });
  assert(codes.includes(outcome.code ?? ""), `${said(outcome)}, not ${codes}`);
  await relay.quiet();
  assertEquals([...relay.sent], [], "encrypted records before the verdict");
  assertEquals([relay.connections, relay.alerts], [1, 1]);
  assertEquals([server.handshakes, server.received], [0, 0]);
}

function said(outcome: Outcome): string {
  return JSON.stringify(outcome);
}

async function sideOf(
  options: Parameters<typeof mintChain>[0] & { pin?: "leaf" | "backup" } = {},
): Promise<Side> {
  const { pem, keyPem, ca, pins } = await mintChain(options);
  const hostname = "localhost";
  return {
    pem,
    keyPem,
    ca,
    hostname,
    policy: {
      version: 1,
      hosts: { [hostname]: { pins: [{ pin: pins[options.pin ?? "leaf"] }] } },
    },
  };
}

const DAY_MS = 86_400_000;

function withKeyUsage(...usages: KeyUsageName[]) {
  return { leaf: { keyUsage: usages } };
}

/** Attack, control and the code, where the minted attacks have none alike. */
const CASES: readonly {
  readonly name: string;
  readonly code: string;
  readonly wrong: Parameters<typeof sideOf>[0];
  readonly right: Parameters<typeof sideOf>[0];
}[] = [
  {
    name: "another pin",
    code: "ERR_CERTPIN_MISMATCH",
    wrong: { pin: "backup" },
    right: { pin: "leaf" },
  },
  {
    name: "a chain that has expired",
    code: "ERR_CERTPIN_PATH_EXPIRED",
    wrong: {
      leaf: {
        notAfter: new Date(Date.now() - DAY_MS),
        notBefore: new Date(Date.now() - 2 * DAY_MS),
      },
    },
    right: {
      leaf: {
        notAfter: new Date(Date.now() + DAY_MS),
        notBefore: new Date(Date.now() - 2 * DAY_MS),
      },
    },
  },
  {
    name: "another name",
    code: "ERR_CERTPIN_PATH_HOSTNAME",
    wrong: { hostnames: ["other.test"] },
    right: { hostnames: ["other.test", "localhost"] },
  },
  {
    name: "a key that may not sign",
    code: "ERR_CERTPIN_PATH_KEY_USAGE",
    wrong: withKeyUsage("keyAgreement"),
    right: withKeyUsage("keyAgreement", "digitalSignature"),
  },
];

/** Whether a server presents the chain, to a client that trusts anything. */
async function isPresented(client: Client, side: Side): Promise<boolean> {
  try {
    await using server = await serve(side, LENIENT);
    const { hostname, ca, policy } = side;
    const where = { hostname, port: server.port, ca, policy };
    const { code, status } = await client(where);
    const hasGivenUp = [
      "ERR_CERTPIN_TLS_ALERT",
      "ERR_CERTPIN_TLS_TRUNCATED",
      "ERR_CERTPIN_TLS_VERSION",
    ].includes(code ?? "");
    return status !== 200 && !hasGivenUp;
  } catch {
    return false;
  }
}

/** The refusals, made by a client, of servers of this runtime. */
export function refusals(client: Client): Body {
  return (t) => {
    const unserved = UNSERVED[t.runtime] ?? [];
    const refuseUnlessUnserved = async (
      name: string,
      side: Side,
      codes: readonly string[],
    ) => {
      if (!unserved.includes(name)) return await refuse(client, side, codes);
      assert(!await isPresented(client, side), `${name} is presented now`);
    };

    for (const { name, code, wrong, right } of CASES) {
      t.test(`the edge refuses ${name}, before its Finished`, async () => {
        await refuseUnlessUnserved(name, await sideOf(wrong), [code]);
        await accept(client, await sideOf(right));
      });
    }

    t.test("the edge refuses an authority that ca does not hold", async () => {
      const [side, other] = [await sideOf(), await sideOf({ name: "other" })];
      await refuse(client, { ...side, ca: other.ca }, [
        "ERR_CERTPIN_PATH_NO_ISSUER",
      ]);
      await accept(client, { ...side, ca: other.ca + side.ca });
    });

    for (const name of ATTACK_NAMES) {
      t.test(`the edge refuses ${name}, before its Finished`, async () => {
        const [{ attack, control, codes }] = await mintAttacks({
          only: [name],
        });
        const allowed: string[] = [...codes];
        if (HANDSHAKE_REFUSES.includes(name)) {
          allowed.push("ERR_CERTPIN_TLS_PROTOCOL");
        }
        await refuseUnlessUnserved(name, attack, allowed);
        await accept(client, control);
      });
    }
  };
}
