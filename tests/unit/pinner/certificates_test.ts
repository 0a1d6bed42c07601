import {
  assert,
  assertEquals,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { runWithNodeCrypto } from "../../../src/adapters/node_crypto.ts";
import type { Bytes } from "../../../src/crypto/steps.ts";
import { CertificateError } from "../../../src/errors.ts";
import { MAX_CACHED_CERTIFICATES } from "../../../src/limits.ts";
import { CertificateCache } from "../../../src/pinner/certificates.ts";
import { fingerprintSteps } from "../../../src/pins/fingerprint.ts";
import { minted } from "./scene.ts";

const [leaf, intermediate] = minted.chain;
const parse = (cache: CertificateCache, ...ders: Bytes[]) =>
  runWithNodeCrypto(cache.parse(ders.map((der) => der.slice())));

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
  assert(fingerprintSteps(first, "certificate", "sha256").next().done);
  assertEquals(fingerprintSteps(first, "spki", "sha256").next().done, false);
});

Deno.test("the cache of certificates is bounded, and drops the least recently used", () => {
  const cache = new CertificateCache();
  const all = variants(MAX_CACHED_CERTIFICATES);
  parse(cache, ...all);
  parse(cache, all[0]);
  assertEquals([cache.parsed, cache.size], [all.length, all.length]);
  parse(cache, intermediate);
  assertEquals(cache.size, MAX_CACHED_CERTIFICATES);
  parse(cache, all[0]);
  assertEquals(cache.parsed, all.length + 1);
  parse(cache, all[1]);
  assertEquals(cache.parsed, all.length + 2);
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
