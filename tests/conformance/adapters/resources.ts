/**
 * What a process holds: memory, handles, descriptors.
 */
import { readdir } from "node:fs/promises";
import process from "node:process";
import * as v8 from "node:v8";
import * as vm from "node:vm";

/** Collects garbage; `undefined` where the runtime lets nobody ask for it. */
export function collector(): (() => void) | undefined {
  const { Bun } = globalThis as { Bun?: { gc(force: boolean): void } };
  if (Bun !== undefined) return () => Bun.gc(true);
  try {
    v8.setFlagsFromString("--expose-gc");
    const { gc } = globalThis as { gc?: () => void };
    return gc ?? vm.runInNewContext("gc");
  } catch {
    return undefined;
  }
}

/** Sockets and timers that keep the process alive. */
export function openHandles(): number {
  const { getActiveResourcesInfo } = process as {
    getActiveResourcesInfo?: () => string[];
  };
  const open = getActiveResourcesInfo?.call(process) ?? [];
  return open.filter((name) => /TCP|TLS|Timeout/.test(name)).length;
}

/** Open file descriptors; `undefined` where the system does not list them. */
export async function openDescriptors(): Promise<number | undefined> {
  try {
    return (await readdir("/proc/self/fd")).length;
  } catch {
    return undefined;
  }
}
