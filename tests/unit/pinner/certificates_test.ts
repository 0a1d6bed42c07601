import {
  assert,
  assertEquals,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { runWithNodeCrypto } from "../../../src/tls/node_crypto.ts";
import type { Bytes } from "../../../src/crypto/routine.ts";
import {
  CertificateError,
  LimitError,
  PathError,
} from "../../../src/errors.ts";
import {
  MAX_CACHED_CERTIFICATES,
  MAX_CACHED_CERTIFICATES_BYTES,
  MAX_CERTIFICATE_BYTES,
  MAX_CHAIN_VALUES,
} from "../../../src/limits.ts";
import { CertificateCache } from "../../../src/pinner/certificates.ts";
import { fingerprintRoutine } from "../../../src/pins/fingerprint.ts";
import { mintCertificate } from "../../../src/testing/mod.ts";
import { recordOf } from "../../../src/x509/certificate.ts";
import { ask, minted, peerOf, pinnerOf } from "./scene.ts";

const [leaf, intermediate] = minted.chain;
const parse = (cache: CertificateCache, ...ders: Bytes[]) =>
  runWithNodeCrypto(cache.parse(ders.map((der) => der.slice()))).certificates;

/** The leaf again and again, each time with another signature. */
function variants(count: number): Bytes[] {
  return Array.from({ length: count }, (_, at) => {
    const der = leaf.slice();
    der[der.length - 1] ^= at & 255;
    der[der.length - 2] ^= at >> 8;
    return der;
  });
}

Deno.test("a certificate is parsed once for its bytes, and hashed with them", () => {
  const cache = new CertificateCache();
  const [first, second] = parse(cache, leaf, intermediate);
  const [again, twice] = parse(cache, leaf, leaf);
  assertStrictEquals(again, first);
  assertStrictEquals(twice, first);
  assert(first !== second);
  assertEquals([cache.parsed, cache.size], [2, 2]);
  assert(fingerprintRoutine(first, "certificate", "sha256").next().done);
  assertEquals(fingerprintRoutine(first, "spki", "sha256").next().done, false);
});

Deno.test("the cache of certificates is bounded, and drops the least recently used", () => {
  const cache = new CertificateCache();
  const all = variants(MAX_CACHED_CERTIFICATES);
  for (const one of all) parse(cache, one);
  parse(cache, all[0]);
  assertEquals([cache.parsed, cache.size], [all.length, all.length]);
  parse(cache, intermediate);
  assertEquals(cache.size, MAX_CACHED_CERTIFICATES);
  parse(cache, all[0]);
  assertEquals(cache.parsed, all.length + 1);
  parse(cache, all[1]);
  assertEquals(cache.parsed, all.length + 2);
});

Deno.test("the cache of certificates is bounded by bytes too, so that large ones cannot fill the memory", async () => {
  const cache = new CertificateCache();
  const value = new Uint8Array(60_000);
  const { der } = await mintCertificate({
    extraExtensions: [{ oid: "1.2.3.4", value }],
  });
  const most = Math.floor(MAX_CACHED_CERTIFICATES_BYTES / der.length);
  for (let at = 0; at < most; at++) {
    const one = der.slice();
    one[one.length - 1] ^= at;
    parse(cache, one);
  }
  assertEquals([cache.size, cache.bytes], [most, most * der.length]);
  const last = der.slice();
  last[last.length - 1] ^= 255;
  parse(cache, last);
  assertEquals([cache.size, cache.bytes], [most, most * der.length]);
  assert(cache.bytes <= MAX_CACHED_CERTIFICATES_BYTES);
  parse(cache, der);
  assertEquals(cache.parsed, most + 2);
});

Deno.test("a chain has as many DER values as are allowed, and not one more, known or not", () => {
  const cache = new CertificateCache();
  const [parsed] = parse(cache, leaf);
  const { values } = recordOf(parsed);
  const most = Math.floor(MAX_CHAIN_VALUES / values);
  assertEquals(parse(cache, ...new Array(most).fill(leaf)).length, most);
  for (let round = 0; round < 2; round++) {
    const error = assertThrows(
      () => parse(cache, ...new Array(most + 1).fill(leaf)),
      LimitError,
    );
    assertEquals(error.code, "ERR_CERTPIN_LIMIT_CHAIN_LENGTH");
  }
  assertEquals(cache.parsed, 1);
});

Deno.test("what cannot be parsed is not kept", () => {
  const cache = new CertificateCache();
  for (let round = 0; round < 2; round++) {
    const error = assertThrows(
      () => parse(cache, leaf.slice(1) as Bytes),
      CertificateError,
    );
    assertEquals(error.code, "ERR_CERTPIN_CERTIFICATE_DER");
  }
  assertEquals(cache.size, 0);
});

Deno.test("what cannot be read above the leaf is left out, and said where no path is found", async () => {
  const odd = Uint8Array.of(0x30, 0x80, 0, 0);
  assertEquals(await ask(undefined, { chain: minted.chain }), "allow pinned");
  for (const chain of [[leaf, odd, intermediate], [leaf, intermediate, odd]]) {
    assertEquals(await ask(undefined, { chain }), "allow pinned");
  }
  // The leaf, and what a path needs, must be read.
  assertEquals(
    await ask(undefined, { chain: [odd, intermediate] }),
    "block invalid-chain CERTIFICATE_DER",
  );
  const broken = new Uint8Array([...intermediate, 0]);
  const { error } = await pinnerOf().check(peerOf({ chain: [leaf, broken] }));
  assert(error instanceof PathError);
  assertEquals(error.code, "ERR_CERTPIN_PATH_NO_ISSUER");
  assertEquals(error.rule, "no-issuer");
  assert(error.message.includes("1 cannot be read"));
  // A limit is no defect of one certificate: it ends the check.
  const huge = new Uint8Array(MAX_CERTIFICATE_BYTES + 1);
  assertEquals(
    await ask(undefined, { chain: [leaf, intermediate, huge] }),
    "block invalid-chain LIMIT_CERTIFICATE_SIZE",
  );
});
