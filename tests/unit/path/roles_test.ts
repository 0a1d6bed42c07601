/** Roles on a path, and which paths are offered. */
import { assertEquals } from "@std/assert";
import { runWithWebCrypto } from "../../../src/crypto/webcrypto.ts";
import { canonicalHost } from "../../../src/host.ts";
import { DEFAULT_LIMITS } from "../../../src/limits.ts";
import { anchorStore } from "../../../src/path/anchors.ts";
import { type FoundPath, searchPaths } from "../../../src/path/search.ts";
import { SignatureCache } from "../../../src/path/signature.ts";
import {
  mintCertificate,
  type MintedCertificate,
} from "../../../src/testing/mod.ts";
import { HOSTNAME, parsed } from "./support.ts";

const root = await mintCertificate({ subject: "root", ca: true });
const other = await mintCertificate({ subject: "other root", ca: true });
const cross = await mintCertificate({
  subject: "root",
  ca: true,
  key: root.key,
  issuer: other,
});
const intermediate = await mintCertificate({
  subject: "intermediate",
  ca: true,
  issuer: root,
});
const leaf = await mintCertificate({
  issuer: intermediate,
  hostnames: [HOSTNAME],
});

/** Every path that is offered, as its roles. */
async function rolesOf(
  chain: readonly MintedCertificate[],
  anchors: readonly MintedCertificate[],
  mayEndEarly = false,
): Promise<string[]> {
  const offered: FoundPath[] = [];
  const result = await runWithWebCrypto(searchPaths(
    {
      chain: parsed(chain),
      intermediates: [],
      anchors: anchorStore(parsed(anchors)),
      mayEndEarly,
      host: canonicalHost(HOSTNAME),
      at: Date.now(),
      limits: DEFAULT_LIMITS,
      signatures: new SignatureCache(),
    },
    // deno-lint-ignore require-yield -- it looks at no digests
    function* (path) {
      offered.push(path);
      return undefined;
    },
  ));
  assertEquals(result.paths, offered.length);
  assertEquals(result.error === undefined, offered.length > 0);
  return offered.map(({ roles, anchored }) =>
    `${roles.join(" ")}${anchored ? "" : " …"}`
  );
}

Deno.test("a path has a leaf, intermediates and a root", async () => {
  assertEquals(await rolesOf([leaf, intermediate], [root]), [
    "leaf intermediate root",
  ]);
});

Deno.test("a cross-signed root is a root where its key is an anchor's, and an intermediate where not", async () => {
  const chain = [leaf, intermediate, cross];
  assertEquals(await rolesOf(chain, [root, other]), [
    "leaf intermediate root",
    "leaf intermediate root root",
  ]);
  assertEquals(await rolesOf(chain, [other]), [
    "leaf intermediate intermediate root",
  ]);
});

Deno.test("an anchor in the middle ends a path, and is a root on those that go on", async () => {
  assertEquals(await rolesOf([leaf], [intermediate]), ["leaf root"]);
  assertEquals(await rolesOf([leaf, intermediate], [intermediate, root]), [
    "leaf root",
    "leaf root root",
  ]);
});

Deno.test("a leaf that is an anchor is a leaf", async () => {
  assertEquals(await rolesOf([leaf], [leaf]), ["leaf"]);
  assertEquals(await rolesOf([leaf], [other]), []);
});

Deno.test("a CA serves only where it is an anchor itself", async () => {
  const server = await mintCertificate({
    subject: "server",
    ca: true,
    keyUsage: ["digitalSignature", "keyCertSign"],
    hostnames: [HOSTNAME],
    issuer: root,
  });
  assertEquals(await rolesOf([server], [server]), ["leaf"]);
  assertEquals(await rolesOf([server], [root]), []);
});

Deno.test("a path ends early where it may, and only where nothing leads on", async () => {
  const none: MintedCertificate[] = [];
  assertEquals(await rolesOf([leaf, intermediate], none, true), [
    "leaf intermediate …",
  ]);
  assertEquals(await rolesOf([leaf, intermediate, root], none, true), [
    "leaf intermediate root …",
  ]);
  assertEquals(await rolesOf([leaf, intermediate], [root], true), [
    "leaf intermediate root",
  ]);
  assertEquals(await rolesOf([leaf, intermediate], none, false), []);
});

Deno.test("a leaf with its issuer's name and key is no circle where it has names of its own", async () => {
  const server = (hostnames: readonly string[]) =>
    mintCertificate({
      subject: "intermediate",
      key: intermediate.key,
      issuer: intermediate,
      hostnames,
    });
  const chain = [await server([HOSTNAME]), intermediate];
  assertEquals(await rolesOf(chain, [root]), ["leaf intermediate root"]);
  // The issuer comes once, however often it is presented.
  assertEquals(await rolesOf([...chain, intermediate], [root]), [
    "leaf intermediate root",
  ]);
  const authority = await mintCertificate({
    subject: "intermediate",
    key: intermediate.key,
    ca: true,
    hostnames: [HOSTNAME],
    issuer: root,
  });
  const circle = [await server([HOSTNAME]), authority];
  assertEquals(await rolesOf(circle, [root]), []);
});
