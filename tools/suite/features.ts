/**
 * The table of features by runtime, made from what tests found; the README has
 * the rows with an exception.
 *
 * @module
 */
import type { FeatureResult } from "../../tests/conformance/harness.ts";
import type { Ran } from "./command.ts";
import { ROOT } from "./paths.ts";

/** A generated part: its document, and its name in the markers. */
interface Part {
  readonly path: string;
  readonly name: string;
  draw(results: readonly FeatureResult[]): string;
}

const PARTS: readonly Part[] = [
  { path: "docs/features.md", name: "features", draw: featureTable },
  { path: "README.md", name: "exceptions", draw: exceptionTable },
];

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

function rowsOf(results: readonly FeatureResult[]): {
  columns: readonly string[];
  rows: readonly (readonly string[])[];
} {
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
  return { columns, rows };
}

function table(rows: readonly (readonly string[])[]): string {
  return rows.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/** Draws the table in Markdown; features in the order of their tests. */
export function featureTable(results: readonly FeatureResult[]): string {
  const { columns, rows } = rowsOf(results);
  return table([
    ["", ...columns],
    ["---", ...columns.map(() => "---")],
    ...rows,
  ]);
}

/** Draws a row for each feature that a runtime refuses or fails. */
export function exceptionTable(results: readonly FeatureResult[]): string {
  const { columns, rows } = rowsOf(results);
  const exceptions = rows.flatMap(([feature, ...cells]) =>
    cells.flatMap((text, place) =>
      text === "yes" || text === "–" ? [] : [[feature, columns[place], text]]
    )
  );
  if (exceptions.length === 0) return "Nothing.";
  return table([
    ["feature", "runtime", "what happens"],
    ["---", "---", "---"],
    ...exceptions,
  ]);
}

/** Cells without the padding that a formatter may add. */
function plain(table: string): string {
  return table.trim().replace(/[ \t]+/g, " ").replace(/-{3,}/g, "---");
}

/** Compares the generated parts with the results, or writes them. */
export async function compareFeatures(
  lines: string,
  write: boolean,
): Promise<Ran> {
  const results = readFeatures(lines);
  const said: string[] = [];
  let success = true;
  for (const { path, name, draw } of PARTS) {
    const [begin, end] = [`<!-- ${name}:begin -->`, `<!-- ${name}:end -->`];
    const url = new URL(path, ROOT);
    const document = await Deno.readTextFile(url);
    const [start, stop] = [document.indexOf(begin), document.indexOf(end)];
    if (start < 0 || stop < start) {
      success = false;
      said.push(`${path} lacks ${begin} or ${end}`);
      continue;
    }
    const wanted = draw(results);
    const head = document.slice(0, start + begin.length);
    if (plain(document.slice(head.length, stop)) === plain(wanted)) continue;
    if (write) {
      const tail = document.slice(stop);
      await Deno.writeTextFile(url, `${head}\n\n${wanted}\n\n${tail}`);
      said.push(`${path} now holds the table`);
      continue;
    }
    success = false;
    said.push(`${path} differs; "deno task features" writes:\n${wanted}`);
  }
  const output = said.join("\n");
  return { success, output, stdout: output };
}
