import { assert, assertEquals } from "@std/assert";
import {
  MAX_JWS_HEADER_LENGTH,
  MAX_SIGNED_POLICY_BYTES,
  MAX_UPDATE_KEYS,
} from "../../../src/limits.ts";
import { parsePolicy } from "../../../src/policy/policy.ts";
import {
  verifySignedPolicy,
  type VerifySignedPolicyOptions,
} from "../../../src/updates/mod.ts";
import {
  AUDIENCE,
  codeOf,
  forge,
  goodClaims,
  inDays,
  keyPair,
  KEYS,
  part,
  pemOf,
  POLICY,
  signed,
} from "../../conformance/updates/scene.ts";

const verify = (
  text: string,
  options: Partial<VerifySignedPolicyOptions> = {},
) =>
  verifySignedPolicy(text, {
    keys: [KEYS.publicKey],
    audience: AUDIENCE,
    ...options,
  });

/** The code with which a text is refused; undefined where it is accepted. */
const refusal = (
  text: string,
  options: Partial<VerifySignedPolicyOptions> = {},
) => codeOf(() => verify(text, options));

const UPDATE = "ERR_CERTPIN_UPDATE_";

Deno.test("verifySignedPolicy() gives back what signPolicy() was told", async () => {
  const issuedAt = new Date(Date.now() - 1234);
  const expiresAt = new Date(Date.now() + 56_789);
  for (const policy of [POLICY, JSON.stringify(POLICY), parsePolicy(POLICY)]) {
    const text = await signed(
      { sequence: 7, issuedAt, expiresAt, keyId: "2026" },
      policy,
    );
    const result = await verify(`\n${text}\r\n`);
    assertEquals(result.sequence, 7);
    assertEquals(result.issuedAt, issuedAt);
    assertEquals(result.expiresAt, expiresAt);
    assertEquals(result.keyId, "2026");
    assertEquals(result.policy.toJSON(), parsePolicy(POLICY).toJSON());
    assert(Object.isFrozen(result));
  }
});

Deno.test("a signed policy is a compact JWS with a type of its own and RFC 7519 claims", async () => {
  const [header, payload] = (await signed()).split(".").map((one) =>
    atob(
      one.replaceAll("-", "+").replaceAll("_", "/") + "===".slice(
        (one.length + 3) % 4,
      ),
    )
  );
  assertEquals(JSON.parse(header), {
    alg: "Ed25519",
    typ: "certpin-policy+jws",
  });
  assertEquals(Object.keys(JSON.parse(payload)).sort(), [
    "aud",
    "exp",
    "iat",
    "policy",
    "sequence",
  ]);
});

for (const algorithm of ["Ed25519", "ES256"] as const) {
  Deno.test(`${algorithm} signs and verifies, with a CryptoKey and with PEM`, async () => {
    const pair = await keyPair(algorithm);
    const other = await keyPair(algorithm);
    for (const key of [pair.privateKey, await pemOf(pair.privateKey)]) {
      const text = await signed({ key });
      for (const right of [pair.publicKey, await pemOf(pair.publicKey)]) {
        assertEquals(await refusal(text, { keys: [right] }), undefined);
        assertEquals(
          await refusal(text, { keys: [other.publicKey, right] }),
          undefined,
        );
      }
      assertEquals(
        await refusal(text, { keys: [other.publicKey] }),
        UPDATE + "SIGNATURE",
      );
    }
  });
}

Deno.test("the key says the algorithm, whatever the header says", async () => {
  const p256 = await keyPair("ES256");
  const claims = goodClaims();
  const payload = part(claims);
  // As an attacker does who knows the public key: it becomes a shared secret.
  const spki = new Uint8Array(
    await crypto.subtle.exportKey("spki", p256.publicKey) as ArrayBuffer,
  );
  const raw = new Uint8Array(
    await crypto.subtle.exportKey("raw", p256.publicKey) as ArrayBuffer,
  );
  const pem = new TextEncoder().encode(await pemOf(p256.publicKey));
  for (const secret of [spki, raw, pem]) {
    const text = await forge(claims, { alg: "HS256" }, secret);
    assertEquals(
      await refusal(text, { keys: [p256.publicKey] }),
      UPDATE + "SIGNATURE",
    );
  }
  const typ = "certpin-policy+jws";
  for (const alg of ["none", "None", "NONE", "", "HS256", "RS256", "ES384"]) {
    for (const signature of ["", "AAAA"]) {
      const text = `${part({ alg, typ })}.${payload}.${signature}`;
      assertEquals(await refusal(text), UPDATE + "SIGNATURE", alg);
    }
  }
  // The right signature under the name of the other algorithm.
  const [, , signature] = (await forge(claims)).split(".");
  const swapped = `${part({ alg: "ES256", typ })}.${payload}.${signature}`;
  assertEquals(
    await refusal(swapped, { keys: [KEYS.publicKey, p256.publicKey] }),
    UPDATE + "SIGNATURE",
  );
  // Both names of Ed25519 are names of the same algorithm.
  for (const alg of ["Ed25519", "EdDSA"]) {
    assertEquals(await refusal(await forge(claims, { alg })), undefined);
  }
});

Deno.test("a key that the header brings along is not looked at", async () => {
  const own = await keyPair();
  const jwk = await crypto.subtle.exportKey("jwk", own.publicKey);
  const header = { jwk, jku: "https://evil.example/", kid: "../../key" };
  assertEquals(
    await refusal(await forge(goodClaims(), header, own.privateKey)),
    UPDATE + "SIGNATURE",
  );
  assertEquals(await refusal(await forge(goodClaims(), header)), undefined);
});

Deno.test("a header of another type, or with demands, is malformed", async () => {
  const refused = [
    { typ: "JWT" },
    { typ: undefined },
    { typ: ["certpin-policy+jws"] },
    { kid: 7 },
    { crit: ["b64"], b64: true },
  ];
  for (const header of refused) {
    assertEquals(
      await refusal(await forge(goodClaims(), header)),
      UPDATE + "MALFORMED",
      JSON.stringify(header),
    );
  }
  assertEquals(
    await refusal(await forge(goodClaims(), { kid: "7", cty: "x" })),
    undefined,
  );
});

Deno.test("a text that was cut anywhere is refused", async () => {
  const text = await signed();
  assertEquals(await refusal(text), undefined);
  const codes = new Set<string | undefined>();
  for (let end = 0; end < text.length; end++) {
    codes.add(await refusal(text.slice(0, end)));
  }
  assertEquals(codes, new Set([UPDATE + "MALFORMED", UPDATE + "SIGNATURE"]));
});

Deno.test("a text in which one character is changed is refused", async () => {
  const text = await signed();
  for (let at = 0; at < text.length; at += 7) {
    const changed = text[at] === "A" ? "E" : "A";
    const code = await refusal(
      text.slice(0, at) + changed + text.slice(at + 1),
    );
    assert(code?.startsWith(UPDATE), `${at}: ${code}`);
  }
});

Deno.test("what is no compact JWS is malformed", async () => {
  const text = await signed();
  const [header, payload, signature] = text.split(".");
  const wrong = [
    "",
    ".",
    "..",
    `.${payload}.${signature}`,
    `${header}..${signature}`,
    `${header}.${payload}`,
    `${text}.${signature}`,
    `${text} ${signature}`,
    `${text}=`,
    JSON.stringify({ payload, protected: header, signature }),
    `${part("{")}.${payload}.${signature}`,
    `${part("[]")}.${payload}.${signature}`,
    `${
      part({ alg: "Ed25519" }).padEnd(MAX_JWS_HEADER_LENGTH + 1, "A")
    }.${payload}.${signature}`,
  ];
  for (const one of wrong) {
    assertEquals(await refusal(one), UPDATE + "MALFORMED", one.slice(0, 80));
  }
  assertEquals(await refusal(text), undefined);
});

Deno.test("claims that say too little, or twice, are malformed", async () => {
  const good = goodClaims();
  const refused: Record<string, unknown>[] = [
    ...["iat", "exp", "sequence", "policy"].map((name) => ({
      ...good,
      [name]: undefined,
    })),
    { ...good, sequence: -1 },
    { ...good, sequence: 1.5 },
    { ...good, sequence: "1" },
    { ...good, sequence: 2 ** 53 },
    { ...good, iat: "2026-11-24T00:00:00Z" },
    { ...good, exp: 1e20 },
    { ...good, nbf: "soon" },
    { ...good, iat: good.exp },
    { ...good, policy: JSON.stringify(POLICY) },
    { ...good, policy: null },
    { ...good, policy: { ...POLICY, version: 2 } },
    { ...good, policy: { ...POLICY, host: {} } },
  ];
  for (const claims of refused) {
    assertEquals(
      await refusal(await forge(claims)),
      UPDATE + "MALFORMED",
      JSON.stringify(claims).slice(0, 120),
    );
  }
  const text = JSON.stringify(good);
  const texts = [
    `${text.slice(0, -1)},"sequence":9}`,
    text.replace('"hosts"', '"hosts":{},"hosts"'),
    `[${text}]`,
    "null",
    `${text}}`,
    `\ufeff${text}`,
  ];
  for (const one of texts) {
    assertEquals(await refusal(await forge(one)), UPDATE + "MALFORMED", one);
  }
  assertEquals(await refusal(await forge(text)), undefined);
  // Claims that are not ours are passed over (RFC 7519, section 4).
  assertEquals(
    await refusal(await forge({ ...good, iss: "me", jti: "1" })),
    undefined,
  );
});

Deno.test("a policy of another audience is refused", async () => {
  const code = UPDATE + "AUDIENCE";
  assertEquals(
    await refusal(await signed({ audience: "shop-app-beta" })),
    code,
  );
  assertEquals(await refusal(await signed(), { audience: "shop" }), code);
  for (const aud of [undefined, 1, {}, [], ["other"]]) {
    assertEquals(await refusal(await forge({ ...goodClaims(), aud })), code);
  }
  const aud = ["other", AUDIENCE];
  assertEquals(await refusal(await forge({ ...goodClaims(), aud })), undefined);
  assertEquals(await refusal(await signed()), undefined);
});

Deno.test("a signed policy is accepted from 5 minutes before it was issued until it expires", async () => {
  const issuedAt = new Date("2026-06-01T00:00:00Z");
  const expiresAt = new Date("2026-07-01T00:00:00Z");
  const text = await signed({ issuedAt, expiresAt });
  const at = (date: string) => refusal(text, { at: new Date(date) });
  assertEquals(await at("2026-05-31T23:54:59Z"), UPDATE + "NOT_YET_VALID");
  assertEquals(await at("2026-05-31T23:55:00Z"), undefined);
  assertEquals(await at("2026-06-30T23:59:59Z"), undefined);
  assertEquals(await at("2026-07-01T00:00:00Z"), UPDATE + "EXPIRED");
  assertEquals(await at("no date"), UPDATE + "EXPIRED");
  const nbf = Date.now() / 1000 + 3000;
  assertEquals(
    await refusal(await forge({ ...goodClaims(), nbf })),
    UPDATE + "NOT_YET_VALID",
  );
  assertEquals(
    await refusal(await forge({ ...goodClaims(), nbf: nbf - 3000 })),
    undefined,
  );
});

Deno.test("a sequence below the lowest to accept is a rollback", async () => {
  const text = await signed({ sequence: 6 });
  assertEquals(
    await refusal(text, { minimumSequence: 7 }),
    UPDATE + "ROLLBACK",
  );
  assertEquals(await refusal(text, { minimumSequence: 6 }), undefined);
});

Deno.test("the size is looked at before anything is parsed", async () => {
  const text = await signed();
  const long = text + "A".repeat(MAX_SIGNED_POLICY_BYTES + 1 - text.length);
  assertEquals(await refusal(long), UPDATE + "SIZE");
  // One character less, and the text itself is looked at.
  const code = await refusal(long.slice(0, -1));
  assert(code === UPDATE + "SIGNATURE" || code === UPDATE + "MALFORMED", code);
  const comment = "x".repeat(MAX_SIGNED_POLICY_BYTES / 2);
  const policy = (repeat: number) => {
    const notes = Array.from({ length: repeat }, () => comment);
    return { ...structuredClone(POLICY), "x-notes": notes } as typeof POLICY;
  };
  assertEquals(await codeOf(() => signed({}, policy(2))), UPDATE + "SIZE");
  assertEquals(await codeOf(() => signed({}, policy(1))), undefined);
});

Deno.test("keys that cannot be used are refused by name", async () => {
  const text = await signed();
  const FORMAT = "ERR_CERTPIN_KEY_FORMAT";
  const ALGORITHM = "ERR_CERTPIN_KEY_ALGORITHM";
  const p384 = await crypto.subtle.generateKey(
    { name: "ECDSA", namedCurve: "P-384" },
    true,
    ["sign", "verify"],
  );
  const hmac = await crypto.subtle.generateKey(
    { name: "HMAC", hash: "SHA-256" },
    true,
    ["sign", "verify"],
  );
  const publicPem = await pemOf(KEYS.publicKey);
  const privatePem = await pemOf(KEYS.privateKey);
  const cases: [unknown, string][] = [
    [p384.publicKey, ALGORITHM],
    [await pemOf(p384.publicKey), ALGORITHM],
    [hmac, ALGORITHM],
    [KEYS.privateKey, FORMAT],
    [privatePem, FORMAT],
    [publicPem + publicPem, FORMAT],
    [publicPem.slice(0, -10), FORMAT],
    ["key.pem", FORMAT],
    [{}, FORMAT],
    [undefined, FORMAT],
  ];
  for (const [key, code] of cases) {
    assertEquals(await refusal(text, { keys: [key as string] }), code);
  }
  assertEquals(await refusal(text, { keys: [publicPem] }), undefined);
  const signing: [unknown, string][] = [
    [p384.privateKey, ALGORITHM],
    [KEYS.publicKey, FORMAT],
    [publicPem, FORMAT],
  ];
  for (const [key, code] of signing) {
    assertEquals(await codeOf(() => signed({ key: key as string })), code);
  }
  assertEquals(await codeOf(() => signed({ key: privatePem })), undefined);
});

Deno.test("options of the wrong type are refused", async () => {
  const text = await signed();
  const many = Array.from(
    { length: MAX_UPDATE_KEYS + 1 },
    () => KEYS.publicKey,
  );
  for (
    const options of [
      { keys: [] },
      { keys: KEYS.publicKey as unknown as [] },
      { keys: many },
      { audience: "" },
      { audience: [AUDIENCE] as unknown as string },
      { at: "2026-11-24" as unknown as Date },
      { maxAge: 1 } as object,
    ]
  ) assertEquals(await refusal(text, options), "TypeError");
  assertEquals(await refusal(text, { minimumSequence: -1 }), "RangeError");
  assertEquals(
    await refusal(text, { keys: many.slice(1), minimumSequence: 1 }),
    undefined,
  );
  for (
    const options of [
      { audience: "" },
      { expiresAt: "2027-01-01" as unknown as Date },
      { expiresAt: new Date(NaN) },
      { issuedAt: new Date(NaN) },
      { keyId: 1 as unknown as string },
      { expires: inDays(1) } as object,
    ]
  ) assertEquals(await codeOf(() => signed(options)), "TypeError");
  for (
    const options of [
      { sequence: -1 },
      { sequence: 0.5 },
      { sequence: NaN },
      { expiresAt: inDays(-1) },
    ]
  ) assertEquals(await codeOf(() => signed(options)), "RangeError");
  assertEquals(
    await codeOf(() =>
      signed({}, { version: 1, host: {} } as unknown as typeof POLICY)
    ),
    "ERR_CERTPIN_POLICY_INVALID",
  );
});
