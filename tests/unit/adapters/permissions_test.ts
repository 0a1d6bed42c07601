/**
 * Which permissions of Deno each adapter needs: these, and each of these.
 */
import { assert, assertEquals } from "@std/assert";
import { mintChain, type MintedChain } from "../../../src/testing/mod.ts";
import { serve, type Served } from "../../conformance/adapters/servers.ts";

const CLIENT = new URL("./permission_client.ts", import.meta.url);
const CONFIG = new URL("../../../deno.json", import.meta.url);

interface Told {
  readonly reason?: string;
  readonly anchored?: boolean;
  readonly warnings?: readonly string[];
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
    });
    const listed = await run(
      "connectTls",
      [net, "--allow-sys", "--allow-env=NODE_USE_SYSTEM_CA"],
      server,
      chain,
      { env },
    );
    assertEquals(listed, { reason: "pinned", anchored: true, warnings: [] });
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
