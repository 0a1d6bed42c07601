import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { PolicyError } from "../../src/errors.ts";
import { canonicalHost, formatAddress } from "../../src/host.ts";

Deno.test("canonicalHost() changes nothing the second time, whatever it is given", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.domain(),
        fc.ipV4(),
        fc.ipV6(),
        fc.string({ unit: "binary", maxLength: 20 }),
        fc.stringMatching(/^[a-zß-ü0-9.:x\[\]。-]{1,20}$/),
      ),
      (text) => {
        let once;
        try {
          once = canonicalHost(text);
        } catch (error) {
          return error instanceof PolicyError;
        }
        assertEquals(canonicalHost(once.text), once);
      },
    ),
    { numRuns: 2_000, seed: 1 },
  );
});

Deno.test("canonicalHost() writes addresses as the URL standard does", () => {
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
      const literal = text.includes(":") ? `[${text}]` : text;
      const { hostname } = new URL(`https://${literal}/`);
      const host = canonicalHost(text);
      assertEquals(host.text, hostname.replace(/^\[|\]$/g, ""));
      assertEquals(formatAddress(host.address!), host.text);
    }),
    { numRuns: 1_000, seed: 2 },
  );
});
