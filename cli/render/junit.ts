/**
 * Results as JUnit XML, which build servers read.
 *
 * @module
 */
import { escapeXml } from "../escape_xml.ts";
import { escapeText } from "@certpin/certpin/internal";
import type { CheckResult } from "../commands/check_host.ts";
import { formatTarget } from "../values.ts";

function safe(text: string): string {
  return escapeXml(text.split("\n").map(escapeText).join("\n"));
}

function testCase(result: CheckResult): string[] {
  const { hostname, port, decision, reason, error, warnings } = result;
  const name = safe(formatTarget(hostname, port));
  const open = `    <testcase classname="certpin" name="${name}"`;
  const inside: string[] = [];
  if (decision === "block") {
    const type = error?.code ?? reason;
    inside.push(
      `      <failure type="${safe(type)}" message="${safe(reason)}">${
        safe(error?.message ?? reason)
      }</failure>`,
    );
  }
  if (warnings.length > 0) {
    const list = warnings.map(({ code, message }) => `${code}: ${message}`);
    inside.push(`      <system-out>${safe(list.join("\n"))}</system-out>`);
  }
  return inside.length === 0
    ? [`${open}/>`]
    : [`${open}>`, ...inside, "    </testcase>"];
}

/** Writes one suite with one case a host. */
export function junit(policy: string, results: readonly CheckResult[]): string {
  const failures = results.filter(({ decision }) => decision === "block");
  const counts = `tests="${results.length}" failures="${failures.length}"`;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites ${counts}>`,
    `  <testsuite name="${safe(`certpin check ${policy}`)}" ${counts}>`,
    ...results.flatMap(testCase),
    "  </testsuite>",
    "</testsuites>",
    "",
  ].join("\n");
}
