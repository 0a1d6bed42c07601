/**
 * Which permissions of Deno each adapter needs: these, and each of these.
 */
import { assert, assertEquals } from "@std/assert";
import {
  mintChain,
  type MintedChain,
  type MintedPolicy,
} from "../../../src/testing/mod.ts";
import { serve, type Served } from "../../conformance/adapters/servers.ts";

const CLIENT = new URL("./permission_client.ts", import.meta.url);
const CONFIG = new URL("../../../deno.json", import.meta.url);

interface Told {
  readonly reason?: string;
  readonly anchored?: boolean;
  readonly warnings?: readonly string[];
  readonly severities?: readonly string[];
  readonly error?: string;
}

async function run(
  way: "connectTls" | "createFetch",
  flags: readonly string[],
  { port }: Served,
  { policy }: MintedChain,
  { ca, env = {} }: { ca?: string; env?: Record<string, string> },
): Promise<Told> {
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      "--no-check",
      "--no-lock",
      `--config=${CONFIG.pathname}`,
      ...flags,
      CLIENT.href,
      way,
      String(port),
      JSON.stringify(policy),
      ...ca === undefined ? [] : [ca],
    ],
    env: { NODE_EXTRA_CA_CERTS: "", ...env },
  }).output();
  const text = new TextDecoder().decode(stdout);
  assert(text !== "", new TextDecoder().decode(stderr));
  return JSON.parse(text);
}

/** Checks that all flags do, and that without any one of them it says which. */
async function checkExact(
  way: "connectTls" | "createFetch",
  permissions: readonly (readonly [flag: string, mentioned: RegExp])[],
): Promise<void> {
  const chain = await mintChain();
  await using server = await serve(chain);
  const { ca } = chain;
  const flags = permissions.map(([flag]) => flag);
  const told = await run(way, flags, server, chain, { ca });
  assertEquals(told.reason, "pinned", told.error);
  const { received } = server;
  for (const [dropped, mentioned] of permissions) {
    const rest = flags.filter((flag) => flag !== dropped);
    const { error = "" } = await run(way, rest, server, chain, { ca });
    assert(mentioned.test(error), `without ${dropped}: ${error}`);
  }
  assertEquals(server.received, received);
}

Deno.test("connectTls() with ca needs --allow-net and nothing else", () =>
  checkExact("connectTls", [["--allow-net", /--allow-net/]]));

Deno.test("createFetch() with ca needs --allow-net, and undici's variables", () =>
  checkExact("createFetch", [
    ["--allow-net", /--allow-net/],
    ["--allow-env=UNDICI_NO_WASM_SIMD", /UNDICI_NO_WASM_SIMD/],
    ["--allow-env=UNDICI_USE_MILO", /UNDICI_USE_MILO/],
    ["--allow-env=JEST_WORKER_ID", /JEST_WORKER_ID/],
  ]));

Deno.test("the platform's store is listed with --allow-sys, and evaluated without", async () => {
  const chain = await mintChain();
  await using server = await serve(chain);
  const file = await Deno.makeTempFile({ suffix: ".pem" });
  try {
    await Deno.writeTextFile(file, chain.ca);
    const env = { NODE_EXTRA_CA_CERTS: file };
    const net = "--allow-net";
    const unlisted = await run("connectTls", [net], server, chain, { env });
    assertEquals(unlisted, {
      reason: "pinned",
      anchored: false,
      warnings: ["unanchored"],
      severities: ["info"],
    });
    const listed = await run(
      "connectTls",
      [net, "--allow-sys", "--allow-env=NODE_USE_SYSTEM_CA"],
      server,
      chain,
      { env },
    );
    assertEquals(listed, {
      reason: "pinned",
      anchored: true,
      warnings: [],
      severities: [],
    });
    // The runtime's own roots alone: this one is not among them.
    const { error } = await run(
      "connectTls",
      [net, "--allow-sys"],
      server,
      chain,
      { env },
    );
    assert(error?.includes("ERR_CERTPIN_PATH_NO_ISSUER"), error);
  } finally {
    await Deno.remove(file);
  }
});

for (
  const given of ["DENO_CERT", "--cert"] as const
) {
  Deno.test(`a root of ${given}: ${given === "--cert" ? "the error names ca" : "it is an anchor where it may be read, and no public one"}`, async () => {
    const chain = await mintChain();
    // A match on the root alone tells whether the root counts as public.
    const policy = { ...chain.policy, hosts: {} as MintedPolicy["hosts"] };
    policy.hosts.localhost = { pins: [{ pin: chain.pins.root }] };
    await using server = await serve(chain);
    const file = await Deno.makeTempFile({ suffix: ".pem" });
    try {
      await Deno.writeTextFile(file, chain.ca);
      const isVariable = given === "DENO_CERT";
      const env: Record<string, string> = isVariable ? { DENO_CERT: file } : {};
      const cert = isVariable ? [] : [`--cert=${file}`];
      const attempt = (...flags: string[]) =>
        run("connectTls", [...cert, ...flags], server, { ...chain, policy }, {
          env,
        });
      const all = await attempt("-A");
      const unreadable = [
        await attempt("--allow-net", "--allow-sys", "--allow-read"),
        await attempt("--allow-net", "--allow-sys", "--allow-env=DENO_CERT"),
      ];
      for (const told of isVariable ? unreadable : [...unreadable, all]) {
        assert(told.error?.includes("ERR_CERTPIN_PATH_NO_ISSUER"), told.error);
        assert(told.error?.includes('"ca"'), told.error);
      }
      if (isVariable) {
        const read = [
          all,
          await attempt(
            "--allow-net",
            "--allow-sys",
            "--allow-env=DENO_CERT",
            `--allow-read=${file}`,
          ),
        ];
        for (const told of read) {
          assertEquals(told, {
            reason: "root-only",
            anchored: true,
            warnings: ["root-only"],
            severities: ["info"],
          });
        }
      }
      // Where the store is not listed, the platform's word alone counts.
      const flags = [...cert, "--allow-net"];
      const unlisted = await run("connectTls", flags, server, chain, { env });
      assertEquals([unlisted.error, unlisted.anchored], [undefined, false]);
    } finally {
      await Deno.remove(file);
    }
  });
}

Deno.test("--unsafely-ignore-certificate-errors lets no untrusted peer in", async () => {
  const chain = await mintChain();
  await using server = await serve(chain);
  const flags = ["-A", "--unsafely-ignore-certificate-errors"];
  for (const way of ["connectTls", "createFetch"] as const) {
    const { received } = server;
    const { error } = await run(way, flags, server, chain, {});
    assert(error?.includes("ERR_CERTPIN_HANDSHAKE"), error);
    assertEquals(server.received, received);
    const { ca } = chain;
    const told = await run(way, flags, server, chain, { ca });
    assertEquals(told.reason, "pinned");
  }
});
