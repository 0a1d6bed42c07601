/** Hostile chains: whatever they make of themselves, the work is bounded. */
import { assert, assertEquals } from "@std/assert";
import { DEFAULT_LIMITS } from "../../../src/limits.ts";
import { SignatureCache } from "../../../src/path/signature.ts";
import {
  objectIdentifier,
  sequence,
  setOfOne,
  tlv,
} from "../../../src/testing/der_writer.ts";
import {
  type GeneralName,
  mintCertificate,
  mintChain,
  type MintedCertificate,
  mintKey,
  sharedKey,
} from "../../../src/testing/mod.ts";
import {
  type Certificate,
  parseCertificates,
} from "../../../src/x509/certificate.ts";
import { guarded } from "../../conformance/harness.ts";
import { random } from "../../conformance/random.ts";
import { HOSTNAME, parsed, type Result, resultOf } from "./support.ts";
import type { Job } from "./worker.ts";

const LIMIT: Result = { code: "ERR_CERTPIN_LIMIT_PATH_WORK" };
const key = await sharedKey("P-256", "budgets");
const root = await mintCertificate({ subject: "root", ca: true, key });
const stranger = await mintCertificate({ subject: "stranger", ca: true });

/** What comes of a job; fails when that takes long. */
async function inWorker(job: Omit<Job, "hostname">): Promise<Result> {
  const worker = new Worker(new URL("./worker.ts", import.meta.url), {
    type: "module",
  });
  try {
    return await guarded(() =>
      new Promise<Result>((resolve, reject) => {
        worker.onmessage = ({ data }) => resolve(data);
        worker.onerror = (event) => {
          event.preventDefault();
          reject(new Error(event.message));
        };
        worker.postMessage({ ...job, hostname: HOSTNAME });
      })
    );
  } finally {
    worker.terminate();
  }
}

/** A leaf whose issuer has this name. */
async function leafOf(subject: string | Uint8Array): Promise<Certificate> {
  const issuer = await mintCertificate({ subject, ca: true, key });
  return parsed([await mintCertificate({ issuer, hostnames: [HOSTNAME] })])[0];
}

/** Sixty authorities of one name, with ninety-nine cross-signs between them. */
async function mesh(): Promise<MintedCertificate[]> {
  const choice = random(60);
  const keys = await Promise.all(Array.from({ length: 60 }, () => mintKey()));
  const authorities = await Promise.all(
    keys.map((key) => mintCertificate({ subject: "mesh", ca: true, key })),
  );
  // Each is certified by the next, so that there is always a way on, and some
  // by another one too.
  const crossSigns = keys.flatMap((key, i) =>
    [authorities[(i + 1) % 60], ...i < 39 ? [choice.pick(authorities)] : []]
      .map((issuer) =>
        mintCertificate({ subject: "mesh", ca: true, key, issuer })
      )
  );
  return await Promise.all(crossSigns);
}

Deno.test("a mesh of 60 authorities of one name ends within its budgets, with a way out or without", async () => {
  const crossSigns = await mesh();
  assertEquals(crossSigns.length, 99);
  const leaf = await mintCertificate({
    issuer: crossSigns[0],
    hostnames: [HOSTNAME],
  });
  const exits = await Promise.all([0, 1, 30, 59].map((i) =>
    mintCertificate({
      subject: "mesh",
      ca: true,
      key: crossSigns[Math.min(2 * i, crossSigns.length - 1)].key,
    })
  ));
  const chain = parsed([leaf, ...crossSigns]);
  for (const anchors of [[], [stranger], ...exits.map((exit) => [exit])]) {
    const cache = new SignatureCache();
    const result = await guarded(() =>
      resultOf(chain, { hostname: HOSTNAME, anchors: parsed(anchors) }, cache)
    );
    assert(cache.verified <= DEFAULT_LIMITS.signatures);
    assert(
      "path" in result || result.code === "ERR_CERTPIN_LIMIT_PATH_WORK",
      JSON.stringify(result),
    );
    // The one whose key signed the leaf is an anchor: no walk at all.
    if (anchors[0] === exits[0]) assert("path" in result && cache.verified < 3);
    if (anchors.length === 0 || anchors[0] === stranger) {
      assertEquals(result, LIMIT);
    }
  }
});

/** A certificate of nearly the largest size, again and again with another last byte. */
async function giants(subject: string | Uint8Array): Promise<Certificate[]> {
  const giant = await mintCertificate({
    subject,
    ca: true,
    key,
    authorityKeyIdentifier: new Uint8Array(5_000),
    subjectKeyIdentifier: new Uint8Array(5_000),
    extraExtensions: [{ oid: "1.2.3.4", value: new Uint8Array(30_000) }],
  });
  return parseCertificates(Array.from({ length: 99 }, (_, i) => {
    const der = giant.der.slice();
    der[der.length - 1] = i;
    return der;
  }));
}

Deno.test("a hundred large certificates that differ in their last byte cost a hundred digests and the allowed signatures", async () => {
  const attribute = sequence(
    objectIdentifier("2.5.4.3"),
    tlv(0x0c, new Uint8Array(10_000).fill(0x61)),
  );
  for (const subject of ["short", sequence(setOfOne(attribute))]) {
    const chain = [await leafOf(subject), ...await giants(subject)];
    const cache = new SignatureCache();
    const result = await guarded(() =>
      resultOf(chain, { hostname: HOSTNAME, anchors: parsed([root]) }, cache)
    );
    // All of them have the key that signed the leaf, and are one entity.
    assertEquals(result, LIMIT);
    assertEquals(cache.verified, 1);
  }
});

Deno.test("thousands of names under thousands of constraints are compared, and again and again end at their limit", async () => {
  const NAMES = 3_000;
  const CONSTRAINTS = 2_000;
  const constrained = async (
    last: string,
    excluded: readonly GeneralName[] = [],
  ) =>
    await mintCertificate({
      subject: "constrained",
      ca: true,
      key,
      nameConstraints: {
        permitted: Array.from(
          { length: CONSTRAINTS },
          (_, i) => ({ dns: `d${i}` }),
        ).concat({ dns: last }),
        ...excluded.length > 0 && { excluded },
      },
    });
  const { der } = await mintCertificate({
    issuer: await constrained("com"),
    hostnames: [HOSTNAME],
    names: Array.from({ length: NAMES }, (_, i) => ({ email: `a@d${i}` })),
  });
  const evaluate = async (...anchors: readonly MintedCertificate[]) =>
    await inWorker({ chain: [der], anchors: anchors.map(({ der }) => der) });
  assert("path" in await evaluate(await constrained("com")));
  const refused = { code: "ERR_CERTPIN_PATH_NAME_CONSTRAINTS" };
  assertEquals(await evaluate(await constrained("org")), refused);
  // Found at the last name alone, by each of many issuers.
  const last = [{ email: `d${NAMES - 1}` }];
  const issuers = await Promise.all(
    Array.from({ length: 14 }, () => constrained("com", last)),
  );
  assertEquals(await evaluate(...issuers.slice(0, 2)), refused);
  assertEquals(await evaluate(...issuers), LIMIT);
});

Deno.test("a thousand names of each kind under a thousand constraints of each kind cost as many steps as they are", async () => {
  const each = (make: (i: number) => GeneralName) =>
    Array.from({ length: 500 }, (_, i) => make(i));
  const address = (i: number, ...rest: number[]) => ({
    ip: Uint8Array.of(10, i >> 8, i & 255, ...rest),
  });
  const minted = await mintChain({
    hostnames: [HOSTNAME],
    root: {
      nameConstraints: {
        permitted: [
          { dns: "example.com" },
          { directory: [] },
          ...each((i) => ({ dns: `d${i}.example.org` })),
          ...each((i) => ({ email: `d${i}.example.org` })),
          ...each((i) => address(i, 0, 255, 255, 255, 0)),
        ],
      },
    },
    leaf: {
      names: [
        ...each((i) => ({ dns: `www.d${i}.example.org` })),
        ...each((i) => ({ email: `a@d${i}.example.org` })),
        ...each((i) => address(i, 1)),
      ],
    },
  });
  const evaluate = (nameConstraintComparisons: number) =>
    resultOf(parsed([minted.leaf, ...minted.intermediates]), {
      hostname: HOSTNAME,
      anchors: parsed([minted.root]),
      limits: { nameConstraintComparisons },
    });
  // The constraints once, then each name: two subjects, and the host.
  const needed = 1_502 + 1_500 + 3;
  assert("path" in await evaluate(needed));
  assertEquals(await evaluate(needed - 1), LIMIT);
});

Deno.test("names of sixty thousand characters are read in a moment, whatever they are made of", async () => {
  const encoder = new TextEncoder();
  const texts = [
    "a".repeat(60_000),
    "\u0001".repeat(60_000),
    "\u0301\u0323".repeat(15_000),
    "\u0301".repeat(15_000) + "\u0323".repeat(15_000),
    "\ufdfa".repeat(20_000),
    '"'.repeat(60_000),
  ];
  for (const text of texts) {
    const attribute = sequence(
      objectIdentifier("2.5.4.3"),
      tlv(0x0c, encoder.encode(text)),
    );
    const { der } = await mintCertificate({
      subject: sequence(setOfOne(attribute)),
      issuerName: "issuer",
      key,
    });
    assertEquals(
      await inWorker({ chain: new Array<Uint8Array>(50).fill(der) }),
      { path: ["50"] },
    );
  }
});

Deno.test("a certificate of thousands of common names and thousands of hosts is evaluated in a moment", async () => {
  const encoder = new TextEncoder();
  const subject = sequence(
    ...Array.from({ length: 350 }, (_, i) =>
      setOfOne(sequence(
        objectIdentifier("2.5.4.3"),
        tlv(0x0c, encoder.encode(`${i.toString(36)}.x`)),
      ))),
  );
  const leaf = await mintCertificate({
    issuer: root,
    subject,
    hostnames: [HOSTNAME],
    names: Array.from({ length: 5_000 }, (_, i) => ({ dns: i.toString(36) })),
  });
  assert(
    "path" in await inWorker({ chain: [leaf.der], anchors: [root.der] }),
  );
});

Deno.test("values within values within strings are not looked for", async () => {
  // Sixty thousand bytes of OCTET STRINGs, each the content of the one before.
  const levels: number[] = [];
  for (let length = 0; length < 60_000;) {
    const header = length < 0x80
      ? [4, length]
      : length < 0x100
      ? [4, 0x81, length]
      : [4, 0x82, length >> 8, length & 0xff];
    levels.push(...header.toReversed());
    length += header.length;
  }
  const value = Uint8Array.from(levels.toReversed());
  const { der } = await mintCertificate({
    key,
    extraExtensions: [{ oid: "1.2.3.4", value }],
  });
  assertEquals(await inWorker({ chain: [der] }), { path: ["1"] });
});
