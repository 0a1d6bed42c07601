/**
 * Files: read with a bound, written whole or not at all.
 *
 * @module
 */
import { randomUUID } from "node:crypto";
import { constants } from "node:fs";
import { copyFile, link, open, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { Failure } from "./failure.ts";
import type { Io } from "./io.ts";

/** Largest file that a command reads, in bytes. */
const MAX_FILE_BYTES = 16 * 1024 * 1024;
/** What is read at a time, in bytes. */
const CHUNK_BYTES = 64 * 1024;

/** The name that means standard input. */
export const STDIN = "-";

function reason(error: unknown): string {
  const { code, message } = error as { code?: string; message: string };
  switch (code) {
    case "ENOENT":
      return "there is no such file";
    case "EACCES":
    case "EPERM":
      return "no permission";
    case "EISDIR":
      return "it is a folder";
    case "EEXIST":
      return "it exists already";
    default:
      return message;
  }
}

/** Reads a file, or standard input for `-`. */
export async function readInput(io: Io, name: string): Promise<Uint8Array> {
  const tooLarge = () =>
    new Failure(`Cannot read it: over ${MAX_FILE_BYTES} bytes`, {
      subject: name,
    });
  if (name === STDIN) {
    const bytes = await io.readStdin(MAX_FILE_BYTES);
    if (bytes.length > MAX_FILE_BYTES) throw tooLarge();
    return bytes;
  }
  let bytes: Uint8Array;
  try {
    bytes = await readBounded(name);
  } catch (error) {
    throw new Failure(`Cannot read it: ${reason(error)}`, { subject: name });
  }
  if (bytes.length > MAX_FILE_BYTES) throw tooLarge();
  return bytes;
}

/** Reads at most one byte more than is allowed: a device has no size, and no end. */
async function readBounded(name: string): Promise<Uint8Array> {
  const file = await open(name, "r");
  try {
    const chunks: Uint8Array[] = [];
    let length = 0;
    for (;;) {
      const chunk = new Uint8Array(CHUNK_BYTES);
      const { bytesRead } = await file.read(chunk, 0, CHUNK_BYTES, null);
      if (bytesRead === 0) break;
      chunks.push(chunk.subarray(0, bytesRead));
      length += bytesRead;
      if (length > MAX_FILE_BYTES) break;
    }
    return joined(chunks, length);
  } finally {
    await file.close();
  }
}

function joined(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const all = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}

/** Reads UTF-8 text; a byte order mark is dropped. */
export async function readText(io: Io, name: string): Promise<string> {
  const bytes = await readInput(io, name);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new Failure("Cannot read it: it is not UTF-8 text", {
      subject: name,
    });
  }
}

/** Whether there is something of that name. */
export async function exists(name: string): Promise<boolean> {
  try {
    await stat(name);
    return true;
  } catch {
    return false;
  }
}

/** Gives a file a second name that nothing has yet. */
async function placeNew(neighbour: string, name: string): Promise<void> {
  try {
    await link(neighbour, name);
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === "EEXIST" || code === "ENOENT") throw error;
    // File systems without links: not in one step, but never over another file.
    await copyFile(neighbour, name, constants.COPYFILE_EXCL);
  }
}

/**
 * Writes a file whole: into a neighbour first, then in its place in one step.
 * Without `force` a file that exists stays as it is, also one that appears
 * meanwhile.
 */
export async function writeWhole(
  name: string,
  text: string,
  force: boolean,
): Promise<void> {
  const neighbour = join(
    dirname(name),
    `.${basename(name)}.${randomUUID()}.tmp`,
  );
  try {
    const { O_CREAT, O_EXCL, O_WRONLY } = constants;
    const file = await open(neighbour, O_CREAT | O_EXCL | O_WRONLY, 0o644);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    if (force) await rename(neighbour, name);
    else await placeNew(neighbour, name);
  } catch (error) {
    const isThere = (error as { code?: string }).code === "EEXIST";
    throw new Failure(`Cannot write it: ${reason(error)}`, {
      subject: name,
      hint: isThere ? "--force writes over it" : undefined,
    });
  } finally {
    await rm(neighbour, { force: true }).catch(() => {});
  }
}
