/**
 * The command on a terminal, which `script` lends.
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { filePath } from "../../tools/suite/paths.ts";
import { mintChain } from "../../src/testing/mod.ts";
import { missing } from "../conformance/skip.ts";
import { commandWords, inTemporaryFolder, runProgram } from "./command.ts";
import { serve, withServers } from "./servers.ts";

/** `script` of util-linux takes a command as one text and passes its exit code on. */
async function hasScript(): Promise<boolean> {
  try {
    const { stdout } = await runProgram("script", ["--version"]);
    return stdout.includes("util-linux");
  } catch {
    return false;
  }
}
const noScript = missing(
  "script",
  await hasScript(),
  "util-linux's script command is not installed",
);

const quote = (word: string) => `'${word.replaceAll("'", `'\\''`)}'`;

/** Runs on a terminal; answers the first output that holds `prompt`. */
async function onTerminal(
  args: readonly string[],
  cwd: string,
  answer?: { prompt: string; text: string },
): Promise<{ code: number; output: string }> {
  const line = [...commandWords(), ...args].map(quote).join(" ");
  const child = new Deno.Command("script", {
    args: ["-qec", line, "/dev/null"],
    cwd,
    env: { TERM: "xterm", NO_COLOR: "", CERTPIN_PASSPHRASE: "" },
    clearEnv: false,
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
    signal: AbortSignal.timeout(60_000),
  }).spawn();
  const writer = child.stdin.getWriter();
  let output = "";
  let answered = answer === undefined;
  for await (const piece of child.stdout.pipeThrough(new TextDecoderStream())) {
    output += piece;
    if (!answered && answer && output.includes(answer.prompt)) {
      answered = true;
      await writer.write(new TextEncoder().encode(answer.text));
    }
  }
  await writer.close().catch(() => {});
  const { code } = await child.status;
  return { code, output };
}

const keys = filePath("fixtures/keys/");
const { p256 } = JSON.parse(Deno.readTextFileSync(`${keys}pins.json`));

Deno.test({
  name:
    "certpin pin asks for a passphrase on a terminal, and shows nothing of it",
  ignore: noScript,
  fn: async () => {
    const ask = (text: string) =>
      onTerminal(["pin", "p256.aes256.pem"], keys, {
        prompt: "Passphrase for p256.aes256.pem: ",
        text,
      });
    // A slip, taken back with the delete key.
    const right = await ask("correct horsf\u007fe\r");
    assertEquals(right.code, 0);
    assertStringIncludes(right.output, p256.spki);
    assertEquals(/horse|horsf|correct/.test(right.output), false);
    const wrong = await ask("battery staple\r");
    assertEquals(wrong.code, 2);
    assertStringIncludes(wrong.output, "ERR_CERTPIN_KEY_PASSPHRASE");
    assertEquals(/battery|staple/.test(wrong.output), false);
    // Ctrl-C.
    const interrupted = await ask("correct \u0003");
    assertEquals(interrupted.code, 2);
    assertEquals(interrupted.output.includes("correct"), false);
  },
});

Deno.test({
  name:
    "certpin check shows colour and progress on a terminal, and leaves neither progress nor a moved cursor",
  ignore: noScript,
  fn: async () => {
    const chain = await mintChain({ hostnames: ["api.example.com"] });
    await withServers(
      [serve(chain)],
      ([server]) =>
        inTemporaryFolder(async (cwd) => {
          await Deno.writeTextFile(`${cwd}/root.pem`, chain.ca);
          await Deno.writeTextFile(
            `${cwd}/pins.json`,
            JSON.stringify(chain.policy),
          );
          const { code, output } = await onTerminal([
            ...["check", "pins.json", `api.example.com:${server.port}`],
            ...["--connect-to", "127.0.0.1", "--root", "root.pem"],
          ], cwd);
          assertEquals(code, 0);
          assertStringIncludes(output, "checking 0 of 1");
          assertStringIncludes(output, "\u001b[32m✔");
          // The line is cleared before anything else is printed.
          const cleared = output.lastIndexOf("\r\u001b[K");
          assert(cleared > output.lastIndexOf("checking"));
          assert(cleared < output.indexOf("✔"));
        }),
    );
  },
});
