/**
 * Policies: good ones parsed, bad ones refused with every problem and place.
 */
import { assertEquals, assertThrows } from "@std/assert";
import { PolicyError } from "../../../src/errors.ts";
import type { PolicyInput } from "../../../src/policy/document.ts";
import { parsePolicy } from "../../../src/policy/policy.ts";
import type { Body } from "../harness.ts";
import { type Expected, makeDocuments } from "./policy_documents.ts";

const parse = (input: unknown) => parsePolicy(input as PolicyInput | string);

function problemsOf(input: unknown): string[] {
  const error = assertThrows(() => parse(input), PolicyError);
  assertEquals(error.code, "ERR_CERTPIN_POLICY_INVALID");
  return error.problems.map(({ pointer, code }) => `${pointer} ${code}`).sort();
}

const sorted = (problems: readonly Expected[]) =>
  problems.map((problem) => problem.join(" ")).sort();

/** Registers the tests. */
export const policies: Body = (t) => {
  t.test("parsePolicy() accepts good documents, as values and as text alike", async () => {
    const { good } = await makeDocuments();
    for (const [name, document] of good) {
      for (const input of [document, JSON.stringify(document, null, 2)]) {
        const policy = parse(input);
        assertEquals(JSON.parse(JSON.stringify(policy)), document, name);
      }
      parse(`\ufeff${JSON.stringify(document)}`);
    }
  });

  t.test("parsePolicy() refuses bad documents, with every problem and its place", async () => {
    const { bad, beyondSchema } = await makeDocuments();
    for (const [name, document, problems] of [...bad, ...beyondSchema]) {
      assertEquals(problemsOf(document), sorted(problems), name);
      const text = JSON.stringify(document);
      assertEquals(problemsOf(text), sorted(problems), name);
    }
  });

  t.test("parsePolicy() refuses keys said twice, and text that is no JSON, by its place", () => {
    const twice = '{"version":1,"version":1,"hosts":{}}';
    assertEquals(problemsOf(twice), ["/version ERR_CERTPIN_POLICY_INVALID"]);
    assertEquals(problemsOf('{"version":1,}'), [" ERR_CERTPIN_POLICY_INVALID"]);
    parse('{"version":1,"hosts":{}}');
  });
};
