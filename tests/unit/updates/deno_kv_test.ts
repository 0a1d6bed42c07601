/** The store over the real Deno KV, which needs a flag. */
import { assert, assertEquals } from "@std/assert";
import { ROOT } from "../../../tools/suite/paths.ts";

const PROGRAM = `
import { denoKvStore } from "./src/updates/stores.ts";
const kv = await Deno.openKv(":memory:");
const one = denoKvStore(kv, ["certpin", "policy"]);
const two = denoKvStore(kv, ["certpin", "policy"]);
const said: unknown[] = [await one.load(), await two.load()];
await one.save("first");
await one.save("second");
said.push(await two.save("late").then(() => "saved", () => "refused"));
said.push(await two.load());
await two.save("third");
said.push(await one.load());
kv.close();
console.log(JSON.stringify(said));
`;

Deno.test("denoKvStore() takes what Deno.openKv() gives, types and all", async () => {
  const file = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    const module = new URL("src/updates/stores.ts", ROOT).href;
    const program = PROGRAM.replace("./src/updates/stores.ts", module);
    await Deno.writeTextFile(file, program);
    const { success, stdout, stderr } = await new Deno.Command(
      Deno.execPath(),
      {
        args: ["run", "-A", "--check", "--unstable-kv", "--no-lock", file],
        cwd: ROOT,
        signal: AbortSignal.timeout(60_000),
      },
    ).output();
    assert(success, new TextDecoder().decode(stderr));
    assertEquals(
      JSON.parse(new TextDecoder().decode(stdout)),
      [null, null, "refused", "second", "third"],
    );
  } finally {
    await Deno.remove(file);
  }
});
