import { assertEquals, assertRejects } from "@std/assert";
import { parse } from "yaml";
import { CertpinError, type ErrorCode } from "../../../src/errors.ts";
import { convert, type ForeignName } from "../../../cli/formats/registry.ts";
import { A, B, digest, sample } from "./samples.ts";

async function refused(
  from: ForeignName,
  text: string,
  code: ErrorCode,
): Promise<void> {
  const error = await assertRejects(
    () => convert(text, "policy", from),
    CertpinError,
  );
  assertEquals(error.code, code);
}

const xml = sample("network_security_config.xml");
const plist = sample("Info.plist");
const SYNTAX = "ERR_CERTPIN_DOCUMENT_SYNTAX";
const ENTITY = "ERR_CERTPIN_DOCUMENT_ENTITY";

const doctypes: [name: string, doctype: string][] = [
  ["an entity", '<!DOCTYPE a [<!ENTITY e "x">]>'],
  ["a file of the machine", '<!DOCTYPE a [<!ENTITY e SYSTEM "file:///x">]>'],
  [
    "entities that double ten times",
    `<!DOCTYPE a [<!ENTITY e0 "ha">${
      Array.from(
        { length: 10 },
        (_, i) => `<!ENTITY e${i + 1} "&e${i};&e${i};">`,
      ).join("")
    }]>`,
  ],
  ["a document type elsewhere", '<!DOCTYPE a SYSTEM "http://x.example/d">'],
  ["a parameter entity", '<!DOCTYPE a [<!ENTITY % p SYSTEM "x">%p;]>'],
  [
    "Apple's own, with an inside",
    '<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd" [<!ENTITY e "x">]>',
  ],
];
for (const [name, doctype] of doctypes) {
  Deno.test(`convert() refuses ${name} in XML and in property lists`, async () => {
    const into = (text: string) =>
      text.replace(/<!DOCTYPE[^>]*>\n/, "").replace("?>\n", `?>${doctype}\n`);
    await refused("android", into(xml), ENTITY);
    await refused("ios", into(plist), ENTITY);
    await refused("trustkit", into(sample("TrustKit.plist")), ENTITY);
  });
}

Deno.test("convert() refuses entities that XML does not know without a document type", async () => {
  await refused(
    "android",
    xml.replace("pay.example", "pay&e;.example"),
    SYNTAX,
  );
  const known = await convert(xml.replace("pay.", "&#112;ay."), "policy");
  assertEquals(Object.keys(JSON.parse(known.text).hosts)[1], "pay.example");
});

Deno.test("convert() bounds the depth and the length of what it reads", async () => {
  const deep = (open: string, close: string, levels: number) =>
    open.repeat(levels) + close.repeat(levels);
  const config = (inside: string) =>
    `<network-security-config>${inside}</network-security-config>`;
  await refused(
    "android",
    config(deep("<domain-config>", "</domain-config>", 100_000 / 4)),
    SYNTAX,
  );
  await refused("envoy", `a: ${deep("[", "]", 100_000)}`, SYNTAX);
  await refused("envoy", "- ".repeat(100_000), SYNTAX);
  const long = " ".repeat(1024 * 1024 + 1);
  for (const from of ["android", "ios", "okhttp", "curl", "envoy", "tlsa"]) {
    await refused(from as ForeignName, long, "ERR_CERTPIN_LIMIT_POLICY_SIZE");
  }
});

Deno.test("convert() refuses YAML whose aliases multiply", async () => {
  const rows = Array.from(
    { length: 9 },
    (_, i) => `a${i + 1}: &a${i + 1} [${`*a${i}, `.repeat(8)}x]`,
  );
  const bomb = ['a0: &a0 ["x"]', ...rows, "verify_certificate_spki: []"];
  await refused("envoy", bomb.join("\n"), ENTITY);
  const many = `a: &a x\nb: [${"*a, ".repeat(101)}]\n`;
  await refused("envoy", many, ENTITY);
  // An alias or two are how people write it.
  const yaml = sample("envoy.yaml");
  assertEquals((await convert(yaml + "x: *tls\n", "policy")).losses.length, 1);
});

Deno.test("convert() refuses keys and hosts that stand there twice", async () => {
  const twice: [ForeignName, string][] = [
    ["android", xml.replace("pay.example", "api.shop.example")],
    ["ios", plist.replace("pay.example", "shop.example")],
    ["trustkit", sample("TrustKit.plist").replace("beta.shop", "shop")],
    ["envoy", sample("envoy.yaml").replace("sni:", "sni: x\n          sni:")],
    ["envoy", sample("envoy.yaml").replace("exact: pay", "exact: shop")],
    ["curl", sample("fetch.sh").replace("user@pay", "shop")],
  ];
  for (const [from, text] of twice) {
    // A closing tag or an URL that fits the change.
    await refused(from, text, SYNTAX);
  }
});

const broken: [ForeignName, string, string][] = [
  ["android", "SHA-256", "SHA-1"],
  ["android", "2027-06-01", "2027-02-30"],
  ["android", "</pin-set>", ""],
  ["ios", "<array>", "<string>"],
  ["ios", "SPKI-SHA256-BASE64", "SPKI-SHA1-BASE64"],
  ["trustkit", "2027-06-01", "soon"],
  ["trustkit", "<false/>", "<string>NO</string>"],
  ["curl", "'sha256//", "sha256//"],
  ["curl", "'sha256//", "'pins.pem;sha256//"],
  ["envoy", "exact: pay.example", "exact: pay example"],
  ["envoy", "exact: pay.example", "suffix: pay.example"],
  ["tlsa", "_443._tcp.pay.example.", "pay.example."],
  ["tlsa", "TLSA 0 0 2", "TLSA 0 0 2 xyz"],
  ["okhttp", '"shop.example"', '"*.*.example"'],
];
const files: Partial<Record<ForeignName, string>> = {
  ...{ android: "network_security_config.xml", ios: "Info.plist" },
  ...{ trustkit: "TrustKit.plist", curl: "fetch.sh", envoy: "envoy.yaml" },
  ...{ tlsa: "tlsa.zone", okhttp: "Pins.kt" },
};
for (const [from, good, bad] of broken) {
  Deno.test(`convert() from ${from} refuses ${bad || "nothing"} in place of ${good}`, async () => {
    const text = sample(files[from]!);
    assertEquals(text.includes(good), true);
    await convert(text, "policy", from);
    await refused(from, text.replace(good, bad), SYNTAX);
  });
}

Deno.test("convert() takes no name for more than one host where the format does not", async () => {
  const wild: [ForeignName, string][] = [
    ["android", xml.replace("pay.example", "*.pay.example")],
    ["ios", plist.replace("pay.example", "*.pay.example")],
    ["trustkit", sample("TrustKit.plist").replace("beta.", "*.")],
    ["curl", sample("fetch.sh").replace("user@pay", "*.pay")],
    ["envoy", sample("envoy.yaml").replace("exact: pay", "exact: '*.pay'")],
    ["tlsa", sample("tlsa.zone").replace("_tcp.pay", "_tcp.*.pay")],
    ["ios", plist.replace("<key>pay.example<", "<key>__proto__<")],
  ];
  for (const [from, text] of wild) await refused(from, text, SYNTAX);
});

Deno.test("convert() reads Envoy's JSON as its YAML, whatever else is in it", async () => {
  const yaml = sample("envoy.yaml");
  const json = JSON.stringify({ "hosts": [], ...parse(yaml) });
  const [a, b] = [await convert(json, "policy"), await convert(yaml, "policy")];
  assertEquals([a.from, a.text], ["envoy", b.text]);
});

const badPins: [ForeignName, string][] = [
  [
    "android",
    `<network-security-config><domain-config><domain>a.example</domain><pin-set><pin digest="SHA-256">AAAA</pin></pin-set></domain-config></network-security-config>`,
  ],
  ["okhttp", `CertificatePinner.Builder().add("a.example", "sha256/AAAA")`],
  ["curl", `curl --pinnedpubkey sha256//AAAA https://a.example`],
  ["envoy", `{sni: a.example, verify_certificate_spki: [AAAA]}`],
  ["tlsa", `_443._tcp.a.example. IN TLSA 1 1 1 ABCD`],
];
for (const [from, text] of badPins) {
  Deno.test(`convert() from ${from} refuses a digest that is none`, async () => {
    await refused(from, text, "ERR_CERTPIN_PIN_INVALID");
  });
}

Deno.test("convert() refuses SHA-1 pins of OkHttp by code", async () => {
  const call = 'CertificatePinner.Builder().add("a.example", "sha1/x")';
  await refused("okhttp", call, "ERR_CERTPIN_PIN_HASH");
});

Deno.test("convert() reads no call out of comments, strings and unclosed quotes", async () => {
  const pin = digest(A);
  const call = `.add("a.example", "sha256/${pin}")`;
  const hidden = [
    `// CertificatePinner${call}`,
    `/* CertificatePinner ${call} */`,
    `/* CertificatePinner ${call}`,
    `val s = """ CertificatePinner ${call} """`,
    `val s = "CertificatePinner ${call.replaceAll('"', '\\"')}"`,
  ];
  for (const text of hidden) await refused("okhttp", text, SYNTAX);
  const seen = await convert(`CertificatePinner()${call}`, "policy");
  assertEquals(JSON.parse(seen.text).hosts, { "a.example": { pins: [A] } });
});

Deno.test("convert() merges the pins that OkHttp would merge", async () => {
  const text = `CertificatePinner.Builder()
    .add("**.a.example", "sha256/${digest(A)}")
    .add("b.a.example", "sha256/${digest(B)}")`;
  const { hosts } = JSON.parse((await convert(text, "policy")).text);
  assertEquals(hosts["b.a.example"].pins, [B, A]);
  assertEquals(hosts["a.example"].pins, [A]);
});
