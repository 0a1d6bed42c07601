/** PEM (RFC 7468): what is around the blocks does not matter, what is in them does. */
import { assertEquals, assertThrows } from "@std/assert";
import { CertpinError } from "../../../src/errors.ts";
import { MAX_CERTIFICATE_BYTES, MAX_PEM_LENGTH } from "../../../src/limits.ts";
import { mintCertificate } from "../../../src/testing/mod.ts";
import { parseCertificates } from "../../../src/x509/certificate.ts";
import { readPem } from "../../../src/x509/pem.ts";

const { pem, der } = await mintCertificate({ subject: "first" });
const second = await mintCertificate({ subject: "second" });
const body = pem.split("\n").slice(1, -2).join("\n");
const BEGIN = "-----BEGIN CERTIFICATE-----";
const END = "-----END CERTIFICATE-----";

function subjects(input: string | Uint8Array): string[] {
  return parseCertificates(input).map(({ subject }) => subject);
}

function codeOf(input: string | Uint8Array): string {
  return assertThrows(() => parseCertificates(input), CertpinError).code;
}

Deno.test("parseCertificates() reads one or many blocks, whatever stands around them", () => {
  const key = "-----BEGIN PRIVATE KEY-----\n!\n-----END PRIVATE KEY-----\n";
  const accepted: [string, number][] = [
    [pem, 1],
    [pem.trimEnd(), 1],
    [pem + second.pem, 2],
    [`\ufeff${pem}`, 1],
    [`\ufeff# a comment: -----\nsubject=CN = x\n${pem}\ntrailing text`, 1],
    [pem.replaceAll("\n", "\r\n"), 1],
    [pem.replaceAll("\n", "\r"), 1],
    [pem.replace(END, `${END} \t`), 1],
    [`${BEGIN}\n${body.replaceAll("\n", "")}\n${END}`, 1],
    [`${BEGIN}\n\n  ${body.replaceAll("\n", " \n\t")}\n\n${END}`, 1],
    [pem.replaceAll("CERTIFICATE", "X509 CERTIFICATE"), 1],
    [key + pem + key, 1],
  ];
  for (const [text, count] of accepted) {
    const expected = ["CN=first", "CN=second"].slice(0, count);
    assertEquals(subjects(text), expected, text);
    assertEquals(subjects(new TextEncoder().encode(text)), expected, text);
  }
});

Deno.test("parseCertificates() reads PEM bytes whose text begins with a 0", () => {
  const encode = (text: string) => new TextEncoder().encode(text);
  assertEquals(
    subjects(encode(`0 s:CN = first
${pem}`)),
    ["CN=first"],
  );
  assertEquals(
    subjects(encode(`1 s:CN = first
${pem}`)),
    ["CN=first"],
  );
  assertEquals(codeOf(encode("0 s:CN = first")), "ERR_CERTPIN_CERTIFICATE_DER");
});

Deno.test("parseCertificates() reads latin-1 comments in bytes", () => {
  const comment = Uint8Array.of(0x23, 0xe4, 0x0a);
  const bytes = new TextEncoder().encode(pem);
  assertEquals(subjects(Uint8Array.of(...comment, ...bytes)), ["CN=first"]);
});

Deno.test("parseCertificates() refuses PEM that is broken", () => {
  assertEquals(subjects(`${BEGIN}\n${body}\n${END}`), ["CN=first"]);
  const refused = [
    "",
    "no block at all",
    "-----BEGIN CERTIFICATE-----",
    `${BEGIN}\n${body}`,
    `${body}\n${END}`,
    `${BEGIN}\n${END}`,
    `${BEGIN}\n${BEGIN}\n${body}\n${END}`,
    `${BEGIN}\n${body}\n${END}\n${END}`,
    `${BEGIN}\n${body}\n-----END X509 CERTIFICATE-----`,
    `${BEGIN}\n${body}\n-----END CERTIFICATE----`,
    `${BEGIN}\n${body}\n-----end CERTIFICATE-----`,
    ` ${BEGIN}\n${body}\n${END}`,
    `${BEGIN}${body}${END}`,
    pem.replaceAll("\n", "\\n"),
    pem.replace(/^/gm, "  "),
    `\ufeff\ufeff${pem}`,
    `${BEGIN}\n${body.slice(0, -1)}\n${END}`,
    `${BEGIN}\n${body}=\n${END}`,
    `${BEGIN}\n${body.replace("\n", "=\n")}\n${END}`,
    `${BEGIN}\n${body.replace("\n", "\n*")}\n${END}`,
    `${BEGIN}\n${body.replace(/[+/]|.(?=\n)/, "-")}\n${END}`,
    `${BEGIN}\nProc-Type: 4,ENCRYPTED\n\n${body}\n${END}`,
    pem.replaceAll("CERTIFICATE", "TRUSTED CERTIFICATE"),
    pem.replaceAll("CERTIFICATE", "CERTIFICATE REQUEST"),
    // The first is good, the second is not: nothing is passed over.
    `${pem}${BEGIN}\n*\n${END}`,
  ];
  for (const text of refused) {
    assertEquals(codeOf(text), "ERR_CERTPIN_CERTIFICATE_PEM", text);
  }
});

Deno.test("parseCertificates() refuses bits that base64 does not need", () => {
  const block = (text: string) => `${BEGIN}\n${text}\n${END}`;
  // "MA==" is one byte; "MB==" would be the same one, with bits left over.
  assertEquals(codeOf(block("MA==")), "ERR_CERTPIN_CERTIFICATE_DER");
  assertEquals(codeOf(block("MB==")), "ERR_CERTPIN_CERTIFICATE_PEM");
});

Deno.test("parseCertificates() reads strict DER within PEM", () => {
  const extended = new Uint8Array([...der, 0]);
  const text = `${BEGIN}\n${extended.toBase64()}\n${END}`;
  assertEquals(codeOf(text), "ERR_CERTPIN_CERTIFICATE_DER");
  assertEquals(subjects(text.replace(extended.toBase64(), der.toBase64())), [
    "CN=first",
  ]);
});

Deno.test("parseCertificates() takes the longest PEM, and none longer", () => {
  const longest = pem + "\n".repeat(MAX_PEM_LENGTH - pem.length);
  assertEquals(subjects(longest), ["CN=first"]);
  for (
    const longer of [longest + "\n", new TextEncoder().encode(longest + "\n")]
  ) {
    assertEquals(codeOf(longer), "ERR_CERTPIN_LIMIT_CERTIFICATE_SIZE");
  }
});

Deno.test("parseCertificates() takes a block as large as a certificate may be, and none larger", () => {
  const block = (length: number) =>
    `${BEGIN}\n${new Uint8Array(length).toBase64()}\n${END}\n`;
  // The body is read, and no certificate.
  assertEquals(
    codeOf(block(MAX_CERTIFICATE_BYTES)),
    "ERR_CERTPIN_CERTIFICATE_DER",
  );
  for (const length of [MAX_CERTIFICATE_BYTES + 3, 5 * 1024 * 1024]) {
    assertEquals(codeOf(block(length)), "ERR_CERTPIN_LIMIT_CERTIFICATE_SIZE");
  }
});

Deno.test("readPem() reads other blocks of megabytes", () => {
  const base64 = new Uint8Array(4 * 1024 * 1024).toBase64();
  const text = `-----BEGIN PKCS12-----\n${base64}\n-----END PKCS12-----\n`;
  const [{ bytes }] = readPem(text, (label) => label === "PKCS12");
  assertEquals(bytes.length, 4 * 1024 * 1024);
  const broken = text.replace("==\n", "*=\n");
  const error = assertThrows(
    () => readPem(broken, (label) => label === "PKCS12"),
    CertpinError,
  );
  assertEquals(error.code, "ERR_CERTPIN_CERTIFICATE_PEM");
});
