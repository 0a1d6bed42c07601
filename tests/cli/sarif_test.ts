import { assert, assertEquals } from "@std/assert";
import { sarif } from "../../cli/render/sarif.ts";
import { A } from "./formats/samples.ts";
import { certpin, inTemporaryFolder } from "./command.ts";

const POLICY = `{
  "version": 1,
  "unlisted": "allow",
  "hosts": {
    "a.example": {
      "pins": [
        "${A}"
      ]
    }
  }
}
`;

Deno.test("certpin lint --sarif names the line of each finding", async () => {
  await inTemporaryFolder(async (cwd) => {
    await Deno.writeTextFile(`${cwd}/pins.json`, POLICY);
    const ran = await certpin(
      ["lint", "pins.json", "--sarif", "out.sarif", "--json"],
      { cwd },
    );
    const { findings } = JSON.parse(ran.stdout);
    const log = JSON.parse(await Deno.readTextFile(`${cwd}/out.sarif`));
    const [{ tool, results }] = log.runs;
    assertEquals(log.version, "2.1.0");
    assertEquals(tool.driver.name, "certpin");
    assertEquals(
      results.map(({ ruleId }: { ruleId: string }) => ruleId),
      findings.map(({ code }: { code: string }) => code),
    );
    const lines = Object.fromEntries(results.map(
      // deno-lint-ignore no-explicit-any -- a document of another tool's
      ({ ruleId, locations: [{ physicalLocation }] }: any) => [
        ruleId,
        physicalLocation.region.startLine,
      ],
    ));
    assertEquals(lines["unlisted-allowed"], 3);
    assertEquals(lines["no-backup-pin"], 6);
    for (const { ruleId, ruleIndex } of results) {
      assertEquals(tool.driver.rules[ruleIndex].id, ruleId);
    }
    assert(results.length >= 2);
  });
});

Deno.test("sarif() points at the nearest place that the policy has", () => {
  const lineOf = (pointer: string) => {
    const log = JSON.parse(
      sarif("./a b.json", POLICY, [
        { code: "x", severity: "info", message: "x", pointer },
      ]),
    );
    const [{ physicalLocation }] = log.runs[0].results[0].locations;
    assertEquals(physicalLocation.artifactLocation.uri, "a%20b.json");
    return physicalLocation.region.startLine;
  };
  assertEquals(lineOf("/hosts/a.example/pins/0"), 7);
  assertEquals(lineOf("/hosts/a.example/expiresAt"), 5);
  assertEquals(lineOf("/nothing"), 1);
  assertEquals(lineOf(""), 1);
});
