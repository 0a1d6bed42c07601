/** Distinguished names: how they are written (RFC 4514) and compared (RFC 5280, section 7.1). */
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import {
  objectIdentifier,
  sequence,
  setOfOne,
  tlv,
} from "../../../src/testing/der_writer.ts";
import { writePem } from "../../../src/x509/pem.ts";
import {
  type DistinguishedName,
  mintCertificate,
  sharedKey,
} from "../../../src/testing/mod.ts";
import {
  type Certificate,
  parseCertificates,
} from "../../../src/x509/certificate.ts";
import { missingVectors, vectorsFolder } from "../../conformance/skip.ts";
import { missingOpenssl, openssl } from "./openssl.ts";

async function named(
  subject: DistinguishedName,
  issuerName?: DistinguishedName,
): Promise<Certificate> {
  const key = await sharedKey("P-256", "names");
  const { der } = await mintCertificate({ key, subject, issuerName });
  return parseCertificates(der)[0];
}

const CN = objectIdentifier("2.5.4.3");
const O = objectIdentifier("2.5.4.10");
const utf8 = (text: string) => tlv(0x0c, new TextEncoder().encode(text));

/** A name of one attribute, whose value is this DER. */
const oneValue = (value: Uint8Array) => sequence(setOfOne(sequence(CN, value)));

/** A name as bytes, as RFC 4514 writes it, and whether OpenSSL writes the same. */
const WRITTEN: readonly [DistinguishedName, string, "alike" | "otherwise"][] = [
  [[], "", "alike"],
  ["plain", "CN=plain", "alike"],
  [
    [
      { type: "C", value: "DE" },
      { type: "ST", value: "Hessen" },
      { type: "L", value: "Frankfurt am Main" },
      { type: "O", value: "Example, Inc." },
      { type: "OU", value: "R&D" },
      { type: "CN", value: "a.example" },
      { type: "serialNumber", value: "HRB 1" },
    ],
    "serialNumber=HRB 1,CN=a.example,OU=R&D,O=Example\\, Inc.,L=Frankfurt am Main,ST=Hessen,C=DE",
    "alike",
  ],
  [
    [{ type: "DC", value: "com" }, { type: "DC", value: "example" }],
    "DC=example,DC=com",
    "alike",
  ],
  ['"+,;<>\\', 'CN=\\"\\+\\,\\;\\<\\>\\\\', "alike"],
  ["#a#", "CN=\\#a#", "alike"],
  [" a b ", "CN=\\ a b\\ ", "alike"],
  [" ", "CN=\\ ", "alike"],
  ["a=b", "CN=a=b", "alike"],
  ["Żółć 🔒", "CN=Żółć 🔒", "alike"],
  [
    sequence(
      tlv(0x31, sequence(CN, utf8("a")), sequence(O, utf8("b"))),
      setOfOne(sequence(O, utf8("c"))),
    ),
    "O=c,CN=a+O=b",
    // Which of two values of one relative name comes first is free.
    "otherwise",
  ],
  [oneValue(tlv(0x1e, Uint8Array.of(0, 0x61, 0x20, 0xac))), "CN=a€", "alike"],
  [
    oneValue(tlv(0x1c, Uint8Array.of(0, 1, 0xf5, 0x12))),
    "CN=🔒",
    "alike",
  ],
  [oneValue(tlv(0x14, Uint8Array.of(0xe4))), "CN=ä", "alike"],
  // Controls: hexadecimal digits are written small here.
  ["a\nb\u007f", "CN=a\\0ab\\7f", "otherwise"],
  ["\u0085", "CN=\\c2\\85", "otherwise"],
  ["a\0b", "CN=a\\00b", "alike"],
  // What is no text, and types that have no registered name. OpenSSL
  // refuses the first and the second, and writes larger digits in the third.
  [oneValue(tlv(0x05)), "CN=#0500", "otherwise"],
  [oneValue(utf8("a").fill(0xff, 2)), "CN=#0c01ff", "otherwise"],
  [[{ type: "1.2.3.4", value: "a" }], "1.2.3.4=#0c0161", "otherwise"],
];

Deno.test("subject is written as RFC 4514 says", async () => {
  for (const [name, text] of WRITTEN) {
    const { subject, issuer } = await named(name, "issuer");
    assertEquals(subject, text);
    assertEquals(issuer, "CN=issuer");
  }
});

/** Subject and issuer as OpenSSL writes them, other than ASCII left as it is. */
async function byOpenssl(certificate: Certificate): Promise<string[]> {
  const { stdout } = await openssl(
    ["x509", "-noout", "-subject", "-issuer", "-nameopt", "RFC2253,-esc_msb"],
    writePem("CERTIFICATE", certificate.der),
  );
  // Line ends within a name are escaped, spaces at its end are not trimmed.
  const [subject, issuer] = stdout.split("\n").map((line) =>
    line.replace(/^(?:subject|issuer)=/, "")
      // A registered name in another letter case.
      .replaceAll("street=", "STREET=")
  );
  return [subject, issuer];
}

Deno.test({
  name:
    "subject is written as OpenSSL writes it, where the RFC leaves no choice",
  ignore: await missingOpenssl(),
  fn: async () => {
    for (const [name, text, how] of WRITTEN) {
      if (how === "otherwise") continue;
      const certificate = await named(name, "issuer");
      assertEquals(await byOpenssl(certificate), [text, "CN=issuer"]);
    }
  },
});

Deno.test({
  name: "subject and issuer of real certificates are written as OpenSSL does",
  ignore: await missingOpenssl() || missingVectors(),
  fn: async () => {
    const folder = `${vectorsFolder()}/real`;
    const { chains, certificates } = JSON.parse(
      await Deno.readTextFile(`${folder}/manifest.json`),
    );
    const files: string[] = [
      ...chains.flatMap((one: { chain: string; root: string }) => [
        one.chain,
        one.root,
      ]),
      ...certificates.map((one: { file: string }) => one.file),
    ];
    let compared = 0;
    for (const file of files) {
      const bytes = await Deno.readFile(`${folder}/${file}`);
      for (const certificate of parseCertificates(bytes)) {
        const [subject, issuer] = await byOpenssl(certificate);
        // OpenSSL has names of its own for two types without a registered one.
        if (subject.includes("jurisdiction")) continue;
        assertEquals([certificate.subject, certificate.issuer], [
          subject,
          issuer,
        ]);
        compared++;
      }
    }
    assert(compared > 40, `${compared}`);
  },
});

/** Pairs of names, and whether they are the same (RFC 5280, section 7.1). */
const COMPARED: readonly [DistinguishedName, DistinguishedName, boolean][] = [
  ["Root", "Root", true],
  ["Root", "rOOT", true],
  ["Test  Root", " Test Root ", true],
  ["Test Root", "TestRoot", false],
  ["Root", "Root 2", false],
  ["ÄÖÜ", "äöü", true],
  ["e\u0301", "\u00e9", true],
  ["e", "\u00e9", false],
  [
    [{ type: "CN", value: "Root", encoding: "printable" }],
    [{ type: "CN", value: "Root", encoding: "bmp" }],
    true,
  ],
  [[{ type: "CN", value: "a" }], [{ type: "O", value: "a" }], false],
  [
    [{ type: "CN", value: "a" }, { type: "O", value: "b" }],
    [{ type: "O", value: "b" }, { type: "CN", value: "a" }],
    false,
  ],
  [
    sequence(tlv(0x31, sequence(CN, utf8("a")), sequence(O, utf8("b")))),
    sequence(tlv(0x31, sequence(O, utf8("B")), sequence(CN, utf8("A")))),
    true,
  ],
  [
    sequence(tlv(0x31, sequence(CN, utf8("a")), sequence(O, utf8("b")))),
    [{ type: "CN", value: "a" }, { type: "O", value: "b" }],
    false,
  ],
  // Separators of the inner form cannot be forged.
  ["a\u0001b", "a b", true],
  [
    "a\u00022.5.4.3=b",
    [{ type: "CN", value: "a" }, { type: "CN", value: "b" }],
    false,
  ],
  [oneValue(tlv(0x05)), oneValue(tlv(0x05)), true],
  [oneValue(tlv(0x05)), "#0500", false],
  // More marks on one letter than anybody writes: byte by byte.
  ["e\u0301" + "\u0323".repeat(29), "\u00e9" + "\u0323".repeat(29), true],
  ["e\u0301" + "\u0323".repeat(40), "\u00e9" + "\u0323".repeat(40), false],
  ["e" + "\u0323".repeat(40), "e" + "\u0323".repeat(40), true],
];

Deno.test("names are the same whatever their case, spaces and string type", async () => {
  for (const [subject, issuer, same] of COMPARED) {
    const certificate = await named(subject, issuer);
    assertEquals(certificate.selfIssued, same, certificate.subject);
  }
});

Deno.test("serialNumber has all content octets", async () => {
  const key = await sharedKey("P-256", "names");
  for (const octets of [[0], [1], [0, 0x80], [0xff, 0x21], [0x7f, 0, 0]]) {
    const { der } = await mintCertificate({
      key,
      serialNumber: Uint8Array.from(octets),
    });
    const [{ serialNumber }] = parseCertificates(der);
    assertEquals(
      serialNumber,
      octets.map((octet) => octet.toString(16).padStart(2, "0")).join(""),
    );
  }
});

Deno.test("validity reaches from 1950 to the end of time", async () => {
  const key = await sharedKey("P-256", "names");
  const notBefore = new Date("1950-01-01T00:00:00Z");
  const notAfter = new Date("9999-12-31T23:59:59Z");
  const { der } = await mintCertificate({ key, notBefore, notAfter });
  const [certificate] = parseCertificates(der);
  assertEquals(certificate.notBefore, notBefore);
  assertEquals(certificate.notAfter, notAfter);
  assertNotEquals(certificate.notAfter, new Date());
});
