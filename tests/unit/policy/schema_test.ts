import { assert, assertEquals } from "@std/assert";
import { Ajv2020 } from "ajv/dist/2020.js";
import schema from "../../../src/policy/schema.json" with { type: "json" };
import {
  hostDocument,
  makeDocuments,
  PIN,
} from "../../conformance/core/policy_documents.ts";

const { good, bad, beyondSchema } = await makeDocuments();

const validate = new Ajv2020({
  strict: true,
  allErrors: true,
}).compile(schema);

Deno.test("the schema accepts what parsePolicy() accepts", () => {
  for (const [name, document] of good) {
    const isValid = validate(document);
    assert(isValid, `${name}: ${JSON.stringify(validate.errors)}`);
  }
});

Deno.test("the schema refuses what parsePolicy() refuses, as far as a schema can see", () => {
  for (const [name, document] of bad) {
    assertEquals(validate(document), false, name);
  }
  // A stale entry of this list would hide a gap.
  for (const [name, document] of beyondSchema) {
    const copy = JSON.parse(JSON.stringify(document));
    assertEquals(validate(copy), true, name);
  }
});

Deno.test("the schema's bounds are the parser's", () => {
  const most = new Array(256).fill(PIN);
  assertEquals(validate(hostDocument({ pins: most })), true);
  assertEquals(validate(hostDocument({ pins: [...most, PIN] })), false);
});

Deno.test("the schema describes every key", () => {
  const undescribed: string[] = [];
  const visit = (node: unknown, path: string) => {
    if (typeof node !== "object" || node === null) return;
    for (const [key, value] of Object.entries(node)) {
      if (
        key === "properties" && !path.includes("/if") &&
        !path.includes("/then") && !path.includes("allOf")
      ) {
        for (
          const [name, one] of Object.entries(
            value as Record<string, { $ref?: string; description?: string }>,
          )
        ) {
          if (!one.description && !one.$ref) {
            undescribed.push(`${path}/${name}`);
          }
        }
      }
      visit(value, `${path}/${key}`);
    }
  };
  visit(schema, "");
  assertEquals(undescribed, []);
});
