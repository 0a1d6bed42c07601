import { assertEquals, assertRejects } from "@std/assert";
import { startTls, type StartTlsOptions } from "../../../src/adapters/deno.ts";
import { CertpinError } from "../../../src/errors.ts";
import { mintChain } from "../../../src/testing/mod.ts";

/** What the peer receives until the connection ends, which it must. */
async function attempt(options: StartTlsOptions): Promise<[string, number]> {
  const { policy } = await mintChain();
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  const accepting = listener.accept();
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  using accepted = await accepting;
  const { code } = await assertRejects(
    () => startTls(policy, conn, options),
    CertpinError,
  );
  // Ends only because our side has closed.
  const read = await accepted.read(new Uint8Array(1));
  return [code, read ?? 0];
}

Deno.test("startTls() closes the TCP connection where the hostname is none", async () => {
  const hostname = "not a host";
  const seen = await attempt({ hostname });
  assertEquals(seen, ["ERR_CERTPIN_HOST_INVALID", 0]);
});

Deno.test("startTls() begins a handshake where nothing is refused", async () => {
  const { policy } = await mintChain();
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  const accepting = listener.accept();
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  const accepted = await accepting;
  const starting = assertRejects(
    () => startTls(policy, conn, { hostname: "localhost" }),
  );
  assertEquals(await accepted.read(new Uint8Array(1)), 1);
  accepted.close();
  await starting;
});
