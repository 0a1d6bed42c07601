/** Extensions that decide nothing: malformed ones are a matter for the path, not for the parser. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { PathError } from "../../../src/errors.ts";
import { verifyPath } from "../../../src/path/verify.ts";
import { sequence } from "../../../src/testing/der_writer.ts";
import { mintCertificate } from "../../../src/testing/mod.ts";
import { parseCertificates, recordOf } from "../../../src/x509/certificate.ts";

const HOSTNAME = "api.example.com";
const ODD = {
  extraExtensions: [{ oid: "1.3.6.1.5.5.7.1.1", value: sequence() }],
};

const root = await mintCertificate({ subject: "root", ca: true });
const oddRoot = await mintCertificate({ subject: "odd", ca: true, ...ODD });
const leaf = await mintCertificate({ hostnames: [HOSTNAME], issuer: root });
const oddLeaf = await mintCertificate({
  hostnames: [HOSTNAME],
  issuer: root,
  ...ODD,
});
const belowOdd = await mintCertificate({
  hostnames: [HOSTNAME],
  issuer: oddRoot,
});

const parse = (...certificates: readonly { der: Uint8Array }[]) =>
  parseCertificates(certificates.map(({ der }) => der));

Deno.test("a malformed authorityInfoAccess is parsed, and refused on the path that needs it", async () => {
  const anchors = parse(root, oddRoot);
  const [, odd] = anchors;
  assert(recordOf(odd).decoded.defect !== undefined);
  assertEquals(odd.isCa, true);
  const verify = (...chain: readonly { der: Uint8Array }[]) =>
    verifyPath(parse(...chain), { hostname: HOSTNAME, anchors });
  // Beside the path it does no harm, among the anchors or in the chain.
  assertEquals((await verify(leaf)).certificates.length, 2);
  assertEquals((await verify(leaf, oddLeaf)).certificates.length, 2);
  for (const chain of [oddLeaf, belowOdd]) {
    const error = await assertRejects(() => verify(chain), PathError);
    assertEquals(error.code, "ERR_CERTPIN_PATH_EXTENSION");
  }
});

Deno.test("each extension is decoded when it is asked for, and once", () => {
  const [certificate] = parse(leaf);
  const { decoded } = recordOf(certificate);
  assert(decoded.subjectAltName !== undefined);
  assert(decoded.subjectAltName === decoded.subjectAltName);
  assertEquals(certificate.dnsNames, [HOSTNAME]);
  assert(Object.isFrozen(certificate.dnsNames));
  assert(certificate.dnsNames === certificate.dnsNames);
  assertEquals(decoded.defect, undefined);
});
