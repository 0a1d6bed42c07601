/**
 * What outlives a restart: stores, and which policy wins after one.
 */
import { assert, assertEquals } from "@std/assert";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { MAX_SIGNED_POLICY_BYTES } from "../../../src/limits.ts";
import { createPinner } from "../../../src/pinner/pinner.ts";
import {
  createUpdater,
  type DenoKvLike,
  denoKvStore,
  fileStore,
  memoryStore,
  type PolicyStore,
  type UpdaterOptions,
} from "../../../src/updates/mod.ts";
import type { Body } from "../harness.ts";
import { AUDIENCE, codeOf, inDays, keyPair, KEYS, signed } from "./scene.ts";

/** A folder that is gone afterwards. */
async function folder() {
  const path = await mkdtemp(join(tmpdir(), "certpin-store-"));
  return {
    path,
    file: join(path, "policy.jws"),
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  };
}

/** An updater that is served one text after another; the last one for ever. */
function updaterOf(
  store: PolicyStore,
  texts: readonly string[] = [],
  more: Partial<UpdaterOptions> = {},
) {
  const pinner = createPinner({ version: 1, hosts: {} });
  const builtIn = pinner.policy;
  const errors: (string | undefined)[] = [];
  const queue = [...texts];
  const updater = createUpdater(pinner, {
    load: () => (queue.length > 1 ? queue.shift()! : queue[0]),
    keys: [KEYS.publicKey],
    audience: AUDIENCE,
    store,
    interval: 0,
    onError: ({ code }) => errors.push(code),
    ...more,
  });
  return { pinner, builtIn, updater, errors };
}

/** A Deno KV that holds one entry, and knows its version. */
function fakeKv(): DenoKvLike & { writes: number } {
  let version = 0;
  let value: unknown = null;
  const versionstamp = () => (version === 0 ? null : String(version));
  const kv = {
    writes: 0,
    get: () => Promise.resolve({ value, versionstamp: versionstamp() }),
    set(_key: unknown, next: unknown) {
      value = next;
      version++;
      kv.writes++;
      return Promise.resolve({ ok: true, versionstamp: versionstamp() });
    },
    atomic() {
      let ok = true;
      let next: unknown;
      const atomic = {
        check(entry: { versionstamp: string | null }) {
          ok &&= entry.versionstamp === versionstamp();
          return atomic;
        },
        set(_key: unknown, one: unknown) {
          next = one;
          return atomic;
        },
        async commit() {
          if (!ok) return { ok: false };
          await kv.set(_, next);
          return { ok: true, versionstamp: versionstamp()! };
        },
      };
      const _ = undefined;
      return atomic;
    },
  };
  return kv;
}

/** Registers the tests. */
export const updateStores: Body = (t) => {
  t.test("a file store gives back what was saved last, whole, and leaves nothing else", async () => {
    await using temporary = await folder();
    const { path, file } = temporary;
    for (const store of [fileStore(file), fileStore(pathToFileURL(file))]) {
      await rm(file, { force: true });
      assertEquals(await store.load(), undefined);
      await store.save("first");
      assertEquals(await store.load(), "first");
      await Promise.all(["a", "b", "c"].map((text) => store.save(text)));
      assert(["a", "b", "c"].includes(await store.load() ?? ""));
      await store.save("last");
      assertEquals(await readFile(file, "utf8"), "last");
      assertEquals(await readdir(path), ["policy.jws"]);
    }
    assertEquals(
      await codeOf(() => fileStore(join(path, "none", "x")).save("a")),
      "ENOENT",
    );
    assertEquals(await readdir(path), ["policy.jws"]);
  });

  t.test("a file larger than any policy is not read", async () => {
    await using temporary = await folder();
    const { file } = temporary;
    await writeFile(file, new Uint8Array(MAX_SIGNED_POLICY_BYTES + 1));
    assertEquals(await codeOf(() => fileStore(file).load()), "Error");
    await writeFile(file, "small");
    assertEquals(await fileStore(file).load(), "small");
  });

  t.test("what a restart finds is in force before the first fetch", async () => {
    await using temporary = await folder();
    const kv = fakeKv();
    for (
      const make of [
        () => fileStore(temporary.file),
        () => denoKvStore(kv, ["certpin"]),
      ]
    ) {
      const text = await signed({ sequence: 3 });
      await using first = updaterOf(make(), [text]).updater;
      assertEquals(await first.update(), "updated");
      const { pinner, updater, errors } = updaterOf(make());
      await using _ = updater;
      await updater.ready;
      assertEquals(errors, []);
      assertEquals(pinner.policy.hostnames, ["api.example.com"]);
      assertEquals(updater.status.sequence, 3);
    }
  });

  t.test("a stored policy that was cut at any byte counts for nothing, and is mended", async () => {
    const text = await signed({ sequence: 3 });
    const newer = await signed({ sequence: 4 });
    await using temporary = await folder();
    const { file } = temporary;
    // Every byte by a store in memory; over the file, some of them.
    for (let end = 0; end <= text.length; end++) {
      const isFile = end % 97 === 0 || end >= text.length - 1;
      const store = isFile ? fileStore(file) : memoryStore(text.slice(0, end));
      if (isFile) await writeFile(file, text.slice(0, end));
      const { pinner, builtIn, updater, errors } = updaterOf(store, [newer]);
      await updater.ready;
      const isWhole = end === text.length;
      assertEquals(errors, isWhole ? [] : ["ERR_CERTPIN_UPDATE_STORE"]);
      assertEquals(pinner.policy === builtIn, !isWhole);
      assertEquals(updater.status.sequence, isWhole ? 3 : undefined);
      assertEquals(await updater.update(), "updated");
      assertEquals(await store.load(), newer);
      await updater.close();
    }
  });

  t.test("what a store holds is verified again", async () => {
    const other = await keyPair();
    const wrong = [
      await signed({ key: other.privateKey }),
      await signed({ audience: "another" }),
      "no policy",
      "",
    ];
    for (const text of wrong) {
      const { pinner, builtIn, updater, errors } = updaterOf(memoryStore(text));
      await updater.ready;
      assertEquals(errors, ["ERR_CERTPIN_UPDATE_STORE"]);
      assert(pinner.policy === builtIn);
      await updater.close();
    }
    const { updater, errors } = updaterOf(memoryStore(await signed()));
    await updater.ready;
    assertEquals(errors, []);
    await updater.close();
  });

  t.test("a store that fails changes nothing in force", async () => {
    const text = await signed({ sequence: 3 });
    const broken = new Error("disk full");
    let isBroken = true;
    let saves = 0;
    const store: PolicyStore = {
      load: () => Promise.resolve(undefined),
      save() {
        saves++;
        return isBroken ? Promise.reject(broken) : Promise.resolve();
      },
    };
    const { pinner, builtIn, updater } = updaterOf(store, [text]);
    const code = "ERR_CERTPIN_UPDATE_STORE";
    assertEquals(await codeOf(() => updater.update()), code);
    assert(updater.status.lastError?.cause === broken);
    assert(pinner.policy === builtIn);
    assertEquals(saves, 3);
    isBroken = false;
    assertEquals(await updater.update(), "updated");
    assertEquals(updater.status.lastError, undefined);
    await updater.close();
  });

  t.test("a build that is newer than the store wins, an older one does not", async () => {
    const text = await signed({ sequence: 5 });
    for (
      const [sequence, isStored] of [[6, false], [5, true], [4, true]] as const
    ) {
      const { pinner, builtIn, updater } = updaterOf(
        memoryStore(text),
        [text],
        { builtIn: { sequence } },
      );
      assertEquals(updater.status.sequence, sequence);
      await updater.ready;
      assertEquals(pinner.policy !== builtIn, isStored);
      assertEquals(updater.status.sequence, isStored ? 5 : 6);
      // What is older than the build is a rollback, whoever serves it.
      assertEquals(
        await codeOf(() => updater.update()),
        isStored ? undefined : "ERR_CERTPIN_UPDATE_ROLLBACK",
      );
      await updater.close();
    }
  });

  t.test("a stored policy that has expired stays the floor", async () => {
    const store = memoryStore(
      await signed({
        sequence: 5,
        issuedAt: inDays(-2),
        expiresAt: inDays(-1),
      }),
    );
    const { pinner, builtIn, updater } = updaterOf(
      store,
      [await signed({ sequence: 4 }), await signed({ sequence: 6 })],
      { builtIn: { sequence: 3 } },
    );
    await updater.ready;
    assert(pinner.policy !== builtIn);
    assertEquals(
      await codeOf(() => updater.update()),
      "ERR_CERTPIN_UPDATE_ROLLBACK",
    );
    assertEquals(await updater.update(), "updated");
    await updater.close();
  });

  t.test("two processes on one store: neither takes the other back", async () => {
    await using temporary = await folder();
    const kv = fakeKv();
    const stores = [
      () => fileStore(temporary.file),
      () => denoKvStore(kv, ["certpin"]),
    ];
    for (const make of stores) {
      const [four, five, six] = await Promise.all(
        [4, 5, 6].map((sequence) => signed({ sequence })),
      );
      const one = updaterOf(make(), [five, six]);
      const two = updaterOf(make(), [four, six]);
      assertEquals(await one.updater.update(), "updated");
      // The second is served the older one, and finds the newer in the store.
      assertEquals(
        await codeOf(() => two.updater.update()),
        "ERR_CERTPIN_UPDATE_ROLLBACK",
      );
      assertEquals(two.updater.status.sequence, 5);
      assertEquals(two.pinner.policy.hostnames, ["api.example.com"]);
      assertEquals(await make().load(), five);
      assertEquals(
        await Promise.all([one.updater.update(), two.updater.update()]),
        ["updated", "updated"],
      );
      assertEquals(await make().load(), six);
      await one.updater.close();
      await two.updater.close();
    }
  });

  t.test("a store that lost the newest policy is given it again", async () => {
    const text = await signed({ sequence: 5 });
    const store = memoryStore();
    const { updater } = updaterOf(store, [text]);
    await updater.update();
    await store.save(await signed({ sequence: 2 }));
    assertEquals(await updater.update(), "unchanged");
    assertEquals(await store.load(), text);
    await updater.close();
  });

  t.test("denoKvStore() never replaces what it has not seen", async () => {
    const kv = fakeKv();
    const one = denoKvStore(kv, ["a"]);
    const two = denoKvStore(kv, ["a"]);
    await one.load();
    await two.load();
    await one.save("one");
    await one.save("one again");
    assertEquals(await codeOf(() => two.save("two")), "Error");
    assertEquals(await two.load(), "one again");
    await two.save("two");
    assertEquals(await one.load(), "two");
    assertEquals(kv.writes, 3);
  });
};
