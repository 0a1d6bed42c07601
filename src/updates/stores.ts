/**
 * Where the newest accepted policy is kept. What a store gives back is verified
 * again, so none of them has to be trusted with more than not to forget.
 *
 * @module
 */

/** Keeps one signed policy. */
export interface PolicyStore {
  /** The text that was saved last; undefined before the first save. */
  load(): Promise<string | undefined>;
  /** Keeps a text, whole or not at all, also if the process ends meanwhile. */
  save(signed: string): Promise<void>;
}

/**
 * Keeps the policy in memory: a restart begins with the built-in policy again.
 *
 * @param signed What it holds at first.
 * @returns The store.
 */
export function memoryStore(signed?: string): PolicyStore {
  let held = signed;
  return {
    load: () => Promise.resolve(held),
    save(text) {
      held = text;
      return Promise.resolve();
    },
  };
}

/** A part of a key of Deno KV. */
export type DenoKvKeyPart = string | number | bigint | boolean | Uint8Array;

/** What Deno KV gives for a key. */
export interface DenoKvEntry {
  /** What was set; null where nothing was. */
  readonly value: unknown;
  /** Changes with each change of the value. */
  readonly versionstamp: string | null;
}

/** Changes that are made together, or not at all. */
export interface DenoKvAtomic {
  /** Demands that an entry has not changed. */
  check(
    entry: { key: DenoKvKeyPart[]; versionstamp: string | null },
  ): DenoKvAtomic;
  /** Sets a value. */
  set(key: DenoKvKeyPart[], value: unknown): DenoKvAtomic;
  /** Makes the changes, unless a check fails. */
  commit(): Promise<{ ok: boolean; versionstamp?: string }>;
}

/** The part of `Deno.Kv` that a store needs. */
export interface DenoKvLike {
  /** Reads an entry. */
  get(key: DenoKvKeyPart[]): Promise<DenoKvEntry>;
  /** Sets a value, whatever was there. */
  set(key: DenoKvKeyPart[], value: unknown): Promise<unknown>;
  /** Begins changes that are made together. Without it the last writer wins. */
  atomic?(): DenoKvAtomic;
}

/**
 * Keeps the policy in Deno KV, under one key.
 *
 * Whoever saves must have seen what they replace: of two processes that write
 * at once, one fails, and its updater looks again. A value of Deno KV holds at
 * most 64 KiB.
 *
 * @param kv An open database, from `Deno.openKv()`.
 * @param key Where to keep it.
 * @returns The store.
 */
export function denoKvStore(
  kv: DenoKvLike,
  key: readonly DenoKvKeyPart[],
): PolicyStore {
  const place = [...key];
  /** Of the entry that was read last; undefined before the first look. */
  let seen: string | null | undefined;
  return {
    async load() {
      const { value, versionstamp } = await kv.get(place);
      seen = versionstamp;
      return typeof value === "string" ? value : undefined;
    },
    async save(signed) {
      if (seen === undefined || kv.atomic === undefined) {
        await kv.set(place, signed);
        return;
      }
      const { ok, versionstamp } = await kv.atomic()
        .check({ key: place, versionstamp: seen })
        .set(place, signed)
        .commit();
      if (!ok) {
        throw new Error("Cannot save: the entry has changed since it was read");
      }
      seen = versionstamp;
    },
  };
}
