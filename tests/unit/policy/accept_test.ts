import { assertEquals } from "@std/assert";
import { lintPolicy } from "../../../src/policy/lint.ts";
import { parsePolicy } from "../../../src/policy/policy.ts";
import { FINDINGS } from "../../../src/policy/findings.ts";
import { createPinner } from "../../../src/pinner/pinner.ts";
import { parseCertificates } from "../../../src/x509/certificate.ts";
import { mintChain } from "../../../src/testing/mod.ts";
import schema from "../../../src/policy/schema.json" with { type: "json" };
import type { AcceptDocument } from "../../../src/policy/document.ts";

const PIN = "sha256/ypeBEsobvcr6wjGzmiPcTaeG7/gUfE5yuYB3ha/uSLs=";
const pins = "/hosts/api.example.com/pins";

async function codes(accept?: readonly AcceptDocument[]): Promise<string[]> {
  const policy = parsePolicy({
    version: 1,
    unlisted: "allow",
    ...(accept === undefined ? {} : { accept }),
    hosts: { "api.example.com": { pins: [PIN] } },
  });
  return (await lintPolicy(policy)).map(({ code }) => code);
}

Deno.test("lintPolicy() leaves out what the policy accepts, by code and place", async () => {
  const reason = "the key is in a safe";
  assertEquals(await codes(), ["unlisted-allowed", "no-backup-pin"]);
  const code = "no-backup-pin";
  assertEquals(await codes([{ code, pointer: pins, reason }]), [
    "unlisted-allowed",
  ]);
  const elsewhere: AcceptDocument[] = [
    { code, pointer: "/hosts/api.example.com", reason },
    { code: "duplicate-pin", pointer: pins, reason },
  ];
  assertEquals(await codes(elsewhere), await codes());
});

Deno.test("what a policy accepts changes no verdict and no warning of one", async () => {
  const { chain, ca, pins, hostnames: [hostname] } = await mintChain();
  const verdict = async (accept: object) => {
    const pinner = createPinner(
      { version: 1, ...accept, hosts: { [hostname]: { pins: [pins.root] } } },
      { anchors: [], onWarning: () => {} },
    );
    const anchors = parseCertificates(ca);
    const { reason, warnings } = await pinner.check({
      hostname,
      chain,
      anchors,
    });
    return [reason, ...warnings.map(({ code }) => code)];
  };
  const pointer = `/hosts/${hostname}/pins`;
  const accepted = { accept: [{ code: "root-only", pointer, reason: "ours" }] };
  const plain = await verdict({});
  assertEquals(plain.includes("root-only"), true);
  assertEquals(await verdict(accepted), plain);
});

Deno.test("the schema knows the finding codes that can be accepted", () => {
  const { code } = schema.properties.accept.items.properties;
  assertEquals([...code.enum].sort(), Object.keys(FINDINGS).sort());
});
