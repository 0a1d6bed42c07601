/**
 * The table of `docs/fetch.md`: behaviours of `createFetch` beside those of
 * each runtime's own `fetch`, as the tests hold them.
 *
 * @module
 */
import { DIFFERENCES } from "../../tests/conformance/fetch/differences.ts";
import { BEHAVIOURS } from "../../tests/conformance/fetch/table.ts";
import { between } from "./between.ts";

const RUNTIMES = ["node", "deno", "bun"] as const;

/** Whether a name such as `node22` is about a runtime. */
function isAbout(name: string, runtime: string): boolean {
  return name.replace(/[\d.]+$/, "") === runtime;
}

function notesOf(behaviour: string, runtime: string): string {
  const notes = DIFFERENCES.flatMap(({ behaviours, runtimes }, at) =>
    behaviours.includes(behaviour) &&
      runtimes.some((name) => isAbout(name, runtime))
      ? [`[${at + 1}](#difference-${at + 1})`]
      : []
  );
  return notes.length === 0 ? "same" : notes.join(", ");
}

function table(): string {
  return BEHAVIOURS.map(({ title, behaviours }) => {
    const rows = behaviours.map(({ name }) => {
      const cells = RUNTIMES.map((runtime) => notesOf(name, runtime));
      return `| ${name} | ${cells.join(" | ")} |`;
    });
    return `### ${title}\n\n| \`createFetch\` … | Node | Deno | Bun |\n| --- | --- | --- | --- |\n${
      rows.join("\n")
    }`;
  }).join("\n\n");
}

const NAMES: Readonly<Record<string, string>> = {
  node: "Node",
  deno: "Deno",
  bun: "Bun",
};

function shown(name: string): string {
  const [, runtime, version] = /^([a-z]+)([\d.]*)$/.exec(name)!;
  return `${NAMES[runtime]}${version && ` ${version}`}`;
}

function differences(): string {
  const rows = DIFFERENCES.map(({ runtimes, own, reason }, at) =>
    `| <a id="difference-${at + 1}"></a>${at + 1} | ${
      runtimes.map(shown).join(", ")
    } | ${own} | ${reason} |`
  );
  return `| | Where | Its own \`fetch\` | Why not \`createFetch\` |\n| --- | --- | --- | --- |\n${
    rows.join("\n")
  }`;
}

function count(): string {
  const all = BEHAVIOURS.flatMap(({ behaviours }) => behaviours);
  const same = RUNTIMES.map((runtime) =>
    `${NAMES[runtime]} ${
      all.filter(({ name }) => notesOf(name, runtime) === "same").length
    }`
  );
  return `${all.length} behaviours; as the runtime's own \`fetch\`: ${
    same.join(", ")
  }.`;
}

/** The page, with its generated parts anew. */
export function fetchPage(now: string): string {
  const withCount = between("count", now, count());
  const withTable = between("behaviours", withCount, table());
  return between("differences", withTable, differences());
}
