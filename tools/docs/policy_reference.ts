/**
 * Writes `docs/policy.md`: the policy file, from its schema.
 *
 * @module
 */
import schema from "../../src/policy/schema.json" with { type: "json" };

/** What of JSON Schema the reference shows. */
interface Schema {
  readonly $ref?: string;
  readonly description?: string;
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly maxItems?: number;
  readonly minItems?: number;
  readonly maxProperties?: number;
  readonly items?: Schema;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly anyOf?: readonly Schema[];
}

const definitions: Readonly<Record<string, Schema>> = schema.$defs as never;

/** Longer lists are told elsewhere. */
const MAX_WORDS_SHOWN = 8;

/** What a reference stands for; its own words win. */
function resolve(given: Schema): Schema {
  if (given.$ref === undefined) return given;
  const name = given.$ref.replace("#/$defs/", "");
  const found = definitions[name];
  if (found === undefined) throw new Error(`The schema has no ${given.$ref}`);
  return { ...resolve(found), ...given };
}

function valuesOf(given: Schema): string {
  const { type, enum: words, const: only, items, maxItems, maxProperties } =
    resolve(given);
  if (only !== undefined) return `\`${JSON.stringify(only)}\``;
  if (words && words.length > MAX_WORDS_SHOWN) {
    return `one of ${words.length} words`;
  }
  if (words) return words.map((word) => `\`"${word}"\``).join(", ");
  if (type === "array" && items) {
    return `list${maxItems ? `, at most ${maxItems}` : ""}`;
  }
  if (type === "object") {
    return `object${maxProperties ? `, at most ${maxProperties} keys` : ""}`;
  }
  return type ?? "";
}

function keyRows({ properties = {}, required = [] }: Schema): string {
  const rows = Object.entries(properties).map(([key, given]) => {
    const { default: fallback, description = "" } = resolve(given);
    const missing = required.includes(key)
      ? "required"
      : fallback === undefined
      ? ""
      : `\`${JSON.stringify(fallback)}\``;
    return [`\`${key}\``, valuesOf(given), missing, description];
  });
  return [
    ["key", "values", "default", "meaning"],
    ["---", "---", "---", "---"],
    ...rows,
  ].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/** The three ways to write a pin: a text, or one of two objects. */
function pinObject(key: string): Schema {
  const found = definitions.pin.anyOf?.find((one) =>
    one.properties !== undefined && key in one.properties
  );
  if (!found) throw new Error(`The schema has no pin with "${key}"`);
  return found;
}

/** The page. */
export function policyPage(): string {
  return `# Policy reference

Generated from [the schema](../src/policy/schema.json) by \`deno task docs\`. Editors
complete and check the file when it names its schema: \`certpin init\` writes one
beside it, and \`@certpin/certpin/schema.json\` is the same.

\`\`\`jsonc policy
{
  "$schema": "./certpin.schema.json",
  "version": 1,
  "unlisted": "deny",
  "hosts": {
    "api.example.com": {
      "require": "any",
      "expiresAt": "2027-06-01T00:00:00Z",
      "onExpiry": "block",
      "pins": [
        "sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
        { "pin": "sha256/X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=", "role": "leaf" },
        { "pin": "sha256/C5+lpZ7tcVwmwQIMcRtPbsQtWLABXhQzejna0wHFr8M=", "comment": "backup" }
      ]
    },
    "*.example.net": { "mode": "report-only", "pins": ["sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="] }
  }
}
\`\`\`

A file is read whole or not at all: unknown keys, a key that stands twice, hosts that
are equal once they are canonical, empty \`pins\`, digests of the wrong length and bad
dates are errors, all reported at once, each with its JSON pointer. Keys that begin
with \`x-\` are ignored. \`"pins": "first-use"\` and \`maxAgeWithoutUpdate\` are reserved.

## The document

${schema.description}

${keyRows(schema as never)}

## A host

${definitions.host.description}

${keyRows(definitions.host)}

The key is a DNS name, an IP literal, or \`*.\` and a DNS name. Names are compared in one
canonical form: lower case, A-labels, without a trailing dot. The most specific entry
wins: the exact name, then the longest suffix, and at equal suffixes \`*.\` before
\`includeSubdomains\`.

| entry | \`example.com\` | \`a.example.com\` | \`b.a.example.com\` |
| --- | --- | --- | --- |
| \`example.com\` | yes | no | no |
| \`example.com\` with \`includeSubdomains\` | yes | yes | yes |
| \`*.example.com\` | no | yes | no |

## A pin

A text, or an object with \`pin\` or with \`certificate\`.

${keyRows(pinObject("pin"))}

${keyRows(pinObject("certificate"))}

Pins as text:

| form | example | pins |
| --- | --- | --- |
| canonical | \`sha256/47DE…uFU=\`, \`spki:sha256/…\`, \`certificate:sha256/…\` | key; key; whole certificate |
| curl | \`sha256//47DE…uFU=\` | key |
| HPKP | \`pin-sha256="47DE…uFU="\` | key |
| SRI | \`sha256-47DE…uFU=\` | key |
| hex | \`spki:sha256:e3b0…\`, \`certificate:sha256:E3:B0:…\` | as the prefix says, which is required |
| TLSA | \`3 1 1 e3b0…\` | as its selector says; usage 1 and 3 are the leaf, 0 and 2 a CA |

Hashes are \`sha256\`, \`sha384\` and \`sha512\`. SHA-1 and MD5 are refused.

## An accepted finding

What \`certpin lint\` should not report again, each with its reason. The codes are in
[the list](codes.md#findings). An entry that fits no finding any more is reported as
\`unused-accept\`.

${keyRows(schema.properties.accept.items as never)}

## How a verdict is taken

1. A name that is none, no chain, a limit, an exception: **block**, \`invalid-chain\`.
2. No entry: \`unlisted\`. \`deny\` **blocks**; \`allow\` still needs a valid path.
3. No valid path to an anchor, with the hostname in the leaf: **block**,
   \`invalid-chain\`. No mode softens this.
4. The pin set has expired: **block**, or, with \`"onExpiry": "allow"\`, **allow** with a
   finding.
5. One path that satisfies the policy is enough. With \`each-role\`, every role that a
   pin names is matched on it.
6. No match: **block**, \`mismatch\`; with \`report-only\`, **allow** and a report.
7. The match rests on root pins alone: \`root-only\`, or **block** with
   \`"rootOnly": "deny"\`. On a path that ends early (\`unanchored\`) nothing above the
   leaf is known not to be a root: there \`deny\` needs a match on the leaf.
`;
}
