/** Stores of anchors: indexed by subject and key, parsed when one is needed. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { CertificateError } from "../../../src/errors.ts";
import { anchorStore, lazyAnchorStore } from "../../../src/path/anchors.ts";
import { asciiBytes, sequence, tlv } from "../../../src/testing/der_writer.ts";
import { mintCertificate, mintKey } from "../../../src/testing/mod.ts";
import { parseCertificates } from "../../../src/x509/certificate.ts";

const rootKey = await mintKey();

/** A root that is valid from a year on; the year 0099 is one that no certificate can be read with. */
async function rootFrom(year: string): Promise<Uint8Array> {
  const validity = sequence(
    tlv(0x18, asciiBytes(`${year}0101000000Z`)),
    tlv(0x18, asciiBytes("20991231235959Z")),
  );
  const { der } = await mintCertificate({
    subject: "root",
    ca: true,
    key: rootKey,
    surgery: { fields: (fields) => ({ ...fields, validity }) },
  });
  return der;
}

const readable = await rootFrom("1999");
const unreadable = await rootFrom("0099");
const [issued] = parseCertificates(
  (await mintCertificate({
    issuer: await mintCertificate({ subject: "root", ca: true, key: rootKey }),
    hostnames: ["api.example.com"],
  })).der,
);
const [twin] = parseCertificates(readable);

Deno.test("lazyAnchorStore() parses no certificate before one is needed", () => {
  assertThrows(() => parseCertificates(unreadable), CertificateError);
  // Its subject and key are indexed, the rest was not looked at.
  assertEquals(lazyAnchorStore([unreadable]).size, 1);
  assertEquals(lazyAnchorStore([unreadable.slice(1)]).size, 0);
});

Deno.test("lazyAnchorStore() gives the anchors that can be read, and no others", () => {
  const both = lazyAnchorStore([unreadable, readable]);
  assertEquals(both.size, 2);
  assertEquals(
    both.bySubject(issued).map(({ der }) => der),
    [readable],
  );
  assert(both.hasKeyOf(twin));
  assert(both.has(twin));
  const broken = lazyAnchorStore([unreadable]);
  assertEquals(broken.bySubject(issued), []);
  assert(!broken.hasKeyOf(twin));
  assert(!broken.has(twin));
});

Deno.test("lazyAnchorStore() and anchorStore() answer alike", () => {
  const lazy = lazyAnchorStore([readable]);
  const eager = anchorStore(parseCertificates(readable));
  for (const one of [issued, twin]) {
    assertEquals(
      lazy.bySubject(one).map(({ der }) => der),
      eager.bySubject(one).map(({ der }) => der),
    );
    assertEquals(lazy.hasKeyOf(one), eager.hasKeyOf(one));
    assertEquals(lazy.has(one), eager.has(one));
  }
  assert(eager.has(twin));
  assert(!eager.has(issued));
});
