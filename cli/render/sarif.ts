/**
 * Findings and verdicts as SARIF 2.1.0, for code scanning.
 *
 * @module
 */
import { findNodeAtLocation, parseTree } from "jsonc-parser";
import { escapeText, FINDINGS, VERSION } from "@certpin/certpin/internal";
import type { Finding, Severity } from "@certpin/certpin";
import type { CheckResult } from "../commands/check_host.ts";
import { formatTarget } from "../values.ts";

/** One thing to report, and where in the policy it stands. */
export interface SarifResult {
  /** A finding code, or an error code. */
  readonly code: string;
  readonly severity: Severity;
  readonly message: string;
  /** JSON pointer into the policy. */
  readonly pointer: string;
}

const LEVELS: Readonly<Record<Severity, string>> = {
  error: "error",
  warning: "warning",
  info: "note",
};

/** The line of a place in the policy, from 1; of its nearest parent if it is absent. */
function lineOf(text: string, pointer: string): number {
  const tree = parseTree(text);
  const keys = pointer.split("/").slice(1)
    .map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"));
  for (let length = keys.length; tree !== undefined && length > 0; length--) {
    const path = keys.slice(0, length)
      .map((key) => /^\d+$/.test(key) ? Number(key) : key);
    const node = findNodeAtLocation(tree, path);
    if (node === undefined) continue;
    // A member is reported where its key stands.
    const { offset } = node.parent?.type === "property" ? node.parent : node;
    return text.slice(0, offset).split("\n").length;
  }
  return 1;
}

/** Findings, as SARIF results. */
export function findingResults(
  findings: readonly Finding[],
): SarifResult[] {
  return findings.map(({ code, severity, pointer, message, hint }) => ({
    code,
    severity,
    pointer,
    message: hint === undefined ? message : `${message}. ${hint}.`,
  }));
}

/** Verdicts, as SARIF results: one a block, and one a warning. */
export function checkResults(
  results: readonly CheckResult[],
  pointerOf: (hostname: string) => string,
): SarifResult[] {
  return results.flatMap(({ hostname, port, reason, error, warnings }) => {
    const name = formatTarget(hostname, port);
    const pointer = pointerOf(hostname);
    return [
      ...(error === undefined ? [] : [{
        code: error.code,
        severity: "error" as const,
        pointer,
        message: `${name}: ${reason}: ${error.message}`,
      }]),
      ...warnings.map(({ code, severity, message }) => ({
        code,
        severity,
        pointer,
        message: `${name}: ${message}`,
      })),
    ];
  });
}

/**
 * Writes a SARIF log with one run.
 *
 * @param policyFile The name of the policy, relative to the repository.
 * @param policyText Its text, to find the lines of the results.
 */
export function sarif(
  policyFile: string,
  policyText: string,
  results: readonly SarifResult[],
): string {
  const codes = [...new Set(results.map(({ code }) => code))].sort();
  const kinds: Readonly<Record<string, { message: string; hint: string }>> =
    FINDINGS;
  const safe = (text: string) => text.split("\n").map(escapeText).join("\n");
  const uri = policyFile.replaceAll("\\", "/").replace(/^\.\//, "");
  const log = {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [{
      tool: {
        driver: {
          name: "certpin",
          version: VERSION,
          rules: codes.map((code) => ({
            id: code,
            shortDescription: { text: kinds[code]?.message ?? code },
            ...(kinds[code] && { help: { text: kinds[code].hint } }),
          })),
        },
      },
      results: results.map(({ code, severity, message, pointer }) => ({
        ruleId: code,
        ruleIndex: codes.indexOf(code),
        level: LEVELS[severity],
        message: { text: safe(message) },
        locations: [{
          physicalLocation: {
            artifactLocation: { uri: encodeURI(uri) },
            region: { startLine: lineOf(policyText, pointer) },
          },
          logicalLocations: [{ fullyQualifiedName: safe(pointer || "/") }],
        }],
        partialFingerprints: { "certpin/v1": safe(`${code} ${pointer}`) },
      })),
    }],
  };
  return JSON.stringify(log, null, 2) + "\n";
}
