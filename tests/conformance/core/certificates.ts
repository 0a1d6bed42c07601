/**
 * Certificates: strict DER, bounds, and objects that nobody can tamper with.
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { CertpinError } from "../../../src/errors.ts";
import {
  MAX_CERTIFICATE_BYTES,
  MAX_CERTIFICATE_VALUES,
  MAX_PARSED_CERTIFICATES,
} from "../../../src/limits.ts";
import { verifyPath } from "../../../src/path/verify.ts";
import { fingerprint } from "../../../src/pins/fingerprint.ts";
import {
  childrenOf,
  explicit,
  nullValue,
  objectIdentifier,
  octetString,
  sequence,
  setOfOne,
  tlv,
} from "../../../src/testing/der_writer.ts";
import {
  mintCertificate,
  type MintCertificateOptions,
  sharedKey,
} from "../../../src/testing/mod.ts";
import {
  type Certificate,
  parseCertificates,
} from "../../../src/x509/certificate.ts";
import type { Body, Harness } from "../harness.ts";
import { DER_CASES } from "./der_cases.ts";

/** Signatures by Ed25519 are of one length, so that sizes can be counted out. */
async function mint(options: MintCertificateOptions = {}) {
  const key = await sharedKey("Ed25519", "certificates");
  return await mintCertificate({ key, hostnames: ["a.example"], ...options });
}

function codeOf(act: () => unknown): string {
  return assertThrows(act, CertpinError).code;
}

async function codeOfRejection(act: () => Promise<unknown>): Promise<string> {
  try {
    await act();
  } catch (error) {
    if (error instanceof CertpinError) return error.code;
    throw error;
  }
  throw new Error("It was accepted");
}

/** How many values DER holds, itself included. */
function valuesIn(der: Uint8Array): number {
  return (der[0] & 0x20) === 0 ? 1 : childrenOf(der)
    .reduce((sum, child) => sum + valuesIn(child.der), 1);
}

function strictness(t: Harness): void {
  for (const { what, code, wrong, right } of DER_CASES) {
    t.test(`parseCertificates() refuses ${what}`, async () => {
      parseCertificates((await mint(right)).der);
      const { der } = await mint(wrong);
      assertEquals(codeOf(() => parseCertificates(der)), code);
    });
  }

  t.test("parseCertificates() takes the largest certificate, and none larger", async () => {
    const padded = (length: number) =>
      mint({
        extraExtensions: [{ oid: "1.2.3.4", value: new Uint8Array(length) }],
      });
    const { length } = (await padded(60_000)).der;
    const most = 60_000 + MAX_CERTIFICATE_BYTES - length;
    const { der } = await padded(most);
    assertEquals(der.length, MAX_CERTIFICATE_BYTES);
    parseCertificates(der);
    const { der: larger } = await padded(most + 1);
    assertEquals(
      codeOf(() => parseCertificates(larger)),
      "ERR_CERTPIN_LIMIT_CERTIFICATE_SIZE",
    );
  });

  t.test("parseCertificates() takes as many values as are allowed, and not one more", async () => {
    const withValues = async (count: number) => {
      const values = sequence(...new Array(count).fill(nullValue()));
      const attribute = sequence(objectIdentifier("2.5.4.3"), values);
      return (await mint({ subject: sequence(setOfOne(attribute)) })).der;
    };
    const others = valuesIn(await withValues(0));
    const most = (MAX_CERTIFICATE_VALUES - others) >> 1;
    // Subject and issuer are the same name, so values come in twos.
    const der = await withValues(most);
    assert(MAX_CERTIFICATE_VALUES - valuesIn(der) < 2);
    parseCertificates(der);
    const more = await withValues(most + 1);
    assertEquals(
      codeOf(() => parseCertificates(more)),
      "ERR_CERTPIN_CERTIFICATE_DER",
    );
  });

  t.test("parseCertificates() takes as many certificates as are allowed, and not one more", async () => {
    const { der, pem } = await mint();
    const most = new Array<Uint8Array>(MAX_PARSED_CERTIFICATES).fill(der);
    for (
      const more of [[...most, der], pem.repeat(MAX_PARSED_CERTIFICATES + 1)]
    ) {
      assertEquals(
        codeOf(() => parseCertificates(more)),
        "ERR_CERTPIN_LIMIT_CHAIN_LENGTH",
      );
    }
    assertEquals(parseCertificates([der, pem, pem + pem]).length, 4);
    assertEquals(parseCertificates([]).length, 0);
  });

  t.test("parseCertificates() takes object identifiers of any size, such as those made from UUIDs", async () => {
    // 2.25.18446744073709551617 (2^64 + 1), as an extension and as a type in a name.
    const oid = tlv(
      6,
      Uint8Array.of(0x69, 0x82, ...new Array(8).fill(0x80), 0x01),
    );
    const attribute = sequence(oid, tlv(0x0c, Uint8Array.of(0x61)));
    const { der } = await mint({
      subject: sequence(setOfOne(attribute)),
      surgery: {
        fields: (fields) => {
          const [{ content }] = childrenOf(fields.extensions!);
          const extension = sequence(oid, octetString(nullValue()));
          const extensions = explicit(3, sequence(content, extension));
          return { ...fields, extensions };
        },
      },
    });
    const [{ subject }] = parseCertificates(der);
    assertEquals(subject, "2.25.18446744073709551617=#0c0161");
  });

  t.test("parseCertificates() refuses what is neither text nor bytes", async () => {
    const { der } = await mint();
    parseCertificates(der);
    for (
      const input of [
        null,
        undefined,
        7,
        {},
        [undefined],
        [[der]],
        der.buffer,
        new DataView(der.buffer),
        new Uint8Array(),
        Uint8Array.of(0x31, 0),
      ]
    ) {
      assertEquals(
        codeOf(() => parseCertificates(input as Uint8Array)),
        "ERR_CERTPIN_CERTIFICATE_DER",
      );
    }
  });
}

/** What looks like a certificate, and is none. */
function impostors(certificate: Certificate): [string, unknown][] {
  return [
    ["a structural copy", { ...certificate, der: certificate.der }],
    ["its JSON", certificate.toJSON()],
    ["an object that inherits from it", Object.create(certificate)],
    [
      "an object of its prototype",
      Object.create(Object.getPrototypeOf(certificate)),
    ],
    ["a proxy of it", new Proxy(certificate, {})],
    ["bytes", certificate.der],
    ["nothing", undefined],
    ["null", null],
  ];
}

function tampering(t: Harness): void {
  t.test("parseCertificates() gives frozen certificates, whose bytes are copies", async () => {
    const { der, spki } = await mint({ hostnames: ["a.example", "192.0.2.1"] });
    const input = new Uint8Array(der);
    const [certificate] = parseCertificates(input);
    const before = JSON.stringify(certificate);
    const pin = (await fingerprint(certificate)).toString();
    input.fill(0);
    certificate.der.fill(0);
    certificate.spki.fill(0);
    certificate.notAfter.setTime(0);
    certificate.notBefore.setTime(0);
    assertEquals([...certificate.der], [...der]);
    assertEquals([...certificate.spki], [...spki]);
    for (
      const object of [
        certificate,
        certificate.dnsNames,
        certificate.ipAddresses,
      ]
    ) {
      assert(Object.isFrozen(object));
    }
    assertThrows(() => {
      (certificate as { subject: string }).subject = "CN=other";
    }, TypeError);
    assertThrows(
      () => (certificate.dnsNames as string[]).push("b.example"),
      TypeError,
    );
    assertEquals(JSON.stringify(certificate), before);
    assertEquals((await fingerprint(certificate)).toString(), pin);
  });

  t.test("toJSON() of a certificate has what people read, and no bytes", async () => {
    const issuer = await mint({
      subject: [{ type: "O", value: "Test" }, { type: "CN", value: "Root" }],
      ca: true,
    });
    const { der } = await mint({
      issuer,
      hostnames: ["a.example", "*.b.example", "192.0.2.1", "2001:db8::1"],
      serialNumber: Uint8Array.of(0, 0x8a, 0x01),
      notBefore: new Date("2026-01-01T00:00:00Z"),
      notAfter: new Date("2026-04-01T12:34:56Z"),
    });
    const [certificate] = parseCertificates(der);
    assertEquals(JSON.parse(JSON.stringify(certificate)), {
      subject: "CN=a.example",
      issuer: "CN=Root,O=Test",
      serialNumber: "008a01",
      notBefore: "2026-01-01T00:00:00.000Z",
      notAfter: "2026-04-01T12:34:56.000Z",
      dnsNames: ["a.example", "*.b.example"],
      ipAddresses: ["192.0.2.1", "2001:db8::1"],
      isCa: false,
      selfIssued: false,
    });
    const [root] = parseCertificates(issuer.der);
    assertEquals([root.isCa, root.selfIssued], [true, true]);
  });

  t.test("verifyPath() and fingerprint() refuse what parseCertificates() did not make", async () => {
    const root = await mint({ subject: "root", ca: true });
    const leaf = await mint({ issuer: root });
    const [certificate, anchor] = parseCertificates([leaf.der, root.der]);
    const options = { hostname: "a.example" };
    await verifyPath([certificate], { ...options, anchors: [anchor] });
    for (const [what, impostor] of impostors(certificate)) {
      const given = impostor as Certificate;
      const refusals = [
        () => fingerprint(given),
        () => verifyPath([given], { ...options, anchors: [anchor] }),
        () =>
          verifyPath([certificate, given], { ...options, anchors: [anchor] }),
        () =>
          verifyPath([certificate], { ...options, anchors: [given, anchor] }),
      ];
      for (const refusal of refusals) {
        assertEquals(
          await codeOfRejection(refusal),
          "ERR_CERTPIN_CERTIFICATE_FOREIGN",
          what,
        );
      }
    }
  });
}

/** Registers the tests. */
export const certificates: Body = (t) => {
  strictness(t);
  tampering(t);
};
