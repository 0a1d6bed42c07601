/**
 * Writes `docs/codes.md`: every error code and every finding code.
 *
 * @module
 */
import {
  CERTIFICATE_ERROR_CODES,
  CONNECTION_ERROR_CODES,
  type ErrorCode,
  LIMIT_ERROR_CODES,
  PATH_ERROR_CODES,
  PIN_MISMATCH_ERROR_CODES,
  POLICY_ERROR_CODES,
  UPDATE_ERROR_CODES,
} from "../../src/errors.ts";
import { FINDINGS } from "../../src/policy/findings.ts";
import { MEANINGS } from "./meanings.ts";

/** Classes with their codes, and what they are for. */
const CLASSES: readonly [string, readonly ErrorCode[], string][] = [
  [
    "CertificateError",
    CERTIFICATE_ERROR_CODES,
    "A certificate or a key cannot be read.",
  ],
  [
    "PolicyError",
    POLICY_ERROR_CODES,
    "A policy, a pin or a hostname is wrong, or forbids the host. `problems` lists all of them: `{pointer, code, message}`.",
  ],
  [
    "PathError",
    PATH_ERROR_CODES,
    "No valid path leads from the leaf to an anchor. In the order of the rules: of two equally deep attempts, the one that failed later is reported.",
  ],
  [
    "PinMismatchError",
    PIN_MISMATCH_ERROR_CODES,
    "The path is valid and the pins refuse it. Carries `hostname`, `observed` and `configured`.",
  ],
  [
    "LimitError",
    LIMIT_ERROR_CODES,
    "Something is larger, or takes longer, than a limit with a name allows.",
  ],
  [
    "ConnectionError",
    CONNECTION_ERROR_CODES,
    "A connection cannot be evaluated, or must not be made.",
  ],
  [
    "UpdateError",
    UPDATE_ERROR_CODES,
    "A signed policy is refused, or the policy in force is too old. The policy in force stays in force. See [signed updates](updates.md).",
  ],
];

function row(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}

function table(head: readonly string[], rows: readonly string[][]): string {
  return [head, head.map(() => "---"), ...rows].map(row).join("\n");
}

function classSection([name, codes, about]: typeof CLASSES[number]): string {
  const rows = codes.map((code) => {
    const { means, remedy, source = "" } = MEANINGS[code];
    return [`\`${code}\``, means, remedy, source];
  });
  const head = ["code", "means", "what to do", "source"];
  return `### ${name}\n\n${about}\n\n${table(head, rows)}`;
}

/** The page. */
export function codesPage(): string {
  const findings = Object.entries(FINDINGS).map((
    [code, { severity, message, hint }],
  ) => [`\`${code}\``, severity, message, hint]);
  return `# Codes

Generated from \`src/errors.ts\`, \`src/policy/findings.ts\` and
\`tools/docs/meanings.ts\` by \`deno task docs\`.

Codes are stable across minor versions; more may be added
([VERSIONING.md](../VERSIONING.md)). Branch on them, never on messages.

## Errors

Every error is a \`CertpinError\` of one of these classes, with a \`code\`, perhaps a
\`cause\`, and a \`toJSON\` that is fit for logs. \`ERROR_CODES\` is the list, and
\`ErrorCode\` its type. How they reach you is in [reading a refusal](refusals.md).

${CLASSES.map(classSection).join("\n\n")}

## Findings

A finding refuses nothing. Verdicts carry them as \`warnings\`, \`onWarning\` is called
with them, and \`lintPolicy\` and \`certpin lint\` return them:
\`{code, severity, pointer, message, hint}\`. The severity here is the usual one; a
\`root-only\` on a root of your own is an \`info\`.

${table(["code", "severity", "means", "what to do"], findings)}
`;
}
