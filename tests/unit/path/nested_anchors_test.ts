import { assertEquals } from "@std/assert";
import { createPinner, parseCertificates } from "../../../mod.ts";
import { mintChain } from "../../../src/testing/mod.ts";

const HOSTNAME = "api.example.com";

async function verdictOn(pinned: "root" | "stranger", trusted: number[]) {
  const { certificates, chain, pins } = await mintChain({
    hostnames: [HOSTNAME],
    intermediates: 2,
  });
  const pin = pinned === "root" ? pins.root : pins.backup;
  const pinner = createPinner(
    { version: 1, hosts: { [HOSTNAME]: { pins: [pin] } } },
    {
      anchors: trusted.flatMap((place) =>
        parseCertificates(certificates[place].der)
      ),
      onWarning() {},
    },
  );
  return await pinner.check({ hostname: HOSTNAME, chain });
}

Deno.test("a search goes on above an anchor that is no root, where a higher one is trusted too", async () => {
  const above = await verdictOn("root", [2, 3]);
  assertEquals([above.decision, above.reason], ["allow", "root-only"]);
  assertEquals(above.path?.certificates.length, 4);
});

Deno.test("a search does not go on to a root that nobody trusts", async () => {
  const { decision, error } = await verdictOn("root", [2]);
  assertEquals([decision, error?.code], ["block", "ERR_CERTPIN_MISMATCH"]);
});

Deno.test("a search above an anchor matches nothing that is not there", async () => {
  const { decision, error } = await verdictOn("stranger", [2, 3]);
  assertEquals([decision, error?.code], ["block", "ERR_CERTPIN_MISMATCH"]);
});
