/** Processes that write the same file, and are killed in the middle of it. */
import { assert, assertEquals } from "@std/assert";
import { fileStore, verifySignedPolicy } from "../../../src/updates/mod.ts";
import { AUDIENCE, KEYS, signed } from "../../conformance/updates/scene.ts";

/** How many writers are started and killed. */
const WRITERS = 6;

Deno.test("a file store holds a whole policy whenever its writers are killed", async () => {
  const folder = await Deno.makeTempDir({ prefix: "certpin-crash-" });
  const file = `${folder}/policy.jws`;
  const texts = await Promise.all([1, 2].map((sequence) => {
    // Large enough for several writes, were they made in place.
    const notes = { "x-notes": "x".repeat(sequence * 300_000) };
    return signed({ sequence }, { version: 1, hosts: {}, ...notes } as never);
  }));
  const program = `
    import { fileStore } from "./src/updates/mod.ts";
    const [file, from] = Deno.args;
    const text = await Deno.readTextFile(from);
    const store = fileStore(file);
    for (;;) { await store.save(text); console.log("saved"); }
  `;
  try {
    await Deno.writeTextFile(`${folder}/1`, texts[0]);
    await Deno.writeTextFile(`${folder}/2`, texts[1]);
    for (let writer = 0; writer < WRITERS; writer++) {
      const children = [1, 2].map((which) =>
        new Deno.Command(Deno.execPath(), {
          args: ["eval", program, file, `${folder}/${which}`],
          cwd: new URL("../../../", import.meta.url),
          stdout: "piped",
        }).spawn()
      );
      for (const child of children) {
        const reader = child.stdout.getReader();
        assert(!(await reader.read()).done);
        // Somewhere in one of its next writes.
        child.kill("SIGKILL");
        await reader.cancel();
        await child.status;
      }
      const text = await fileStore(file).load();
      const { sequence } = await verifySignedPolicy(text!, {
        keys: [KEYS.publicKey],
        audience: AUDIENCE,
      });
      assertEquals(text, texts[sequence - 1]);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
