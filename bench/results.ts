/**
 * `bench/RESULTS.md`: what was measured, by runtime.
 *
 * @module
 */
import { between } from "../tools/docs/between.ts";
import { type BenchRuntime, isMet, type Row } from "./bench.ts";
import { limitOf } from "./limits.ts";

/** A row, and the benchmark that it came of. */
export type BenchRow = Row & { readonly bench: string };

/** A figure as it is shown. */
export function shown(value: number, unit: Row["unit"]): string {
  return unit === "ms" ? `${value.toFixed(0)} ms` : value.toFixed(2);
}

/** What a row is to keep. */
export function goalOf({ goal, unit, better }: Row): string {
  return `${better === "more" ? "at least" : "at most"} ${shown(goal, unit)}`;
}

function line(row: BenchRow): string {
  const { what, against, value, spread, unit } = row;
  const range = spread?.map((end) => shown(end, unit)).join(" to ") ?? "";
  const cells = [
    what,
    against,
    shown(value, unit),
    range,
    goalOf(row),
    isMet(row) ? "met" : "**missed**",
  ];
  return `| ${cells.join(" | ")} |`;
}

/** The part of one runtime. */
export function section(
  runtime: BenchRuntime,
  version: string,
  date: string,
  machine: string,
  rows: readonly BenchRow[],
): string {
  const missed = rows.filter((row) => !isMet(row));
  const reasons = missed.map((row) =>
    `- ${row.what}: ${limitOf(runtime, row)}`
  );
  return [
    `${version}, ${date}, ${machine}.`,
    "| What | Against | Found | Middle half | Goal | |",
    "| --- | --- | --- | --- | --- | --- |",
    ...rows.map(line),
    ...(reasons.length > 0
      ? ["", "What limits the rows that miss their goal:", "", ...reasons]
      : []),
  ].join("\n").replace(`${machine}.\n`, `${machine}.\n\n`);
}

const TITLES: Readonly<Record<BenchRuntime, string>> = {
  deno: "Deno",
  node: "Node",
  bun: "Bun",
};

const NEW_PAGE = `# Results of \`deno task bench\`

Written by \`deno task bench\`, \`deno task bench --runtime node\` and
\`--runtime bun\`. A rate of 1.00 is as fast as what it is compared with, 2.00
twice as fast; a time of 1.00 takes as long, 2.00 twice as long. Both sides take
turns in one run, each pair in the other order; the figure is the median of the
pairs' ratios. The server runs in a process of its own. A busy machine widens
the middle half; the ratios hold better than any time.

${
  Object.entries(TITLES).map(([name, title]) =>
    `## ${title}\n\n<!-- ${name}:begin -->\n\nNot measured yet.\n\n<!-- ${name}:end -->`
  ).join("\n\n")
}
`;

/** Puts a runtime's part into the page. */
export function withSection(
  page: string | undefined,
  runtime: BenchRuntime,
  text: string,
): string {
  return between(runtime, page ?? NEW_PAGE, text);
}
