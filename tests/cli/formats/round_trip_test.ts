/**
 * Random policies through every format and back.
 */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { PolicyError } from "../../../src/errors.ts";
import {
  convert,
  FOREIGN_NAMES,
  type ForeignName,
} from "../../../cli/formats/registry.ts";
import type {
  HostDocument,
  PolicyDocument,
} from "../../../src/policy/document.ts";
import { A, B, C, CERTIFICATE_C512, CERTIFICATE_D, D } from "./samples.ts";

const pin = fc.constantFrom(A, B, C, D, CERTIFICATE_D, CERTIFICATE_C512);
const role = fc.constantFrom(
  ...["leaf", "intermediate", "root", "ca"] as const,
);
const rule = fc.oneof(
  pin,
  fc.record({ pin, role }),
  fc.record({ pin, role: fc.constant("leaf" as const) }),
);
const entry = (isExact: boolean): fc.Arbitrary<HostDocument> =>
  fc.record({
    ...(isExact ? { includeSubdomains: fc.boolean() } : {}),
    mode: fc.constantFrom("enforce", "enforce", "report-only"),
    require: fc.constant("any"),
    expiresAt: fc.constantFrom("2030-01-01T00:00:00Z", "2030-01-01T09:30:00Z"),
    onExpiry: fc.constantFrom("block", "allow"),
    pins: fc.uniqueArray(rule, {
      minLength: 1,
      maxLength: 4,
      selector: (one) => JSON.stringify(one),
    }),
  }, { requiredKeys: ["pins"] }) as fc.Arbitrary<HostDocument>;
const names = ["a.example", "b.a.example", "c.b.a.example", "d.example"];
/** No other format can say any of it. */
const unsayable: PolicyDocument = {
  version: 1,
  hosts: { "*.a.example": { mode: "report-only", pins: [CERTIFICATE_C512] } },
};
const sayable: fc.Arbitrary<PolicyDocument> = fc.record({
  version: fc.constant(1 as const),
  unlisted: fc.constantFrom("deny", "allow"),
  hosts: fc.record(
    Object.fromEntries([
      ...names.map((name) => [name, entry(true)]),
      ...names.map((name) => [`*.${name}`, entry(false)]),
      ["192.0.2.7", entry(false)],
      ["2001:db8::7", entry(false)],
    ]),
    { requiredKeys: [] },
  ),
}, { requiredKeys: ["version", "hosts"] }) as fc.Arbitrary<PolicyDocument>;

const policy = fc.oneof(
  { weight: 9, arbitrary: sayable },
  { weight: 1, arbitrary: fc.constant(unsayable) },
);

/** Reads and writes once more; undefined where nothing was left to read. */
async function again(text: string, name: ForeignName) {
  try {
    const read = await convert(text, "policy", name);
    return await convert(read.text, name, "policy");
  } catch (error) {
    if (error instanceof PolicyError) {
      assertEquals(error.code, "ERR_CERTPIN_DOCUMENT_SYNTAX");
      return undefined;
    }
    throw error;
  }
}

/** The records of a set have no order. */
function linesOf(text: string): string[] {
  const lines = text.split("\n");
  return text.includes(" TLSA ") ? lines.sort() : lines;
}

for (const name of FOREIGN_NAMES) {
  Deno.test(`what is written as ${name} is read as what writes the same again`, async () => {
    let [compared, silent] = [0, 0];
    await fc.assert(
      fc.asyncProperty(policy, async (document) => {
        const first = await convert(JSON.stringify(document), name, "policy");
        const second = await again(first.text, name);
        if (second === undefined) {
          // Everything was left out, and each host was named.
          const lost = new Set(
            first.losses.map(({ pointer }) => pointer.split("/")[2]),
          );
          for (const host of Object.keys(document.hosts)) {
            assert(lost.has(host), `${host} is lost in silence`);
          }
          silent++;
          return;
        }
        // OkHttp's file merges the pins of patterns that cover each other.
        const stable = name === "okhttp" ? second : first;
        const third = await again(stable.text, name);
        assertEquals(linesOf(third!.text), linesOf(stable.text));
        compared++;
      }),
      { numRuns: 300, seed: 20260601 },
    );
    assert(compared > 150 && silent > 0, `${compared}, ${silent}`);
  });
}
