/**
 * A store in a file, for Deno, Node and Bun.
 *
 * @module
 */
import { MAX_SIGNED_POLICY_BYTES } from "../limits.ts";
import type { PolicyStore } from "./stores.ts";

/** Loaded at first use: what imports `./updates` may run where there are no files. */
async function nodeModules() {
  const [fs, path] = await Promise.all([
    import("node:fs/promises"),
    import("node:path"),
  ]);
  const { fileURLToPath } = await import("node:url");
  return { fs, path, fileURLToPath };
}

type Node = Awaited<ReturnType<typeof nodeModules>>;

/** Makes a rename last, where a folder can be synchronised: not on Windows. */
async function syncFolder({ fs }: Node, folder: string): Promise<void> {
  try {
    const handle = await fs.open(folder, "r");
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch {
    // The file is whole in any case; only which one it is may be forgotten.
  }
}

async function replace(node: Node, name: string, text: string): Promise<void> {
  const { fs, path } = node;
  const folder = path.dirname(name);
  const neighbour = path.join(
    folder,
    `.${path.basename(name)}.${crypto.randomUUID()}.tmp`,
  );
  try {
    const handle = await fs.open(neighbour, "wx", 0o600);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await fs.rename(neighbour, name);
  } catch (error) {
    await fs.rm(neighbour, { force: true }).catch(() => {});
    throw error;
  }
  await syncFolder(node, folder);
}

/**
 * Keeps the policy in a file.
 *
 * A text is written into a file beside it, flushed to the disk, and then put
 * in its place in one step: whenever the process or the machine stops, the
 * file holds the old text or the new one, whole. Needs the permission to read
 * and write the folder.
 *
 * @param file The file's path, or a `file:` URL; its folder must exist.
 * @returns The store.
 */
export function fileStore(file: string | URL): PolicyStore {
  const nameOf = ({ fileURLToPath }: Node) =>
    typeof file === "string" ? file : fileURLToPath(file);
  return {
    async load() {
      const node = await nodeModules();
      const name = nameOf(node);
      try {
        const { size } = await node.fs.stat(name);
        if (size > MAX_SIGNED_POLICY_BYTES) {
          throw new Error(
            `The file has ${size} bytes, at most ${MAX_SIGNED_POLICY_BYTES} allowed`,
          );
        }
        return await node.fs.readFile(name, "utf8");
      } catch (error) {
        if ((error as { code?: string }).code === "ENOENT") return undefined;
        throw error;
      }
    },
    async save(signed) {
      const node = await nodeModules();
      await replace(node, nameOf(node), signed);
    },
  };
}
