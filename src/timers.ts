/**
 * Timers that do not keep the process alive, on every runtime.
 *
 * @module
 */

interface DenoLike {
  readonly Deno?: { unrefTimer?(id: number): void };
}

/** Calls back later, unless the process ends before; returns what cancels it. */
export function laterUnref(act: () => void, milliseconds: number): () => void {
  const timer: unknown = setTimeout(act, milliseconds);
  // Node and Bun make objects; browsers, and Deno once, make numbers.
  if (typeof timer === "number") {
    (globalThis as DenoLike).Deno?.unrefTimer?.(timer);
  } else (timer as { unref?(): void }).unref?.();
  return () => clearTimeout(timer as number);
}

/** Resolves when `work` has ended, however, at the latest after a while or an abort. */
export async function settledWithin(
  work: Promise<unknown>,
  milliseconds: number,
  signal?: AbortSignal,
): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, milliseconds);
  const onAbort = () => resolve();
  signal?.addEventListener("abort", onAbort);
  if (signal?.aborted) resolve();
  try {
    await Promise.race([work.then(() => {}, () => {}), promise]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
  }
}
