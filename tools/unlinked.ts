/**
 * Runs Deno in a copy of the project without the links: with JSR's packages.
 *
 * `deno task unlinked publish` and the like; `deno task test:jsr` runs the
 * suite that way, where JSR can be reached.
 *
 * @module
 */
import { deno } from "./suite/command.ts";
import { filesUnder, ROOT } from "./suite/paths.ts";
import { requireAll } from "../tests/conformance/skip.ts";

/** Copies the project, without links and lock file, into a folder. */
async function copyUnlinked(folder: string): Promise<void> {
  for (const path of await filesUnder("")) {
    if (path === "deno.lock") continue;
    const target = `${folder}/${path}`;
    await Deno.mkdir(target.slice(0, target.lastIndexOf("/")), {
      recursive: true,
    });
    await Deno.copyFile(new URL(path, ROOT), target);
  }
  const configuration = JSON.parse(
    await Deno.readTextFile(new URL("deno.json", ROOT)),
  );
  delete configuration.links;
  delete configuration.lock;
  await Deno.writeTextFile(
    `${folder}/deno.json`,
    JSON.stringify(configuration, null, 2) + "\n",
  );
}

/** Runs Deno in such a copy; returns its exit status. */
async function runUnlinked(args: readonly string[]): Promise<number> {
  const folder = await Deno.makeTempDir({ prefix: "certpin-unlinked-" });
  try {
    await copyUnlinked(folder);
    const child = new Deno.Command(Deno.execPath(), {
      args: [...args],
      cwd: folder,
    }).spawn();
    return (await child.status).code;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function jsrAnswers(): Promise<boolean> {
  const { success, output } = await deno([
    "info",
    "--no-config",
    "--no-lock",
    "--json",
    "jsr:@std/encoding@1/base64",
  ]);
  return success && !output.includes('"error"');
}

async function test(args: readonly string[]): Promise<number> {
  const required = args.includes("--required") || requireAll();
  if (!await jsrAnswers()) {
    console.log("SKIPPED jsr: JSR cannot be reached from here");
    console.log(`Skipped: 1\n0 passed, ${required ? 1 : 0} failed`);
    return required ? 1 : 0;
  }
  const rest = args.filter((arg) => arg !== "--required");
  return await runUnlinked(["task", "test", ...rest]);
}

if (import.meta.main) {
  const [first, ...rest] = Deno.args;
  Deno.exit(
    first === "test" ? await test(rest) : await runUnlinked(Deno.args),
  );
}
