/**
 * Rehearses publishing: the files that would go out, in a folder of their own.
 *
 * The packages that `links` names must not lie within the published folder,
 * so the rehearsal runs in a copy whose links point back at this checkout.
 *
 * @module
 */
import { pathToFileURL } from "node:url";
import { deno, type Ran } from "./command.ts";
import { filePath, filesUnder, ROOT } from "./paths.ts";

interface Configuration {
  links?: string[];
  publish: { include: string[] };
  [key: string]: unknown;
}

/** The paths that `publish.include` names: files, and `folder/**` with an ending. */
async function publishable(include: readonly string[]): Promise<string[]> {
  const paths: string[] = [];
  for (const pattern of include) {
    const [folder, ending] = pattern.split("**/*");
    if (ending === undefined) paths.push(pattern);
    else {
      const found = await filesUnder(folder);
      paths.push(...found.filter((path) => path.endsWith(ending)));
    }
  }
  return paths;
}

/** Copies what would be published into a folder. */
async function copyPublishable(copy: URL): Promise<void> {
  const configuration: Configuration = JSON.parse(
    await Deno.readTextFile(new URL("deno.json", ROOT)),
  );
  for (const path of await publishable(configuration.publish.include)) {
    const target = new URL(path, copy);
    await Deno.mkdir(new URL("./", target), { recursive: true });
    await Deno.copyFile(new URL(path, ROOT), target);
  }
  configuration.links = configuration.links?.map(filePath);
  delete configuration.lock;
  await Deno.writeTextFile(
    new URL("deno.json", copy),
    JSON.stringify(configuration, null, 2),
  );
}

/** Does something in a temporary copy of what would be published, with Deno there. */
export async function inPublishableCopy<T>(
  use: (copy: URL, here: (args: string[]) => Promise<Ran>) => Promise<T>,
  verbose = false,
): Promise<T> {
  const folder = await Deno.makeTempDir({ prefix: "certpin-publish-" });
  try {
    const copy = pathToFileURL(folder + "/");
    await copyPublishable(copy);
    return await use(copy, (args) => deno(args, { cwd: folder, verbose }));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Runs `deno publish --dry-run`: slow types and unresolved imports fail it. */
export async function rehearsePublishing(verbose: boolean): Promise<Ran> {
  return await inPublishableCopy(
    (_, here) => here(["publish", "--dry-run", "--allow-dirty"]),
    verbose,
  );
}
