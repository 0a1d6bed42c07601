/** The list of stricter rules in SECURITY.md is that of the code, and of what was measured. */
import { assert, assertEquals } from "@std/assert";
import { PATH_RULES, type PathRule } from "../../src/path/rule_table.ts";
import { STRICTER_RULES } from "../../tools/docs/rules.ts";
import { CLIENTS, MEASURED } from "../../tools/rules/measured.ts";

async function listed(document: string): Promise<string[]> {
  const text = await Deno.readTextFile(
    new URL(`../../${document}`, import.meta.url),
  );
  return [...text.matchAll(/^\| `([a-z-]+)`/gm)].map(([, name]) => name);
}

const names = Object.keys(PATH_RULES);

Deno.test("SECURITY.md lists every rule that is stricter than RFC 5280, Deno, Node, Go or OpenSSL", async () => {
  const inSecurity = await listed("SECURITY.md");
  assertEquals(inSecurity, [...STRICTER_RULES]);
  for (const [rule, answers] of Object.entries(MEASURED.rules)) {
    const isLenient = CLIENTS.some((client) => answers[client] !== "none");
    assert(!isLenient || inSecurity.includes(rule), rule);
  }
  // What `private` waives is stricter, or there would be nothing to waive.
  for (const [rule, { isWaivable }] of Object.entries<PathRule>(PATH_RULES)) {
    assert(!isWaivable || inSecurity.includes(rule), rule);
  }
});

Deno.test("every rule is in the table of docs/private-ca.md, and was measured where it can be", async () => {
  assertEquals(await listed("docs/private-ca.md"), names);
  // A clock that cannot be set, and a key that cannot be minted.
  const unmeasured = ["rsa-key-size", "not-yet-valid"];
  assertEquals(
    names.filter((name) => MEASURED.rules[name] === undefined),
    unmeasured,
  );
  assertEquals(
    Object.keys(MEASURED.rules).filter((name) => !names.includes(name)),
    [],
  );
  for (const client of CLIENTS) assert(MEASURED.versions[client]);
});
