/**
 * What an import costs in a process that has done nothing yet.
 *
 * @module
 */
import { execFileSync } from "node:child_process";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { asTime, type Bench, type Context, type Row } from "./bench.ts";
import { compare, type Subject } from "./measure.ts";

const GOAL = 1.3;

/** Milliseconds that a process says its import took, as what a run took. */
function importing(name: string, file: string, isDeno: boolean): Subject {
  const script = `const start = performance.now();
await import(${JSON.stringify(pathToFileURL(file).href)});
console.log(performance.now() - start);`;
  const args = isDeno
    ? ["eval", "--no-lock", script]
    : ["--input-type=module", "-e", script];
  return {
    name,
    measure: () =>
      Number(execFileSync(process.execPath, args, { encoding: "utf8" })),
    run: () => Promise.resolve(),
  };
}

/** The benchmark. */
export const benchColdStart: Bench = {
  name: "cold",
  async *run({ runtime, imports }: Context): AsyncGenerator<Row> {
    const isDeno = runtime === "deno";
    const pairs = [
      ["import of the core", "core", "importing pkijs alone", "pkijs"],
      [
        "import of the adapter, and a first pinner",
        "adapter",
        "importing pkijs and undici alone",
        "both",
      ],
    ] as const;
    for (const [what, ours, against, theirs] of pairs) {
      yield asTime(
        what,
        against,
        await compare(
          importing(ours, imports[ours], isDeno),
          importing(theirs, imports[theirs], isDeno),
          { pairs: 9, count: 1, warmUps: 1 },
        ),
        GOAL,
      );
    }
  },
};
