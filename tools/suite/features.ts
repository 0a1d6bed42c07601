/**
 * The README's table of features by runtime, made from what tests found.
 *
 * @module
 */
import type { FeatureResult } from "../../tests/conformance/harness.ts";
import type { Ran } from "./command.ts";
import { ROOT } from "./paths.ts";

const BEGIN = "<!-- features:begin -->";
const END = "<!-- features:end -->";

const NAMES: Readonly<Record<string, string>> = {
  deno: "Deno",
  node: "Node",
  bun: "Bun",
};

/** Results, a line of JSON each. */
export function readFeatures(lines: string): FeatureResult[] {
  return lines.split("\n").filter((line) => line !== "")
    .map((line) => JSON.parse(line));
}

/** A column's title: Node's releases are known by one number. */
function column({ runtime, version }: FeatureResult): string {
  const parts = version.split(".");
  const shown = runtime === "node" ? parts[0] : parts.slice(0, 2).join(".");
  return `${NAMES[runtime] ?? runtime} ${shown}`;
}

function cell(outcomes: readonly string[]): string {
  if (outcomes.length === 0) return "–";
  const other = outcomes.find((outcome) => outcome !== "works");
  if (other === undefined) return "yes";
  return other === "fails" ? "**fails**" : `refused: ${other}`;
}

function byName(a: string, b: string): number {
  const order = Object.values(NAMES);
  const rank = (text: string) => order.indexOf(text.split(" ")[0]);
  return rank(a) - rank(b) ||
    Number(a.split(" ")[1]) - Number(b.split(" ")[1]);
}

/** Draws the table in Markdown; features in the order of their tests. */
export function featureTable(results: readonly FeatureResult[]): string {
  const columns = [...new Set(results.map(column))].sort(byName);
  const features = [...new Set(results.map(({ feature }) => feature))];
  const rows = features.map((feature) => {
    const cells = columns.map((title) =>
      cell(
        results.filter((result) =>
          result.feature === feature && column(result) === title
        ).map(({ outcome }) => outcome),
      )
    );
    return [feature, ...cells];
  });
  const lines = [
    ["", ...columns],
    ["---", ...columns.map(() => "---")],
    ...rows,
  ];
  return lines.map((line) => `| ${line.join(" | ")} |`).join("\n");
}

/** Cells without the padding that a formatter may add. */
function plain(table: string): string {
  return table.trim().replace(/[ \t]+/g, " ").replace(/-{3,}/g, "---");
}

/** Compares the README's table with the results, or writes it. */
export async function compareFeatures(
  lines: string,
  write: boolean,
): Promise<Ran> {
  const ran = (success: boolean, output: string) => ({
    success,
    output,
    stdout: output,
  });
  const url = new URL("README.md", ROOT);
  const readme = await Deno.readTextFile(url);
  const [start, end] = [readme.indexOf(BEGIN), readme.indexOf(END)];
  if (start < 0 || end < start) {
    return ran(false, `README.md lacks ${BEGIN} or ${END}`);
  }
  const table = featureTable(readFeatures(lines));
  const found = readme.slice(start + BEGIN.length, end);
  if (plain(found) === plain(table)) return ran(true, "");
  if (write) {
    await Deno.writeTextFile(
      url,
      `${readme.slice(0, start)}${BEGIN}\n\n${table}\n\n${readme.slice(end)}`,
    );
    return ran(true, "README.md now holds the table");
  }
  return ran(
    false,
    `README.md's table differs; "deno task features" writes:\n${table}`,
  );
}
