import {
  assert,
  assertEquals,
  assertNotEquals,
  assertRejects,
} from "@std/assert";
import { encodeBase64 } from "@std/encoding/base64";
import { ERROR_CODES } from "../../../src/errors.ts";
import type { PolicyDocument } from "../../../src/policy/document.ts";
import { ATTACK_NAMES, mintAttacks } from "../../../src/testing/mod.ts";
import { readPemCertificates } from "../../../src/x509/pem.ts";

const attacks = await mintAttacks({ hostname: "api.example.com" });

Deno.test("mintAttacks() mints every attack once, in the order of its names", () => {
  assertEquals(attacks.map(({ name }) => name), [...ATTACK_NAMES]);
  assertEquals(new Set(ATTACK_NAMES).size, ATTACK_NAMES.length);
  assert(ATTACK_NAMES.length >= 60);
  for (const { name, description, codes } of attacks) {
    assert(/^[a-z0-9-]+$/.test(name), name);
    assert(/^[A-Z].*\.$/.test(description), description);
    assert(codes.length > 0 && codes.every((c) => ERROR_CODES.includes(c)));
  }
});

Deno.test("mintAttacks() gives the same chain as DER and as PEM, with its key and its policy", () => {
  for (const { name, attack, control } of attacks) {
    for (const side of [attack, control]) {
      side.policy satisfies PolicyDocument;
      assertEquals(Object.keys(side.policy.hosts), [side.hostname], name);
      assert(side.policy.hosts[side.hostname].pins.length > 0, name);
      assertEquals(
        readPemCertificates(side.pem).map(encodeBase64),
        side.chain.map(encodeBase64),
        name,
      );
      assertEquals(
        readPemCertificates(side.ca).map(encodeBase64),
        side.anchors.map(encodeBase64),
        name,
      );
      assert(side.keyPem.startsWith("-----BEGIN PRIVATE KEY-----"), name);
    }
  }
});

Deno.test("mintAttacks() makes attack and control differ in something", () => {
  for (const { name, attack, control } of attacks) {
    assertNotEquals(
      [attack.chain, attack.anchors, attack.hostname, attack.policy],
      [control.chain, control.anchors, control.hostname, control.policy],
      name,
    );
  }
});

Deno.test("mintAttacks() mints only what it is asked for, and refuses what it does not know", async () => {
  const only = ["expired-leaf", "unknown-root"];
  const minted = await mintAttacks({ only });
  assertEquals(minted.map(({ name }) => name).sort(), only);
  assertEquals(await mintAttacks({ only: [] }), []);
  await assertRejects(
    () => mintAttacks({ only: ["expired-leaf", "no-such-attack"] }),
    RangeError,
  );
});
