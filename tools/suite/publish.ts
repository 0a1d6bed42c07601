/**
 * Rehearses publishing: the files that would go out, in a folder of their own.
 *
 * The packages that `links` names must not lie within the published folder,
 * so the rehearsal runs in a copy whose links point back at this checkout.
 *
 * @module
 */
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
async function copyPublishable(copy: string): Promise<void> {
  const configuration: Configuration = JSON.parse(
    await Deno.readTextFile(new URL("deno.json", ROOT)),
  );
  for (const path of await publishable(configuration.publish.include)) {
    const target = `${copy}/${path}`;
    await Deno.mkdir(target.slice(0, target.lastIndexOf("/")), {
      recursive: true,
    });
    await Deno.copyFile(new URL(path, ROOT), target);
  }
  configuration.links = configuration.links?.map(filePath);
  delete configuration.lock;
  await Deno.writeTextFile(
    `${copy}/deno.json`,
    JSON.stringify(configuration, null, 2),
  );
}

/** Runs `deno publish --dry-run`: slow types and unresolved imports fail it. */
export async function rehearsePublishing(verbose: boolean): Promise<Ran> {
  const copy = await Deno.makeTempDir({ prefix: "certpin-publish-" });
  try {
    await copyPublishable(copy);
    return await deno(["publish", "--dry-run", "--allow-dirty"], {
      cwd: copy,
      verbose,
    });
  } finally {
    await Deno.remove(copy, { recursive: true });
  }
}
