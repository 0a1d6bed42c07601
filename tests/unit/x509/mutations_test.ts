/** Mutated certificates: each gives a certificate or an error of certpin, never anything else. */
import { assert, assertEquals } from "@std/assert";
import { runWithNodeCrypto } from "../../../src/tls/node_crypto.ts";
import { CertpinError } from "../../../src/errors.ts";
import { SignatureCache } from "../../../src/path/signature.ts";
import { verifyPathRoutine } from "../../../src/path/verify.ts";
import { childrenOf, tlv } from "../../../src/testing/der_writer.ts";
import { KEY_TYPES, mintChain, sharedKey } from "../../../src/testing/mod.ts";
import {
  type Certificate,
  parseCertificates,
} from "../../../src/x509/certificate.ts";
import { type Random, random } from "../../conformance/random.ts";
import { missingVectors, vectorsFolder } from "../../conformance/skip.ts";

type Bytes = Uint8Array<ArrayBuffer>;

const MUTATIONS = 20_000;
/** Octets that mean something in DER. */
const TELLING = [
  0,
  1,
  2,
  3,
  4,
  5,
  6,
  0x17,
  0x18,
  0x30,
  0x31,
  0x7f,
  0x80,
  0xa0,
  0xa3,
  0xff,
];

type Mutation = (der: Bytes, choice: Random, others: readonly Bytes[]) => Bytes;

function cutOut(
  der: Bytes,
  from: number,
  to: number,
  instead: Uint8Array,
): Bytes {
  return new Uint8Array([
    ...der.subarray(0, from),
    ...instead,
    ...der.subarray(to),
  ]);
}

/** One or a few bits turned. */
const flip: Mutation = (der, choice) => {
  const flipped = new Uint8Array(der);
  for (let left = 1 + choice.below(4); left > 0; left--) {
    flipped[choice.below(der.length)] ^= 1 << choice.below(8);
  }
  return flipped;
};

/** One octet replaced by a telling one. */
const replace: Mutation = (der, choice) => {
  const replaced = new Uint8Array(der);
  replaced[choice.below(der.length)] = choice.pick(TELLING);
  return replaced;
};

/** Some octets left out, or everything after a place. */
const cut: Mutation = (der, choice) => {
  const from = choice.below(der.length);
  const to = choice.below(2) === 0 ? der.length : from + 1 + choice.below(8);
  return cutOut(der, from, to, new Uint8Array());
};

/** Octets of another certificate in place of, or between, its own. */
const splice: Mutation = (der, choice, others) => {
  const other = choice.pick(others);
  const length = 1 + choice.below(64);
  const start = choice.below(other.length);
  const at = choice.below(der.length);
  return cutOut(
    der,
    at,
    at + choice.below(2) * length,
    other.subarray(start, start + length),
  );
};

/** All values within DER, with the way that leads to each. */
function valuesOf(der: Bytes, way: readonly number[] = []): number[][] {
  const here = [[...way]];
  if ((der[0] & 0x20) === 0) return here;
  return [
    ...here,
    ...childrenOf(der).flatMap((child, i) => valuesOf(child.der, [...way, i])),
  ];
}

/** The DER with the value at the end of the way changed, all lengths made right. */
function rewrite(
  der: Bytes,
  [next, ...way]: readonly number[],
  change: (der: Bytes) => readonly Bytes[],
): readonly Bytes[] {
  if (next === undefined) return change(der);
  const children = childrenOf(der).flatMap((child, i) =>
    i === next ? rewrite(child.der, way, change) : [child.der]
  );
  return [tlv(der[0], ...children)];
}

/** A whole value left out, doubled, emptied, retagged or taken from elsewhere; valid DER again. */
const graft: Mutation = (der, choice, others) => {
  const other = choice.pick(others);
  const valueAt = (whole: Bytes, way: readonly number[]) =>
    way.reduce((value, i) => childrenOf(value)[i].der, whole);
  const scion = valueAt(other, choice.pick(valuesOf(other)));
  const [rewritten = new Uint8Array()] = rewrite(
    der,
    choice.pick(valuesOf(der)),
    (value) =>
      choice.pick([
        () => [],
        () => [value, value],
        () => [scion],
        () => [value, scion],
        () => [tlv(value[0])],
        () => [cutOut(value, 0, 1, Uint8Array.of(choice.pick(TELLING)))],
      ])(),
  );
  return rewritten;
};

const MUTATORS: readonly Mutation[] = [flip, replace, cut, splice, graft];

/** What came of the mutated certificates. */
interface Outcome {
  /** How many were parsed. */
  parsed: number;
  /** How many of those were verified, each as its own anchor. */
  verified: number;
  /** How many errors of each code. */
  readonly codes: Map<string, number>;
}

function attempt<T>(outcome: Outcome, act: () => T): T | undefined {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof CertpinError)) throw error;
    outcome.codes.set(error.code, (outcome.codes.get(error.code) ?? 0) + 1);
  }
}

function look(certificate: Certificate, outcome: Outcome): void {
  JSON.stringify(certificate);
  assert(certificate.spki.length > 0);
  const path = attempt(
    outcome,
    () =>
      runWithNodeCrypto(verifyPathRoutine([certificate, certificate], {
        hostname: certificate.dnsNames[0]?.replace("*", "a"),
        anchors: [certificate],
        at: certificate.notBefore,
      }, new SignatureCache())),
  );
  if (path) outcome.verified++;
}

function mutate(originals: readonly Bytes[], seed: number): Outcome {
  const choice = random(seed);
  const outcome: Outcome = { parsed: 0, verified: 0, codes: new Map() };
  for (let left = MUTATIONS; left > 0; left--) {
    const mutated = choice.pick(MUTATORS)(
      choice.pick(originals),
      choice,
      originals,
    );
    const certificates = attempt(outcome, () => parseCertificates(mutated));
    if (!certificates) continue;
    assertEquals(certificates.length, 1);
    const [certificate] = certificates;
    // What was parsed is what was given, to the last bit.
    assertEquals(certificate.der.toHex(), mutated.toHex());
    outcome.parsed++;
    look(certificate, outcome);
  }
  return outcome;
}

/** The mutations must have got somewhere, or they show nothing. */
function assertVaried({ parsed, verified, codes }: Outcome): void {
  assert(parsed > MUTATIONS / 10, `${parsed}`);
  assert(verified > 100, `${verified}`);
  assert((codes.get("ERR_CERTPIN_CERTIFICATE_DER") ?? 0) > MUTATIONS / 10);
  assert(codes.size >= 8, `${[...codes.keys()]}`);
}

Deno.test("20,000 mutations of minted certificates give a certificate or a CertpinError", async () => {
  const originals: Bytes[] = [];
  for (const type of KEY_TYPES) {
    if (type.endsWith("4096") || type.endsWith("3072")) continue;
    const key = await sharedKey(type, "mutations");
    const { certificates } = await mintChain({
      hostnames: ["a.example", "*.b.example", "192.0.2.1"],
      root: { key },
      intermediates: [{
        key,
        nameConstraints: { permitted: [{ dns: "example" }] },
      }],
      leaf: {
        key,
        names: [{ email: "a@b.example" }, { uri: "https://a.example/" }],
      },
    });
    originals.push(...certificates.map(({ der }) => der));
  }
  assertVaried(mutate(originals, 1));
});

Deno.test({
  name:
    "20,000 mutations of real certificates give a certificate or a CertpinError",
  ignore: missingVectors(),
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
    const originals: Bytes[] = [];
    for (const file of files) {
      const bytes = await Deno.readFile(`${folder}/${file}`);
      for (const { der } of parseCertificates(bytes)) {
        originals.push(new Uint8Array(der));
      }
    }
    assertVaried(mutate(originals, 2));
  },
});
