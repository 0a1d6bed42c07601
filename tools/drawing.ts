/**
 * Draws the house from its imports, for `docs/design.md`.
 *
 * @module
 */
import { floorOf, FLOORS, placeOf } from "./floors.ts";
import { type ImportGraph, importGraph } from "./imports.ts";
import { filesUnder } from "./suite/paths.ts";

const BEGIN = "<!-- drawing:begin -->";
const END = "<!-- drawing:end -->";

/** A box: a folder, a file, or the ground floor as a whole. */
function boxOf(path: string): string | undefined {
  const floor = floorOf(path);
  if (floor === undefined) return undefined;
  if (floor === 1) return "ground floor";
  return placeOf(path)?.replace(/(\.ts|\/)$/, "");
}

/** The boxes that each box imports, the ground floor left out: all stand on it. */
function arrows(graph: ImportGraph): [string, string][] {
  const found = new Set<string>();
  for (const [from, targets] of graph) {
    for (const to of targets) {
      const [above, below] = [boxOf(from), boxOf(to)];
      if (!above || !below || above === below) continue;
      if (below !== "ground floor") found.add(`${above} ${below}`);
    }
  }
  return [...found].sort().map((arrow) => {
    const [above, below] = arrow.split(" ");
    return [above, below];
  });
}

function idOf(box: string): string {
  return box.replace(/\W/g, "_");
}

/** Draws the imports as a Mermaid flow chart, one subgraph a floor. */
export function drawing(graph: ImportGraph): string {
  const lines = ["flowchart TB"];
  for (const [index, { title }] of [...FLOORS.entries()].reverse()) {
    const floor = index + 1;
    const boxes = new Set(
      [...graph.keys()].filter((path) => floorOf(path) === floor).map(boxOf),
    );
    lines.push(`  subgraph f${floor}["${floor}. ${title}"]`);
    for (const box of [...boxes].sort()) {
      lines.push(`    ${idOf(box!)}["${box}"]`);
    }
    lines.push("  end");
  }
  for (const [above, below] of arrows(graph)) {
    lines.push(`  ${idOf(above)} --> ${idOf(below)}`);
  }
  return lines.join("\n");
}

/** Reads the imports of everything that is published. */
export async function publishedGraph(): Promise<ImportGraph> {
  const sources = (await filesUnder("src/")).filter((path) =>
    path.endsWith(".ts")
  );
  return await importGraph(["mod.ts", ...sources]);
}

/** The document with the drawing as it has to be. */
export async function withDrawing(document: string): Promise<string> {
  const [start, end] = [document.indexOf(BEGIN), document.indexOf(END)];
  if (start < 0 || end < start) {
    throw new Error(`docs/design.md lacks ${BEGIN} or ${END}`);
  }
  const chart = drawing(await publishedGraph());
  return document.slice(0, start) +
    `${BEGIN}\n\n\`\`\`mermaid\n${chart}\n\`\`\`\n\n` + document.slice(end);
}
