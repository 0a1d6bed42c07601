import { assertEquals } from "@std/assert";
import {
  type LinkedCertificate,
  presentedChain,
} from "../../../src/tls/chain.ts";
import { MAX_WALKED_CERTIFICATES } from "../../../src/limits.ts";

type Link = { raw?: Uint8Array; issuerCertificate?: Link };

function bytesOf(chain: readonly Uint8Array[]): number[] {
  return chain.map(([first]) => first);
}

Deno.test("presentedChain() follows the links from the leaf", () => {
  const root: Link = { raw: new Uint8Array([3]) };
  const middle: Link = { raw: new Uint8Array([2]), issuerCertificate: root };
  const leaf: Link = { raw: new Uint8Array([1]), issuerCertificate: middle };
  assertEquals(bytesOf(presentedChain(leaf)), [1, 2, 3]);
});

Deno.test("presentedChain() ends at a root that names itself, and in any cycle", () => {
  const root: Link = { raw: new Uint8Array([2]) };
  root.issuerCertificate = root;
  const leaf: Link = { raw: new Uint8Array([1]), issuerCertificate: root };
  assertEquals(bytesOf(presentedChain(leaf)), [1, 2]);
  root.issuerCertificate = leaf;
  assertEquals(bytesOf(presentedChain(leaf)), [1, 2]);
});

Deno.test("presentedChain() stops at its limit", () => {
  const endless = (): Link => ({
    raw: new Uint8Array([1]),
    get issuerCertificate() {
      return endless();
    },
  });
  assertEquals(presentedChain(endless()).length, MAX_WALKED_CERTIFICATES);
});

Deno.test("presentedChain() is empty where nothing is shown", () => {
  for (const leaf of [null, {}, { raw: undefined }, { raw: "text" }]) {
    assertEquals(presentedChain(leaf as LinkedCertificate), []);
  }
});

Deno.test("presentedChain() copies the bytes", () => {
  const raw = new Uint8Array([1]);
  const [copy] = presentedChain({ raw });
  raw[0] = 9;
  assertEquals(bytesOf([copy]), [1]);
});
