/** What certpin says of a certificate is what pkijs' own classes read in it. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { encodeHex } from "@std/encoding/hex";
import * as pkijs from "pkijs";
import { CertificateError, CertpinError } from "../../../src/errors.ts";
import { asciiBytes, sequence, tlv } from "../../../src/testing/der_writer.ts";
import {
  mintAttacks,
  mintCertificate,
  mintChain,
} from "../../../src/testing/mod.ts";
import { parseCertificates, recordOf } from "../../../src/x509/certificate.ts";
import type { DecodedExtensions } from "../../../src/x509/extensions.ts";
import type { GeneralName } from "../../../src/x509/general_names.ts";
import type { Algorithm } from "../../../src/x509/layout.ts";
import type { Name } from "../../../src/x509/names.ts";
import type { CertificateRecord } from "../../../src/x509/record.ts";
import { readLimbo } from "../../../tools/limbo/suite.ts";
import {
  everything,
  missingVectors,
  vectorsFolder,
} from "../../conformance/skip.ts";

/** Of so many certificates of x509-limbo, a sample takes one. */
const SAMPLE = 8;

const hex = (bytes: ArrayBuffer | Uint8Array) =>
  encodeHex(new Uint8Array(bytes));

/** A name: its octets, and its attributes in a row. */
function seenName(name: pkijs.RelativeDistinguishedNames) {
  return {
    raw: hex(name.valueBeforeDecode),
    attributes: name.typesAndValues.map(({ type, value }) => [
      type,
      hex(value.valueBeforeDecodeView),
    ]),
  };
}

function ourName({ raw, rdns }: Name) {
  return {
    raw: hex(raw),
    attributes: rdns.flat().map(({ type, value }) => [type, hex(value.raw)]),
  };
}

function seenAlgorithm(
  { algorithmId, algorithmParams }: pkijs.AlgorithmIdentifier,
) {
  return [algorithmId, algorithmParams && hex(algorithmParams.toBER())];
}

function ourAlgorithm({ oid, parameters }: Algorithm) {
  return [oid, parameters && hex(parameters.raw)];
}

/** A general name: the number of its kind, and what it says where certpin compares it. */
function seenGeneralName({ type, value }: pkijs.GeneralName) {
  switch (type) {
    case 4:
      return [type, seenName(value)];
    case 7:
      return [type, hex(value.valueBlock.valueHexView)];
    case 1:
    case 2:
    case 6:
      return [type, value];
    default:
      return [type];
  }
}

function ourGeneralName(name: GeneralName) {
  switch (name.kind) {
    case "directory":
      return [4, ourName(name.name)];
    case "ip":
      return [7, hex(name.bytes)];
    case "email":
      return [1, name.text];
    case "dns":
      return [2, name.text];
    case "uri":
      return [6, name.text];
    case "other":
      return [name.tag & 0x1f];
  }
}

function setBits(usage: number): number[] {
  return Array.from({ length: 16 }, (_, bit) => bit)
    .filter((bit) => usage & (1 << bit));
}

/** What pkijs makes of an extension, beside what certpin does; undefined where pkijs has no class for it. */
function compareExtension(
  { extnID, parsedValue: seen }: pkijs.Extension,
  ours: DecodedExtensions,
): readonly [seen: unknown, ours: unknown] | undefined {
  switch (extnID) {
    case "2.5.29.14":
      return [
        hex(seen.valueBlock.valueHexView),
        hex(ours.subjectKeyIdentifier!),
      ];
    case "2.5.29.15": {
      const bits: string = [...seen.valueBlock.valueHexView as Uint8Array]
        .map((byte) => byte.toString(2).padStart(8, "0")).join("");
      return [
        [...bits].flatMap((bit, i) => bit === "1" ? [i] : []),
        setBits(ours.keyUsage!),
      ];
    }
    case "2.5.29.17":
      return [
        seen.altNames.map(seenGeneralName),
        ours.subjectAltName!.map(ourGeneralName),
      ];
    case "2.5.29.19": {
      const { ca, pathLength } = ours.basicConstraints!;
      return [[seen.cA, seen.pathLenConstraint], [ca, pathLength]];
    }
    case "2.5.29.30": {
      const bases = (trees: readonly pkijs.GeneralSubtree[] = []) =>
        trees.map(({ base }) => seenGeneralName(base));
      const { permitted, excluded } = ours.nameConstraints!;
      return [
        [bases(seen.permittedSubtrees), bases(seen.excludedSubtrees)],
        [permitted.map(ourGeneralName), excluded.map(ourGeneralName)],
      ];
    }
    case "2.5.29.32":
      return [
        (seen as pkijs.CertificatePolicies).certificatePolicies.map((one) => [
          one.policyIdentifier,
          (one.policyQualifiers ?? []).map((it) => it.policyQualifierId),
        ]),
        ours.certificatePolicies!.map(({ policy, qualifiers }) => [
          policy,
          qualifiers,
        ]),
      ];
    case "2.5.29.35": {
      const { keyIdentifier } = ours.authorityKeyIdentifier!;
      return [
        seen.keyIdentifier && hex(seen.keyIdentifier.valueBlock.valueHexView),
        keyIdentifier && hex(keyIdentifier),
      ];
    }
    case "2.5.29.37":
      return [seen.keyPurposes, ours.extendedKeyUsage];
    case "2.5.29.18":
    case "2.5.29.31":
    case "1.3.6.1.5.5.7.1.1":
    case "1.3.6.1.5.5.7.1.11":
    case "1.3.6.1.4.1.11129.2.4.2":
      return [seen !== undefined && seen.parsingError === undefined, true];
  }
}

/** How much was compared. */
interface Tally {
  certificates: number;
  /** Certificates with an extension that cannot be read. */
  defects: number;
  fields: number;
  readonly extensions: Map<string, number>;
}

function compare(record: CertificateRecord, tally: Tally): void {
  const seen = pkijs.Certificate.fromBER(record.der.slice());
  const { subjectPublicKeyInfo: spki } = seen;
  const pairs: [seen: unknown, ours: unknown][] = [
    [hex(seen.tbsView), hex(record.tbs)],
    [seen.version + 1, record.version],
    [
      hex(seen.serialNumber.valueBlock.valueHexView),
      hex(record.serialNumber),
    ],
    [seenAlgorithm(seen.signature), ourAlgorithm(record.innerAlgorithm)],
    [seenName(seen.issuer), ourName(record.issuer)],
    [seenName(seen.subject), ourName(record.subject)],
    [seen.notBefore.value.getTime(), record.notBefore],
    [seen.notAfter.value.getTime(), record.notAfter],
    [seenAlgorithm(spki.algorithm), ourAlgorithm(record.publicKey.algorithm)],
    [
      hex(spki.subjectPublicKey.valueBlock.valueHexView),
      hex(record.publicKey.key),
    ],
    [hex(spki.toSchema().toBER()), hex(record.spki)],
    [
      (seen.extensions ?? []).map(({ extnID, critical, extnValue }) => [
        extnID,
        critical,
        hex(extnValue.valueBlock.valueHexView),
      ]),
      record.extensions.map(({ oid, critical, value }) => [
        oid,
        critical,
        hex(value),
      ]),
    ],
    [
      seenAlgorithm(seen.signatureAlgorithm),
      ourAlgorithm(record.outerAlgorithm),
    ],
    [
      hex(seen.signatureValue.valueBlock.valueHexView),
      hex(record.signature),
    ],
  ];
  // Where certpin sees a defect that pkijs does not see, nothing compares.
  if (record.decoded.defect !== undefined) {
    tally.defects++;
  } else {
    for (const extension of seen.extensions ?? []) {
      const pair = compareExtension(extension, record.decoded);
      if (!pair) continue;
      const { extnID } = extension;
      tally.extensions.set(extnID, (tally.extensions.get(extnID) ?? 0) + 1);
      pairs.push([...pair]);
    }
  }
  assertEquals(
    pairs.map(([, ours]) => ours),
    pairs.map(([theirs]) => theirs),
  );
  tally.certificates++;
  tally.fields += pairs.length;
}

function newTally(): Tally {
  return { certificates: 0, defects: 0, fields: 0, extensions: new Map() };
}

Deno.test("the fields of minted certificates are what pkijs reads", async () => {
  const { certificates } = await mintChain({ intermediates: 2 });
  const attacks = await mintAttacks();
  const tally = newTally();
  for (
    const der of [
      ...certificates.map(({ der }) => der),
      ...attacks.flatMap(({ control }) => control.chain),
    ]
  ) compare(recordOf(parseCertificates(der)[0]), tally);
  assert(tally.certificates > 50);
  assertEquals(tally.defects, 0);
  assert(tally.fields > 14 * tally.certificates);
});

Deno.test({
  name: "the fields of all vectors' certificates are what pkijs reads",
  ignore: missingVectors(),
  fn: async () => {
    const folder = vectorsFolder()!;
    const tally = newTally();
    let refused = 0;
    const compareAll = (input: string | Uint8Array) => {
      try {
        for (const certificate of parseCertificates(input)) {
          compare(recordOf(certificate), tally);
        }
      } catch (error) {
        if (!(error instanceof CertpinError)) throw error;
        refused++;
      }
    };
    const { chains, certificates } = JSON.parse(
      await Deno.readTextFile(`${folder}/real/manifest.json`),
    );
    const files: string[] = [
      ...chains.flatMap((one: { chain: string; root: string }) => [
        one.chain,
        one.root,
      ]),
      ...certificates.map((one: { file: string }) => one.file),
    ];
    for (const file of files) {
      compareAll(await Deno.readFile(`${folder}/real/${file}`));
    }
    assert(tally.certificates >= 50, `${tally.certificates}`);
    const seen = new Set<string>();
    for await (
      const { trusted_certs, untrusted_intermediates, peer_certificate }
        of readLimbo(`${folder}/limbo/limbo.ndjson.gz`)
    ) {
      for (
        const pem of [
          ...trusted_certs,
          ...untrusted_intermediates,
          peer_certificate,
        ]
      ) {
        if (seen.has(pem)) continue;
        seen.add(pem);
        if (everything() || seen.size % SAMPLE === 0) compareAll(pem);
      }
    }
    assert(tally.certificates > (everything() ? 8_000 : 1_000));
    assert(refused < tally.certificates / 100, `${refused}`);
    assert(tally.defects < tally.certificates / 40, `${tally.defects}`);
    assert(tally.fields > 14 * tally.certificates);
    // Each kind of extension was met, those that decide nothing too.
    for (
      const oid of [
        ...[14, 15, 17, 19, 30, 31, 32, 35, 37].map((arc) => `2.5.29.${arc}`),
        "1.3.6.1.5.5.7.1.1",
        "1.3.6.1.4.1.11129.2.4.2",
      ]
    ) assert((tally.extensions.get(oid) ?? 0) >= 10, oid);
  },
});

Deno.test("years that pkijs takes for those of another century are refused", async () => {
  const until = tlv(0x17, asciiBytes("491231235959Z"));
  const mint = async (from: string) =>
    await mintCertificate({
      surgery: {
        fields: (fields) => ({
          ...fields,
          validity: sequence(tlv(0x18, asciiBytes(from)), until),
        }),
      },
    });
  const { der: early } = await mint("01000101000000Z");
  assertEquals(
    parseCertificates(early)[0].notBefore.toISOString(),
    "0100-01-01T00:00:00.000Z",
  );
  for (const year of ["0000", "0049", "0050", "0099"]) {
    const { der } = await mint(`${year}0101000000Z`);
    // As pkijs reads it, it is of another century.
    const seen = pkijs.Certificate.fromBER(new Uint8Array(der));
    assert(seen.notBefore.value.getUTCFullYear() >= 1900);
    const error = assertThrows(() => parseCertificates(der), CertificateError);
    assertEquals(error.code, "ERR_CERTPIN_CERTIFICATE_DER");
  }
});
