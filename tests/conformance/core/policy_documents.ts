/** Policy documents, good and bad: what parser and schema must say of each. */
import { encodeBase64 } from "@std/encoding/base64";
import { encodeHex } from "@std/encoding/hex";
import type { PolicyErrorCode } from "../../../src/errors.ts";
import { mintChain, type MintedChain } from "../../../src/testing/mod.ts";

const digest = (length: number) => Uint8Array.from({ length }, (_, at) => at);
export const PIN = `sha256/${encodeBase64(digest(32))}`;
export const HEX = encodeHex(digest(32));
export const OTHER_PIN = "sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";

/** A document with one host of that name and entry. */
export function hostDocument(
  entry: unknown,
  hostname = "api.example.com",
): Record<string, unknown> {
  return { version: 1, hosts: { [hostname]: entry } };
}

/** A document with that one pin, or the pins given. */
export function pinDocument(...pins: unknown[]): Record<string, unknown> {
  return hostDocument({ pins });
}

const INVALID = "ERR_CERTPIN_POLICY_INVALID";
const HOST = "/hosts/api.example.com";

/** What is wrong with a document. */
export type Expected = readonly [pointer: string, code: PolicyErrorCode];

const invalid = (...pointers: string[]): readonly Expected[] =>
  pointers.map((pointer) => [pointer, INVALID]);

/** The table. */
export interface Documents {
  /** The chain whose certificates stand in it. */
  readonly minted: MintedChain;
  /** Accepted by parser and schema. */
  readonly good: readonly (readonly [name: string, document: unknown])[];
  /** Refused by parser and schema. */
  readonly bad: readonly (readonly [
    name: string,
    document: unknown,
    problems: readonly Expected[],
  ])[];
  /** Refused by the parser, for what no schema can see. */
  readonly beyondSchema: Documents["bad"];
}

/** Makes the table; its certificates are minted anew. */
export async function makeDocuments(): Promise<Documents> {
  const minted = await mintChain({ hostnames: ["api.example.com"] });
  const PEM = minted.leaf.pem;
  const good: Documents["good"] = [
    ["the smallest", pinDocument(PIN)],
    ["no host at all", { version: 1, hosts: {} }],
    ["all that can be said", {
      $schema: "./certpin.schema.json",
      version: 1,
      unlisted: "allow",
      rootOnly: "deny",
      certificates: [PEM, minted.pem],
      accept: [
        {
          code: "report-only",
          pointer: "/hosts/api.example.com/mode",
          reason: "until June",
          "x-by": "ops",
        },
        { code: "no-hosts", pointer: "", reason: "\u2026" },
      ],
      "x-note": { anything: [1, null, true] },
      hosts: {
        "api.example.com": {
          includeSubdomains: true,
          mode: "report-only",
          require: "each-role",
          expiresAt: "2027-06-01T00:00:00Z",
          onExpiry: "allow",
          "x-owner": "ops",
          pins: [
            PIN,
            {
              pin: OTHER_PIN,
              role: "intermediate",
              comment: "next",
              "x-id": 7,
            },
            { certificate: PEM, of: "certificate", role: "leaf", comment: "" },
            { certificate: PEM },
          ],
        },
      },
    }],
    [
      "every role",
      pinDocument(
        ...["leaf", "intermediate", "root", "ca"].map((role) => ({
          pin: PIN,
          role,
        })),
      ),
    ],
    [
      "every dialect of pins",
      pinDocument(
        `spki:${PIN}`,
        `certificate:${PIN}`,
        PIN.replace("/", "//"),
        PIN.replace("/", "-"),
        `pin-sha256="${PIN.slice(7)}"`,
        `sha384/${encodeBase64(digest(48))}`,
        `sha512/${encodeBase64(digest(64))}`,
        `sha384-${encodeBase64(digest(48))}`,
        `sha512-${encodeBase64(digest(64))}`,
        `spki:sha256:${HEX}`,
        `certificate:sha256:${HEX.toUpperCase().match(/../g)!.join(":")}`,
        `spki:sha384:${encodeHex(digest(48))}`,
        `spki:sha512:${encodeHex(digest(64))}`,
        `3 1 1 ${HEX}`,
        `2 0 2 ${encodeHex(digest(64))}`,
      ),
    ],
    [
      "a role said by a TLSA usage",
      hostDocument({
        require: "each-role",
        pins: [`2 1 1 ${HEX}`],
      }),
    ],
    [
      "a role said twice alike",
      pinDocument(
        { pin: `2 1 1 ${HEX}`, role: "root" },
        { pin: `3 1 1 ${HEX}`, role: "leaf" },
      ),
    ],
    ["many kinds of hosts", {
      version: 1,
      hosts: Object.fromEntries(
        [
          ...[
            "localhost",
            "EXAMPLE.com.",
            "*.example.com",
            "b\u00fccher.example",
          ],
          ...["a\u3002b.example", "127.0.0.1", "::1", "[2001:DB8::1]", "_a.b"],
          ...["x-api.example.com", "__proto__", "constructor"],
        ].map((name) => [name, { pins: [PIN] }]),
      ),
    }],
    [
      "an IP address that says it has no subdomains",
      hostDocument(
        { includeSubdomains: false, pins: [PIN] },
        "::1",
      ),
    ],
    [
      "a wildcard that says it is one level deep",
      hostDocument(
        { includeSubdomains: false, pins: [PIN] },
        "*.example.com",
      ),
    ],
    ...[
      "2027-06-01T00:00:00+02:00",
      "2028-02-29T23:59:59.123456789Z",
      "0001-01-01T00:00:00.5-00:00",
    ].map((expiresAt) =>
      [
        `expires ${expiresAt}`,
        hostDocument({ expiresAt, pins: [PIN] }),
      ] as const
    ),
  ];

  const bad: Documents["bad"] = [
    ["null", null, invalid("")],
    ["a list", [], invalid("")],
    ["a number", 1, invalid("")],
    ["nothing said", {}, invalid("/version", "/hosts")],
    ["another version", { version: 2, hosts: {} }, invalid("/version")],
    ["the version as text", { version: "1", hosts: {} }, invalid("/version")],
    ["no hosts", { version: 1 }, invalid("/hosts")],
    ["hosts as a list", { version: 1, hosts: [] }, invalid("/hosts")],
    [
      "unknown keys on every level",
      {
        version: 1,
        host: {},
        X: 1,
        hosts: {
          "api.example.com": { pin: PIN, pins: [{ pin: PIN, rol: "leaf" }] },
        },
      },
      invalid("/host", "/X", `${HOST}/pin`, `${HOST}/pins/0/rol`),
    ],
    [
      "keys that are reserved",
      {
        version: 1,
        accept: [],
        maxAgeWithoutUpdate: 1,
        hosts: {
          "api.example.com": {
            accept: [],
            maxAgeWithoutUpdate: 1,
            pins: [PIN],
          },
        },
      },
      invalid(
        "/accept",
        "/maxAgeWithoutUpdate",
        `${HOST}/accept`,
        `${HOST}/maxAgeWithoutUpdate`,
      ),
    ],
    [
      "acceptances that are none",
      {
        version: 1,
        hosts: {},
        accept: [
          "root-only",
          {},
          { code: "root-onyl", pointer: "", reason: "r" },
          { code: "root-only", pointer: "hosts", reason: "r" },
          { code: "root-only", pointer: "/~2", reason: "r" },
          { code: "root-only", pointer: "", reason: " " },
          { code: 1, pointer: "", reason: "r", by: "ops" },
        ],
      },
      invalid(
        "/accept/0",
        ...["/accept/1/code", "/accept/1/pointer", "/accept/1/reason"],
        "/accept/2/code",
        ...["/accept/3/pointer", "/accept/4/pointer", "/accept/5/reason"],
        ...["/accept/6/by", "/accept/6/code"],
      ),
    ],
    [
      "acceptances in no list",
      { version: 1, hosts: {}, accept: {} },
      invalid("/accept"),
    ],
    ["first-use", hostDocument({ pins: "first-use" }), invalid(`${HOST}/pins`)],
    [
      "words that are none",
      {
        version: 1,
        $schema: 1,
        unlisted: "warn",
        rootOnly: "allow",
        hosts: {
          "api.example.com": {
            mode: "enforced",
            require: "all",
            onExpiry: true,
            includeSubdomains: "yes",
            pins: [{ pin: PIN, role: "Leaf", comment: 1 }],
          },
        },
      },
      invalid(
        "/$schema",
        "/unlisted",
        "/rootOnly",
        `${HOST}/mode`,
        `${HOST}/require`,
        `${HOST}/onExpiry`,
        `${HOST}/includeSubdomains`,
        `${HOST}/pins/0/role`,
        `${HOST}/pins/0/comment`,
      ),
    ],
    ["a host without pins", hostDocument({}), invalid(`${HOST}/pins`)],
    ["no pins", hostDocument({ pins: [] }), invalid(`${HOST}/pins`)],
    [
      "a pin beside the list",
      hostDocument({ pins: PIN }),
      invalid(`${HOST}/pins`),
    ],
    ["a host as a list", hostDocument([PIN]), invalid(HOST)],
    ["a host that is null", hostDocument(null), invalid(HOST)],
    ["a pin that is a number", pinDocument(1), invalid(`${HOST}/pins/0`)],
    ["a pin that is null", pinDocument(PIN, null), invalid(`${HOST}/pins/1`)],
    [
      "a pin object without pin",
      pinDocument({ role: "leaf" }),
      invalid(`${HOST}/pins/0`),
    ],
    [
      "pin and certificate at once",
      pinDocument({ pin: PIN, certificate: PEM }),
      invalid(`${HOST}/pins/0`),
    ],
    [
      "a pin of the wrong type",
      pinDocument({ pin: 1 }),
      invalid(`${HOST}/pins/0/pin`),
    ],
    [
      "of beside a pin",
      pinDocument({ pin: PIN, of: "certificate" }),
      invalid(`${HOST}/pins/0/of`),
    ],
    [
      "of that is none",
      pinDocument({ certificate: PEM, of: "key" }),
      invalid(`${HOST}/pins/0/of`),
    ],
    [
      "pins that cannot match",
      pinDocument(PIN, "sha256/AAAA", { pin: `sha256:${HEX}` }, "sha1/AAAA", {
        pin: "md5/AAAA",
      }),
      [
        [`${HOST}/pins/1`, "ERR_CERTPIN_PIN_INVALID"],
        [`${HOST}/pins/2/pin`, "ERR_CERTPIN_PIN_INVALID"],
        [`${HOST}/pins/3`, "ERR_CERTPIN_PIN_HASH"],
        [`${HOST}/pins/4/pin`, "ERR_CERTPIN_PIN_HASH"],
      ],
    ],
    [
      "certificates that are none",
      {
        version: 1,
        certificates: ["hello", 1],
        hosts: {
          "api.example.com": {
            pins: [{ certificate: "hello" }, { certificate: [PEM] }],
          },
        },
      },
      invalid(
        "/certificates/0",
        "/certificates/1",
        `${HOST}/pins/0/certificate`,
        `${HOST}/pins/1/certificate`,
      ),
    ],
    [
      "certificates as text",
      { version: 1, certificates: PEM, hosts: {} },
      invalid("/certificates"),
    ],
    [
      "hosts that are none",
      {
        version: 1,
        hosts: Object.fromEntries(
          [
            ...[
              "api.example.com:443",
              "*",
              "a.*.example",
              "**.example.com",
              "",
            ],
            ...[
              "https://example.com",
              "[::1]:443",
              "127.0.0.1:443",
              "a b",
              "*.",
              "fe80::1%1",
            ],
          ].map((name) => [name, { pins: [PIN] }]),
        ),
      },
      [
        ...["api.example.com:443", "*", "a.*.example", "**.example.com", ""],
        ...[
          "https:~1~1example.com",
          "[::1]:443",
          "127.0.0.1:443",
          "a b",
          "*.",
          "fe80::1%1",
        ],
      ].map((name) => [`/hosts/${name}`, "ERR_CERTPIN_HOST_INVALID"]),
    ],
    [
      "a wildcard with includeSubdomains",
      hostDocument({ includeSubdomains: true, pins: [PIN] }, "*.example.com"),
      invalid("/hosts/*.example.com/includeSubdomains"),
    ],
    [
      "addresses with includeSubdomains",
      {
        version: 1,
        hosts: {
          "127.0.0.1": { includeSubdomains: true, pins: [PIN] },
          "[::1]": { includeSubdomains: true, pins: [PIN] },
        },
      },
      invalid(
        "/hosts/127.0.0.1/includeSubdomains",
        "/hosts/[::1]/includeSubdomains",
      ),
    ],
    [
      "each-role without a role",
      hostDocument({ require: "each-role", pins: [PIN, { certificate: PEM }] }),
      invalid(`${HOST}/require`),
    ],
    ...[
      ...[
        "2027-06-01",
        "2027-06-01T00:00:00",
        "2027-06-01 00:00:00Z",
        "soon",
        "",
      ],
      ...[
        "2027-13-01T00:00:00Z",
        "2027-00-01T00:00:00Z",
        "2027-06-00T00:00:00Z",
      ],
      ...[
        "2027-06-32T00:00:00Z",
        "2027-06-01T24:00:00Z",
        "2027-06-01T00:60:00Z",
      ],
      ...[
        "2027-06-01T00:00:60Z",
        "2027-06-01T00:00:00.Z",
        "2027-06-01T00:00:00+24:00",
      ],
      ...[
        "2027-06-01T00:00:00+0200",
        "+002027-06-01T00:00:00Z",
        "Tue, 01 Jun 2027",
      ],
      ...[
        "2027-06-01t00:00:00z",
        " 2027-06-01T00:00:00Z",
        1_800_000_000_000,
        null,
      ],
    ].map((expiresAt) =>
      [
        `expires ${expiresAt}`,
        hostDocument({ expiresAt, pins: [PIN] }),
        invalid(`${HOST}/expiresAt`),
      ] as const
    ),
  ];

  const beyondSchema: Documents["bad"] = [
    [
      "hosts equal after canonicalisation",
      {
        version: 1,
        hosts: Object.fromEntries(
          [
            ...[
              "example.com",
              "EXAMPLE.com.",
              "::1",
              "[0::1]",
              "*.b\u00fccher.de",
            ],
            ...["*.XN--BCHER-KVA.de", "a.b", "a\u3002b"],
          ].map((name) => [name, { pins: [PIN] }]),
        ),
      },
      ["EXAMPLE.com.", "[0::1]", "*.XN--BCHER-KVA.de", "a\u3002b"].map((
        name,
      ) => [`/hosts/${name}`, "ERR_CERTPIN_HOST_INVALID"]),
    ],
    [
      "hosts that look like some",
      {
        version: 1,
        hosts: Object.fromEntries(
          ["a..b", "xn--a", "127.1", "*.127.0.0.1", "a".repeat(64)].map((
            name,
          ) => [name, { pins: [PIN] }]),
        ),
      },
      ["a..b", "xn--a", "127.1", "*.127.0.0.1", "a".repeat(64)].map((
        name,
      ) => [`/hosts/${name}`, "ERR_CERTPIN_HOST_INVALID"]),
    ],
    [
      "base64 with stray bits",
      pinDocument(PIN.replace(/.=$/, "9=")),
      [[`${HOST}/pins/0`, "ERR_CERTPIN_PIN_INVALID"]],
    ],
    [
      "a role that contradicts a TLSA usage",
      pinDocument(
        { pin: `3 1 1 ${HEX}`, role: "ca" },
        { pin: `0 1 1 ${HEX}`, role: "leaf" },
      ),
      invalid(`${HOST}/pins/0/role`, `${HOST}/pins/1/role`),
    ],
    [
      "a certificate that cannot be read",
      pinDocument({ certificate: PEM.replace(/M/, "N") }),
      invalid(`${HOST}/pins/0/certificate`),
    ],
    [
      "two certificates for one pin",
      pinDocument({ certificate: minted.pem }),
      invalid(`${HOST}/pins/0/certificate`),
    ],
    [
      "days that do not exist",
      {
        version: 1,
        hosts: {
          a: { expiresAt: "2027-02-29T00:00:00Z", pins: [PIN] },
          b: { expiresAt: "2027-06-31T00:00:00Z", pins: [PIN] },
        },
      },
      invalid("/hosts/a/expiresAt", "/hosts/b/expiresAt"),
    ],
  ];
  return { minted, good, bad, beyondSchema };
}
