/** What the types let through; wrong ones fail the type check, not the run. */
import { assertEquals } from "@std/assert";
import type {
  PolicyDocument,
  PolicyInput,
} from "../../../src/policy/document.ts";
import { parsePolicy, type Policy } from "../../../src/policy/policy.ts";
import imported from "./pins.json" with { type: "json" };

type Source = Policy | PolicyInput | string;
const accepts = (source: Source): Source => source;

Deno.test("PolicyInput accepts a JSON import, PolicyDocument its exact form", () => {
  assertEquals(parsePolicy(imported).hostnames, [
    "api.example.com",
    "*.example.com",
  ]);
  const document = {
    version: 1,
    "x-owner": "ops",
    hosts: { "api.example.com": { mode: "report-only", pins: ["sha256/"] } },
  } satisfies PolicyDocument;
  accepts(document);
  const exact: PolicyDocument = document;
  accepts(exact);
  accepts(parsePolicy(imported));
  accepts(parsePolicy(imported).toJSON());
});

Deno.test("PolicyInput refuses options, promises and misspelt keys; PolicyDocument misspelt words", () => {
  // @ts-expect-error -- options are no policy
  accepts({ anchors: [], now: () => new Date() });
  // @ts-expect-error -- nothing at all is no policy
  accepts({});
  // @ts-expect-error -- a promise of a policy is none
  accepts(Promise.resolve(imported));
  // @ts-expect-error -- nor is a promise of text
  accepts(Promise.resolve("{}"));
  // @ts-expect-error -- nor a list
  accepts([imported]);
  // @ts-expect-error -- a key that nobody knows
  accepts({ version: 1, hosts: {}, unlistd: "deny" });
  // @ts-expect-error -- a host without pins
  accepts({ version: 1, hosts: { "a.example": {} } });
  const word = { version: 1, hosts: {}, unlisted: "warn" } as const;
  // @ts-expect-error -- a word that is none
  word satisfies PolicyDocument;
  const pinned = (pins: PolicyDocument["hosts"][string]["pins"]) => pins;
  pinned([{ pin: "sha256/" }, { certificate: "", of: "certificate" }]);
  // @ts-expect-error -- a pin, or a certificate
  pinned([{ pin: "sha256/", certificate: "" }]);
  // @ts-expect-error -- what a pin is of stands in its text
  pinned([{ pin: "sha256/", of: "certificate" }]);
  const version = { version: 2, hosts: {} } as const;
  // @ts-expect-error -- a version that is none
  version satisfies PolicyDocument;
});
