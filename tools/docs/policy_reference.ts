/**
 * Writes the tables of `docs/policy.md` from the schema of the policy file.
 *
 * @module
 */
import { between } from "./between.ts";
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

/** The tables, by the markers that they stand between. */
const TABLES: Readonly<Record<string, Schema>> = {
  "document": schema as never,
  "host": definitions.host,
  "pin-text": pinObject("pin"),
  "pin-certificate": pinObject("certificate"),
  "accept": schema.properties.accept.items as never,
};

/** The page with its tables of keys as they have to be. */
export function withKeys(document: string): string {
  return Object.entries(TABLES).reduce(
    (text, [name, part]) => between(name, text, keyRows(part)),
    document,
  );
}
