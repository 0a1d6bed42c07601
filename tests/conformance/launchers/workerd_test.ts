/**
 * Runs the bodies in workerd: the core without any help, and the adapters,
 * which get all there is and refuse.
 */
import { assert } from "@std/assert";
import { bundle } from "../../../tools/bundle.ts";
import { run } from "../../../tools/suite/command.ts";
import { vectorsScript } from "../../../tools/suite/vectors.ts";
import { workerdPath } from "../edge/workerd.ts";
import { everything, missing } from "../skip.ts";
import { reportSteps } from "./steps.ts";

const CONFIG = `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (services = [
  (name = "core", worker = (
    modules = [
      (name = "worker", esModule = embed "workerd.js"),
      (name = "vectors.js", esModule = embed "vectors.js"),
    ],
    compatibilityDate = "2026-11-01",
  )),
  (name = "adapters", worker = (
    modules = [
      (name = "worker", esModule = embed "workerd_adapters.js"),
      (name = "node_adapter.js", esModule = embed "node_adapter.js"),
      (name = "deno_adapter.js", esModule = embed "deno_adapter.js"),
    ],
    compatibilityDate = "2026-11-01",
    compatibilityFlags = ["nodejs_compat"],
  )),
]);
`;

const LAUNCHERS = "tests/conformance/launchers";

const isMissing = everything() &&
  missing("workerd", workerdPath !== undefined, "npx does not bring workerd");

Deno.test({
  name: "workerd passes the tests of the core, and the adapters refuse there",
  ignore: !everything() || isMissing,
  fn: async (t) => {
    const folder = await Deno.makeTempDir({ prefix: "certpin-workerd-" });
    try {
      const core = await bundle(`${LAUNCHERS}/workerd.ts`, "sandbox");
      const files = {
        "config.capnp": CONFIG,
        "vectors.js": await vectorsScript(everything()),
        "workerd.js": `import "./vectors.js";\n${core}`,
        "workerd_adapters.js": await bundle(
          `${LAUNCHERS}/workerd_adapters.ts`,
          "sandbox",
        ),
        "node_adapter.js": await bundle("src/adapters/node.ts", "sandbox"),
        "deno_adapter.js": await bundle("src/adapters/deno.ts", "sandbox"),
      };
      for (const [name, text] of Object.entries(files)) {
        await Deno.writeTextFile(`${folder}/${name}`, text);
      }
      const { success, output } = await run(
        workerdPath!,
        ["test", "config.capnp"],
        { cwd: folder },
      );
      assert(success, output);
      const results = output.split("\n").filter((line) => line.startsWith("[{"))
        .map((line) => JSON.parse(line));
      assert(results.length === 2, output);
      await reportSteps(t, results.flat());
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
