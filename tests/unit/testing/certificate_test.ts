import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { encodeHex } from "@std/encoding/hex";
import { X509Certificate } from "node:crypto";
import { verifyPath } from "../../../src/path/verify.ts";
import {
  basicConstraints,
  type KeyType,
  mintCertificate,
  mintKey,
  sharedKey,
} from "../../../src/testing/mod.ts";
import { parseCertificates } from "../../../src/x509/certificate.ts";

Deno.test("mintCertificate() signs with every hash and with PSS, as its algorithm says", async () => {
  const cases: readonly [KeyType, boolean, Record<string, string>][] = [
    ["P-521", false, {
      sha256: "2a8648ce3d040302",
      sha384: "2a8648ce3d040303",
      sha512: "2a8648ce3d040304",
    }],
    ["RSA-2048", false, {
      sha256: "2a864886f70d01010b",
      sha384: "2a864886f70d01010c",
      sha512: "2a864886f70d01010d",
    }],
    ["RSA-2048", true, {
      sha256: "a203020120",
      sha384: "a203020130",
      sha512: "a203020140",
    }],
  ];
  for (const [type, pss, marks] of cases) {
    const key = await sharedKey(type, "tests");
    for (const hash of ["sha256", "sha384", "sha512"] as const) {
      const signature = { hash, pss };
      const root = await mintCertificate({ ca: true, key, signature });
      const leaf = await mintCertificate({
        issuer: root,
        hostnames: ["a.example"],
        signature,
      });
      const text = encodeHex(leaf.der);
      assertEquals(text.split(marks[hash]).length, 3, "inside and outside");
      const path = await verifyPath(parseCertificates(leaf.der), {
        hostname: "a.example",
        anchors: parseCertificates(root.der),
      });
      assertEquals(path.certificates.length, 2);
    }
  }
});

Deno.test("mintCertificate() leaves out what is false and replaces all by `extensions`", async () => {
  const names = async (options: Parameters<typeof mintCertificate>[0]) => {
    const { der } = await mintCertificate(options);
    const text = encodeHex(der);
    const has = (oid: string) => text.includes(oid);
    return {
      basicConstraints: has("551d13"),
      keyUsage: has("551d0f"),
      extendedKeyUsage: has("551d25"),
      subjectKeyIdentifier: has("551d0e"),
    };
  };
  assertEquals(await names({}), {
    basicConstraints: true,
    keyUsage: true,
    extendedKeyUsage: true,
    subjectKeyIdentifier: true,
  });
  assertEquals(
    await names({
      basicConstraints: false,
      keyUsage: false,
      extendedKeyUsage: false,
      subjectKeyIdentifier: false,
    }),
    {
      basicConstraints: false,
      keyUsage: false,
      extendedKeyUsage: false,
      subjectKeyIdentifier: false,
    },
  );
  assertEquals(
    await names({ extensions: [basicConstraints({ ca: true })] }),
    {
      basicConstraints: true,
      keyUsage: false,
      extendedKeyUsage: false,
      subjectKeyIdentifier: false,
    },
  );
});

Deno.test("mintCertificate() signs with another key where it is told to", async () => {
  const root = await mintCertificate({ subject: "root", ca: true });
  const publicKey = new X509Certificate(root.der).publicKey;
  const good = await mintCertificate({ issuer: root });
  const wrong = await mintCertificate({
    issuer: root,
    signingKey: await mintKey(),
  });
  assertEquals(new X509Certificate(good.der).verify(publicKey), true);
  assertEquals(new X509Certificate(wrong.der).verify(publicKey), false);
});

Deno.test("mintCertificate() hands every field and byte to surgery", async () => {
  const key = await mintKey();
  const calls: string[] = [];
  const certificate = await mintCertificate({
    key,
    serialNumber: Uint8Array.of(5),
    surgery: {
      fields: (fields) => {
        calls.push("fields");
        return { ...fields, serialNumber: Uint8Array.of(2, 1, 6) };
      },
      tbs: (tbs) => {
        calls.push("tbs");
        return tbs;
      },
      signature: (signature) => {
        calls.push("signature");
        return signature;
      },
      certificate: (der) => {
        calls.push("certificate");
        return Uint8Array.of(...der, 0xaa);
      },
    },
  });
  assertEquals(calls, ["fields", "tbs", "signature", "certificate"]);
  assertEquals(certificate.der.at(-1), 0xaa);
  const [read] = parseCertificates(certificate.der.slice(0, -1));
  assertEquals(read.serialNumber, "06");
  const whole = new X509Certificate(certificate.der.slice(0, -1));
  assert(whole.verify(whole.publicKey), "signed after the surgery on fields");
});

Deno.test("mintCertificate() writes every kind of name", async () => {
  const { der } = await mintCertificate({
    subject: [
      { type: "C", value: "CH" },
      { type: "O", value: "B\u00fccher", encoding: "utf8" },
      { type: "CN", value: "x", encoding: "bmp" },
    ],
    hostnames: ["a.example", "fe80::1", "1.2.3.4"],
    names: [
      { email: "a@b.example" },
      { uri: "https://c.example/" },
      { directory: "d" },
      { registeredId: "1.2.3" },
      { ip: Uint8Array.of(9, 8, 7, 6) },
    ],
  });
  const text = new X509Certificate(der).subjectAltName;
  assertStringIncludes(text!, "email:a@b.example");
  assertStringIncludes(text!, "URI:https://c.example/");
  assertMatch(text!, /DirName:\s?CN\s?=\s?d/);
  const registeredId = "88022a03";
  assert(encodeHex(der).includes(registeredId));
  const [parsed] = parseCertificates(der);
  assertEquals(parsed.subject, "CN=x,O=B\u00fccher,C=CH");
  assertEquals(parsed.dnsNames, ["a.example"]);
  assertEquals(parsed.ipAddresses, ["fe80::1", "1.2.3.4", "9.8.7.6"]);
});
