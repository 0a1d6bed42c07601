/**
 * The permissions that the command needs on Deno.
 */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { filePath } from "../../tools/suite/paths.ts";
import { mintChain } from "../../src/testing/mod.ts";
import { COMMAND_VARIABLE, inTemporaryFolder, runProgram } from "./command.ts";
import { serve, withServers } from "./servers.ts";

/** Another command than the checkout's has other permissions. */
const ignore = Deno.env.get(COMMAND_VARIABLE) !== undefined;

const granted = (
  permissions: readonly string[],
  args: readonly string[],
  cwd: string,
) =>
  runProgram(Deno.execPath(), [
    ...["run", "--no-prompt", "--no-check", "--quiet"],
    ...[...permissions, filePath("cli/main.ts"), ...args],
  ], { cwd });

Deno.test({
  name: "certpin pin, lint and convert need to read, and nothing else",
  ignore,
  fn: async () => {
    const cwd = filePath("fixtures/docs/");
    const read = ["--allow-read"];
    for (
      const args of [
        ["pin", "chain.pem"],
        ["lint", "pins.json"],
        ["convert", "pins.json", "--to", "ios"],
      ]
    ) {
      assertEquals((await granted(read, args, cwd)).code, 0);
      assertEquals((await granted([], args, cwd)).code, 2);
    }
  },
});

Deno.test({
  name:
    "certpin check and inspect need to read and to connect; listing the platform's anchors takes more, and they say what",
  ignore,
  fn: async () => {
    const chain = await mintChain({ hostnames: ["api.example.com"] });
    await withServers(
      [serve(chain)],
      ([server]) =>
        inTemporaryFolder(async (cwd) => {
          await Deno.writeTextFile(`${cwd}/root.pem`, chain.ca);
          const pins = JSON.stringify(chain.policy);
          await Deno.writeTextFile(`${cwd}/pins.json`, pins);
          const host = `api.example.com:${server.port}`;
          const where = [host, "--connect-to", "127.0.0.1"];
          const root = ["--root", "root.pem"];
          const net = ["--allow-read", "--allow-net=127.0.0.1"];
          for (const args of [["check", "pins.json"], ["inspect"]]) {
            const all = [...args, ...where, ...root];
            assertEquals((await granted(net, all, cwd)).code, 0);
            assertEquals((await granted(["--allow-read"], all, cwd)).code, 1);
          }
          const platform = await granted(net, ["inspect", ...where], cwd);
          assertEquals(platform.code, 2);
          assertStringIncludes(platform.stderr, "--allow-sys");
          const listed = [
            ...net,
            "--allow-sys",
            "--allow-env=NODE_USE_SYSTEM_CA",
          ];
          const evaluated = await granted(listed, ["inspect", ...where], cwd);
          // Listed, and our root is not among them.
          assertEquals(evaluated.code, 1);
          assertStringIncludes(evaluated.stdout, "ERR_CERTPIN_PATH_NO_ISSUER");
        }),
    );
  },
});
