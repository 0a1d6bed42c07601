import { assert, assertEquals } from "@std/assert";
import { Certificate as PkijsCertificate } from "pkijs";
import { parseCertificates } from "../../../mod.ts";
import { mintAttacks, mintChain } from "../../../src/testing/mod.ts";

/** What pkijs sees of the fields that decide. */
function seenByPkijs(der: Uint8Array) {
  const seen = PkijsCertificate.fromBER(new Uint8Array(der));
  return {
    serialNumber: Array.from(
      seen.serialNumber.valueBlock.valueHexView,
      (byte) => byte.toString(16).padStart(2, "0"),
    ).join(""),
    notBefore: seen.notBefore.value.getTime(),
    notAfter: seen.notAfter.value.getTime(),
    key: new Uint8Array(
      seen.subjectPublicKeyInfo.subjectPublicKey.valueBlock.valueHexView,
    ),
  };
}

Deno.test("pkijs sees in minted certificates what parseCertificates() sees", async () => {
  const { certificates } = await mintChain({ intermediates: 2 });
  const attacks = await mintAttacks();
  const ders = [
    ...certificates.map(({ der }) => der),
    ...attacks.flatMap(({ control }) => control.chain),
  ];
  assert(ders.length > 50);
  for (const der of ders) {
    const [ours] = parseCertificates(der);
    const theirs = seenByPkijs(der);
    assertEquals(theirs.serialNumber, ours.serialNumber);
    assertEquals(theirs.notBefore, ours.notBefore.getTime());
    assertEquals(theirs.notAfter, ours.notAfter.getTime());
    assertEquals(theirs.key, ours.spki.slice(-theirs.key.length));
  }
});
