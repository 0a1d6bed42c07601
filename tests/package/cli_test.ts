/**
 * The tests of the command once more, against the built package.
 */
import { assert } from "@std/assert";
import { buildNpm } from "../../tools/build_npm.ts";
import { deno } from "../../tools/suite/command.ts";
import { npm, programPath } from "../../tools/suite/npx.ts";
import { filesUnder, ROOT } from "../../tools/suite/paths.ts";
import { COMMAND_VARIABLE } from "../cli/command.ts";
import { everything, missing } from "../conformance/skip.ts";
import { Consumer } from "./consumer.ts";

const hasNpm = (await npm(["--version"], ".")).success;
const noNpm = missing("npm", hasNpm, "the npm command is not installed");

const runtimes = everything()
  ? ["node@22.19.0", "node@24", "node@26", "bun@1.4"]
  : ["node@24"];

/** The tests that start the command; those in folders import its modules. */
const commandTests = (await filesUnder("tests/cli/"))
  .filter((path) => /^tests\/cli\/\w+_test\.ts$/.test(path));

/** What the oldest and the newest Node run: one test file of each kind. */
const SAMPLE = /\/(?:help|pin|check|convert)_test\.ts$/;
const SAMPLED: ReadonlySet<string> = new Set(["node@22.19.0", "node@26"]);

for (const runtime of runtimes) {
  Deno.test({
    name: `the command passes its tests from the package, on ${runtime}`,
    ignore: noNpm,
    fn: async () => {
      const program = await programPath(runtime, runtime.split("@")[0], [
        "-p",
        "process.execPath",
      ]);
      assert(program, `npx does not bring ${runtime}`);
      const { command } = await buildNpm();
      await using consumer = await Consumer.create(command, []);
      const bin = `${consumer.folder}/node_modules/@certpin/cli/bin/certpin.js`;
      const files = SAMPLED.has(runtime)
        ? commandTests.filter((path) => SAMPLE.test(path))
        : commandTests;
      assert(files.length >= 4);
      const { success, output } = await deno(
        ["test", "-A", "--no-check", "--parallel", ...files],
        {
          cwd: ROOT,
          env: { [COMMAND_VARIABLE]: JSON.stringify([program, bin]) },
        },
      );
      assert(commandTests.length > 10);
      assert(success, output);
    },
  });
}
