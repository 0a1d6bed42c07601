import { assertEquals, assertThrows } from "@std/assert";
import { describeRuntime, requireRuntime } from "../../../src/tls/runtime.ts";
import { ConnectionError } from "../../../src/errors.ts";

const NODE = {
  process: {
    versions: { node: "22.19.0", uv: "1.51.0", openssl: "3.0.17" },
    release: { name: "node" },
  },
  navigator: { userAgent: "Node.js/22" },
};

function withVersions(versions: Record<string, string>) {
  return { process: { versions, release: { name: "node" } } };
}

/** What each is known as; `undefined` where it is refused. */
const SCOPES: readonly (readonly [string, object, string | undefined])[] = [
  ["Node 22.19", NODE, "node"],
  ["Node 26 without a navigator", {
    process: {
      ...NODE.process,
      versions: { ...NODE.process.versions, node: "26.0.0" },
    },
  }, "node"],
  ["Deno 2.8", withVersions({ deno: "2.8.0", node: "24.2.0" }), "deno"],
  ["Deno 3.0", withVersions({ deno: "3.0.0" }), "deno"],
  ["Bun 1.4", withVersions({ bun: "1.4.5", node: "26.3.0" }), "bun"],
  ["Node 22.18", {
    process: {
      ...NODE.process,
      versions: { ...NODE.process.versions, node: "22.18.0" },
    },
  }, undefined],
  ["Node 20", {
    process: {
      ...NODE.process,
      versions: { ...NODE.process.versions, node: "20.20.0" },
    },
  }, undefined],
  ["Deno 2.7", withVersions({ deno: "2.7.11" }), undefined],
  ["Bun 1.3", withVersions({ bun: "1.3.9" }), undefined],
  ["a version that is none", withVersions({ bun: "nightly" }), undefined],
  ["workerd", {
    ...withVersions({ node: "22.19.0" }),
    navigator: { userAgent: "Cloudflare-Workers" },
  }, undefined],
  ["workerd with all of Node's versions", {
    ...NODE,
    navigator: { userAgent: "Cloudflare-Workers" },
  }, undefined],
  ["Electron", {
    process: {
      ...NODE.process,
      versions: { ...NODE.process.versions, electron: "40.0.0" },
    },
  }, undefined],
  ["a browser", { navigator: { userAgent: "Mozilla/5.0" } }, undefined],
  ["nothing", {}, undefined],
];

for (const [name, scope, known] of SCOPES) {
  const words = known === undefined ? "is refused" : `is known as ${known}`;
  Deno.test(`${name} ${words}`, () => {
    if (known !== undefined) return assertEquals(requireRuntime(scope), known);
    const error = assertThrows(() => requireRuntime(scope), ConnectionError);
    assertEquals((error as ConnectionError).code, "ERR_CERTPIN_RUNTIME");
  });
}

Deno.test("this runtime is known", () => {
  assertEquals(requireRuntime(), "deno");
  assertEquals(describeRuntime()?.version, Deno.version.deno);
});
