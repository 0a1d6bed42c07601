import { assertEquals } from "@std/assert";
import { mintChain } from "../../src/testing/mod.ts";
import { missing } from "../conformance/skip.ts";
import {
  certpin,
  documentOf,
  inTemporaryFolder,
  runProgram,
} from "./command.ts";
import { serve, withServers } from "./servers.ts";

async function hasCurl(): Promise<boolean> {
  try {
    const { stdout } = await runProgram("curl", ["--version"]);
    return stdout.includes("https");
  } catch {
    return false;
  }
}

/** What curl ends with where `--pinnedpubkey` does not match. */
const CURLE_SSL_PINNEDPUBKEYNOTMATCH = 90;

Deno.test({
  name:
    "curl accepts and refuses the same servers by the pins that convert writes as check does",
  ignore: missing("curl", await hasCurl(), "the curl command is not installed"),
  fn: async () => {
    const hostnames = ["api.example.com"];
    const chain = await mintChain({ hostnames });
    // Of the same names and of a root that both trust, but with other keys.
    const impostor = await mintChain({ hostnames });
    const leafOnly = {
      version: 1,
      hosts: {
        "api.example.com": {
          pins: [
            { pin: chain.pins.leaf, role: "leaf" },
            { pin: chain.pins.backup, role: "leaf" },
          ],
        },
      },
    };
    const starting = [serve(chain), serve(impostor)];
    await withServers(
      starting,
      ([good, bad]) =>
        inTemporaryFolder(async (cwd) => {
          const write = (name: string, text: string) =>
            Deno.writeTextFile(`${cwd}/${name}`, text);
          await write("pins.json", JSON.stringify(leafOnly));
          await write("roots.pem", chain.ca + impostor.ca);
          const converted = await certpin(
            ["convert", "pins.json", "--to", "curl"],
            { cwd },
          );
          assertEquals([converted.code, converted.stderr], [0, ""]);
          // The command line as people would paste it, with a server to reach.
          const run = (port: number) =>
            runProgram("sh", [
              "-c",
              `${converted.stdout.trim()} --silent --max-time 20 --noproxy '*' ` +
              `--cacert roots.pem --connect-to api.example.com:443:127.0.0.1:${port}`,
            ], { cwd });
          const accepted = await run(good.port);
          assertEquals([accepted.code, accepted.stdout], [0, "ok"]);
          const refused = await run(bad.port);
          assertEquals(
            [refused.code, refused.stdout],
            [CURLE_SSL_PINNEDPUBKEYNOTMATCH, ""],
          );
          for (
            const [port, decision] of [[good.port, "allow"], [
              bad.port,
              "block",
            ]]
          ) {
            const ran = await certpin([
              ...["check", "pins.json", `api.example.com:${port}`, "--json"],
              ...["--connect-to", "127.0.0.1", "--root", "roots.pem"],
            ], { cwd });
            assertEquals(
              documentOf(ran, "check").results[0].decision,
              decision,
            );
          }
          assertEquals(bad.received(), 0);
        }),
    );
  },
});
